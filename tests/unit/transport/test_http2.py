"""HTTP/2 relays that misbehave below the level of requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import h2.config
import h2.connection
import h2.events
import pytest

from exile_tui.errors import RelayError, RelayUnreachable
from exile_tui.transport.client import HttpRelay
from exile_tui.transport.failures import BadAnswer
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import HEARTBEAT_BYTES, Heartbeat, Verdict
from tests.unit.transport.servers import GUARD, HOST, QUICK, identity, server_context

ID, TOKEN = b"i" * 16, b"t" * 32
OK = [(":status", "200")]


class Server:
    """An HTTP/2 server's connection, to be misused once a request is there."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.writer = writer
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, answer: Answer) -> None:
        self.http.initiate_connection()
        self.writer.write(self.http.data_to_send())
        while data := await reader.read(65_536):
            for event in self.http.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    self.http.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
                if isinstance(event, h2.events.StreamEnded):
                    self.requests += 1
                    answer(self, event.stream_id)
            self.writer.write(self.http.data_to_send())
            await self.writer.drain()


Answer = Callable[[Server, int], None]


@asynccontextmanager
async def serving(
    answer: Answer, make: Callable[[asyncio.StreamWriter], Server] | None = None
) -> AsyncIterator[RelayAddress]:
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await (make or Server)(writer).serve(reader, answer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    context = server_context(identity())
    context.set_alpn_protocols(["h2"])
    server = await asyncio.start_server(connected, HOST, 0, ssl=context)
    try:
        yield RelayAddress(HOST, server.sockets[0].getsockname()[1], identity().pin)
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def well(server: Server, stream: int) -> None:
    server.http.send_headers(stream, OK)
    server.http.send_data(stream, b"\0", end_stream=True)


def reset(server: Server, stream: int) -> None:
    server.http.send_headers(stream, OK)
    server.http.reset_stream(stream)


def go_away(server: Server, stream: int) -> None:
    server.http.close_connection()


def cut(server: Server, stream: int) -> None:
    server.http.send_headers(stream, OK)
    server.writer.write(server.http.data_to_send())
    server.writer.close()


def garbage(server: Server, stream: int) -> None:
    server.writer.write(b"\xff" * 1000)
    server.writer.close()


def unknown_stream(server: Server, stream: int) -> None:
    server.writer.write(b"\0\0\1\0\0\0\0\0\x63x")


def bad_header_block(server: Server, stream: int) -> None:
    server.writer.write(b"\0\0\4\1\5" + stream.to_bytes(4, "big") + b"\xff\xff\xff\xff")


def no_status(server: Server, stream: int) -> None:
    server.writer.write(b"\0\0\0\1\5" + stream.to_bytes(4, "big"))


def two_pseudo_heads(server: Server, stream: int) -> None:
    block = server.http.encoder.encode([(":status", "200"), (":status", "200")])
    head = len(block).to_bytes(3, "big") + b"\1\5" + stream.to_bytes(4, "big")
    server.writer.write(head + block)


def frame_too_large(server: Server, stream: int) -> None:
    server.writer.write(b"\xff\xff\xff\0\0" + stream.to_bytes(4, "big"))
    server.writer.close()


BROKEN = [reset, go_away, cut, garbage, unknown_stream, bad_header_block, no_status]
BROKEN += [two_pseudo_heads, frame_too_large]


@pytest.mark.parametrize("answer", BROKEN, ids=lambda answer: answer.__name__)
async def test_broken_http2_is_one_error_and_not_lasting(answer: Answer) -> None:
    answers = iter([answer, well])

    def first_badly(server: Server, stream: int) -> None:
        next(answers)(server, stream)

    async with asyncio.timeout(GUARD), serving(first_badly) as address:
        relay = HttpRelay(address)
        with pytest.raises(RelayError):
            await relay.append(ID, TOKEN, [bytes(4096)])
        assert await relay.append(ID, TOKEN, [bytes(4096)]) == [Verdict.STORED]
        await relay.close()


@pytest.mark.parametrize("answer", BROKEN, ids=lambda answer: answer.__name__)
async def test_broken_http2_ends_a_receive(answer: Answer) -> None:
    async with asyncio.timeout(GUARD), serving(answer) as address:
        relay = HttpRelay(address)
        with pytest.raises(RelayUnreachable):
            await anext(relay.receive([(ID, TOKEN)]))
        await relay.close()


async def test_too_much_data_over_http2_is_cut_off_and_not_lasting() -> None:
    def too_much(server: Server, stream: int) -> None:
        server.http.send_headers(stream, OK)
        for _ in range(3):
            server.http.send_data(stream, bytes(16_000))

    answers = iter([too_much, too_much, too_much, well])

    def handle(server: Server, stream: int) -> None:
        next(answers)(server, stream)

    async with asyncio.timeout(GUARD), serving(handle) as address:
        relay = HttpRelay(address)
        for _ in range(3):
            with pytest.raises(BadAnswer):
                await relay.append(ID, TOKEN, [bytes(4096)])
        assert await relay.append(ID, TOKEN, [bytes(4096)]) == [Verdict.STORED]
        await relay.close()


async def test_relay_that_never_lets_us_send_is_out_of_reach() -> None:
    """The window stays shut: the request's body can't go."""

    def never(server: Server, stream: int) -> None:
        raise AssertionError("no request ever ends")

    class Shut(Server):
        async def serve(self, reader: asyncio.StreamReader, answer: Answer) -> None:
            self.http.initiate_connection()
            self.http.update_settings({4: 0})  # SETTINGS_INITIAL_WINDOW_SIZE
            self.writer.write(self.http.data_to_send())
            await reader.read()

    async with asyncio.timeout(GUARD), serving(never, Shut) as address:
        relay = HttpRelay(address, timeouts=QUICK)
        with pytest.raises(RelayUnreachable):
            await relay.append(ID, TOKEN, [bytes(65536)])
        await relay.close()


async def test_stream_over_http2() -> None:
    def heartbeats(server: Server, stream: int) -> None:
        server.http.send_headers(stream, OK)
        server.http.send_data(stream, HEARTBEAT_BYTES * 2)

    async with asyncio.timeout(GUARD), serving(heartbeats) as address:
        relay = HttpRelay(address)
        stream = relay.receive([(ID, TOKEN)])
        assert await anext(stream) == [Heartbeat(), Heartbeat()]
        await stream.aclose()
        await relay.close()
