"""The stream of a receive: frames `type 1 | length 4 | payload` (docs/protocol.md, section 8)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from exile_tui.errors import WireError
from exile_tui.wire.encoding import MAX_U64_STORED, StreamBuffer, require_range
from exile_tui.wire.endpoints import ENVELOPE_SIZES

_ENVELOPE, _HEARTBEAT, _REFUSED, _CAUGHT_UP, _GOODBYE = 1, 2, 3, 4, 5
_HEAD = struct.Struct(">BI")
_INDEX = struct.Struct(">H")
_PLACE = struct.Struct(">HQ")
_WHOLE_HEAD = struct.Struct(">BIHQ")
_LENGTHS = {
    _ENVELOPE: frozenset(_PLACE.size + size for size in ENVELOPE_SIZES),
    _HEARTBEAT: frozenset((0,)),
    _REFUSED: frozenset((_INDEX.size,)),
    _CAUGHT_UP: frozenset((_INDEX.size,)),
    _GOODBYE: frozenset((0,)),
}


@dataclass(frozen=True, slots=True)
class EnvelopeFrame:
    """An envelope that lies in a mailbox."""

    index: int
    """Which mailbox of the request, from 0."""

    seq: int
    """The envelope's number in its mailbox, to acknowledge it by; below 2^63."""

    envelope: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require_range(self.index, 0, 65_535)
        require_range(self.seq, 0, MAX_U64_STORED)
        if len(self.envelope) not in ENVELOPE_SIZES:
            raise WireError


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing new; the connection lives."""


@dataclass(frozen=True, slots=True)
class RefusedFrame:
    """This mailbox is unknown or its token is wrong."""

    index: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that lay in this mailbox was sent; what follows is new."""

    index: int


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The relay stops; come back later."""


Frame = EnvelopeFrame | Heartbeat | RefusedFrame | CaughtUp | Goodbye

HEARTBEAT_BYTES = _HEAD.pack(_HEARTBEAT, 0)
GOODBYE_BYTES = _HEAD.pack(_GOODBYE, 0)


def encode_frame(frame: Frame) -> bytes:
    """Encode a frame, copying an envelope once."""
    if isinstance(frame, EnvelopeFrame):
        return envelope_head(frame.index, frame.seq, len(frame.envelope)) + frame.envelope
    if isinstance(frame, RefusedFrame):
        return _HEAD.pack(_REFUSED, _INDEX.size) + _INDEX.pack(frame.index)
    if isinstance(frame, CaughtUp):
        return _HEAD.pack(_CAUGHT_UP, _INDEX.size) + _INDEX.pack(frame.index)
    return HEARTBEAT_BYTES if isinstance(frame, Heartbeat) else GOODBYE_BYTES


def envelope_head(index: int, seq: int, size: int) -> bytes:
    """Encode what precedes an envelope's bytes in its frame, 15 bytes."""
    return _WHOLE_HEAD.pack(_ENVELOPE, _PLACE.size + size, index, seq)


class FrameDecoder:
    """Cut a stream into frames; holds at most one unfinished frame beside the chunk it was fed.

    After a WireError the stream can't be read on: every later `feed` raises it again.
    """

    __slots__ = ("_broken", "_buffer")

    def __init__(self) -> None:
        self._buffer = StreamBuffer()
        self._broken = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take what arrived and return the frames that are whole now.

        Raises:
            WireError: An unknown type, or a length that its type can't have.
        """
        if self._broken:
            raise WireError
        self._buffer.feed(chunk)
        frames: list[Frame] = []
        try:
            while (frame := self._next()) is not None:
                frames.append(frame)
        except WireError:
            self._broken = True
            raise
        return frames

    def finish(self) -> None:
        """Require that the stream ended on a frame's end."""
        if self._broken or len(self._buffer):
            raise WireError

    def _next(self) -> Frame | None:
        buffer = self._buffer
        head = buffer.peek(_HEAD)
        if head is None:
            return None
        kind, length = head
        if length not in _LENGTHS.get(kind, ()):
            raise WireError
        if len(buffer) < _HEAD.size + length:
            return None
        buffer.skip(_HEAD.size)
        if kind == _ENVELOPE:
            index, seq = _PLACE.unpack(buffer.take(_PLACE.size))
            return EnvelopeFrame(index, seq, buffer.take(length - _PLACE.size))
        if kind == _HEARTBEAT:
            return Heartbeat()
        if kind == _GOODBYE:
            return Goodbye()
        (index,) = _INDEX.unpack(buffer.take(_INDEX.size))
        return RefusedFrame(index) if kind == _REFUSED else CaughtUp(index)
