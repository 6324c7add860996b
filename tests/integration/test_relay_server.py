"""The relay's endpoints on the real server, over real TLS."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import shutil
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path as FilePath

import pytest

from exile_tui.relay.access import Access
from exile_tui.relay.facts import OperatorFacts
from exile_tui.relay.limits import Limits
from exile_tui.relay.service import RelaySettings
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.blobs import BlobsDecoder
from exile_tui.wire.relay import (
    REQUEST_LIMITS,
    Acknowledge,
    Append,
    Authorization,
    CaughtUp,
    CreateMailbox,
    DeleteBlob,
    EnvelopeFrame,
    GetBlobs,
    Goodbye,
    Heartbeat,
    MailboxToken,
    Path,
    PutBlob,
    PutBlobs,
    PutTicket,
    Receive,
    RefusedFrame,
    SignedFacts,
)
from tests.integration.relay_support import PATIENCE, Client, ask, serving
from tests.unit.relay.support import Box, box, raw_files

PHRASE = "망명 사이버 phrase"
OPEN = Authorization()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(80)


@pytest.fixture
async def relay(tmp_path: FilePath) -> AsyncIterator[RelayAddress]:
    async with serving(RelaySettings(directory=tmp_path / "relay")) as (address, _):
        yield address


@pytest.fixture
async def guarded(tmp_path: FilePath) -> AsyncIterator[RelayAddress]:
    settings = RelaySettings(directory=tmp_path / "relay", access=Access(PHRASE))
    async with serving(settings) as (address, _):
        yield address


def creation(mailbox: Box, authorization: Authorization = OPEN) -> bytes:
    return CreateMailbox(
        mailbox.id, mailbox.receive_hash, mailbox.send_hash, authorization
    ).encode()


async def created(address: RelayAddress, rng: random.Random) -> Box:
    mailbox = box(rng)
    assert await ask(address, "POST", Path.CREATE, creation(mailbox)) == (204, b"")
    return mailbox


def appending(mailbox: Box, *envelopes: bytes) -> bytes:
    return Append(mailbox.id, mailbox.send_token, envelopes).encode()


def receiving(*mailboxes: Box) -> bytes:
    return Receive([(mailbox.id, mailbox.receive_token) for mailbox in mailboxes]).encode()


async def test_envelopes_are_fetched_pushed_and_acknowledged(
    relay: RelayAddress, rng: random.Random
) -> None:
    mine, unknown = await created(relay, rng), box(rng)
    old, new = rng.randbytes(16384), rng.randbytes(65536)
    assert await ask(relay, "POST", Path.APPEND, appending(mine, old)) == (200, b"\0")
    async with Client(relay) as client:
        await client.send("POST", Path.RECEIVE, receiving(unknown, mine))
        status, _ = await client.head()
        assert status == 200
        frames = client.frames()
        assert await anext(frames) == RefusedFrame(0)
        first = await anext(frames)
        assert isinstance(first, EnvelopeFrame)
        assert (first.index, first.envelope) == (1, old)
        assert await anext(frames) == CaughtUp(1)
        assert await ask(relay, "POST", Path.APPEND, appending(mine, new, old)) == (200, b"\0\0")
        second = await anext(frames)
        assert second == EnvelopeFrame(1, first.seq + 1, new)
        acknowledging = Acknowledge(mine.id, mine.receive_token, [first.seq, 99]).encode()
        assert await ask(relay, "POST", Path.ACKNOWLEDGE, acknowledging) == (204, b"")
        assert await ask(relay, "POST", Path.ACKNOWLEDGE, acknowledging) == (204, b"")
    async with Client(relay) as client:
        await client.send("POST", Path.RECEIVE, receiving(mine))
        assert [frame.envelope for frame in await client.until_caught_up()] == [new]


async def test_many_mailboxes_over_one_stream(relay: RelayAddress, rng: random.Random) -> None:
    boxes = [await created(relay, rng) for _ in range(70)]
    envelopes = [rng.randbytes(4096) for _ in boxes]
    for mailbox, envelope in zip(boxes, envelopes, strict=True):
        await ask(relay, "POST", Path.APPEND, appending(mailbox, envelope))
    async with Client(relay) as client:
        await client.send("POST", Path.RECEIVE, receiving(*boxes))
        found = await client.until_caught_up(len(boxes))
    assert {frame.index: frame.envelope for frame in found} == dict(enumerate(envelopes))


async def test_batches_keep_their_order(relay: RelayAddress, rng: random.Random) -> None:
    mine = await created(relay, rng)
    batch = [rng.randbytes(4096) for _ in range(32)]
    verdicts = []
    for start in range(5):
        some = batch if not start else [rng.randbytes(4096) for _ in range(32)]
        verdicts.append(await ask(relay, "POST", Path.APPEND, appending(mine, *some)))
    assert verdicts == [(200, bytes(32))] * 4 + [(200, b"\1" + b"\4" * 31)]
    async with Client(relay) as client:
        await client.send("POST", Path.RECEIVE, receiving(mine))
        found = await client.until_caught_up()
    assert [frame.envelope for frame in found[:32]] == batch
    assert len(found) == 128


async def test_a_deleted_mailbox_is_refused_everywhere_at_once(
    relay: RelayAddress, rng: random.Random
) -> None:
    mine = await created(relay, rng)
    async with Client(relay) as client:
        await client.send("POST", Path.RECEIVE, receiving(mine))
        await client.until_caught_up()
        token = MailboxToken(mine.id, mine.receive_token).encode()
        assert await ask(relay, "POST", Path.DELETE, token) == (204, b"")
        assert await anext(client.frames()) == RefusedFrame(0)
    assert await ask(relay, "POST", Path.DELETE, token) == (403, b"refused")
    assert await ask(relay, "POST", Path.DISCLOSURE, token) == (403, b"refused")
    assert await ask(relay, "POST", Path.APPEND, appending(mine, bytes(4096))) == (200, b"\2")


async def test_unknown_and_wrong_are_one_answer(relay: RelayAddress, rng: random.Random) -> None:
    mine, unknown = await created(relay, rng), box(rng)
    wrong = Box(unknown.receive_token, unknown.send_token)
    for path, make in (
        (Path.DELETE, lambda at: MailboxToken(at, wrong.receive_token).encode()),
        (Path.DISCLOSURE, lambda at: MailboxToken(at, wrong.receive_token).encode()),
        (Path.ACKNOWLEDGE, lambda at: Acknowledge(at, wrong.receive_token, [1]).encode()),
        (Path.APPEND, lambda at: Append(at, wrong.send_token, [bytes(4096)]).encode()),
    ):
        answers = [await ask(relay, "POST", path, make(at)) for at in (mine.id, unknown.id)]
        assert answers[0] == answers[1], path


async def test_disclosure_is_literal(relay: RelayAddress, rng: random.Random) -> None:
    mine = await created(relay, rng)
    await ask(relay, "POST", Path.APPEND, appending(mine, rng.randbytes(4096)))
    token = MailboxToken(mine.id, mine.receive_token).encode()
    status, body = await ask(relay, "POST", Path.DISCLOSURE, token)
    held = json.loads(body)
    assert status == 200
    document = json.loads((await ask(relay, "GET", Path.OPENAPI))[1])
    schema = document["components"]["schemas"]["Disclosure"]
    assert set(held) == set(schema["required"])
    assert set(held["envelopes"][0]) == set(schema["properties"]["envelopes"]["items"]["required"])


async def test_blobs(relay: RelayAddress, rng: random.Random) -> None:
    token = rng.randbytes(32)
    hashed, expiry = hashlib.sha256(token).digest(), int(time.time()) + 3600
    blobs = [
        PutBlob(rng.randbytes(16), hashed, expiry, rng.randbytes(size))
        for size in (4096, 1, 65536, 65537)
    ]
    putting = PutBlobs(OPEN, blobs).encode()
    for _ in range(2):
        assert await ask(relay, "POST", Path.BLOB_PUT, putting) == (200, b"\0\0\0\3")
    other = PutBlob(blobs[0].blob_id, hashed, expiry, b"other")
    assert await ask(relay, "POST", Path.BLOB_PUT, PutBlobs(OPEN, [other]).encode()) == (
        200,
        b"\2",
    )
    ids = [blob.blob_id for blob in blobs]
    status, body = await ask(relay, "POST", Path.BLOB_GET, GetBlobs(ids * 10).encode())
    assert status == 200
    assert BlobsDecoder(40).feed(body) == [*(blob.blob for blob in blobs[:3]), None] * 10
    for used in (rng.randbytes(32), token, token):
        deleting = DeleteBlob(ids[0], used).encode()
        assert await ask(relay, "POST", Path.BLOB_DELETE, deleting) == (204, b"")
    status, body = await ask(relay, "POST", Path.BLOB_GET, GetBlobs(ids[:1]).encode())
    assert BlobsDecoder(1).feed(body) == [None]


async def test_access_phrase_ticket_and_mailbox_token(
    guarded: RelayAddress, rng: random.Random
) -> None:
    phrase, ticket = Authorization.phrase(PHRASE), rng.randbytes(32)
    mine, theirs, third = box(rng), box(rng), box(rng)
    refused = (403, b"refused")
    ticketed = Authorization.ticket(ticket)
    for wrong in (OPEN, Authorization.phrase("wrong"), ticketed):
        assert await ask(guarded, "POST", Path.CREATE, creation(mine, wrong)) == refused
    status, renewal = await ask(guarded, "POST", Path.CREATE, creation(mine, phrase))
    assert (status, len(renewal)) == (200, 32)
    expiry, hashed = int(time.time()) + 3600, hashlib.sha256(ticket).digest()
    assert await ask(guarded, "POST", Path.TICKET, PutTicket(OPEN, hashed, expiry).encode()) == (
        refused
    )
    putting = PutTicket(phrase, hashed, expiry).encode()
    assert await ask(guarded, "POST", Path.TICKET, putting) == (204, b"")
    first = await ask(guarded, "POST", Path.CREATE, creation(theirs, ticketed))
    assert (first[0], len(first[1])) == (200, 32)
    assert await ask(guarded, "POST", Path.CREATE, creation(theirs, ticketed)) == first
    assert await ask(guarded, "POST", Path.CREATE, creation(third, ticketed)) == refused
    blob = PutBlob(rng.randbytes(16), bytes(32), expiry, bytes(4096))
    for authorization, expected in (
        (OPEN, refused),
        (ticketed, refused),
        (Authorization.mailbox(mine.id, rng.randbytes(32)), refused),
        (Authorization.mailbox(third.id, third.send_token), refused),
        (Authorization.mailbox(mine.id, mine.send_token), (200, b"\0")),
        (Authorization.mailbox(mine.id, mine.receive_token), (200, b"\0")),
        (phrase, (200, b"\0")),
    ):
        putting = PutBlobs(authorization, [blob]).encode()
        assert await ask(guarded, "POST", Path.BLOB_PUT, putting) == expected


async def test_a_renewal_token_creates_its_own_mailbox_at_a_relay_that_lost_everything(
    tmp_path: FilePath, rng: random.Random
) -> None:
    ticket, mine, other = rng.randbytes(32), box(rng), box(rng)
    refused = (403, b"refused")
    before = RelaySettings(directory=tmp_path / "one", access=Access(PHRASE))
    async with serving(before) as (address, _):
        putting = PutTicket(
            Authorization.phrase(PHRASE), hashlib.sha256(ticket).digest(), int(time.time()) + 3600
        )
        await ask(address, "POST", Path.TICKET, putting.encode())
        ticketed = creation(mine, Authorization.ticket(ticket))
        created = await ask(address, "POST", Path.CREATE, ticketed)
        renewal = created[1]
        assert created == (200, renewal)
        assert renewal not in raw_files(tmp_path)
    (tmp_path / "two").mkdir()
    shutil.copy(tmp_path / "one" / "key.pem", tmp_path / "two")
    after = RelaySettings(directory=tmp_path / "two", access=Access("another phrase"))
    async with serving(after) as (address, _):
        shown = Authorization.renewal(renewal)
        flipped = bytes((renewal[0] ^ 1, *renewal[1:]))
        for wrong in (ticketed, creation(mine, Authorization.renewal(flipped))):
            assert await ask(address, "POST", Path.CREATE, wrong) == refused
        assert await ask(address, "POST", Path.CREATE, creation(other, shown)) == refused
        expiry = int(time.time()) + 3600
        for path, body in (
            (Path.TICKET, PutTicket(shown, bytes(32), expiry)),
            (Path.BLOB_PUT, PutBlobs(shown, [PutBlob(bytes(16), bytes(32), expiry, b"x")])),
        ):
            assert await ask(address, "POST", path, body.encode()) == refused
        for _ in range(2):
            assert await ask(address, "POST", Path.CREATE, creation(mine, shown)) == created
        appending = Append(mine.id, mine.send_token, [bytes(4096)]).encode()
        assert await ask(address, "POST", Path.APPEND, appending) == (200, b"\0")
        assert renewal not in raw_files(tmp_path)
    stranger = RelaySettings(directory=tmp_path / "three", access=Access(PHRASE))
    async with serving(stranger) as (address, _):
        assert await ask(address, "POST", Path.CREATE, creation(mine, shown)) == refused


async def test_an_open_relay_needs_no_renewal_tokens(
    relay: RelayAddress, rng: random.Random
) -> None:
    shown = Authorization.renewal(rng.randbytes(32))
    for authorization in (OPEN, shown):
        done = await ask(relay, "POST", Path.CREATE, creation(box(rng), authorization))
        assert done == (204, b"")


async def test_facts_are_signed_by_the_pinned_key(tmp_path: FilePath) -> None:
    operator = OperatorFacts(jurisdiction="대한민국", operator="a school", requests_received=3)
    settings = RelaySettings(directory=tmp_path, facts=operator, access=Access(PHRASE))
    async with serving(settings) as (address, _):
        status, body = await ask(address, "GET", Path.FACTS)
    signed = SignedFacts.decode(body)
    signed.verify(address.pin)
    assert status == 200
    facts = signed.facts
    assert (facts.access, facts.retention_days, facts.requests_received) == ("phrase", 3, 3)
    assert facts.jurisdiction == "대한민국"
    assert json.loads(signed.body)["operator"] == "a school"


async def test_the_openapi_document_names_exactly_the_routes(relay: RelayAddress) -> None:
    status, body = await ask(relay, "GET", Path.OPENAPI)
    document = json.loads(body)
    assert status == 200
    assert document["openapi"].startswith("3.1.")
    assert set(document["paths"]) == {path.value for path in Path}
    for path, methods in document["paths"].items():
        (method,) = methods
        other = "GET" if method == "post" else "POST"
        assert (await ask(relay, other, path))[0] == 404
        assert (await ask(relay, method.upper(), path))[0] in (200, 400)
        for answer in methods[method]["responses"].values():
            if "$ref" in answer:
                assert answer["$ref"].rpartition("/")[2] in document["components"]["responses"]
        if method == "post":
            (content,) = methods[method]["requestBody"]["content"].values()
            assert content["schema"]["maxLength"] == REQUEST_LIMITS[Path(path)]


@pytest.mark.parametrize("path", [path for path in Path if REQUEST_LIMITS[path]])
async def test_malformed_and_oversized_bodies(
    relay: RelayAddress, rng: random.Random, path: Path
) -> None:
    limit = REQUEST_LIMITS[path]
    for size in (0, 1, 15, 47, 49, 50, 81, 1000):
        expected = (400, b"malformed") if size <= limit else (413, b"too large")
        assert await ask(relay, "POST", path, rng.randbytes(size)) == expected, size
    if limit < 100_000:
        assert await ask(relay, "POST", path, bytes(limit + 1)) == (413, b"too large")


async def test_a_receive_that_names_a_mailbox_twice_is_malformed(
    relay: RelayAddress, rng: random.Random
) -> None:
    pair = rng.randbytes(48)
    assert await ask(relay, "POST", Path.RECEIVE, pair * 2) == (400, b"malformed")
    other = pair[:16] + rng.randbytes(32)
    assert await ask(relay, "POST", Path.RECEIVE, pair + other) == (400, b"malformed")


async def test_a_chunked_body_is_bounded_too(relay: RelayAddress, rng: random.Random) -> None:
    mine = box(rng)
    for body, expected in (
        (creation(mine), (204, b"")),
        (creation(mine)[:-1], (400, b"malformed")),
        (bytes(9999), (413, b"too large")),
    ):
        async with Client(relay) as client:
            head = f"POST {Path.CREATE} HTTP/1.1\r\nhost: relay\r\ntransfer-encoding: chunked"
            half = len(body) // 2
            chunks = b"".join(
                b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:])
            )
            client.writer.write(head.encode() + b"\r\n\r\n" + chunks + b"0\r\n\r\n")
            assert await client.answer() == expected


async def test_a_body_that_does_not_come_is_given_up(tmp_path: FilePath) -> None:
    settings = RelaySettings(directory=tmp_path, limits=Limits(patience=0.01))
    async with serving(settings) as (address, _), Client(address) as client:
        head = f"POST {Path.CREATE} HTTP/1.1\r\nhost: relay\r\ncontent-length: 100\r\n\r\n"
        client.writer.write(head.encode() + b"half")
        assert await client.answer() == (400, b"too slow")


async def test_an_id_that_does_not_fit_its_hashes_is_malformed(
    relay: RelayAddress, rng: random.Random
) -> None:
    mine = box(rng)
    request = CreateMailbox(bytes(16), mine.receive_hash, mine.send_hash, OPEN)
    assert await ask(relay, "POST", Path.CREATE, request.encode()) == (400, b"malformed")


async def test_only_tls_1_3_is_spoken(relay: RelayAddress) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(relay.host, relay.port, ssl=context)


async def test_heartbeats_while_nothing_happens(tmp_path: FilePath, rng: random.Random) -> None:
    settings = RelaySettings(directory=tmp_path, limits=Limits(heartbeat=0.01))
    async with serving(settings) as (address, _):
        mine = await created(address, rng)
        async with Client(address) as client:
            await client.send("POST", Path.RECEIVE, receiving(mine))
            await client.until_caught_up()
            assert await anext(client.frames()) == Heartbeat()


async def test_a_stop_says_goodbye_on_every_stream(tmp_path: FilePath, rng: random.Random) -> None:
    async with serving(RelaySettings(directory=tmp_path)) as (address, service):
        mine = await created(address, rng)
        clients = [Client(address) for _ in range(5)]
        for client in clients:
            await client.__aenter__()
            await client.send("POST", Path.RECEIVE, receiving(mine))
            await client.until_caught_up()
        service.stop()
        for client in clients:
            assert [frame async for frame in client.frames()] == [Goodbye()]
            await client.__aexit__()


async def test_a_stream_waits_for_acknowledgements(tmp_path: FilePath, rng: random.Random) -> None:
    limits = Limits(unacknowledged_bytes=40_000, fetch_bytes=16_384, heartbeat=0.01)
    async with serving(RelaySettings(directory=tmp_path, limits=limits)) as (address, _):
        mine = await created(address, rng)
        envelopes = [rng.randbytes(16_384) for _ in range(6)]
        await ask(address, "POST", Path.APPEND, appending(mine, *envelopes))
        async with Client(address) as client:
            await client.send("POST", Path.RECEIVE, receiving(mine))
            await client.head()
            frames = client.frames()
            found: list[EnvelopeFrame] = []
            async for frame in frames:
                if isinstance(frame, CaughtUp):
                    break
                assert isinstance(frame, EnvelopeFrame)
                found.append(frame)
                if len(found) % 3 == 0:  # 49,152 bytes are ahead: nothing comes before this
                    seqs = [frame.seq for frame in found]
                    acknowledging = Acknowledge(mine.id, mine.receive_token, seqs)
                    answer = await ask(address, "POST", Path.ACKNOWLEDGE, acknowledging.encode())
                    assert answer == (204, b"")
        assert [frame.envelope for frame in found] == envelopes


async def test_a_stream_whose_client_acknowledges_nothing_ends(
    tmp_path: FilePath, rng: random.Random
) -> None:
    limits = Limits(unacknowledged_bytes=10_000, fetch_bytes=4096, patience=0.1)
    async with serving(RelaySettings(directory=tmp_path, limits=limits)) as (address, _):
        mine = await created(address, rng)
        await ask(
            address, "POST", Path.APPEND, appending(mine, *(rng.randbytes(4096) for _ in range(9)))
        )
        async with Client(address) as client:
            await client.send("POST", Path.RECEIVE, receiving(mine))
            await client.head()
            frames = [frame async for frame in client.frames()]
        assert [type(frame) for frame in frames] == [EnvelopeFrame] * 3 + [Goodbye]


async def test_a_reader_that_stops_reading_holds_up_nobody(
    tmp_path: FilePath, rng: random.Random
) -> None:
    settings = RelaySettings(directory=tmp_path, limits=Limits(fetch_bytes=65536))
    async with serving(settings) as (address, _):
        mine = await created(address, rng)
        for _ in range(4):
            some = [rng.randbytes(65536) for _ in range(32)]
            assert await ask(address, "POST", Path.APPEND, appending(mine, *some)) == (
                200,
                bytes(32),
            )
        async with Client(address) as lazy, Client(address) as eager:
            lazy.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await lazy.send("POST", Path.RECEIVE, receiving(mine))
            await eager.send("POST", Path.RECEIVE, receiving(mine))
            async with asyncio.timeout(PATIENCE):
                assert len(await eager.until_caught_up()) == 128
