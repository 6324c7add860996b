"""What two people's programs say to each other inside an envelope (docs/protocol.md, section 5).

A content is `type 1 | MessagePack array`. Unknown trailing elements are ignored; an unknown type is
kept as it is; anything else that does not parse is a WireError for the whole body.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from exile_tui.errors import WireError
from exile_tui.wire.mailbox import MailboxDescriptor

TEXT_TYPE = 1
ACKNOWLEDGED_TYPE = 2
PROFILE_TYPE = 3
MAILBOX_TYPE = 4

CONTENT_ID_SIZE = 16
MAX_INTEGER = 2**53 - 1
"""The largest `sent_ms` and `serial`."""
MAX_NAME = 862
"""UTF-8 bytes of a name on the wire; beside a mailbox in one profile block less may fit."""
MAX_MARKS = 30
"""Combining marks in a row that a receiver keeps (the limit of UAX #15's stream-safe text)."""
MAX_CONTENT = 65_535
"""Bytes of an encoded content: its length is 2 bytes."""

ContentId = Annotated[bytes, Meta(min_length=CONTENT_ID_SIZE, max_length=CONTENT_ID_SIZE)]
Natural = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]


class _Shown(Struct, frozen=True, array_like=True):
    """A content whose repr shows no more than its type."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Text(_Shown, frozen=True, array_like=True):
    """A message that a person wrote."""

    id: ContentId
    sent_ms: Natural
    """The sender's clock, milliseconds since the epoch: only ever shown."""

    text: str


class Acknowledged(_Shown, frozen=True, array_like=True):
    """Ids of contents that are stored here; never acknowledged itself."""

    ids: tuple[ContentId, ...]


class Profile(_Shown, frozen=True, array_like=True):
    """The sender's name; the larger serial wins."""

    id: ContentId
    serial: Natural
    name: str


class Mailbox(_Shown, frozen=True):
    """Where to send to the sender from now on; the larger serial wins."""

    id: bytes
    serial: int
    descriptor: MailboxDescriptor


class Unknown(_Shown, frozen=True):
    """A content of a newer version, kept as it came."""

    type: int
    payload: bytes


Content = Text | Acknowledged | Profile | Mailbox | Unknown


class _MailboxWire(Struct, frozen=True, array_like=True):
    id: ContentId
    serial: Natural
    descriptor: bytes


_ENCODER = msgspec.msgpack.Encoder()
_TEXT = msgspec.msgpack.Decoder(Text)
_ACKNOWLEDGED = msgspec.msgpack.Decoder(Acknowledged)
_PROFILE = msgspec.msgpack.Decoder(Profile)
_MAILBOX = msgspec.msgpack.Decoder(_MailboxWire)
_KNOWN = frozenset((TEXT_TYPE, ACKNOWLEDGED_TYPE, PROFILE_TYPE, MAILBOX_TYPE))


def encode_content(content: Content) -> bytes:
    """Encode one content, without the length that precedes it in a body.

    Raises:
        WireError: A receiver would refuse it: a wrong id, a number out of range, lone surrogates.
    """
    try:
        if isinstance(content, Unknown):
            if content.type in _KNOWN or not 0 <= content.type <= 255:
                raise WireError
            encoded = bytes((content.type,)) + content.payload
        else:
            encoded = _encode_known(content)
    except (ValueError, OverflowError, TypeError):
        raise WireError from None
    decode_content(encoded)
    return encoded


def _encode_known(content: Text | Acknowledged | Profile | Mailbox) -> bytes:
    if isinstance(content, Text):
        return b"\x01" + _ENCODER.encode(content)
    if isinstance(content, Acknowledged):
        return b"\x02" + _ENCODER.encode(content)
    if isinstance(content, Profile):
        return b"\x03" + _ENCODER.encode(content)
    wire = _MailboxWire(content.id, content.serial, content.descriptor.encode())
    return b"\x04" + _ENCODER.encode(wire)


def decode_content(encoded: bytes) -> Content:
    """Read one content; names and texts come out in NFC.

    Raises:
        WireError: It is of a known type and does not parse, or has no type, or is too long.
    """
    if not 1 <= len(encoded) <= MAX_CONTENT:
        raise WireError
    try:
        return _decode(encoded[0], encoded[1:])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise WireError from None


def _decode(kind: int, payload: bytes) -> Content:
    if kind == TEXT_TYPE:
        text = _TEXT.decode(payload)
        normal = _composed(text.text)
        return text if normal == text.text else Text(text.id, text.sent_ms, normal)
    if kind == ACKNOWLEDGED_TYPE:
        return _ACKNOWLEDGED.decode(payload)
    if kind == PROFILE_TYPE:
        profile = _PROFILE.decode(payload)
        if len(profile.name.encode()) > MAX_NAME:
            raise WireError
        return Profile(profile.id, profile.serial, _composed(profile.name))
    if kind == MAILBOX_TYPE:
        wire = _MAILBOX.decode(payload)
        return Mailbox(wire.id, wire.serial, MailboxDescriptor.decode(wire.descriptor))
    return Unknown(kind, payload)


def _composed(text: str) -> str:
    """Return NFC, of each row of combining marks only the first.

    Sorting a row takes the square of its length: 30,000 marks would cost seconds.
    """
    if text.isascii():
        return text
    kept: list[str] = []
    row = 0
    for character in text:
        row = row + 1 if unicodedata.category(character)[0] == "M" else 0
        if row <= MAX_MARKS:
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


def encode_contents(contents: Sequence[Content | bytes]) -> bytes:
    """Join contents, each `length 2 | content`; bytes are contents that are encoded already."""
    parts: list[bytes] = []
    for content in contents:
        encoded = content if isinstance(content, bytes) else encode_content(content)
        if not 1 <= len(encoded) <= MAX_CONTENT:
            raise WireError
        parts += (len(encoded).to_bytes(2, "big"), encoded)
    return b"".join(parts)


def decode_contents(data: bytes) -> list[Content]:
    """Read contents that follow each other to the end, each `length 2 | content`.

    Raises:
        WireError: One of them does not parse, or a length leads past the end.
    """
    contents: list[Content] = []
    at = 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data):
            raise WireError
        contents.append(decode_content(data[start:at]))
    return contents
