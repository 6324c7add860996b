"""What is fuzzed: each target takes any bytes, and fails on anything but the documented error.

A target checks more than that nothing crashes: what was read encodes to the same bytes again, a
stream reads alike in any pieces, and where `tests/reference` has a second implementation both must
agree. Seeds are the recorded vectors.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exile_tui.core import history
from exile_tui.crypto.session import Session
from exile_tui.errors import CryptoError, UsageError, WireError
from exile_tui.text import cell_len, fit, graphemes, one_line, sanitize_name, sanitize_terminal_text
from exile_tui.text import wrap as wrapped
from exile_tui.wire import relay as wire
from exile_tui.wire.body import pack_body, unpack_body
from exile_tui.wire.bundle import Bundle, open_blob, seal_blob
from exile_tui.wire.content import decode_content, encode_content
from exile_tui.wire.link import InviteLink
from tests.reference import wire_plain as plain

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests/vectors"

ACTED_ON = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What a terminal acts on, or what can't be written to one."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to fuzz."""

    run: Callable[[bytes], bool]
    """Reads bytes; tells whether they were accepted. Raises what is a defect."""

    seeds: Callable[[], Iterator[bytes]]
    longest: int
    """Bytes of an input at most."""


def frames(data: bytes) -> bool:
    """Read a receive stream: all at once, in pieces of a size by the first byte, and plainly."""
    size, stream = (data[0] + 1, data[1:]) if data else (1, data)
    if len(stream) > 256:
        size *= 64
    whole = _decoded([stream])
    assert whole == _decoded([stream[at : at + size] for at in range(0, len(stream), size)])
    assert (whole is None) == (plain.read_frames(stream) is None)
    if whole is None:
        return False
    assert b"".join(map(wire.encode_frame, whole)) == stream
    return bool(stream)


def _decoded(pieces: list[bytes]) -> list[wire.Frame] | None:
    """Read a stream that ended; None when it is refused anywhere, and then it must stay so."""
    decoder, found = wire.FrameDecoder(), list[wire.Frame]()
    try:
        for piece in pieces:
            found += decoder.feed(piece)
    except WireError:
        try:
            decoder.feed(wire.HEARTBEAT_BYTES)
        except WireError:
            return None
        raise AssertionError("a broken stream was read on") from None
    try:
        decoder.finish()
    except WireError:
        return None
    return found


_REQUESTS: tuple[Any, ...] = (
    wire.CreateMailbox,
    wire.MailboxToken,
    wire.Append,
    wire.Receive,
    wire.Acknowledge,
    wire.PutTicket,
    wire.GetBlobs,
    wire.DeleteBlob,
    wire.PutBlobs,
    wire.SignedFacts,
    wire.Authorization,
)


def requests(data: bytes) -> bool:
    """Read the body of a request as a relay does; the first byte chooses which."""
    if not data:
        return False
    kind, body = _REQUESTS[data[0] % len(_REQUESTS)], data[1:]
    if kind is wire.PutBlobs:
        _put_in_pieces(body)
    try:
        request = kind.decode(body)
    except WireError:
        return False
    assert request.encode() == body
    if kind is wire.SignedFacts:
        with contextlib.suppress(WireError):
            request.verify(bytes(32))
        with contextlib.suppress(WireError):
            assert request.facts
    return True


def _put_in_pieces(body: bytes) -> None:
    outcomes: list[object] = []
    for size in (1 << 20, 7):
        decoder, blobs = wire.PutBlobsDecoder(), list[wire.PutBlob]()
        try:
            for at in range(0, len(body), size):
                blobs += decoder.feed(body[at : at + size])
            outcomes.append((decoder.finish(), blobs))
        except WireError:
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]


def link(data: bytes) -> bool:
    """Read an invite link, as a QR code carries it and as text."""
    accepted = False
    try:
        found = InviteLink.from_bytes(data)
        assert found.to_bytes() == data
        assert InviteLink.parse(f" {found.to_text()}\n") == found
        accepted = True
    except WireError:
        pass
    assert accepted == (plain.read_link(data) is not None)
    text = data.decode("utf-8", "replace")
    try:
        found = InviteLink.parse(text)
        assert found.to_text() == text.strip()
        accepted = True
    except WireError:
        pass
    return accepted


def bundle(data: bytes) -> bool:
    """Read a bundle, alone and out of the blob that its maker sealed."""
    try:
        found = Bundle.decode(data)
    except WireError:
        found = None
    assert found is None or found.encode() == data
    if len(data) <= wire.ENVELOPE_SIZES[0] - 16:
        try:
            assert open_blob(seal_blob(data), plain.bundle_hash(data)) == found
        except WireError:
            assert found is None
    return found is not None


def content(data: bytes) -> bool:
    """Read one content and a body of several, both also plainly."""
    accepted = False
    try:
        read = decode_content(data)
        assert decode_content(encode_content(read)) == read
        accepted = True
    except WireError:
        pass
    assert accepted == (plain.read_content(data) is not None)
    try:
        several = unpack_body(data)
    except WireError:
        assert plain.read_body(data) is None
        return accepted
    expected = plain.read_body(data)
    assert expected is not None
    assert len(expected) == len(several)
    assert unpack_body(pack_body(several, (3 * len(data) + 2,))) == several
    return True


def session(data: bytes) -> bool:
    """Read a stored session; whoever writes into the database could change it."""
    try:
        read = Session.from_bytes(data)
    except CryptoError:
        return False
    assert read.to_bytes() == data
    lapsed, _ = read.expire(60_000)
    Session.from_bytes(lapsed.to_bytes())
    return True


def lines(data: bytes) -> bool:
    """Read the lines of a history that somebody hands over."""
    reader = history.Reader("file")
    accepted = False
    try:
        for line in data.split(b"\n"):
            read = reader.read(line)
            if isinstance(read, history.MessageLine):
                stored = history.to_store(read)
                assert history.imported_seq(stored.content_id) == read.seq
                accepted = True
        reader.finish()
    except UsageError:
        pass
    return accepted or reader.ended


def text(data: bytes) -> bool:
    """Make text from outside safe to show, and lay it out."""
    try:
        raw = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raw = data.decode("latin-1")
    safe = sanitize_terminal_text(raw)
    assert not ACTED_ON.search(safe)
    assert sanitize_terminal_text(safe) == safe
    safe.encode()
    name = sanitize_name(raw)
    assert sanitize_name(name) == name
    assert len(name.split("\n")) == 1
    line = one_line(raw)
    assert one_line(line) == line
    assert "".join(graphemes(safe)) == safe
    for cells in (1, 2, 7, 40):
        assert cell_len(fit(line, cells)) == cells
    for row in wrapped(safe, 12):
        assert cell_len(row) <= 12 or len(graphemes(row)) == 1
    return bool(safe)


# -- seeds ------------------------------------------------------------------------------------


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VECTORS / name).read_text("utf-8"))
    return loaded


def _frame_seeds() -> Iterator[bytes]:
    vectors = _load("wire_relay.json")
    byte, size = vectors["envelopes"][0]
    several: list[wire.Frame] = [
        wire.EnvelopeFrame(3, 2**40, bytes([byte]) * size),
        wire.Heartbeat(),
        wire.RefusedFrame(1023),
        wire.CaughtUp(0),
        wire.Goodbye(),
    ]
    for frame in several:
        yield b"\x40" + wire.encode_frame(frame)
    yield b"\x01" + b"".join(map(wire.encode_frame, several))


def _request_seeds() -> Iterator[bytes]:
    vectors = _load("wire_relay.json")
    raw = {name: value for name, value in vectors["requests"].items() if isinstance(value, str)}
    kinds = {"create": 0, "token": 1, "receive": 3, "acknowledge": 4, "ticket": 5, "blob get": 6}
    for name, encoded in raw.items():
        kind = next(number for start, number in kinds.items() if name.startswith(start))
        yield bytes([kind]) + bytes.fromhex(encoded)
    box, token = bytes.fromhex(vectors["box"]), bytes.fromhex(vectors["token"])
    yield b"\x02" + wire.Append(box, token, [bytes(4096)]).encode()
    yield b"\x07" + wire.DeleteBlob(box, token).encode()
    blobs = [wire.PutBlob(box, token, 5, b"blob"), wire.PutBlob(box, token, 5, b"x")]
    yield b"\x08" + wire.PutBlobs(wire.Authorization.mailbox(box, token), blobs).encode()
    yield b"\x09" + bytes.fromhex(vectors["facts_answer"])
    yield b"\x0a" + wire.Authorization.phrase("암구호").encode()


def _link_seeds() -> Iterator[bytes]:
    for invite in _load("wire_invite.json")["invites"]:
        yield bytes.fromhex(invite["link"])
        yield invite["link_text"].encode()


def _bundle_seeds() -> Iterator[bytes]:
    for invite in _load("wire_invite.json")["invites"]:
        yield bytes.fromhex(invite["bundle"])


def _content_seeds() -> Iterator[bytes]:
    vectors = _load("wire_content.json")
    contents = [bytes.fromhex(each["encoded"]) for each in vectors["contents"]]
    yield from contents
    yield from (bytes.fromhex(each["encoded"]) for each in vectors["normalised"])
    yield from (bytes.fromhex(each) for each in vectors["refused"].values())
    yield bytes.fromhex(vectors["trailing_elements"])
    yield pack_body(contents[:3], (1024,))


def _session_seeds() -> Iterator[bytes]:
    vectors = _load("session_state.json")
    for name, value in vectors.items():
        if name.startswith(("joiner", "inviter")):
            yield bytes.fromhex(value)


def _line_seeds() -> Iterator[bytes]:
    document = (ROOT / "docs/history-format.md").read_text("utf-8")
    (example,) = re.findall(r"^```jsonl\n(.*?)^```$", document, re.M | re.S)
    yield example.strip().encode()
    yield "\n".join(
        (
            history.header_line(5),
            history.conversation_line("0" * 32, "가람"),
            '{"type":"message","seq":1,"from":"them","kind":"missing","text":"3","sent_ms":1,'
            '"stored_ms":2,"delivery":null}',
            history.end_line(1),
        )
    ).encode()


def _text_seeds() -> Iterator[bytes]:
    for sample in (
        "안녕하세요 hello",
        "\x1b[2J\x9b31m\u202e\u2066\r\n\u2028",
        "👨\u200d👩\u200d👧\u200d👦 👍🏽\U0001f3fd\u200d🇰🇷🇰",
        "e\u0301" + "\u0301" * 20 + "\u3164\u115f\u200c\ufe0f©\u11a8\u11a8",
    ):
        yield sample.encode()
    yield "\ud800\udfff".encode("utf-8", "surrogatepass")
    yield b"\x9b\x85\xff"


TARGETS = {
    "frames": Target(frames, _frame_seeds, 8_400),
    "requests": Target(requests, _request_seeds, 4_400),
    "link": Target(link, _link_seeds, 256),
    "bundle": Target(bundle, _bundle_seeds, 3_200),
    "content": Target(content, _content_seeds, 6_000),
    "session": Target(session, _session_seeds, 6_000),
    "lines": Target(lines, _line_seeds, 2_048),
    "text": Target(text, _text_seeds, 512),
}
"""What can be fuzzed, by the names of the command line."""
