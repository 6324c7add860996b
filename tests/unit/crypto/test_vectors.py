"""The recorded vectors, computed again by the program and by the second implementation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exile_tui.crypto import aead, kdf
from exile_tui.crypto.handshake import (
    InviteSecret,
    bundle_hash,
    generate_invite,
    join,
    open_request,
)
from exile_tui.crypto.keys import MlKem768Seed
from exile_tui.crypto.safety_number import numeric_fingerprint
from exile_tui.crypto.session import Session
from exile_tui.crypto.words import words
from tests.reference import exile1, fingerprint, tools
from tests.unit.crypto.support import SYSTEM, ReplayEntropy

VECTORS = Path(__file__).parents[2] / "vectors"
SIGNALS_DIGITS = "300354477692869396892869876765458257569162576843440918079131"
SIGNALS_SCANNABLE = (
    "080212220a201e301a0353dce3dbe7684cb8336e85136cdc0ee96219494ada305d62a7bd61df"
    "1a220a20d62cbf73a11592015b6b9f1682ac306fea3aaf3885b84d12bca631e9d4fb3a4d"
)

Drawn = bytes | tuple[bytes, bytes]


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def raw(value: str | dict[str, str]) -> Drawn:
    if isinstance(value, str):
        return bytes.fromhex(value)
    return bytes.fromhex(value["secret"]), bytes.fromhex(value["ciphertext"])


def replay(random: dict[str, Any]) -> ReplayEntropy:
    return ReplayEntropy(raw(value) for value in random.values())


def drawing(random: dict[str, Any]) -> Callable[[str], Any]:
    return lambda name: raw(random[name])


def padded(contents: str, size: int) -> bytes:
    text = contents.encode()
    return (len(text).to_bytes(2, "big") + text).ljust(size, b"\0")


def unhex(entry: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(entry[name]) for name in names]


def test_primitives() -> None:
    v = load("primitives.json")
    ikm, output = unhex(v["hkdf"], "ikm", "output")
    for hkdf in (kdf.hkdf, tools.HKDF):
        assert hkdf(ikm, v["hkdf"]["info"].encode(), v["hkdf"]["length"]) == output
    ck, output = unhex(v["kdf_ck"], "ck", "output")
    assert b"".join(kdf.kdf_ck(ck)) == b"".join(tools.kdf_ck(ck)) == output
    rk, ikm, th, output = unhex(v["kdf_rk"], "rk", "ikm", "th", "output")
    assert b"".join(kdf.kdf_rk(rk, ikm, th)) == b"".join(tools.kdf_rk(rk, ikm, th)) == output
    mk, text, ad, sealed = unhex(v["seal"], "mk", "text", "ad", "sealed")
    random = v["seal"]["random"]
    assert aead.seal(mk, text, ad, replay(random)) == sealed
    assert tools.seal(mk, text, ad, raw(random["body"])) == sealed
    assert aead.open_sealed(mk, sealed, ad) == tools.unseal(mk, sealed, ad) == text
    hk, header, ad, sealed = unhex(v["seal_header"], "hk", "header", "ad", "sealed")
    random = v["seal_header"]["random"]
    assert aead.seal_header(hk, header, ad, replay(random)) == sealed
    assert tools.seal_header(hk, header, ad, raw(random["header"])) == sealed
    assert aead.open_header(hk, sealed, ad) == tools.unseal_header(hk, sealed, ad) == header
    seed, public, secret, ciphertext = unhex(
        v["ml_kem_768"], "seed", "public", "secret", "ciphertext"
    )
    assert MlKem768Seed(seed).public_raw() == tools.kem768_public(seed) == public
    assert MlKem768Seed(seed).decapsulate(ciphertext) == secret
    key, text, sealed = unhex(v["single_use"], "key", "text", "sealed")
    assert aead.aead_encrypt(key, text) == tools.aead_encrypt(key, bytes(12), text, b"") == sealed
    assert aead.aead_decrypt(key, sealed) == text


class Program:
    """The recorded conversation as the program has it."""

    def __init__(self, v: dict[str, Any]) -> None:
        self.day = v["day"]
        # What follows the five keys belongs to the bundle's other fields.
        self.secret: InviteSecret = generate_invite(replay(v["invite"]["random"]))
        self.bundle = bytes.fromhex(v["invite"]["bundle"])
        self.bh = bundle_hash(self.bundle)
        profile = bytes.fromhex(v["join"]["profile_block"]).ljust(1024, b"\0")
        entropy = replay(v["join"]["random"])
        self.sides: dict[str, Session] = {"A": join(self.secret.public, self.bh, profile, entropy)}
        assert entropy.exhausted
        self.transcript = self.sides["A"].transcript
        self.profile = profile
        public = self.secret.public
        keys = (public.ik, public.spk, public.kemh, public.rdh, public.rkem)
        self.public_keys = b"".join(key.raw for key in keys)

    def seal(self, side: str, body: bytes, random: dict[str, Any]) -> bytes:
        entropy = replay(random)
        self.sides[side], envelope = self.sides[side].seal(body, entropy)
        assert entropy.exhausted
        return envelope

    def open(self, side: str, envelope: bytes) -> bytes:
        if side not in self.sides:
            opened = open_request(self.secret, self.bh, envelope, self.day)
            assert opened.profile_block == self.profile
            assert opened.session.transcript == self.transcript
            self.sides[side] = opened.session
            return opened.body
        result = self.sides[side].open(envelope, self.day)
        self.sides[side] = result.session
        return result.body


class Reference:
    """The recorded conversation as the second implementation has it."""

    def __init__(self, v: dict[str, Any]) -> None:
        self.day = v["day"]
        self.secret = exile1.make_invite(drawing(v["invite"]["random"]))
        self.bundle = bytes.fromhex(v["invite"]["bundle"])
        self.bh = exile1.bundle_hash(self.bundle)
        self.profile = bytes.fromhex(v["join"]["profile_block"]).ljust(1024, b"\0")
        public = exile1.public_of(self.secret)
        draw = drawing(v["join"]["random"])
        self.sides = {"A": exile1.join(public, self.bh, self.profile, draw)}
        self.transcript = self.sides["A"]["T"]
        self.public_keys = b"".join(public.values())

    def seal(self, side: str, body: bytes, random: dict[str, Any]) -> bytes:
        return exile1.session_seal(self.sides[side], body, drawing(random))

    def open(self, side: str, envelope: bytes) -> bytes:
        if side not in self.sides:
            state, profile, body = exile1.open_request(self.secret, self.bh, envelope, self.day)
            assert profile == self.profile
            assert state["T"] == self.transcript
            self.sides[side] = state
            return body
        return exile1.session_open(self.sides[side], envelope, self.day)


@pytest.mark.parametrize("implementation", [Program, Reference])
def test_conversation(implementation: type[Program] | type[Reference]) -> None:
    v = load("conversation.json")
    talk = implementation(v)
    assert talk.bh.hex() == v["invite"]["bh"]
    assert talk.transcript.hex() == v["join"]["T"]
    assert talk.bundle[2 : 2 + len(talk.public_keys)] == talk.public_keys
    envelopes: list[bytes] = []
    bodies: list[bytes] = []
    for event in v["events"]:
        if "open" in event:
            number = event["message"]
            assert talk.open(event["open"], envelopes[number]) == bodies[number]
            continue
        body = padded(event["contents"], event["size"])
        envelope = talk.seal(event["seal"], body, event["random"])
        assert tools.H(envelope).hex() == event["sha256"]
        if "envelope" in event:
            assert envelope.hex() == event["envelope"]
        envelopes.append(envelope)
        bodies.append(body)
    assert {len(envelope) for envelope in envelopes} == {4096, 16384, 65536}


def test_stored_sessions_of_version_1() -> None:
    v = load("session_state.json")
    sessions = {}
    for name, value in v.items():
        if name.startswith(("joiner", "inviter")):
            sessions[name] = Session.from_bytes(bytes.fromhex(value))
            assert sessions[name].to_bytes().hex() == value
    for name in ("inviter, sending", "inviter, pending, with skipped keys"):
        opened = sessions[name].open(bytes.fromhex(v["late envelope for the inviter"]), 20_000)
        assert opened.body == padded(v["late contents"], 1683)
    opened = sessions["joiner, sending"].open(
        bytes.fromhex(v["next envelope for the joiner"]), 20_000
    )
    assert opened.body == padded(v["next contents"], 1683)
    for name, sent in (("joiner before its first request", 0), ("joiner in request form", 1)):
        assert sessions[name].in_request_form
        assert sessions[name].requests_sent == sent
        assert sessions[name].seal(bytes(11215), SYSTEM)


def test_safety_numbers() -> None:
    entries = load("safety_number.json")
    assert entries[0]["digits"] == SIGNALS_DIGITS
    assert entries[0]["scannable"] == SIGNALS_SCANNABLE
    for entry in entries:
        given = unhex(entry, "local_id", "local_key", "remote_id", "remote_key")
        number = numeric_fingerprint(*given)
        digits, scannable = fingerprint.numeric_fingerprint(*given)
        assert number.digits == digits == entry["digits"]
        assert number.scannable == scannable == bytes.fromhex(entry["scannable"])
        for language in ("ko", "en"):
            assert list(words(digits, language)) == entry[language]  # type: ignore[arg-type]
