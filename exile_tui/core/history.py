"""One's own history as JSON lines (docs/history-format.md): what a line is, and how it is read.

A file is data from outside, whoever wrote it: every line is bounded, and checked before anything
of it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from exile_tui.core.model import Delivery, Direction, Message, MessageKind
from exile_tui.crypto.kdf import sha256
from exile_tui.errors import N_, UsageError
from exile_tui.json_line import json_line

VERSION = 1
MOST_LINE_BYTES = 1280 * 1024
"""Longer than the longest text with each character escaped."""
MOST_TEXT_BYTES = 196_608
"""UTF-8. One message carries less than a third of it, and composing makes three bytes of one."""
MOST_NAME_BYTES = 4096
MOST_SEQ = 2**53 - 1
MOST_CONVERSATIONS = 10_000
LATEST_MS = 253_370_764_800_000
"""The year 9999 begins: later times can't be shown."""
ID_BYTES = 16
TYPE = "exile-tui history"

NOT_A_HISTORY = N_("The file {file} is no history that exile-tui exported. Nothing was imported.")
NEWER = N_(
    "The file {file} was exported by a newer exile-tui (format {version}). Nothing was imported."
)
NOT_JSON = N_("Line {line} of {file} is not one JSON object in UTF-8. Nothing was imported.")
TOO_LONG = N_("Line {line} of {file} is longer than {limit} bytes. Nothing was imported.")
NOT_ALLOWED = N_(
    "Line {line} of {file} lacks a member, or one has a value that can't be. Nothing was imported."
)
OUT_OF_ORDER = N_(
    "Line {line} of {file} comes twice or out of order: the file was put together from others. "
    "Nothing was imported."
)
CUT_SHORT = N_("The file {file} ends too early, after line {line}. Nothing was imported.")
TOO_MUCH = N_("The file {file} goes on after its end, in line {line}. Nothing was imported.")

_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
_Hex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]


class Header(msgspec.Struct, tag=TYPE, tag_field="type", frozen=True):
    """The first line."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    exported_ms: _Milliseconds


class ConversationLine(msgspec.Struct, tag="conversation", tag_field="type", frozen=True):
    """Begins a conversation: the messages that follow belong to it."""

    id: _Hex
    """The same in every export of this conversation from one profile, and in no other's."""
    name: str


class MessageLine(msgspec.Struct, tag="message", tag_field="type", frozen=True):
    """One line of a conversation."""

    seq: Annotated[int, msgspec.Meta(ge=1, le=MOST_SEQ)]
    sender: Literal["me", "them"] = msgspec.field(name="from")
    kind: Literal["text", "newer", "missing", "possible-copy"]
    text: str
    sent_ms: _Milliseconds
    stored_ms: Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS)]
    delivery: Literal["queued", "waiting", "sent", "delivered", "failed"] | None


class End(msgspec.Struct, tag="end", tag_field="type", frozen=True):
    """The last line: without it the file was cut."""

    messages: Annotated[int, msgspec.Meta(ge=0)]


Line = Header | ConversationLine | MessageLine | End
_DECODER = msgspec.json.Decoder(Line)
_ANY = msgspec.json.Decoder()


def conversation_id(salt: bytes, bundle_hash: bytes) -> str:
    """Return what a conversation is called in a file.

    Salted, so that the files of two people who talk to each other do not show that they do; and
    the hash of an invite, which is half a secret, never leaves the profile.
    """
    return sha256(b"exile-tui/history/conversation" + salt + bundle_hash)[:ID_BYTES].hex()


def archive_key(conversation: str) -> bytes:
    """Return what takes the place of a bundle's hash for an imported conversation, 32 bytes."""
    return sha256(b"exile-tui/history/archive" + bytes.fromhex(conversation))


def header_line(exported_ms: int) -> str:
    """Return the first line of a file."""
    return json_line({"type": TYPE, "version": VERSION, "exported_ms": exported_ms})


def conversation_line(conversation: str, name: str) -> str:
    """Return the line that begins a conversation."""
    return json_line({"type": "conversation", "id": conversation, "name": name})


def message_line(message: Message) -> str:
    """Return a message's line."""
    return json_line(
        {
            "type": "message",
            "seq": message.seq,
            "from": "me" if message.direction is Direction.OUT else "them",
            "kind": message.kind.value,
            "text": message.text,
            "sent_ms": message.sent_ms,
            "stored_ms": min(max(message.stored_ms, 0), LATEST_MS),
            "delivery": message.delivery.value if message.delivery else None,
        }
    )


def end_line(messages: int) -> str:
    """Return the last line of a file."""
    return json_line({"type": "end", "messages": messages})


def to_store(line: MessageLine) -> Message:
    """Return a line as it is stored: read, never to be sent, and known by its `seq` alone.

    What was not sent yet when it was exported counts as not delivered: nothing tells any more.
    """
    delivery = Delivery(line.delivery) if line.delivery else None
    if delivery in (Delivery.QUEUED, Delivery.WAITING):
        delivery = Delivery.FAILED
    return Message(
        id=0,
        contact_id=0,
        seq=0,
        direction=Direction.OUT if line.sender == "me" else Direction.IN,
        kind=MessageKind(line.kind),
        content_id=imported_id(line.seq),
        text=line.text,
        sent_ms=line.sent_ms,
        stored_ms=line.stored_ms,
        delivery=delivery,
    )


def imported_id(seq: int) -> bytes:
    """Return the content id of an imported line, 16 bytes: no line comes twice."""
    return b"imported" + seq.to_bytes(8, "big")


def imported_seq(content_id: bytes) -> int:
    """Return the `seq` that an imported line had where it comes from."""
    return int.from_bytes(content_id[8:], "big")


@dataclass(slots=True)
class Reader:
    """Checks the lines of one file, in order."""

    file: str
    """What it is called, for errors."""
    number: int = 0
    """Lines read so far."""
    messages: int = 0
    ended: bool = False
    _seq: int = 0
    _conversations: set[str] | None = None

    def read(self, raw: bytes) -> Line:
        """Return the next line.

        Raises:
            UsageError: It is not what may stand there.
        """
        self.number += 1
        if self.number > 1 and self.ended:
            raise self._refusal(TOO_MUCH)
        if len(raw) > MOST_LINE_BYTES:
            raise self._refusal(TOO_LONG, limit=MOST_LINE_BYTES)
        if self.number == 1:
            return self._header(raw)
        line = self._decode(raw)
        self._require_order(line)
        return line

    def finish(self) -> None:
        """Note that nothing follows.

        Raises:
            UsageError: The end is missing.
        """
        if self.number == 0:
            raise self._refusal(NOT_A_HISTORY)
        if not self.ended:
            raise self._refusal(CUT_SHORT)

    def _header(self, raw: bytes) -> Header:
        try:
            first = _ANY.decode(raw)
        except (ValueError, RecursionError):
            raise self._refusal(NOT_A_HISTORY) from None
        if not isinstance(first, dict) or first.get("type") != TYPE:
            raise self._refusal(NOT_A_HISTORY)
        version = first.get("version")
        if isinstance(version, int) and version > VERSION:
            raise self._refusal(NEWER, version=version)
        line = self._decode(raw)
        if not isinstance(line, Header):
            raise self._refusal(NOT_A_HISTORY)
        return line

    def _decode(self, raw: bytes) -> Line:
        try:
            line: Line = _DECODER.decode(raw)
        except msgspec.ValidationError:
            raise self._refusal(NOT_ALLOWED) from None
        except (ValueError, RecursionError):
            raise self._refusal(NOT_JSON) from None
        if not _is_allowed(line):
            raise self._refusal(NOT_ALLOWED)
        return line

    def _require_order(self, line: Line) -> None:
        if isinstance(line, MessageLine):
            if self._conversations is None or line.seq <= self._seq:
                raise self._refusal(OUT_OF_ORDER)
            self._seq = line.seq
            self.messages += 1
        elif isinstance(line, ConversationLine):
            known = self._conversations = self._conversations or set()
            if line.id in known or len(known) >= MOST_CONVERSATIONS:
                raise self._refusal(OUT_OF_ORDER)
            known.add(line.id)
            self._seq = 0
        elif isinstance(line, End):
            if line.messages != self.messages:
                raise self._refusal(OUT_OF_ORDER)
            self.ended = True
        else:
            raise self._refusal(OUT_OF_ORDER)

    def _refusal(self, sentence: str, **parameters: object) -> UsageError:
        return UsageError(sentence, file=self.file, line=self.number, **parameters)


def _is_allowed(line: Line) -> bool:
    """Check what types can't say."""
    if isinstance(line, ConversationLine):
        return _fits(line.name, MOST_NAME_BYTES)
    if not isinstance(line, MessageLine):
        return True
    if not _fits(line.text, MOST_TEXT_BYTES) or (line.sender == "me") != bool(line.delivery):
        return False
    if line.kind == "text":
        return True
    count = line.text if line.kind == "missing" else "1"
    counts = count.isascii() and count.isdigit() and len(count) <= len(str(MOST_SEQ))
    return line.sender == "them" and counts and (line.kind == "missing" or not line.text)


def _fits(text: str, most: int) -> bool:
    """Tell whether a text is Unicode text of so many bytes at most."""
    try:
        return len(text.encode()) <= most
    except UnicodeEncodeError:
        return False
