"""The relay of this computer's user: started once, held by leases, ended after the last."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exile_tui.errors import ExileError
from exile_tui.locks import FileLock
from exile_tui.relay.embedded import EmbeddedCantListen, EmbeddedPortTaken, EmbeddedRelay
from exile_tui.relay.interfaces import own_addresses
from exile_tui.relay.listening import IN_USE, LISTENING_FILE, LOCK_FILE, DamagedListening
from tests.integration.relay_support import PATIENCE, ask

_HOLDER = """
import asyncio, pathlib, sys
from exile_tui.relay.embedded import EmbeddedRelay
async def main():
    held = EmbeddedRelay(pathlib.Path(sys.argv[1]), grace=0.05, poll=0.02)
    print((await held.ensure()).url, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "relay"
    yield path
    if path.exists():
        await ended(path)


def handle(directory: Path) -> EmbeddedRelay:
    return EmbeddedRelay(directory, grace=0.05, poll=0.02)


async def ended(directory: Path) -> None:
    """Wait until no relay runs in the directory."""
    with FileLock(directory / LOCK_FILE) as lock:
        async with asyncio.timeout(PATIENCE):
            assert await asyncio.to_thread(lock.acquire, wait=True)


async def test_it_starts_answers_and_ends_after_release(directory: Path) -> None:
    relay = handle(directory)
    assert relay.address() is None
    address = await relay.ensure()
    assert address == relay.address() == await relay.ensure()
    assert (await ask(address, "GET", "/v1/facts"))[0] == 200
    await relay.release()
    await ended(directory)
    assert relay.address() == address
    assert await relay.ensure() == address  # port and key are kept
    await relay.release()


async def test_two_starters_at_once_get_one_relay(directory: Path) -> None:
    first, second = handle(directory), handle(directory)
    addresses = await asyncio.gather(first.ensure(), second.ensure())
    assert addresses[0] == addresses[1]
    await first.release()
    assert (await ask(addresses[0], "GET", "/v1/facts"))[0] == 200
    await second.release()


async def test_a_start_that_meets_another_starters_look_is_tried_again(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, said = handle(directory), [IN_USE]
    really = relay._start
    monkeypatch.setattr(relay, "_start", lambda: said.pop() if said else really())
    assert (await ask(await relay.ensure(), "GET", "/v1/facts"))[0] == 200
    assert not said
    await relay.release()


async def test_it_outlives_its_starter_and_ends_when_the_last_holder_is_killed(
    directory: Path,
) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLDER, str(directory), stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    async with asyncio.timeout(PATIENCE):
        await holder.stdout.readline()
    second = handle(directory)
    address = await second.ensure()
    os.kill(holder.pid, signal.SIGKILL)
    await holder.communicate()
    assert (await ask(address, "GET", "/v1/facts"))[0] == 200
    await second.release()
    await ended(directory)


async def test_it_ends_when_its_only_holder_is_killed(directory: Path) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLDER, str(directory), stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    async with asyncio.timeout(PATIENCE):
        await holder.stdout.readline()
    os.kill(holder.pid, signal.SIGKILL)
    await holder.communicate()
    await ended(directory)


async def test_a_taken_port_is_one_sentence_and_no_other_port(directory: Path) -> None:
    relay = handle(directory)
    address = await relay.ensure()
    await relay.release()
    await ended(directory)
    with contextlib.closing(socket.create_server(("127.0.0.1", address.port))):
        with pytest.raises(EmbeddedPortTaken) as raised:
            await relay.ensure()
        assert str(address.port) in str(raised.value)
        assert relay.address() == address
    assert await relay.ensure() == address
    await relay.release()


async def test_letting_others_reach_it_keeps_port_and_loopback(directory: Path) -> None:
    relay = handle(directory)
    before = await relay.ensure()
    await relay.listen_on("127.0.0.2")
    after = await relay.ensure()
    assert (after.host, after.port, after.pin) == ("127.0.0.2", before.port, before.pin)
    for address in (before, after):
        assert (await ask(address, "GET", "/v1/facts"))[0] == 200
    await relay.release()
    await ended(directory)
    assert await relay.ensure() == after
    await relay.listen_on("127.0.0.1")
    assert await relay.ensure() == before
    with pytest.raises(OSError):
        await ask(after, "GET", "/v1/facts")
    await relay.release()


async def test_an_address_of_another_computer_is_refused_before_anything_changes(
    directory: Path,
) -> None:
    relay = handle(directory)
    before = await relay.ensure()
    with pytest.raises(EmbeddedCantListen, match=r"198\.51\.100\.7"):
        await relay.listen_on("198.51.100.7")
    assert relay.address() == before == await relay.ensure()
    taken = contextlib.closing(socket.create_server(("127.0.0.3", before.port)))
    with taken, pytest.raises(EmbeddedPortTaken):
        await relay.listen_on("127.0.0.3")
    assert relay.address() == before
    await relay.release()


def test_own_addresses_are_such_that_others_can_use() -> None:
    for host in own_addresses():
        address = ipaddress.ip_address(host)
        assert not address.is_loopback
        assert not address.is_unspecified
        assert not address.is_link_local
        assert str(address) == host
    assert len(set(own_addresses())) == len(own_addresses())


async def test_damaged_files_are_an_error_and_stay(directory: Path) -> None:
    os.mkdir(directory)
    (directory / LISTENING_FILE).write_text('{"host": 1}')
    relay = handle(directory)
    with pytest.raises(DamagedListening):
        relay.address()
    with pytest.raises(ExileError):
        await relay.ensure()
    assert (directory / LISTENING_FILE).read_text() == '{"host": 1}'
