"""A program for tests to kill: `python -m tests.unit.store.child WHAT DIRECTORY ...`."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from exile_tui.core.model import Delivery, Direction
from exile_tui.errors import ProfileError
from exile_tui.store import ProfileVault, database, files
from exile_tui.store.problems import DiskFull
from tests.unit.store.samples import CHEAP, contact, content_id, write_text

OLD, NEW = "예전 암호문구", "새 암호문구"


async def send_for_ever(directory: Path) -> None:
    """Send message after message, saying each number before it begins and after it is committed."""
    store = await ProfileVault(directory, argon2=CHEAP).open(OLD)
    number = 0
    async with store.snapshot() as transaction:
        newest = await transaction.messages.recent(1, 1)
        number = newest[0].seq if newest else 0
    while True:
        number += 1
        async with store.transaction() as transaction:
            state, version = await transaction.sessions.load(1)
            assert state == b"state %d" % (number - 1)
            await transaction.sessions.update(1, b"state %d" % number, version)
            await write_text(
                transaction,
                1,
                number,
                f"text {number}",
                direction=Direction.OUT,
                delivery=Delivery.WAITING,
            )
            await transaction.outbox.insert(
                1, bytes(4096), [content_id(number)], created_ms=1, once=False, request=False
            )
        os.write(1, b"%d\n" % number)


_STEPS = ("execute", "executemany", "commit", "close")


def die_at(step: int, *, begun: bool = True) -> Callable[[], None]:
    """Make the process kill itself before the given operation on files, counted from 1.

    Args:
        step: Which one.
        begun: Count from now on; else from when what is returned is called.
    """
    steps = 0

    def begin() -> None:
        nonlocal begun
        begun = True

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any, **keywords: Any) -> Any:
            nonlocal steps
            steps += begun
            if begun and steps == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **keywords)

        return count

    for module, names in (
        (os, ("fsync", "replace", "unlink", "open", "close")),
        (database, ("connect", "configure")),
        (database.dbapi2, ()),
        (Path, ("replace", "unlink")),
        (files, ("sync_directory",)),
    ):
        for name in names:
            setattr(module, name, counted(getattr(module, name)))
    original = database.connect

    class Counting:
        """A connection whose statements are steps too."""

        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            value = getattr(self._connection, name)
            return counted(value) if name in _STEPS else value

    database.connect = lambda *a, **k: Counting(original(*a, **k))  # type: ignore[assignment,return-value]
    return begin


async def change(directory: Path, new_key: bool, step: int) -> None:
    """Change the passphrase; die at a step."""
    store = await ProfileVault(directory, argon2=CHEAP).open(OLD)
    die_at(step)
    await store.change_passphrase(OLD, NEW, new_database_key=new_key)
    await store.close()


def change_at_every_step(directory: Path, new_key: int) -> None:
    """Change the passphrase of copy after copy, dying one step later each time, until one lives."""

    def begin(step: int) -> Coroutine[Any, Any, None]:
        copy = directory.parent / f"copy {step}"
        shutil.copytree(directory, copy)
        return change(copy, bool(new_key), step)

    _in_forks(begin)


async def wipe(directory: Path, step: int) -> None:
    """Delete most lines and all traces of them; die at a step."""
    begin = die_at(step, begun=False)  # before it opens: only new connections are counted
    store = await ProfileVault(directory, argon2=CHEAP).open(OLD)
    begin()
    async with store.transaction() as transaction:
        await transaction.messages.delete(1, 101, 400)
    await store.wipe(large=True)
    await store.close()


def wipe_at_every_step(directory: Path) -> None:
    """Delete from copy after copy, dying one step later each time, until one lives."""

    def begin(step: int) -> Coroutine[Any, Any, None]:
        copy = directory.parent / f"copy {step}"
        shutil.copytree(directory, copy)
        return wipe(copy, step)

    _in_forks(begin)


async def wipe_with_limit(directory: Path, size: int) -> None:
    """Delete a line and write the file anew; die at the first byte written beyond a size."""
    store = await ProfileVault(directory, argon2=CHEAP).open(OLD)
    async with store.transaction() as transaction:
        await transaction.messages.delete(1, 200, 200)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    await store.wipe(large=True)
    await store.close()


async def wipe_failing(directory: Path, size: int) -> None:
    """Write the file anew while writing beyond a size is an error; the store goes on."""
    store = await ProfileVault(directory, argon2=CHEAP).open(OLD)
    async with store.transaction() as transaction:
        await transaction.messages.delete(1, 200, 200)
    await store.truncate_wal()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        await store.wipe(large=True)
    except ProfileError as error:
        print("failed:", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    async with store.transaction() as transaction:
        await transaction.settings.set("after", "the failure")
    os._exit(0)


def create_at_every_step(directory: Path) -> None:
    """Make profile after profile, dying one step later each time, until one lives."""
    _in_forks(lambda step: create(directory / f"profile {step}", step))


def _in_forks(begin: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Run each step in a fork of this process, which has no threads; tell how many there were.

    A new interpreter would take ten times longer.
    """
    step, status = 0, -1
    while status != 0:
        step += 1
        work = begin(step)
        pid = os.fork()
        if pid == 0:
            asyncio.run(work)
            os._exit(0)
        work.close()
        _, status = os.waitpid(pid, 0)
        assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
    print(step)


async def change_with_limit(directory: Path, size: int) -> None:
    """Change the key; die at the first byte written beyond a size."""
    store = await ProfileVault(directory, argon2=CHEAP).open(OLD)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    await store.change_passphrase(OLD, NEW, new_database_key=True)
    await store.close()


async def change_failing(directory: Path, size: int) -> None:
    """Change the key while writing beyond a size is an error; the store goes on."""
    store = await ProfileVault(directory, argon2=CHEAP).open(OLD)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        await store.change_passphrase(OLD, NEW, new_database_key=True)
    except ProfileError as error:
        print("failed:", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    try:
        async with store.transaction() as transaction:
            await transaction.settings.set("after", "the failure")
    except ProfileError as error:
        print("failed:", error)
    await store.close()


async def create(directory: Path, step: int) -> None:
    """Make a profile; die at a step."""
    die_at(step)
    store = await ProfileVault(directory, argon2=CHEAP).create(OLD)
    await store.close()


async def fill_the_disk(directory: Path) -> None:
    """Write until the disk is full, then delete, then write again."""
    vault = ProfileVault(directory, argon2=CHEAP)
    store = await vault.create(OLD)
    async with store.transaction() as transaction:
        kept = await transaction.contacts.insert(contact(1))
        gone = await transaction.contacts.insert(contact(2))
        await write_text(transaction, kept.id, 1, "kept")
    written, failures = 0, 0
    while failures < 3:
        try:
            async with store.transaction() as transaction:
                for _ in range(4):
                    await transaction.outbox.insert(
                        gone.id, bytes(65536), [], created_ms=1, once=False, request=False
                    )
            written += 4
        except DiskFull:
            failures += 1
    assert written > 10
    async with store.snapshot() as transaction:
        assert len(await transaction.outbox.of(gone.id)) == written
    assert not (directory / "reserve").exists()
    async with store.snapshot() as transaction:
        entries = [entry.id for entry in await transaction.outbox.of(gone.id)]
    for index in range(0, len(entries), 40):
        async with store.transaction() as transaction:
            await transaction.outbox.delete(entries[index : index + 40])
    async with store.transaction() as transaction:
        await transaction.contacts.delete(gone.id)
    await store.wipe(large=True)
    async with store.transaction() as transaction:
        await write_text(transaction, kept.id, 2, "written into what became free")
    await store.close()
    store = await vault.open(OLD)
    async with store.snapshot() as transaction:
        assert [line.seq for line in await transaction.messages.recent(kept.id, 9)] == [1, 2]
        assert await transaction.contacts.get(gone.id) is None
    await store.close()
    print("survived", written)


if __name__ == "__main__":
    name, where, *rest = sys.argv[1:]
    work = globals()[name](Path(where), *map(int, rest))
    if work is not None:
        asyncio.run(work)
