"""Requests against relays that answer well, badly, too much, or not at all."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from exile_tui.errors import RelayError, RelayRefused, RelayUnreachable, TryLater, WireError
from exile_tui.transport import HttpRelays
from exile_tui.transport.client import HttpRelay
from exile_tui.transport.failures import BadAnswer
from exile_tui.transport.http import Timeouts
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import (
    Acknowledge,
    Authorization,
    Facts,
    SignedFacts,
    Verdict,
    encode_blob_answer,
    encode_facts,
    facts_message,
)
from tests.unit.transport.servers import (
    GUARD,
    HOST,
    QUICK,
    SHORT,
    STREAM,
    Handler,
    Identity,
    Request,
    answer,
    chunk,
    endless,
    fixed,
    identity,
    scripted,
    silent,
)

ID, TOKEN, HASH = b"i" * 16, b"t" * 32, b"h" * 32
OPEN = Authorization().encode()
ENVELOPES = [b"a" * 4096, b"b" * 16384]

Call = Callable[[HttpRelay], Awaitable[object]]
CALLS: dict[str, Call] = {
    "create": lambda relay: relay.create_mailbox(ID, HASH, HASH, OPEN),
    "delete": lambda relay: relay.delete_mailbox(ID, TOKEN),
    "append": lambda relay: relay.append(ID, TOKEN, ENVELOPES),
    "acknowledge": lambda relay: relay.acknowledge(ID, TOKEN, [1]),
    "ticket": lambda relay: relay.request_ticket(HASH, 5, OPEN),
    "put": lambda relay: relay.put_blob(ID, HASH, 5, b"blob", OPEN),
    "get": lambda relay: relay.get_blob(ID),
    "delete blob": lambda relay: relay.delete_blob(ID, TOKEN),
    "facts": lambda relay: relay.facts(),
    "disclosure": lambda relay: relay.disclosure(ID, TOKEN),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


async def outcome(handle: Handler, call: Call, timeouts: Timeouts | None = None) -> object:
    """Call once and return what it returned or raised."""
    async with asyncio.timeout(GUARD), scripted(handle) as server:
        relay = HttpRelay(server.address, timeouts=timeouts)
        try:
            return await call(relay)
        except Exception as error:
            return error
        finally:
            await relay.close()


@pytest.mark.parametrize(
    ("name", "body", "result"),
    [
        ("create", b"", b""),
        ("create", b"r" * 32, b"r" * 32),
        ("append", b"\x00\x01", [Verdict.STORED, Verdict.FULL]),
        ("put", b"\x02", Verdict.REFUSED),
        ("get", encode_blob_answer(b"blob"), b"blob"),
        ("get", encode_blob_answer(None), None),
        ("disclosure", b'{"mailbox":{"envelopes":[]}}', {"mailbox": {"envelopes": []}}),
    ],
)
async def test_answers_are_read(name: str, body: bytes, result: object) -> None:
    assert await outcome(fixed(answer(body)), CALLS[name]) == result


async def test_requests_carry_no_secret_outside_the_body() -> None:
    async with asyncio.timeout(GUARD), scripted(fixed(answer(b"\x00\x00"))) as server:
        relay = HttpRelay(server.address)
        await relay.append(ID, TOKEN, ENVELOPES)
        await relay.close()
        (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/append")
    assert request.headers == {
        "host": server.address.authority,
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "user-agent": "exile-tui",
        "content-length": str(48 + 2 + 4096 + 16384),
        "content-type": "application/octet-stream",
    }
    assert request.body == ID + TOKEN + b"\x00" + ENVELOPES[0] + b"\x01" + ENVELOPES[1]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("create", b"r"),
        ("create", b"r" * 31),
        ("create", b"r" * 33),
        ("append", b""),
        ("append", b"\x00"),
        ("append", b"\x00\x00\x00"),
        ("append", b"\x00\x05"),
        ("put", b""),
        ("put", b"\x09"),
        ("get", b""),
        ("get", b"\x00\x00\x00\x00\x05blob"),
        ("get", b"\x01\x00\x00\x00\x01b"),
        ("get", b"\x02\x00\x00\x00\x00"),
        ("get", encode_blob_answer(b"")),
        ("get", encode_blob_answer(b"blob") + b"x"),
        ("facts", b""),
        ("facts", b"\x00\x01s\x00\x00\x00\x02{}"),
        ("disclosure", b""),
        ("disclosure", b"[]"),
        ("disclosure", b"{\xff}"),
        ("disclosure", b'{"a":' + b"[" * 100_000),
    ],
)
async def test_bad_answers_are_one_error(name: str, body: bytes) -> None:
    error = await outcome(fixed(answer(body)), CALLS[name])
    assert isinstance(error, BadAnswer)
    assert isinstance(error, RelayError)
    assert isinstance(error, WireError)


@every_call
async def test_endless_answer_is_cut_off(call: Call) -> None:
    error = await outcome(endless(STREAM, chunk(bytes(65_536))), call)
    assert isinstance(error, BadAnswer)


@every_call
async def test_silence_ends(call: Call) -> None:
    assert isinstance(await outcome(silent, call, QUICK), RelayUnreachable)


async def test_answer_that_trickles_ends() -> None:
    """Each byte comes in time, the whole never does."""
    sent = asyncio.Event()

    async def trickle(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\x00")
        sent.set()

    error = await outcome(trickle, CALLS["append"], SHORT)
    assert sent.is_set()
    assert isinstance(error, RelayUnreachable)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\x00",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["bytes", "other protocol", "cut off", "many headers", "long header", "bad chunk"],
)
async def test_what_is_not_http_is_out_of_reach(data: bytes) -> None:
    async def once(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    assert isinstance(await outcome(once, CALLS["append"]), RelayUnreachable)


async def test_endless_interim_answers_end() -> None:
    handle = endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
    assert isinstance(await outcome(handle, CALLS["append"], QUICK), RelayUnreachable)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("400 Bad Request", RelayRefused),
        ("403 Forbidden", RelayRefused),
        ("404 Not Found", RelayRefused),
        ("413 Content Too Large", RelayRefused),
        ("429 Too Many Requests", TryLater),
        ("500 Internal Server Error", RelayUnreachable),
        ("503 Service Unavailable", RelayUnreachable),
        ("201 Created", BadAnswer),
        ("302 Found", BadAnswer),
        ("401 Unauthorized", BadAnswer),
    ],
)
async def test_statuses(status: str, kind: type[RelayError]) -> None:
    error = await outcome(fixed(answer(b"reason", status)), CALLS["append"])
    assert type(error) is kind
    assert error.parameters["status"] == int(status[:3])
    assert HOST in str(error) or kind is BadAnswer


async def test_redirects_are_not_followed() -> None:
    handle = fixed(answer(b"", "307 Temporary Redirect", "location: /elsewhere\r\n"))
    async with asyncio.timeout(GUARD), scripted(handle) as server:
        relay = HttpRelay(server.address)
        with pytest.raises(BadAnswer):
            await relay.append(ID, TOKEN, ENVELOPES)
        await relay.close()
        assert [request.path for request in server.requests] == ["/v1/append"]


async def test_cookies_are_not_kept() -> None:
    handle = fixed(answer(b"\x00\x00", headers="set-cookie: who=you; Max-Age=999999; Path=/\r\n"))
    async with asyncio.timeout(GUARD), scripted(handle) as server:
        relay = HttpRelay(server.address)
        await relay.append(ID, TOKEN, ENVELOPES)
        await relay.append(ID, TOKEN, ENVELOPES)
        await relay.close()
        assert not any("cookie" in request.headers for request in server.requests)
        assert server.connections == 1


async def test_encoded_answer_is_not_decoded() -> None:
    packed = bytes.fromhex("1f8b0800000000000003636060000068b7d0c202000000")
    handle = fixed(answer(packed, headers="content-encoding: gzip\r\n"))
    assert isinstance(await outcome(handle, CALLS["append"]), BadAnswer)


async def test_bad_answer_does_not_spoil_the_next_request() -> None:
    bodies = iter([b"\x00\x00\x00", b"\x00\x00"])

    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(next(bodies)))

    async with asyncio.timeout(GUARD), scripted(handle) as server:
        relay = HttpRelay(server.address)
        with pytest.raises(BadAnswer):
            await relay.append(ID, TOKEN, ENVELOPES)
        assert await relay.append(ID, TOKEN, ENVELOPES) == [Verdict.STORED] * 2
        await relay.close()


async def test_deleting_an_unknown_mailbox_is_a_success() -> None:
    assert await outcome(fixed(answer(b"", "403 Forbidden")), CALLS["delete"]) is None
    error = await outcome(fixed(answer(b"", "429 Too Many Requests")), CALLS["delete"])
    assert isinstance(error, TryLater)


@pytest.mark.parametrize(
    ("said", "seconds"), [("17", 17), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-1", 0), ("٣", 0)]
)
async def test_a_busy_relay_says_for_how_long(said: str, seconds: int) -> None:
    head = f"429 Too Many Requests\r\nretry-after: {said}"
    error = await outcome(fixed(answer(b"too much", head)), CALLS["delete"])
    assert isinstance(error, TryLater)
    assert error.parameters["after"] == seconds


async def test_any_number_is_acknowledged() -> None:
    async with asyncio.timeout(GUARD), scripted(fixed(answer(b"", "204 No Content"))) as server:
        relay = HttpRelay(server.address)
        await relay.acknowledge(ID, TOKEN, range(2500))
        await relay.acknowledge(ID, TOKEN, [])
        await relay.close()
        seqs = [Acknowledge.decode(request.body).seqs for request in server.requests]
    assert [len(each) for each in seqs] == [1024, 1024, 452]
    assert [seq for each in seqs for seq in each] == list(range(2500))


async def test_many_requests_at_once_all_get_through() -> None:
    async with asyncio.timeout(GUARD), scripted(fixed(answer(b"\x00\x00"))) as server:
        relay = HttpRelay(server.address)
        calls = [relay.append(ID, TOKEN, ENVELOPES) for _ in range(120)]
        assert await asyncio.gather(*calls) == [[Verdict.STORED] * 2] * 120
        await relay.close()
        assert len(server.requests) == 120
        assert server.connections <= 2


async def test_closed_client_is_out_of_reach() -> None:
    async with asyncio.timeout(GUARD), scripted(fixed(answer(b"\x00\x00"))) as server:
        relay = HttpRelay(server.address)
        await relay.close()
        await relay.close()
        with pytest.raises(RelayUnreachable):
            await relay.append(ID, TOKEN, ENVELOPES)
        assert server.connections == 0


@pytest.mark.parametrize("host", ["999.1.1.1", "1.2", "xn--a", "a" * 62, "no-such-host.invalid"])
async def test_host_that_is_none_is_out_of_reach(host: str) -> None:
    async with asyncio.timeout(GUARD):
        relay = HttpRelay(RelayAddress(host, 1, bytes(32)), timeouts=QUICK)
        with pytest.raises(RelayUnreachable):
            await relay.get_blob(ID)
        await relay.close()


STATED = Facts(
    software="exile-tui",
    build="0.1.0",
    retention_days=3,
    limits={"envelopes": 128},
    access="open",
    jurisdiction="대한민국",
    date="2026-01-31",
    requests_received=0,
)


def signed_by(of: Identity, body: bytes) -> SignedFacts:
    assert isinstance(of.key, EllipticCurvePrivateKey)
    return SignedFacts(of.spki, body, of.key.sign(facts_message(body), ECDSA(SHA256())))


async def test_facts_are_verified() -> None:
    good = signed_by(identity(), encode_facts(STATED))
    result = await outcome(fixed(answer(good.encode())), CALLS["facts"])
    assert result == good
    assert isinstance(result, SignedFacts)
    assert result.facts == STATED
    other = signed_by(identity("other"), good.body)
    swapped = SignedFacts(good.spki, good.body, other.signature)
    changed = SignedFacts(good.spki, good.body.replace(b"128", b"127"), good.signature)
    nonsense = signed_by(identity(), b'{"software":1}')
    for bad in (other, swapped, changed, nonsense):
        assert isinstance(await outcome(fixed(answer(bad.encode())), CALLS["facts"]), BadAnswer)


def test_importing_the_package_loads_no_http_library() -> None:
    script = (
        "import sys, json, exile_tui.transport;"
        "exile_tui.transport.HttpRelays();"
        "print(json.dumps(sorted(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    loaded = set(json.loads(out))
    assert not loaded & {"httpx", "httpcore", "h2", "anyio", "cryptography", "ssl", "textual"}


async def test_factory_makes_clients_without_connecting() -> None:
    async with asyncio.timeout(GUARD), scripted(fixed(answer(b"\x00\x00"))) as server:
        relay = HttpRelays()(server.address)
        assert isinstance(relay, HttpRelay)
        await relay.close()
        assert server.connections == 0
