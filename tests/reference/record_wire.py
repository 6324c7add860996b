"""Record tests/vectors/wire_*.json with the plain implementation.

Run it as `python -m tests.reference.record_wire`. Every byte string is hexadecimal. Long runs are
given as `[byte, length]`, long results as SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.reference import wire_plain as plain

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
HOSTS = (
    ("127.0.0.1", 443),
    ("::1", 1),
    ("2001:db8::ffff:1.2.3.4", 65535),
    ("xn--" + "a" * 58, 8443),
)
REFUSED_HOSTS = (
    *("", ".", "a.", ".a", "a..b", "-a", "a-", "A", "a_b", "a b", "a/b", "호스트", "a" * 63),
    *("[::1]", "::1%lo", ":", "1:2", "1:2:3:4:5:6:7:8:9"),
)


def named(name: str, length: int = 32) -> bytes:
    """Return bytes that only a name decides."""
    return hashlib.shake_256(b"exile-tui wire vector: " + name.encode()).digest(length)


def invite(host: str, port: int) -> dict[str, Any]:
    values = {key: named(f"{host} {key}") for key in ("pin", "receive", "send", "ticket")}
    x25519 = {
        key: X25519PrivateKey.from_private_bytes(named(f"{host} {key}")).public_key()
        for key in ("ik", "spk", "rdh")
    }
    keys = {key: public.public_bytes_raw() for key, public in x25519.items()}
    kemh = MLKEM1024PrivateKey.from_seed_bytes(named("kemh", 64)).public_key().public_bytes_raw()
    rkem = MLKEM768PrivateKey.from_seed_bytes(named("rkem", 64)).public_key().public_bytes_raw()
    box = plain.mailbox_id(values["receive"], values["send"])
    described = plain.descriptor(host, port, values["pin"], box, values["send"])
    expiry = 1_790_000_000
    order = (keys["ik"], keys["spk"], kemh, keys["rdh"], rkem)
    encoded = plain.bundle(order, expiry, values["ticket"], described)
    bh = plain.bundle_hash(encoded)
    blob = plain.blob(encoded)
    assert len(blob) == 4096
    return {
        "host": host,
        "port": port,
        "expiry": expiry,
        **{key: value.hex() for key, value in (values | keys).items()},
        "kemh": kemh.hex(),
        "rkem": rkem.hex(),
        "mailbox_id": box.hex(),
        "descriptor": described.hex(),
        "bundle": encoded.hex(),
        "bundle_hash": bh.hex(),
        "blob_id": plain.blob_id(bh).hex(),
        "blob": blob.hex(),
        "address": plain.address_url(host, port, values["pin"]),
        "link": plain.link_bytes(host, port, values["pin"], bh).hex(),
        "link_text": plain.link_text(host, port, values["pin"], bh),
    }


def contents() -> dict[str, Any]:
    key, other = named("id", 16), named("other id", 16)
    box = plain.mailbox_id(named("receive"), named("send"))
    described = plain.descriptor("relay.example", 443, named("pin"), box, named("send"))
    good = [
        {"kind": "text", "sent_ms": 0, "text": "", "encoded": plain.text(key, 0, "")},
        *(
            {"kind": "text", "sent_ms": ms, "text": words, "encoded": plain.text(key, ms, words)}
            for ms, words in (
                (1_767_225_600_000, "안녕하세요, 망명지에서."),
                (2**53 - 1, "👩‍👩‍👧 e\u0301".replace("e\u0301", "é")),
                (127, "x" * 31),
                (128, "x" * 32),
                (65_536, "x" * 255),
                (2**32, "x" * 256),
            )
        ),
        {"kind": "acknowledged", "ids": [], "encoded": plain.acknowledged([])},
        {
            "kind": "acknowledged",
            "ids": [key.hex(), other.hex()] * 8,
            "encoded": plain.acknowledged([key, other] * 8),
        },
        {
            "kind": "profile",
            "serial": 7,
            "name": "홍길동",
            "encoded": plain.profile(key, 7, "홍길동"),
        },
        {
            "kind": "profile",
            "serial": 2**53 - 1,
            "name": "n" * 862,
            "encoded": plain.profile(key, 2**53 - 1, "n" * 862),
        },
        {
            "kind": "mailbox",
            "serial": 256,
            "descriptor": described.hex(),
            "encoded": plain.mailbox(key, 256, described),
        },
        {"kind": "unknown", "type": 0, "payload": "", "encoded": b"\x00"},
        {"kind": "unknown", "type": 255, "payload": "c1", "encoded": b"\xff\xc1"},
    ]
    for each in good:
        encoded = each["encoded"]
        assert isinstance(encoded, bytes)
        each["encoded"] = encoded.hex()
        each["id"] = key.hex()
    whole = plain.text(key, 1, "x")
    decomposed = "\u1112\u1161\u11ab e\u0301"
    return {
        "contents": good,
        "normalised": [
            {"encoded": plain.text(key, 1, decomposed).hex(), "shown": "한 é"},
            {"encoded": plain.profile(key, 1, decomposed).hex(), "shown": "한 é"},
        ],
        "trailing_elements": (b"\x01\x95" + whole[2:] + b"\xc0\x81\xa1\xff\x01").hex(),
        "refused": {name: data.hex() for name, data in refused_contents(key, described).items()},
        "bodies": [
            {
                "contents": [each["encoded"] for each in good[:count]],
                "size": size,
                "sha256": plain.sha256(
                    plain.body([bytes.fromhex(str(each["encoded"])) for each in good[:count]], size)
                ).hex(),
            }
            for size, count in (
                (1024, 0),
                (1683, 0),
                (1683, 3),
                (11215, 16),
                (13971, 16),
                (63123, 16),
            )
        ],
    }


def refused_contents(key: bytes, described: bytes) -> dict[str, bytes]:
    whole = plain.text(key, 1, "x")
    return {
        "empty": b"",
        "no array": b"\x01",
        "map": b"\x01\x80",
        "id too short": plain.text(key[:15], 1, "x"),
        "id too long": plain.text(key + b"x", 1, "x"),
        "id a string": b"\x01" + plain.pack(["x" * 16, 1, "x"]),
        "text bytes": b"\x01" + plain.pack([key, 1, b"x"]),
        "text missing": b"\x01" + plain.pack([key, 1]),
        "sent_ms too large": b"\x01" + plain.pack([key, 2**53, "x"]),
        "sent_ms negative": b"\x01\x93" + plain.pack(key) + b"\xff\xa1x",
        "sent_ms a float": b"\x01\x93" + plain.pack(key) + b"\xca\x00\x00\x00\x00\xa1x",
        "sent_ms true": b"\x01\x93" + plain.pack(key) + b"\xc3\xa1x",
        "text nil": b"\x01\x93" + plain.pack(key) + b"\x01\xc0",
        "text not UTF-8": b"\x01\x93" + plain.pack(key) + b"\x01\xa1\xff",
        "text a surrogate": b"\x01\x93" + plain.pack(key) + b"\x01\xa3\xed\xa0\x80",
        "byte behind": whole + b"\x00",
        "byte missing": whole[:-1],
        "nested too deep": b"\x01\x94" + whole[2:] + b"\x91" * 5_000,
        "never used code": b"\x01\x94" + whole[2:] + b"\xc1",
        "ids not ids": b"\x02" + plain.pack([["x"]]),
        "ids no list": b"\x02" + plain.pack([key]),
        "name too long": plain.profile(key, 1, "n" * 863),
        "serial too large": plain.profile(key, 2**53, "n"),
        "descriptor cut": plain.mailbox(key, 1, described[:-1]),
        "descriptor a string": b"\x04" + plain.pack([key, 1, "x"]),
        "descriptor with port 0": plain.mailbox(
            key, 1, plain.descriptor("a", 0, bytes(32), bytes(16), bytes(32))
        ),
    }


def relay() -> dict[str, Any]:
    box, token, hashed = named("box", 16), named("token"), named("hash")
    ticket = plain.authorization(2, named("ticket"))
    phrase = plain.authorization(1, "암구호 é".encode())
    by_box = plain.authorization(3, box + token)
    envelopes = [(0x61, 4096), (0x62, 65536), (0x63, 16384)]
    run = [bytes([byte]) * size for byte, size in envelopes]
    seqs = [0, 1, 2**32, 2**63 - 1]
    requests = {
        "create open": box + hashed + named("hash 2") + plain.authorization(0, b""),
        "create phrase": box + hashed + named("hash 2") + phrase,
        "create ticket": box + hashed + named("hash 2") + ticket,
        "create renewal": box + hashed + named("hash 2") + plain.authorization(4, named("renewal")),
        "token": box + token,
        "append": plain.append(box, token, run),
        "receive": box + token + named("box 2", 16) + named("token 2"),
        "acknowledge": plain.acknowledge(box, token, seqs),
        "ticket": phrase + hashed + (1_790_000_000).to_bytes(8, "big"),
        "blob put": by_box
        + plain.put_blob(box, hashed, 1_790_000_000, bytes(4096))
        + plain.put_blob(named("box 2", 16), hashed, 253402300799, b"x"),
        "blob get": box + named("box 2", 16),
    }
    frames = [
        (plain.frame(1, (3).to_bytes(2, "big") + (2**40).to_bytes(8, "big") + run[0]), "envelope"),
        (plain.frame(2, b""), "heartbeat"),
        (plain.frame(3, b"\x03\xff"), "refused"),
        (plain.frame(4, b"\x00\x00"), "caught up"),
        (plain.frame(5, b""), "goodbye"),
    ]
    fields = {
        "box": box,
        "token": token,
        "hash": hashed,
        "ticket": named("ticket"),
        "renewal": named("renewal"),
        "hash_2": named("hash 2"),
        "box_2": named("box 2", 16),
        "token_2": named("token 2"),
    }
    return {
        **{name: value.hex() for name, value in fields.items()},
        "phrase": "암구호 é",
        "envelopes": envelopes,
        "seqs": seqs,
        "requests": {
            name: data.hex() if len(data) < 1000 else {"sha256": plain.sha256(data).hex()}
            for name, data in requests.items()
        },
        "frames": [{"kind": kind, "sha256": plain.sha256(data).hex()} for data, kind in frames],
        "facts_message": plain.facts_message(b"{}").hex(),
        "facts_answer": plain.facts_answer(b"spki", b"{}", b"signature").hex(),
    }


def record() -> dict[str, Any]:
    """Return every file's content by its name."""
    return {
        "wire_invite.json": {
            "invites": [invite(host, port) for host, port in HOSTS],
            "refused_hosts": REFUSED_HOSTS,
        },
        "wire_content.json": contents(),
        "wire_relay.json": relay(),
    }


if __name__ == "__main__":
    for name, content in record().items():
        shown = json.dumps(content, indent=1, ensure_ascii=False)
        (VECTORS / name).write_text(shown + "\n", encoding="utf-8")
