"""The client against the project's own relay, over real TLS and HTTP/2."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.errors import RelayKeyMismatch, RelayRefused, RelayUnreachable
from exile_tui.transport.client import HttpRelay
from exile_tui.transport.http import RelayHttp, Timeouts
from exile_tui.wire import relay as wire
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.mailbox import MailboxKeys
from exile_tui.wire.relay import (
    Authorization,
    CaughtUp,
    EnvelopeFrame,
    Frame,
    Goodbye,
    Heartbeat,
    RefusedFrame,
    Verdict,
)
from tests.unit.transport.servers import GUARD, HOST
from tests.unit.transport.test_proxy import log_until, microsocks, needs_microsocks

OPEN = Authorization().encode()
FAR = 4_000_000_000
ENTROPY = SystemEntropy()


@contextmanager
def running(
    directory: Path, *arguments: str
) -> Iterator[tuple[RelayAddress, subprocess.Popen[str]]]:
    """Run a relay of one's own and end it."""
    command = [sys.executable, "-m", "exile_tui.relay", "--data-dir", str(directory), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield RelayAddress.parse(process.stdout.readline()), process
        finally:
            process.terminate()
            try:
                process.wait(GUARD)
            finally:
                process.kill()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayAddress]:
    with running(tmp_path_factory.mktemp("relay")) as (where, _):
        yield where


@pytest.fixture
async def relay(address: RelayAddress) -> AsyncIterator[HttpRelay]:
    async with asyncio.timeout(GUARD):
        client = HttpRelay(address)
        yield client
        await client.close()


async def created(relay: HttpRelay) -> MailboxKeys:
    keys = MailboxKeys.generate(ENTROPY)
    await relay.create_mailbox(keys.id, keys.receive_hash, keys.send_hash, OPEN)
    return keys


async def frames_until(
    relay: HttpRelay, mailboxes: Sequence[MailboxKeys], count: int
) -> list[Frame]:
    """Receive until this many frames came, heartbeats aside, and leave."""
    stream = relay.receive([(keys.id, keys.receive_token) for keys in mailboxes])
    found: list[Frame] = []
    async for batch in stream:
        found += [frame for frame in batch if not isinstance(frame, Heartbeat)]
        if len(found) >= count:
            break
    await stream.aclose()
    return found


def envelopes_of(frames: Sequence[Frame]) -> list[bytes]:
    return [frame.envelope for frame in frames if isinstance(frame, EnvelopeFrame)]


async def test_mailbox_from_creation_to_deletion(relay: HttpRelay) -> None:
    keys = await created(relay)
    await relay.create_mailbox(keys.id, keys.receive_hash, keys.send_hash, OPEN)
    sent = [ENTROPY.bytes(size) for size in (4096, 65536, 16384)]
    assert await relay.append(keys.id, keys.send_token, sent) == [Verdict.STORED] * 3
    found = await frames_until(relay, [keys], 4)
    assert envelopes_of(found) == sent
    assert found[3] == CaughtUp(0)
    seqs = [frame.seq for frame in found if isinstance(frame, EnvelopeFrame)]
    assert seqs == sorted(seqs)
    held = await relay.disclosure(keys.id, keys.receive_token)
    assert [each["bytes"] for each in held["envelopes"]] == [4096, 65536, 16384]
    await relay.acknowledge(keys.id, keys.receive_token, seqs[:2])
    # Whoever left without acknowledging gets it again.
    assert envelopes_of(await frames_until(relay, [keys], 2)) == sent[2:]
    await relay.delete_mailbox(keys.id, keys.receive_token)
    await relay.delete_mailbox(keys.id, keys.receive_token)
    assert await frames_until(relay, [keys], 1) == [RefusedFrame(0)]
    assert await relay.append(keys.id, keys.send_token, sent[:1]) == [Verdict.REFUSED]


async def test_what_arrives_is_pushed(relay: HttpRelay) -> None:
    keys = await created(relay)
    stream = relay.receive([(keys.id, keys.receive_token)])
    assert await anext(stream) == [CaughtUp(0)]
    for _ in range(5):
        envelope = ENTROPY.bytes(4096)
        await relay.append(keys.id, keys.send_token, [envelope])
        assert envelopes_of(await anext(stream)) == [envelope]
    await stream.aclose()


async def test_largest_append_and_the_full_mailbox(relay: HttpRelay) -> None:
    keys = await created(relay)
    for _ in range(4):
        batch = [ENTROPY.bytes(65536) for _ in range(32)]
        assert await relay.append(keys.id, keys.send_token, batch) == [Verdict.STORED] * 32
    verdicts = await relay.append(keys.id, keys.send_token, [bytes(4096), bytes(16384)])
    assert verdicts == [Verdict.FULL, Verdict.TRY_LATER]
    assert len(envelopes_of(await frames_until(relay, [keys], 129))) == 128


async def test_wrong_token_and_unknown_mailbox_answer_alike(relay: HttpRelay) -> None:
    keys, unknown = await created(relay), MailboxKeys.generate(ENTROPY)
    wrong = unknown.receive_token
    for mailbox, token in ((keys.id, wrong), (unknown.id, wrong)):
        assert await relay.append(mailbox, token, [bytes(4096)]) == [Verdict.REFUSED]
        for call in (relay.acknowledge(mailbox, token, [1]), relay.disclosure(mailbox, token)):
            with pytest.raises(RelayRefused):
                await call
        assert await anext(relay.receive([(mailbox, token)])) == [RefusedFrame(0)]
    with pytest.raises(RelayRefused):
        await relay.create_mailbox(keys.id, unknown.receive_hash, unknown.send_hash, OPEN)


async def test_as_many_mailboxes_as_a_receive_takes(relay: HttpRelay) -> None:
    keys = [await created(relay) for _ in range(3)]
    await relay.append(keys[2].id, keys[2].send_token, [bytes(4096)])
    unknown = [MailboxKeys.generate(ENTROPY) for _ in range(1021)]
    boxes = [keys[0], *unknown, keys[1], keys[2]]
    found = await frames_until(relay, boxes, 1025)
    assert {frame.index for frame in found if isinstance(frame, CaughtUp)} == {0, 1022, 1023}
    assert [frame.index for frame in found if isinstance(frame, EnvelopeFrame)] == [1023]
    assert sum(isinstance(frame, RefusedFrame) for frame in found) == 1021


async def test_many_requests_share_a_connection(relay: HttpRelay, address: RelayAddress) -> None:
    keys = await created(relay)
    calls = [relay.append(keys.id, keys.send_token, [ENTROPY.bytes(4096)]) for _ in range(110)]
    assert await asyncio.gather(*calls) == [[Verdict.STORED]] * 110
    http = RelayHttp(address, None, Timeouts())
    client = http.client(connections=1)
    response = await http.start(client, "GET", wire.Path.FACTS, None)
    assert response.http_version == "HTTP/2"
    await response.aclose()
    await client.aclose()


async def test_blobs(relay: HttpRelay) -> None:
    name, token, blob = ENTROPY.bytes(16), ENTROPY.bytes(32), ENTROPY.bytes(4096)
    assert await relay.get_blob(name) is None
    for _ in range(2):
        verdict = await relay.put_blob(name, sha256(token).digest(), FAR, blob, OPEN)
        assert verdict is Verdict.STORED
    other = await relay.put_blob(name, sha256(token).digest(), FAR, blob[::-1], OPEN)
    assert other is Verdict.REFUSED
    assert await relay.get_blob(name) == blob
    await relay.delete_blob(name, token)
    await relay.delete_blob(name, token)
    assert await relay.get_blob(name) is None


async def test_facts(relay: HttpRelay, address: RelayAddress) -> None:
    signed = await relay.facts()
    assert signed.facts.access == "open"
    assert sha256(signed.spki).digest() == address.pin


async def test_another_pin_is_a_mismatch(address: RelayAddress) -> None:
    async with asyncio.timeout(GUARD):
        relay = HttpRelay(replace(address, pin=bytes(32)))
        with pytest.raises(RelayKeyMismatch):
            await relay.facts()
        with pytest.raises(RelayKeyMismatch):
            await anext(relay.receive([(bytes(16), bytes(32))]))
        await relay.close()


async def test_access_phrase_and_ticket(tmp_path: Path) -> None:
    phrase = tmp_path / "phrase"
    phrase.write_text("암구호 하나\n", encoding="utf-8")
    with running(tmp_path / "relay", "--access-phrase-file", str(phrase)) as (address, _):
        async with asyncio.timeout(GUARD):
            relay = HttpRelay(address)
            keys, joiner = MailboxKeys.generate(ENTROPY), MailboxKeys.generate(ENTROPY)
            ticket = ENTROPY.bytes(32)
            told = Authorization.phrase("암구호 하나").encode()
            wrong = Authorization.phrase("다른 것").encode()
            shown = Authorization.ticket(ticket).encode()
            for refused in (OPEN, wrong, shown):
                with pytest.raises(RelayRefused):
                    await relay.create_mailbox(keys.id, keys.receive_hash, keys.send_hash, refused)
            renewal = await relay.create_mailbox(keys.id, keys.receive_hash, keys.send_hash, told)
            again = Authorization.renewal(renewal).encode()
            assert renewal == await relay.create_mailbox(
                keys.id, keys.receive_hash, keys.send_hash, again
            )
            with pytest.raises(RelayRefused):
                await relay.request_ticket(sha256(ticket).digest(), FAR, wrong)
            await relay.request_ticket(sha256(ticket).digest(), FAR, told)
            for _ in range(2):
                await relay.create_mailbox(joiner.id, joiner.receive_hash, joiner.send_hash, shown)
            by_mailbox = Authorization.mailbox(keys.id, keys.send_token).encode()
            verdict = await relay.put_blob(bytes(16), bytes(32), FAR, bytes(4096), by_mailbox)
            assert verdict is Verdict.STORED
            assert (await relay.facts()).facts.access == "phrase"
            await relay.close()


@needs_microsocks
async def test_through_microsocks(address: RelayAddress) -> None:
    async with asyncio.timeout(GUARD), microsocks() as (port, process):
        named = replace(address, host="localhost")
        relay = HttpRelay(named, proxy=f"socks5://{HOST}:{port}")
        keys = await created(relay)
        envelope = ENTROPY.bytes(65536)
        assert await relay.append(keys.id, keys.send_token, [envelope]) == [Verdict.STORED]
        assert envelopes_of(await frames_until(relay, [keys], 2)) == [envelope]
        await relay.close()
        await log_until(process, f"connected to localhost:{address.port}".encode())


@pytest.mark.parametrize("gently", [True, False])
async def test_relay_that_ends(tmp_path: Path, gently: bool) -> None:
    with running(tmp_path / "relay") as (address, process):
        async with asyncio.timeout(GUARD):
            relay = HttpRelay(address)
            keys = await created(relay)
            stream = relay.receive([(keys.id, keys.receive_token)])
            assert await anext(stream) == [CaughtUp(0)]
            process.send_signal(signal.SIGTERM if gently else signal.SIGKILL)
            try:
                assert [batch async for batch in stream] == [[Goodbye()]]
                assert gently
            except RelayUnreachable:
                # Also when gently: h2 drops what it was fed together with a GOAWAY and a ping
                # behind it, which is how the relay's HTTP/2 server says goodbye in turn.
                pass
            assert process.wait(GUARD) == (0 if gently else -9)
            with pytest.raises(RelayUnreachable):
                await relay.facts()
            await relay.close()
