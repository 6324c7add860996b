"""Record the vectors of crypto: `python -m tests.vectors.record_crypto`.

Everything random is drawn from the system through an entropy that notes what it gave; the order in
which the program draws is part of its interface, and the names below follow that order.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from exile_tui.crypto import aead, kdf
from exile_tui.crypto.handshake import bundle_hash, generate_invite, join, open_request
from exile_tui.crypto.keys import MlKem768Seed
from exile_tui.crypto.safety_number import fingerprint_id, numeric_fingerprint
from exile_tui.crypto.session import Session
from exile_tui.crypto.words import words
from tests.unit.crypto.support import RecordingEntropy

HERE = Path(__file__).parent
DAY = 20_000
INVITE = ("IK", "SPK", "KEMH", "RDH", "RKEM")
JOIN = ("IK_A", "EK", "ct1024", "profile")
STEP = ("dh", "ek seed", "ct")
SEAL = ("header", "body")
LATE = "message 2"

Drawn = bytes | tuple[bytes, bytes]


def named(names: tuple[str, ...], drawn: list[Drawn]) -> dict[str, Any]:
    """Give drawn values their names, in order."""
    assert len(names) == len(drawn)
    return {
        name: value.hex()
        if isinstance(value, bytes)
        else {"secret": value[0].hex(), "ciphertext": value[1].hex()}
        for name, value in zip(names, drawn, strict=True)
    }


def padded(contents: bytes, size: int) -> bytes:
    """Return a body: `length 2 | contents | zeros`."""
    return (len(contents).to_bytes(2, "big") + contents).ljust(size, b"\0")


def primitives() -> dict[str, Any]:
    """Record key derivation and seals."""
    entropy = RecordingEntropy()
    key, th, ikm = entropy.bytes(32), entropy.bytes(32), entropy.bytes(64)
    text, ad = entropy.bytes(100), entropy.bytes(40)
    draws = RecordingEntropy()
    sealed = aead.seal(key, text, ad, draws)
    header = aead.seal_header(key, text, ad, draws)
    seed = MlKem768Seed(entropy.bytes(64))
    secret, ciphertext = seed.public().encapsulate()
    return {
        "hkdf": {"ikm": ikm.hex(), "info": "exile/1/link/id", "length": 16}
        | {"output": kdf.hkdf(ikm, b"exile/1/link/id", 16).hex()},
        "kdf_ck": {"ck": key.hex(), "output": b"".join(kdf.kdf_ck(key)).hex()},
        "kdf_rk": {"rk": key.hex(), "ikm": ikm.hex(), "th": th.hex()}
        | {"output": b"".join(kdf.kdf_rk(key, ikm, th)).hex()},
        "seal": {"mk": key.hex(), "text": text.hex(), "ad": ad.hex(), "sealed": sealed.hex()}
        | {"random": named(("body",), draws.drawn[:1])},
        "seal_header": {"hk": key.hex(), "header": text.hex(), "ad": ad.hex()}
        | {"sealed": header.hex(), "random": named(("header",), draws.drawn[1:])},
        "ml_kem_768": {"seed": seed.raw.hex(), "public": seed.public_raw().hex()}
        | {"secret": secret.hex(), "ciphertext": ciphertext.hex()},
        "single_use": {"key": key.hex(), "text": text.hex()}
        | {"sealed": aead.aead_encrypt(key, text).hex()},
    }


class Conversation:
    """A conversation that notes every event."""

    def __init__(self) -> None:
        draws = RecordingEntropy()
        self.secret = generate_invite(draws)
        public = self.secret.public
        # The bundle as section 4 lays it out, with a mailbox on a made-up host.
        descriptor = b"\x0drelay.example" + (443).to_bytes(2, "big") + draws.bytes(80)
        names = (*INVITE, "pin, mailbox id, send token", "ticket")
        self.bundle = b"".join(
            (
                b"\x00\x01",
                *(getattr(public, name).raw for name in ("ik", "spk", "kemh", "rdh", "rkem")),
                (1_900_000_000).to_bytes(8, "big"),
                draws.bytes(32),
                len(descriptor).to_bytes(2, "big") + descriptor,
            )
        )
        self.record: dict[str, Any] = {
            "day": DAY,
            "invite": {"random": named(names, draws.drawn), "bundle": self.bundle.hex()},
        }
        self.bh = bundle_hash(self.bundle)
        self.record["invite"]["bh"] = self.bh.hex()
        self.events: list[dict[str, Any]] = []
        self.record["events"] = self.events
        self.sides: dict[str, Session] = {}
        self.envelopes: list[bytes] = []

    def join(self) -> None:
        draws = RecordingEntropy()
        profile = padded(b"profile contents", 1024)
        session = join(self.secret.public, self.bh, profile, draws)
        self.sides["A"] = session
        self.record["join"] = {
            "random": named(JOIN, draws.drawn),
            "profile_block": profile.rstrip(b"\0").hex(),
            "T": session.transcript.hex(),
        }

    def seal(self, side: str, contents: str, size: int) -> int:
        draws = RecordingEntropy()
        request = self.sides[side].in_request_form
        body = padded(contents.encode(), size)
        self.sides[side], envelope = self.sides[side].seal(body, draws)
        names = (STEP if len(draws.drawn) > 3 else ()) + SEAL + (("request",) if request else ())
        event = {"seal": side, "contents": contents, "size": size}
        event["random"] = named(names, draws.drawn)
        event["sha256"] = kdf.sha256(envelope).hex()
        if len(envelope) == 4096 or not self.envelopes:
            event["envelope"] = envelope.hex()
        self.events.append(event)
        self.envelopes.append(envelope)
        return len(self.envelopes) - 1

    def open(self, side: str, *numbers: int) -> None:
        for number in numbers:
            if side in self.sides:
                self.sides[side] = self.sides[side].open(self.envelopes[number], DAY).session
            else:
                opened = open_request(self.secret, self.bh, self.envelopes[number], DAY)
                self.sides[side] = opened.session
            self.events.append({"open": side, "message": number})


def conversation() -> tuple[dict[str, Any], Conversation]:
    """Record an invite and what two sides say, late messages included."""
    talk = Conversation()
    talk.join()
    requests = [talk.seal("A", f"request {i}", 11215) for i in range(3)]
    talk.open("B", requests[1])
    answers = [talk.seal("B", "안녕하세요", 1683), talk.seal("B", "longer", 13971)]
    talk.open("B", requests[0])
    talk.open("A", answers[0])
    more = [talk.seal("A", f"message {i}", 1683) for i in range(4)]
    talk.open("B", more[0], more[3])
    back = [talk.seal("B", "largest", 63123), talk.seal("B", "small", 1683)]
    talk.open("A", back[1], answers[1], back[0])
    late = [talk.seal("A", "a step", 1683)]
    talk.open("B", late[0], more[1], requests[2])
    return talk.record, talk


def states(talk: Conversation) -> dict[str, Any]:
    """Record stored sessions: pending, sending, in request form, with skipped keys."""
    fresh = Conversation()
    fresh.join()
    before = fresh.sides["A"]
    fresh.seal("A", "request", 11215)
    pending = talk.sides["B"]
    sending, envelope = pending.seal(padded(b"from the past", 1683), RecordingEntropy())
    late = next(
        i
        for i, event in enumerate(e for e in talk.events if "seal" in e)
        if event["contents"] == LATE
    )
    return {
        "version": 1,
        "joiner before its first request": before.to_bytes().hex(),
        "joiner in request form": fresh.sides["A"].to_bytes().hex(),
        "joiner, sending": talk.sides["A"].to_bytes().hex(),
        "inviter, pending, with skipped keys": pending.to_bytes().hex(),
        "inviter, sending": sending.to_bytes().hex(),
        "late envelope for the inviter": talk.envelopes[late].hex(),
        "late contents": LATE,
        "next envelope for the joiner": envelope.hex(),
        "next contents": "from the past",
    }


def safety_numbers() -> list[dict[str, Any]]:
    """Record safety numbers; the first has the inputs of Signal's published vector."""
    entropy = RecordingEntropy()
    inputs = [
        (
            b"+14152222222",
            bytes.fromhex("0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868"),
            b"+14153333333",
            bytes.fromhex("05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b"),
        )
    ]
    for _ in range(3):
        bh, local, remote = entropy.bytes(32), entropy.bytes(32), entropy.bytes(32)
        inputs.append(
            (
                fingerprint_id(local, bh),
                b"\x05" + local,
                fingerprint_id(remote, bh),
                b"\x05" + remote,
            )
        )
    recorded = []
    for given in inputs:
        number = numeric_fingerprint(*given)
        names = ("local_id", "local_key", "remote_id", "remote_key")
        entry: dict[str, Any] = dict(zip(names, (value.hex() for value in given), strict=True))
        entry |= {"digits": number.digits, "scannable": number.scannable.hex()}
        entry |= {"ko": words(number.digits, "ko"), "en": words(number.digits, "en")}
        recorded.append(entry)
    return recorded


def write(name: str, value: object) -> None:
    """Write one file."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    (HERE / name).write_text(text + "\n", encoding="utf-8")


def main() -> None:
    record, talk = conversation()
    write("conversation.json", record)
    write("session_state.json", states(talk))
    write("primitives.json", primitives())
    write("safety_number.json", safety_numbers())


if __name__ == "__main__":
    main()
