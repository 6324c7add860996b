"""The stream of a receive, from relays that push, stall, lie, or go away."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from exile_tui.errors import RelayRefused, RelayUnreachable, WireError
from exile_tui.transport.client import HttpRelay
from exile_tui.transport.failures import BadAnswer
from exile_tui.transport.http import Timeouts
from exile_tui.wire.relay import (
    GOODBYE_BYTES,
    HEARTBEAT_BYTES,
    CaughtUp,
    EnvelopeFrame,
    Frame,
    Goodbye,
    Heartbeat,
    Receive,
    RefusedFrame,
    encode_frame,
    envelope_head,
)
from tests.unit.transport.servers import (
    GUARD,
    LAST_CHUNK,
    QUICK,
    SHORT,
    STREAM,
    Handler,
    Request,
    answer,
    chunk,
    endless,
    fixed,
    scripted,
    silent,
)

PAIRS = [(bytes([n]) * 16, bytes([n]) * 32) for n in range(3)]
FRAMES: list[Frame] = [
    EnvelopeFrame(0, 1, b"a" * 4096),
    EnvelopeFrame(2, 2**63 - 1, b"b" * 65536),
    CaughtUp(0),
    RefusedFrame(1),
    Heartbeat(),
    Goodbye(),
]


async def received(handle: Handler, timeouts: Timeouts | None = None) -> tuple[list[Frame], object]:
    """Receive to the end; return the frames and what ended it, None for an orderly end."""
    frames: list[Frame] = []
    async with asyncio.timeout(GUARD), scripted(handle) as server:
        relay = HttpRelay(server.address, timeouts=timeouts)
        try:
            async for batch in relay.receive(PAIRS):
                frames += batch
        except Exception as error:
            return frames, error
        finally:
            await relay.close()
    return frames, None


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
async def test_frames_come_out_however_they_are_cut(size: int) -> None:
    raw = b"".join(map(encode_frame, FRAMES))
    raw = raw if size > 1 else b"".join(map(encode_frame, FRAMES[2:]))
    pieces = [chunk(raw[at : at + size]) for at in range(0, len(raw), size)]
    frames, end = await received(fixed(STREAM + b"".join(pieces) + LAST_CHUNK))
    assert frames == (FRAMES if size > 1 else FRAMES[2:])
    assert end is None


async def test_request_is_the_pairs() -> None:
    async with (
        asyncio.timeout(GUARD),
        scripted(fixed(STREAM + chunk(GOODBYE_BYTES) + LAST_CHUNK)) as server,
    ):
        relay = HttpRelay(server.address)
        assert [batch async for batch in relay.receive(PAIRS)] == [[Goodbye()]]
        assert (server.requests[0].method, server.requests[0].path) == ("POST", "/v1/receive")
        assert Receive.decode(server.requests[0].body).mailboxes == PAIRS
        await relay.close()


async def test_what_came_before_a_loss_is_delivered() -> None:
    raw = encode_frame(FRAMES[0]) + encode_frame(FRAMES[1])[:-1]
    for tail in (LAST_CHUNK, b""):

        async def cut(request: Request, writer: asyncio.StreamWriter, tail: bytes = tail) -> None:
            writer.write(STREAM + chunk(raw) + tail)
            await writer.drain()
            writer.close()

        frames, end = await received(cut)
        assert frames == FRAMES[:1]
        assert isinstance(end, RelayUnreachable)


async def test_silence_is_out_of_reach() -> None:
    frames, end = await received(fixed(STREAM + chunk(HEARTBEAT_BYTES)), SHORT)
    assert frames == [Heartbeat()]
    assert isinstance(end, RelayUnreachable)
    frames, end = await received(silent, QUICK)
    assert isinstance(end, RelayUnreachable)


def test_silence_lasts_longer_than_two_heartbeats() -> None:
    assert Timeouts().silence == 50.0


@pytest.mark.parametrize(
    "bad",
    [
        b"\x00\x00\x00\x00\x00",
        b"\x06\x00\x00\x00\x00",
        b"\x01\xff\xff\xff\xff",
        b"\x02\x00\x00\x00\x01",
        encode_frame(CaughtUp(3)),
        encode_frame(RefusedFrame(65_535)),
        encode_frame(EnvelopeFrame(3, 1, b"a" * 4096)),
        envelope_head(0, 1, 4097),
        envelope_head(0, 2**63, 4096) + bytes(4096),
    ],
)
async def test_bad_frame_ends_the_stream(bad: bytes) -> None:
    handle = fixed(STREAM + chunk(HEARTBEAT_BYTES) + chunk(bad))
    frames, end = await received(handle)
    assert frames in ([], [Heartbeat()])
    assert isinstance(end, BadAnswer)


async def test_refused_stream() -> None:
    _, end = await received(fixed(answer(b"no", "403 Forbidden")))
    assert isinstance(end, RelayRefused)
    _, end = await received(fixed(answer(b"", "302 Found", "location: /v1/receive\r\n")))
    assert isinstance(end, BadAnswer)
    _, end = await received(endless(b"HTTP/1.1 403 No\r\nconnection: close\r\n\r\n", bytes(65536)))
    assert isinstance(end, BadAnswer)


async def test_flood_is_read_only_as_fast_as_it_is_taken() -> None:
    """Take a few batches of an endless flood: what is held stays far below what was offered."""
    flood = chunk(encode_frame(FRAMES[1]) * 4)
    async with asyncio.timeout(GUARD), scripted(endless(STREAM, flood)) as server:
        relay = HttpRelay(server.address)
        stream = relay.receive(PAIRS)
        await anext(stream)
        tracemalloc.start()
        try:
            for _ in range(100):
                await anext(stream)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await stream.aclose()
        await relay.close()
    assert held < 4 << 20


async def test_every_receive_has_a_connection_of_its_own() -> None:
    handle = fixed(STREAM + chunk(HEARTBEAT_BYTES))
    async with asyncio.timeout(GUARD), scripted(handle) as server:
        relay = HttpRelay(server.address)
        for count in (1, 2, 3):
            server.lost.clear()
            stream = relay.receive(PAIRS)
            assert await anext(stream) == [Heartbeat()]
            assert server.connections == count
            await stream.aclose()
            await server.lost.wait()
        await relay.close()


async def test_cancelled_receive_closes_its_connection() -> None:
    started = asyncio.Event()

    async def take(relay: HttpRelay) -> None:
        async for _ in relay.receive(PAIRS):
            started.set()

    async with (
        asyncio.timeout(GUARD),
        scripted(fixed(STREAM + chunk(HEARTBEAT_BYTES))) as server,
    ):
        relay = HttpRelay(server.address)
        task = asyncio.create_task(take(relay))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.lost.wait()
        await relay.close()


async def test_cancelled_handshake_leaves_no_connection_open() -> None:
    """The other end accepts and never speaks: neither TLS nor HTTP ever begins."""
    accepted, lost = asyncio.Event(), asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        lost.set()
        writer.close()

    async with asyncio.timeout(GUARD), scripted(silent) as scheme:
        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        address = type(scheme.address)("127.0.0.1", port, scheme.address.pin)
        for call in (
            lambda relay: anext(relay.receive(PAIRS)),
            lambda relay: relay.get_blob(b"i" * 16),
        ):
            accepted.clear()
            lost.clear()
            relay = HttpRelay(address)
            task = asyncio.ensure_future(call(relay))
            await accepted.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await relay.close()
            await lost.wait()
        server.close()
        await server.wait_closed()


async def test_closing_ends_a_waiting_receive() -> None:
    started = asyncio.Event()

    async def take(relay: HttpRelay) -> object:
        try:
            async for _ in relay.receive(PAIRS):
                started.set()
        except RelayUnreachable as error:
            return error
        return None

    async with (
        asyncio.timeout(GUARD),
        scripted(fixed(STREAM + chunk(HEARTBEAT_BYTES))) as server,
    ):
        relay = HttpRelay(server.address)
        task = asyncio.create_task(take(relay))
        await started.wait()
        await relay.close()
        assert isinstance(await task, RelayUnreachable)
        with pytest.raises(RelayUnreachable):
            await anext(relay.receive(PAIRS))


async def test_too_many_mailboxes_are_refused_here() -> None:
    async with asyncio.timeout(GUARD), scripted(silent) as server:
        relay = HttpRelay(server.address)
        for pairs in ([], PAIRS[:1] * 1025, [(b"", b"")]):
            with pytest.raises(WireError):
                await anext(relay.receive(pairs))
        assert server.connections == 0
        await relay.close()
