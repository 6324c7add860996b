"""The wire formats a second time, written from docs/protocol.md alone and as plainly as possible.

Imports nothing of exile_tui. Writers take plain values and return bytes; readers return plain
values, or None for whatever the protocol does not allow.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import struct
import unicodedata
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HOST_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789.-:"
LAST_SECOND_OF_9999 = 253402300799


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def hkdf_sha512(secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with a salt of 64 zeros, for at most 64 bytes."""
    key = hmac.new(bytes(64), secret, "sha512").digest()
    return hmac.new(key, info + b"\x01", "sha512").digest()[:length]


# Section 4: host, address, mailbox, bundle, blob, link


def host_is_right(host: str) -> bool:
    if not 1 <= len(host) <= 62 or any(letter not in HOST_CHARACTERS for letter in host):
        return False
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return False
        return True
    labels = host.split(".")
    return all(label and label[0] != "-" and label[-1] != "-" for label in labels)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().replace("=", "")


def from_base64url(text: str) -> bytes | None:
    """Read bit by bit, so that spare bits and characters are seen for what they are."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bits = ""
    for letter in text:
        if letter not in alphabet:
            return None
        bits += format(alphabet.index(letter), "06b")
    whole = len(bits) // 8 * 8
    if len(bits) - whole >= 6 or "1" in bits[whole:]:
        return None
    return bytes(int(bits[at : at + 8], 2) for at in range(0, whole, 8))


def address_url(host: str, port: int, pin: bytes) -> str:
    shown = "[" + host + "]" if ":" in host else host
    return "https://" + shown + ":" + str(port) + "/#" + base64url(pin)


def address_bytes(host: str, port: int, pin: bytes) -> bytes:
    return bytes([len(host)]) + host.encode() + struct.pack(">H", port) + pin


def read_address(data: bytes) -> tuple[tuple[str, int, bytes], bytes] | None:
    """Return the address and what follows it."""
    if len(data) < 1 or len(data) < 1 + data[0] + 2 + 32:
        return None
    host = data[1 : 1 + data[0]].decode("latin-1")
    rest = data[1 + data[0] :]
    port = struct.unpack(">H", rest[:2])[0]
    if not host_is_right(host) or port == 0:
        return None
    return (host, port, rest[2:34]), rest[34:]


def mailbox_id(receive_token: bytes, send_token: bytes) -> bytes:
    return sha256(b"exile/1/mailbox", sha256(receive_token), sha256(send_token))[:16]


def descriptor(host: str, port: int, pin: bytes, box: bytes, send_token: bytes) -> bytes:
    what_follows = address_bytes(host, port, pin) + box + send_token
    assert len(what_follows) == 83 + len(host)
    return struct.pack(">H", len(what_follows)) + what_follows


def read_descriptor(data: bytes) -> dict[str, Any] | None:
    if len(data) < 2 or struct.unpack(">H", data[:2])[0] != len(data) - 2:
        return None
    found = read_address(data[2:])
    if found is None or len(found[1]) != 48:
        return None
    (host, port, pin), rest = found
    return {"host": host, "port": port, "pin": pin, "box": rest[:16], "send": rest[16:]}


def bundle(
    keys: tuple[bytes, bytes, bytes, bytes, bytes], expiry: int, ticket: bytes, mailbox: bytes
) -> bytes:
    """Keys in order: IK, SPK, KEMH, RDH, RKEM; `mailbox` is a descriptor."""
    assert [len(key) for key in keys] == [32, 32, 1568, 32, 1184]
    return b"\x00\x01" + b"".join(keys) + struct.pack(">Q", expiry) + ticket + mailbox


def bundle_hash(encoded: bytes) -> bytes:
    return sha256(b"exile/1/bundle", encoded)


def blob(encoded: bytes) -> bytes:
    key = hkdf_sha512(bundle_hash(encoded), b"exile/1/link/enc", 32)
    padded = encoded + b"\x00" * (4080 - len(encoded))
    return ChaCha20Poly1305(key).encrypt(bytes(12), padded, b"")


def blob_id(bh: bytes) -> bytes:
    return hkdf_sha512(bh, b"exile/1/link/id", 16)


def link_bytes(host: str, port: int, pin: bytes, bh: bytes) -> bytes:
    return b"X1\x01" + address_bytes(host, port, pin) + bh


def link_text(host: str, port: int, pin: bytes, bh: bytes) -> str:
    return "exile:" + base64url(link_bytes(host, port, pin, bh))


def read_link(data: bytes) -> dict[str, Any] | None:
    if data[:3] != b"X1\x01":
        return None
    found = read_address(data[3:])
    if found is None or len(found[1]) != 32:
        return None
    (host, port, pin), bh = found
    return {"host": host, "port": port, "pin": pin, "bh": bh}


def read_link_text(text: str) -> dict[str, Any] | None:
    text = text.strip()
    if text[:6] != "exile:":
        return None
    data = from_base64url(text[6:])
    return None if data is None else read_link(data)


# Section 5: MessagePack as far as contents need it, contents, bodies


def pack(value: Any) -> bytes:
    if isinstance(value, bytes):
        head = b"\xc4" + bytes([len(value)]) if len(value) < 256 else None
        return (head or b"\xc5" + struct.pack(">H", len(value))) + value
    if isinstance(value, str):
        data = value.encode()
        if len(data) < 32:
            return bytes([0xA0 + len(data)]) + data
        if len(data) < 256:
            return b"\xd9" + bytes([len(data)]) + data
        return b"\xda" + struct.pack(">H", len(data)) + data
    if isinstance(value, list):
        head = bytes([0x90 + len(value)]) if len(value) < 16 else b""
        head = head or b"\xdc" + struct.pack(">H", len(value))
        return head + b"".join(pack(each) for each in value)
    if value < 128:
        return bytes([value])
    if value < 256:
        return b"\xcc" + bytes([value])
    if value < 65536:
        return b"\xcd" + struct.pack(">H", value)
    if value < 2**32:
        return b"\xce" + struct.pack(">I", value)
    return b"\xcf" + struct.pack(">Q", value)


class Other:
    """A MessagePack value of a kind that no content uses."""


def unpack(data: bytes) -> tuple[Any, bytes]:
    """Read one value; return it and what follows; ValueError when it is none."""

    def cut(data: bytes, length: int) -> tuple[bytes, bytes]:
        if len(data) < length:
            raise ValueError("too short")
        return data[:length], data[length:]

    def many(data: bytes, count: int) -> tuple[list[Any], bytes]:
        values = []
        for _ in range(count):
            value, data = unpack(data)
            values.append(value)
        return values, data

    def sized(data: bytes, width: int) -> tuple[int, bytes]:
        raw, data = cut(data, width)
        return int.from_bytes(raw, "big"), data

    first, data = cut(data, 1)
    kind = first[0]
    if kind < 0x80:
        return kind, data
    if kind < 0x90:
        return Other(), many(data, 2 * (kind - 0x80))[1]
    if kind < 0xA0:
        return many(data, kind - 0x90)
    if kind < 0xC0:
        return cut(data, kind - 0xA0)[0].decode("latin-1"), cut(data, kind - 0xA0)[1]
    if kind >= 0xE0:
        return kind - 256, data
    if kind in (0xC0, 0xC2, 0xC3):
        return Other(), data
    if kind in (0xC4, 0xC5, 0xC6):
        length, data = sized(data, 1 << (kind - 0xC4))
        return cut(data, length)
    if kind in (0xC7, 0xC8, 0xC9):
        length, data = sized(data, 1 << (kind - 0xC7))
        return Other(), cut(data, 1 + length)[1]
    if kind in (0xCA, 0xCB):
        return Other(), cut(data, 4 if kind == 0xCA else 8)[1]
    if kind in (0xCC, 0xCD, 0xCE, 0xCF):
        return sized(data, 1 << (kind - 0xCC))
    if kind in (0xD0, 0xD1, 0xD2, 0xD3):
        raw, data = cut(data, 1 << (kind - 0xD0))
        return int.from_bytes(raw, "big", signed=True), data
    if 0xD4 <= kind <= 0xD8:
        return Other(), cut(data, 1 + (1 << (kind - 0xD4)))[1]
    if kind in (0xD9, 0xDA, 0xDB):
        length, data = sized(data, 1 << (kind - 0xD9))
        raw, data = cut(data, length)
        return raw.decode("latin-1"), data
    if kind in (0xDC, 0xDD):
        return many(*reversed(sized(data, 2 if kind == 0xDC else 4)))
    if kind in (0xDE, 0xDF):
        count, data = sized(data, 2 if kind == 0xDE else 4)
        return Other(), many(data, 2 * count)[1]
    raise ValueError("no MessagePack")


def text(key: bytes, sent_ms: int, words: str) -> bytes:
    return b"\x01" + pack([key, sent_ms, words])


def acknowledged(keys: list[bytes]) -> bytes:
    return b"\x02" + pack([keys])


def profile(key: bytes, serial: int, name: str) -> bytes:
    return b"\x03" + pack([key, serial, name])


def mailbox(key: bytes, serial: int, described: bytes) -> bytes:
    return b"\x04" + pack([key, serial, described])


def is_id(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) == 16


def is_number(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= 2**53 - 1


def read_string(value: Any) -> str | None:
    """Undo the latin-1 that `unpack` reads strings as; None when they are not UTF-8."""
    try:
        return value.encode("latin-1").decode() if isinstance(value, str) else None
    except UnicodeDecodeError:
        return None


def read_content(data: bytes) -> tuple[Any, ...] | None:
    """Return the type and the fields, texts and names in NFC."""
    if not 1 <= len(data) <= 65535:
        return None
    if data[0] not in (1, 2, 3, 4):
        return data[0], data[1:]
    try:
        fields, rest = unpack(data[1:])
    except (ValueError, RecursionError):
        return None
    if rest or not isinstance(fields, list) or len(fields) < (1 if data[0] == 2 else 3):
        return None
    if data[0] == 2:
        if not isinstance(fields[0], list) or not all(is_id(key) for key in fields[0]):
            return None
        return 2, fields[0]
    key, number, last = fields[:3]
    if not is_id(key) or not is_number(number):
        return None
    if data[0] == 4:
        described = read_descriptor(last) if isinstance(last, bytes) else None
        return None if described is None else (4, key, number, described)
    words = read_string(last)
    if words is None or (data[0] == 3 and len(words.encode()) > 862):
        return None
    return data[0], key, number, unicodedata.normalize("NFC", words)


def body(contents: list[bytes], size: int) -> bytes:
    joined = b"".join(struct.pack(">H", len(each)) + each for each in contents)
    padded = struct.pack(">H", len(joined)) + joined
    assert len(padded) <= size
    return padded + b"\x00" * (size - len(padded))


def read_body(data: bytes) -> list[tuple[Any, ...]] | None:
    if len(data) < 2:
        return None
    length = struct.unpack(">H", data[:2])[0]
    rest, padding = data[2 : 2 + length], data[2 + length :]
    if len(rest) < length or padding.strip(b"\x00"):
        return None
    contents = []
    while rest:
        if len(rest) < 2:
            return None
        size = struct.unpack(">H", rest[:2])[0]
        if len(rest) < 2 + size:
            return None
        content = read_content(rest[2 : 2 + size])
        if content is None:
            return None
        contents.append(content)
        rest = rest[2 + size :]
    return contents


# Section 8: what a relay is asked and what it answers

ENVELOPES = {4096: 0, 16384: 1, 65536: 2}


def authorization(kind: int, secret: bytes) -> bytes:
    return bytes([kind]) + struct.pack(">H", len(secret)) + secret


def append(box: bytes, token: bytes, envelopes: list[bytes]) -> bytes:
    return box + token + b"".join(bytes([ENVELOPES[len(each)]]) + each for each in envelopes)


def acknowledge(box: bytes, token: bytes, seqs: list[int]) -> bytes:
    return box + token + b"".join(struct.pack(">Q", seq) for seq in seqs)


def put_blob(name: bytes, delete_hash: bytes, expiry: int, data: bytes) -> bytes:
    return name + delete_hash + struct.pack(">QI", expiry, len(data)) + data


def frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind]) + struct.pack(">I", len(payload)) + payload


def read_frames(data: bytes) -> list[tuple[Any, ...]] | None:
    """Read a stream that ended; None when it is cut off or a frame is wrong."""
    lengths = {1: [10 + size for size in ENVELOPES], 2: [0], 3: [2], 4: [2], 5: [0]}
    frames: list[tuple[Any, ...]] = []
    while data:
        if len(data) < 5:
            return None
        kind, length = struct.unpack(">BI", data[:5])
        payload, data = data[5 : 5 + length], data[5 + length :]
        if length not in lengths.get(kind, []) or len(payload) < length:
            return None
        if kind == 1:
            index, seq = struct.unpack(">HQ", payload[:10])
            if seq >= 2**63:
                return None
            frames.append((1, index, seq, payload[10:]))
        else:
            frames.append((kind, *struct.unpack(">H" if length else "", payload)))
    return frames


def facts_message(statement: bytes) -> bytes:
    return b"exile/1/facts" + b"\x00" + statement


def facts_answer(spki: bytes, statement: bytes, signature: bytes) -> bytes:
    head = struct.pack(">H", len(spki)) + spki
    return head + struct.pack(">I", len(statement)) + statement + signature
