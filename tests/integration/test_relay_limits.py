"""A relay that holds each address to its share, and ends connections that waste."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path as FilePath

import httpx
import pytest

from exile_tui.errors import TryLater
from exile_tui.relay.bodies import Crowded
from exile_tui.relay.limits import Limits
from exile_tui.relay.service import RelaySettings
from exile_tui.relay.shares import Shares
from exile_tui.transport.client import HttpRelay
from exile_tui.transport.pin import pinned_context
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import (
    Append,
    Authorization,
    CaughtUp,
    CreateMailbox,
    GetBlobs,
    Path,
    PutBlob,
    PutBlobs,
    Receive,
)
from tests.integration.relay_support import PATIENCE, Client, ask, launch, serving
from tests.unit.relay.support import Box, box

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="one address of the loopback")

SOMEBODY, ANOTHER = "127.0.0.2", "127.0.0.3"
OFTEN = 0.01
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

Serve = Callable[..., Awaitable[RelayAddress]]


@pytest.fixture
def rng() -> random.Random:
    return random.Random(7)


@pytest.fixture
async def serve(tmp_path: FilePath) -> AsyncIterator[Serve]:
    """Serve a relay with these shares until the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            limits: Limits | None = None, balancers: tuple[str, ...] = (), **shares: float
        ) -> RelayAddress:
            settings = RelaySettings(
                directory=tmp_path,
                limits=limits or Limits(),
                shares=Shares(look=OFTEN, **shares),  # type: ignore[arg-type]  # numbers all
                balancers=balancers,
            )
            address, _ = await stack.enter_async_context(serving(settings))
            return address

        yield start


async def ended(client: Client) -> None:
    """Wait until the relay ends a connection."""
    async with asyncio.timeout(PATIENCE):
        try:
            while await client.reader.read(65_536):
                pass
        except OSError:
            pass


async def make(address: RelayAddress, rng: random.Random) -> Box:
    """Create a mailbox from the loopback's own address."""
    made = box(rng)
    create = CreateMailbox(made.id, made.receive_hash, made.send_hash, Authorization())
    assert (await ask(address, "POST", Path.CREATE, create.encode()))[0] == 204
    return made


async def test_above_its_share_an_address_is_asked_to_try_later_and_others_are_not(
    serve: Serve,
) -> None:
    address = await serve(requests=0.01, requests_burst=2)
    async with Client(address, SOMEBODY) as greedy:
        for _ in range(2):
            assert (await greedy.ask("GET", Path.FACTS))[0] == 200
        await greedy.send("GET", Path.FACTS)
        status, headers = await greedy.head()
        assert status == 429
        assert 1 <= int(headers["retry-after"]) <= 200
        assert await greedy.reader.readexactly(int(headers["content-length"])) == b"too much"
    async with Client(address, ANOTHER) as other, Client(address) as local:
        assert (await other.ask("GET", Path.FACTS))[0] == 200
        for _ in range(5):
            assert (await local.ask("GET", Path.FACTS))[0] == 200


async def test_behind_a_balancer_nobody_is_held_to_a_share(serve: Serve) -> None:
    address = await serve(balancers=(SOMEBODY,), requests=0.01, requests_burst=1)
    async with Client(address, SOMEBODY) as client:
        for _ in range(5):
            assert (await client.ask("GET", Path.FACTS))[0] == 200


async def test_our_client_is_told_that_a_relay_is_busy(serve: Serve, rng: random.Random) -> None:
    address = await serve(limits=Limits(mailboxes=0))
    relay = HttpRelay(address)
    made = box(rng)
    with pytest.raises(TryLater) as caught:
        await relay.create_mailbox(
            made.id, made.receive_hash, made.send_hash, Authorization().encode()
        )
    assert caught.value.parameters["after"] == 60
    await relay.close()


async def test_streams_and_creations_have_shares_of_their_own(
    serve: Serve, rng: random.Random
) -> None:
    address = await serve(streams=1, mailboxes=0.01, mailboxes_burst=1)
    made = await make(address, rng)
    receive = Receive([(made.id, made.receive_token)]).encode()
    async with Client(address, SOMEBODY) as first, Client(address, SOMEBODY) as second:
        await first.send("POST", Path.RECEIVE, receive)
        await first.until_caught_up()
        assert (await second.ask("POST", Path.RECEIVE, receive))[0] == 429
        for expected in (204, 429):
            new = box(rng)
            create = CreateMailbox(new.id, new.receive_hash, new.send_hash, Authorization())
            assert (await second.ask("POST", Path.CREATE, create.encode()))[0] == expected


async def test_connections_that_ask_nothing_are_ended_and_an_open_stream_is_not(
    serve: Serve, rng: random.Random
) -> None:
    address = await serve(first_request=0.05, idle=0.1)
    made = await make(address, rng)
    async with Client(address) as reader:
        await reader.send("POST", Path.RECEIVE, Receive([(made.id, made.receive_token)]).encode())
        assert (await reader.head())[0] == 200
        frames = reader.frames()
        while not isinstance(await anext(frames), CaughtUp):
            pass
        async with Client(address) as silent, Client(address) as used:
            assert (await used.ask("GET", Path.FACTS))[0] == 200
            await ended(silent)
            await ended(used)
        append = Append(made.id, made.send_token, [rng.randbytes(4096)])
        assert await ask(address, "POST", Path.APPEND, append.encode()) == (200, b"\0")
        assert await anext(frames)


async def test_half_a_handshake_is_ended(serve: Serve) -> None:
    address = await serve(first_request=0.05)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"\x16\x03\x01\x02\x00")
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
    writer.close()


async def test_half_a_preface_of_http2_is_ended(serve: Serve) -> None:
    address = await serve(first_request=0.05)
    async with Client(address) as client:
        client.writer.write(PREFACE[:9])
        await ended(client)


async def test_connections_above_the_share_are_ended_and_the_first_stays(serve: Serve) -> None:
    address = await serve(connections=1)
    async with Client(address, SOMEBODY) as first:
        assert (await first.ask("GET", Path.FACTS))[0] == 200
        async with Client(address, SOMEBODY) as second:
            await ended(second)
        assert (await first.ask("GET", Path.FACTS))[0] == 200


async def test_a_flood_of_pings_ends_the_connection_and_its_address_is_refused_for_a_while(
    serve: Serve,
) -> None:
    address = await serve(unasked=8192, refused=60)
    context = pinned_context(address.pin)
    context.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(
        address.host, address.port, ssl=context, local_addr=(SOMEBODY, 0)
    )
    writer.write(PREFACE + b"\0\0\0\x04\0\0\0\0\0")
    ping = b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)
    async with asyncio.timeout(PATIENCE):
        try:
            while True:
                writer.write(ping * 100)
                await writer.drain()
                if not await reader.read(65_536):
                    break
        except OSError:
            pass
    writer.close()
    async with asyncio.timeout(PATIENCE):
        while await connects(address, SOMEBODY):
            pass
    assert await connects(address, ANOTHER)


async def connects(address: RelayAddress, source: str) -> bool:
    """Tell whether the first packet from an address is answered."""
    with socket.socket() as plain:
        plain.setblocking(False)
        plain.bind((source, 0))
        try:
            async with asyncio.timeout(0.2):
                await asyncio.get_running_loop().sock_connect(plain, (address.host, address.port))
        except TimeoutError:
            return False
        return True


async def test_a_large_body_that_was_refused_is_no_flood(serve: Serve, rng: random.Random) -> None:
    address = await serve(requests=0.01, requests_burst=1, refused=60)
    made = await make(address, rng)
    append = Append(made.id, made.send_token, [rng.randbytes(65_536)] * 8).encode()
    assert (await from_somebody(address, "GET", Path.FACTS))[0] == 200
    for _ in range(3):
        assert (await from_somebody(address, "POST", Path.APPEND, append))[0] == 429
    assert await connects(address, SOMEBODY)


async def from_somebody(
    address: RelayAddress, method: str, path: str, body: bytes = b""
) -> tuple[int, bytes]:
    """Ask on one connection; over HTTP/2, where a body may be refused before all of it is sent."""
    relay = httpx.AsyncClient(
        base_url=f"https://{address.authority}",
        transport=httpx.AsyncHTTPTransport(
            verify=pinned_context(address.pin), http2=True, local_address=SOMEBODY
        ),
        trust_env=False,
    )
    async with relay as client:
        answer = await client.request(method, path, content=body)
        for _ in range(5):  # looks at what lies unread
            await asyncio.sleep(0)
        return answer.status_code, answer.content


async def test_whoever_does_not_read_an_answer_is_ended(serve: Serve, rng: random.Random) -> None:
    address = await serve(limits=Limits(patience=0.1, slowest=100_000_000))
    blob = PutBlob(rng.randbytes(16), bytes(32), 1 << 33, rng.randbytes(65_536))
    putting = PutBlobs(Authorization(), [blob]).encode()
    assert (await ask(address, "POST", Path.BLOB_PUT, putting))[0] == 200
    async with Client(address) as deaf:
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's has it
        body = GetBlobs([blob.blob_id] * 16).encode()
        for _ in range(8):  # 8 MiB: more than the system keeps of what isn't read
            await deaf.send("POST", Path.BLOB_GET, body)
        plain = deaf.writer.get_extra_info("socket")
        closed = asyncio.Event()

        def look() -> None:
            state = plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            if state == 1:  # established
                asyncio.get_running_loop().call_later(OFTEN, look)
            else:
                closed.set()

        look()
        async with asyncio.timeout(PATIENCE):
            await closed.wait()


async def test_a_body_that_trickles_in_is_given_up_however_steadily_it_comes(
    serve: Serve, rng: random.Random
) -> None:
    address = await serve(limits=Limits(patience=0.1, slowest=1_000_000))
    async with Client(address) as slow:
        slow.writer.write(
            b"POST /v1/append HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        reading = asyncio.create_task(slow.answer())
        while not reading.done():
            slow.writer.write(b"1\r\nx\r\n")
            await asyncio.wait((reading,), timeout=OFTEN)
        assert await reading == (400, b"too slow")


async def test_what_is_kept_of_bodies_is_bounded_by_the_address(
    serve: Serve, rng: random.Random
) -> None:
    address = await serve(held=100_000, held_anyway=10)
    made = await make(address, rng)
    append = Append(made.id, made.send_token, [rng.randbytes(65_536)] * 4).encode()
    async with Client(address, SOMEBODY) as client:
        status, body = await client.ask("POST", Path.APPEND, append)
        assert (status, body) == (429, b"too much")
    assert (await ask(address, "POST", Path.APPEND, append))[0] == 200


async def test_an_answer_for_which_memory_has_no_room_is_broken_off_and_nothing_of_it_stays(
    serve: Serve, rng: random.Random
) -> None:
    address = await serve(held=100_000, held_anyway=10)
    blob = PutBlob(rng.randbytes(16), bytes(32), 1 << 33, rng.randbytes(65_536))
    assert await ask(
        address, "POST", Path.BLOB_PUT, PutBlobs(Authorization(), [blob]).encode()
    ) == (200, b"\0")
    body = GetBlobs([blob.blob_id] * 16).encode()
    gc.collect()
    gc.disable()
    try:
        async with Client(address, SOMEBODY) as client:
            assert await client.ask("POST", Path.BLOB_GET, body) == (200, b"")
            status, got = await client.ask("POST", Path.BLOB_GET, GetBlobs([blob.blob_id]).encode())
            assert (status, len(got)) == (200, 5 + 65_536)
        for _ in range(1000):
            await asyncio.sleep(0)
            if not (left := [each for each in gc.get_objects() if isinstance(each, Crowded)]):
                break
        assert not left  # in a cycle it would keep a MiB until the next collection
    finally:
        gc.enable()


async def test_one_command_names_balancers_and_refuses_what_is_no_address() -> None:
    process = await launch("--balancer", "10.0.0.0/8")
    async with asyncio.timeout(PATIENCE):
        _, said = await process.communicate()
    assert process.returncode == 2
    assert b"10.0.0.0/8 is no address for --balancer" in said
