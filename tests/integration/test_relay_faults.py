"""A relay whose disk is full, fails or is read-only, and one that is killed under load.

What it answered as stored is there afterwards and in order, meanwhile it answers in the protocol,
and it goes on without a restart once the fault is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path as FilePath

import pytest

from benchmarks.faults.siege import BURSTS, QUICK_WIPER, Siege
from exile_tui.relay.limits import Limits
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import (
    Acknowledge,
    Append,
    Authorization,
    CreateMailbox,
    EnvelopeFrame,
    Path,
    Receive,
    Verdict,
    decode_verdicts,
)
from tests.integration.relay_support import PATIENCE, Client, RelayProcess, ask, launch, start
from tests.unit.relay.support import Box, box

ROOT = FilePath(__file__).resolve().parents[2]
MIB = 1 << 20
RESERVE = Limits().disk_reserve
DISK = RESERVE + 12 * MIB
QUICK = ("--wipe-interval", "0.05")
CHILD = "benchmarks.faults.relay_child"


@pytest.mark.parametrize("command", [QUICK_WIPER, BURSTS])
async def test_killed_twenty_times_under_load_it_loses_nothing(
    tmp_path: FilePath, command: tuple[str, ...]
) -> None:
    siege = Siege(tmp_path, seed=66, command=command)
    await siege.fight(20)
    assert siege.books.count() > 200


class Post:
    """Mailboxes, and what the relay answered about envelopes to them."""

    def __init__(self, address: RelayAddress, seed: int) -> None:
        self.address = address
        self._rng = random.Random(seed)
        self.stored: dict[Box, list[bytes]] = {}

    async def create(self) -> tuple[int, Box]:
        mailbox = box(self._rng)
        request = CreateMailbox(
            mailbox.id, mailbox.receive_hash, mailbox.send_hash, Authorization()
        )
        status, _ = await ask(self.address, "POST", Path.CREATE, request.encode())
        if status == 204:
            self.stored[mailbox] = []
        return status, mailbox

    async def post(
        self, mailbox: Box, count: int, size: int = 4096, over: Client | None = None
    ) -> list[Verdict]:
        envelopes = [self._rng.randbytes(size) for _ in range(count)]
        body = Append(mailbox.id, mailbox.send_token, envelopes).encode()
        asking = partial(ask, self.address) if over is None else over.ask
        status, answer = await asking("POST", Path.APPEND, body)
        assert status == 200, answer
        verdicts = decode_verdicts(answer, count)
        self.stored[mailbox] += envelopes[: verdicts.count(Verdict.STORED)]
        return verdicts

    async def fetch(self, mailbox: Box) -> list[EnvelopeFrame]:
        body = Receive([(mailbox.id, mailbox.receive_token)]).encode()
        async with Client(self.address) as client:
            await client.send("POST", Path.RECEIVE, body)
            return await client.until_caught_up()

    async def acknowledge(self, mailbox: Box, frames: list[EnvelopeFrame]) -> int:
        """Return the status, and forget those that are deleted then."""
        seqs = [frame.seq for frame in frames]
        body = Acknowledge(mailbox.id, mailbox.receive_token, seqs).encode()
        status, _ = await ask(self.address, "POST", Path.ACKNOWLEDGE, body)
        if status == 204:
            for frame in frames:
                self.stored[mailbox].remove(frame.envelope)
        return status

    async def check(self) -> None:
        """Require that each mailbox holds what was stored and not acknowledged, in order."""
        for mailbox, envelopes in self.stored.items():
            assert [frame.envelope for frame in await self.fetch(mailbox)] == envelopes


class Disk:
    """A file system of its own that only this test and the relays under it see."""

    def __init__(self, home: FilePath, script: str, size: int) -> None:
        self.home = home
        home.mkdir()
        command = ["unshare", "--mount", "sh", "-ec", f"{script}; echo; exec cat", str(home)]
        self._holder = subprocess.Popen(
            [*command, str(size), str(home.with_suffix(".image"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        self.is_there = self._holder.stdout.readline() == b"\n"

    @property
    def under(self) -> tuple[str, ...]:
        """The command under which a program sees this file system."""
        inside = ("nsenter", f"--target={self._holder.pid}", "--mount", "--", "sh", "-c")
        return (*inside, 'cd "$0" && exec "$@"', str(ROOT))

    def do(self, script: str) -> None:
        subprocess.run([*self.under, "sh", "-ec", script, str(self.home)], check=True)

    @property
    def inside(self) -> FilePath:
        """Where its files are seen from out here."""
        return FilePath(f"/proc/{self._holder.pid}/root{self.home}")

    def free(self) -> int:
        return shutil.disk_usage(self.inside).free

    def fill(self) -> None:
        with (self.inside / "others").open("wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(MIB))
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(512))
        assert self.free() == 0

    def empty(self) -> None:
        (self.inside / "others").unlink()

    def end(self) -> str:
        _, errors = self._holder.communicate(timeout=PATIENCE)
        return errors.decode(errors="replace").strip()


Mount = Callable[[str], Disk]
TMPFS = 'mount -t tmpfs -o size="$1" exile "$0"'
EXT4 = 'truncate -s 256M "$2"; mkfs.ext4 -q -m 0 "$2"; mount -o loop "$2" "$0"'


@pytest.fixture
def mount(tmp_path: FilePath) -> Iterator[Mount]:
    """Mount a file system as a script says; skip where this user or machine can't."""
    disks: list[Disk] = []

    def make(script: str) -> Disk:
        for program in ("unshare", "nsenter", *(["mkfs.ext4"] if "mkfs" in script else [])):
            if shutil.which(program) is None:
                pytest.skip(f"needs {program}, which Linux has")
        disk = Disk(tmp_path / f"disk{len(disks)}", script, DISK)
        if not disk.is_there:
            pytest.skip(f"mounting a file system of its own: {disk.end()}")
        disks.append(disk)
        return disk

    yield make
    for disk in disks:
        disk.end()


Begin = Callable[..., Awaitable[RelayProcess]]


@pytest.fixture
async def begin() -> AsyncIterator[Begin]:
    """Start relays, and end those that a failing test left."""
    begun: list[RelayProcess] = []

    async def one(directory: FilePath, *options: str, under: Sequence[str] = ()) -> RelayProcess:
        relay = await start(directory, *options, under=under, module=CHILD)
        begun.append(relay)
        return relay

    yield one
    for relay in begun:
        if relay.process.returncode is None:
            await relay.end(signal.SIGKILL)


async def test_a_disk_that_others_fill(mount: Mount, begin: Begin) -> None:
    disk = mount(TMPFS)
    relay = await begin(disk.home, under=disk.under)
    post = Post(relay.address, 1)
    _, mailbox = await post.create()
    assert set(await post.post(mailbox, 20)) == {Verdict.STORED}
    disk.fill()
    assert set(await post.post(mailbox, 4)) == {Verdict.TRY_LATER}
    assert (await post.create())[0] == 503
    lying = await post.fetch(mailbox)
    # To say what is deleted takes so little that there may be room for it in a block.
    assert await post.acknowledge(mailbox, lying[:3]) in (204, 503)
    await post.check()
    assert (await ask(relay.address, "GET", Path.FACTS))[0] == 200
    disk.empty()
    assert set(await post.post(mailbox, 4)) == {Verdict.STORED}
    assert await post.acknowledge(mailbox, (await post.fetch(mailbox))[:3]) == 204
    assert (await post.create())[0] == 204
    await relay.end(signal.SIGKILL)
    again = await begin(disk.home, under=disk.under)
    post.address = again.address
    await post.check()
    assert await again.end() == 0
    assert again.output == b""


async def test_a_relay_that_filled_its_disk_can_still_delete_and_goes_on(
    mount: Mount, begin: Begin
) -> None:
    disk = mount(TMPFS)
    relay = await begin(disk.home, *QUICK, under=disk.under)
    post = Post(relay.address, 2)
    mailboxes = [(await post.create())[1] for _ in range(4)]
    full = False
    while not full:
        for mailbox in mailboxes:
            full = full or Verdict.TRY_LATER in await post.post(mailbox, 8, 65_536)
    assert disk.free() > RESERVE - 12 * MIB
    await post.check()
    for mailbox in mailboxes:  # what a disk without a rest would prevent, and so for good
        assert await post.acknowledge(mailbox, await post.fetch(mailbox)) == 204
    async with asyncio.timeout(PATIENCE):
        while set(await post.post(mailboxes[0], 8, 65_536)) != {Verdict.STORED}:
            pass  # until the next wiping gave the space back
    await post.check()
    assert await relay.end() == 0
    assert relay.output == b""


async def test_a_disk_that_refuses_writes_for_a_while(tmp_path: FilePath, begin: Begin) -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("needs Linux, whose limits of a running process can be changed")
    relay = await begin(tmp_path, *QUICK)
    post = Post(relay.address, 3)
    _, mailbox = await post.create()
    for _ in range(3):
        await post.post(mailbox, 5)
        process, none = relay.process.pid, resource.RLIM_INFINITY
        resource.prlimit(process, resource.RLIMIT_FSIZE, (0, none))
        assert Verdict.STORED not in await post.post(mailbox, 3)
        assert (await post.create())[0] == 503
        assert await post.acknowledge(mailbox, (await post.fetch(mailbox))[:1]) == 503
        await post.check()
        resource.prlimit(process, resource.RLIMIT_FSIZE, (none, none))
        assert await post.acknowledge(mailbox, (await post.fetch(mailbox))[:1]) == 204
        assert set(await post.post(mailbox, 3)) == {Verdict.STORED}
    await relay.end(signal.SIGKILL)
    again = await begin(tmp_path)
    post.address = again.address
    await post.check()
    assert await again.end() == 0


async def test_a_disk_that_becomes_read_only(mount: Mount, begin: Begin) -> None:
    """What ext4 does by itself after an error."""
    disk = mount(EXT4)
    relay = await begin(disk.home, under=disk.under)
    post = Post(relay.address, 4)
    _, mailbox = await post.create()
    assert set(await post.post(mailbox, 20)) == {Verdict.STORED}
    disk.do('mount -o remount,abort "$0"')
    assert set(await post.post(mailbox, 4)) == {Verdict.TRY_LATER}
    assert (await post.create())[0] == 503
    assert await post.acknowledge(mailbox, (await post.fetch(mailbox))[:3]) == 503
    await post.check()
    assert await relay.end() == 0
    assert relay.output == b""
    disk.do('umount "$0" && mount -o loop "${0}.image" "$0"')
    again = await begin(disk.home, under=disk.under)
    post.address = again.address
    await post.check()
    assert set(await post.post(mailbox, 4)) == {Verdict.STORED}
    assert await again.end() == 0


async def test_a_read_only_disk_is_one_sentence_at_the_start(mount: Mount, begin: Begin) -> None:
    disk = mount(TMPFS)
    relay = await begin(disk.home, under=disk.under)
    assert await relay.end() == 0
    before = sorted(os.listdir(disk.inside))
    disk.do('mount -o remount,ro "$0"')
    refused = await launch("--data-dir", str(disk.home), under=disk.under)
    async with asyncio.timeout(PATIENCE):
        said, sentence = await refused.communicate()
    assert (refused.returncode, said) == (1, b"")
    assert len(sentence.splitlines()) == 1
    assert b"Read-only file system" in sentence
    assert sorted(os.listdir(disk.inside)) == before


async def test_descriptors_that_run_out_cut_nobody_off(tmp_path: FilePath, begin: Begin) -> None:
    """Who is connected goes on, and so does everybody once there are some again."""
    if sys.platform != "linux":
        pytest.skip("needs Linux, where a socket can refuse everybody for a while")
    few = ("sh", "-c", 'ulimit -n 160 && exec "$0" "$@"')
    relay = await begin(tmp_path, *QUICK, under=few)
    post = Post(relay.address, 5)
    _, mailbox = await post.create()
    async with contextlib.AsyncExitStack() as stack:
        asking = await stack.enter_async_context(Client(relay.address))
        stream = await stack.enter_async_context(Client(relay.address))
        body = Receive([(mailbox.id, mailbox.receive_token)]).encode()
        await stream.send("POST", Path.RECEIVE, body)
        assert await stream.until_caught_up() == []
        crowd = [Client(relay.address) for _ in range(200)]
        coming = [asyncio.create_task(client.__aenter__()) for client in crowd]
        async with asyncio.timeout(PATIENCE):
            while sum(each.done() for each in coming) < 40:
                waiting = [each for each in coming if not each.done()]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        arriving = stream.frames()
        for _ in range(5):
            await post.post(mailbox, 3, over=asking)
            for _ in range(3):
                frame = await anext(arriving)
                assert isinstance(frame, EnvelopeFrame)
        for client, each in zip(crowd, coming, strict=True):
            each.cancel()
            (came,) = await asyncio.gather(each, return_exceptions=True)
            if came is client:
                client.writer.transport.abort()
    assert set(await post.post(mailbox, 2)) == {Verdict.STORED}
    await post.check()
    assert await relay.end() == 0
    assert relay.output == b""
