"""kill -9 at any moment: what was committed is there, nothing else is, and the profile opens."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exile_tui.core.searching import SearchFilter
from exile_tui.errors import WrongPassphrase
from exile_tui.store import ProfileVault
from exile_tui.store.store import ProfileStore
from exile_tui.store.vaultfile import VaultFile
from tests.unit.store.child import NEW, OLD
from tests.unit.store.samples import CHEAP, contact, write_text

ROOT = Path(__file__).resolve().parents[3]


async def child(*arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.unit.store.child", *map(str, arguments)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def run_child(*arguments: object) -> tuple[int | None, str]:
    process = await child(*arguments)
    output, problems = await process.communicate()
    if process.returncode not in (0, -signal.SIGKILL, -signal.SIGXFSZ):
        raise AssertionError(problems.decode())
    return process.returncode, output.decode()


def leftovers(directory: Path) -> list[Path]:
    return list(directory.glob("vault.*"))


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def fill(directory: Path, lines: int = 40) -> None:
    store = await ProfileVault(directory, argon2=CHEAP).create(OLD)
    async with store.transaction() as transaction:
        stored = await transaction.contacts.insert(contact(1))
        await transaction.sessions.insert(stored.id, b"state 0")
        for number in range(lines):
            await transaction.settings.set(f"line {number}", "가" * 2000)
    await store.close()
    # Copied often; opening makes it again.
    (directory / "reserve").unlink()


async def check_filled(store: ProfileStore, lines: int = 40) -> None:
    async with store.snapshot() as transaction:
        for number in range(lines):
            assert await transaction.settings.get(f"line {number}") == "가" * 2000


async def test_killed_while_sending(directory: Path) -> None:
    await fill(directory)
    rng = random.Random(11)
    committed = 0
    for _ in range(6):
        process = await child("send_for_ever", directory)
        assert process.stdout is not None
        for _ in range(rng.randrange(1, 25)):
            committed = int(await process.stdout.readline())
        process.kill()
        output, _ = await process.communicate()
        committed = max([committed, *map(int, output.split())])
        store = await ProfileVault(directory, argon2=CHEAP).open(OLD)
        async with store.snapshot() as transaction:
            lines = await transaction.messages.recent(1, 1000)
            entries = await transaction.outbox.of(1)
            state, version = await transaction.sessions.load(1)
            waiting = await transaction.messages.count_waiting()
        count = len(lines)
        # The last commit may not have been told any more.
        assert count in (committed, committed + 1)
        assert [line.text for line in lines] == [f"text {n}" for n in range(1, count + 1)]
        assert (len(entries), waiting) == (count, count)
        assert (state, version) == (b"state %d" % count, count + 1)
        await store.close()


async def open_with_either(directory: Path) -> str:
    """Open with one of both passphrases and tell which; the other opens nothing."""
    vault = ProfileVault(directory, argon2=CHEAP)
    opened = []
    for passphrase in (OLD, NEW):
        try:
            store = await vault.open(passphrase)
        except WrongPassphrase:
            continue
        await check_filled(store)
        await store.close()
        opened.append(passphrase)
        assert leftovers(directory) == []
        content = VaultFile.decode((directory / "vault").read_bytes(), "vault")
        assert [len(slot.wrapped) for slot in content.slots] == [1]
        store = await vault.open(passphrase)
        await store.close()
    assert len(opened) == 1
    return opened[0]


@pytest.mark.parametrize("new_key", [0, 1])
async def test_killed_at_every_boundary_of_a_passphrase_change(
    tmp_path: Path, new_key: int
) -> None:
    await fill(tmp_path / "original")
    code, output = await run_child("change_at_every_step", tmp_path / "original", new_key)
    assert code == 0
    steps = int(output)
    results = [await open_with_either(tmp_path / f"copy {step}") for step in range(1, steps + 1)]
    assert results == sorted(results, key=[OLD, NEW].index)
    assert (results[0], results[-1]) == (OLD, NEW)
    assert steps > (25 if new_key else 3)


async def test_killed_in_the_middle_of_encrypting_anew(tmp_path: Path) -> None:
    await fill(tmp_path / "original")
    size = (tmp_path / "original" / "database").stat().st_size
    rng = random.Random(12)
    limits = [rng.randrange(4096, size) for _ in range(8)]  # the log holds every page
    for number, limit in enumerate(limits):
        directory = tmp_path / f"copy {number}"
        shutil.copytree(tmp_path / "original", directory)
        code, _ = await run_child("change_with_limit", directory, limit)
        assert code == -signal.SIGXFSZ
        assert await open_with_either(directory) == OLD
        shutil.rmtree(directory)


async def test_encrypting_anew_that_fails_changes_nothing(tmp_path: Path) -> None:
    await fill(tmp_path / "original")
    # The smallest fails the vault. With the next SQLite can't open either: the store says so.
    for limit, goes_on in ((100, True), (20_000, False), (50_000, True), (100_000, True)):
        directory = tmp_path / f"copy {limit}"
        shutil.copytree(tmp_path / "original", directory)
        code, output = await run_child("change_failing", directory, limit)
        assert code == 0
        assert output.startswith("failed:")
        assert len(output.splitlines()) == (1 if goes_on else 2), output
        assert await open_with_either(directory) == OLD
        store = await ProfileVault(directory, argon2=CHEAP).open(OLD)
        async with store.snapshot() as transaction:
            after = await transaction.settings.get("after")
        assert after == ("the failure" if goes_on else None)
        await store.close()


async def converse(directory: Path, lines: int = 400) -> None:
    store = await ProfileVault(directory, argon2=CHEAP).create(OLD)
    async with store.transaction() as transaction:
        stored = await transaction.contacts.insert(contact(1))
        for number in range(1, lines + 1):
            await write_text(transaction, stored.id, number, f"비밀 이야기 {number}")
    await store.close()
    (directory / "reserve").unlink()


async def check_conversation(directory: Path, *choices: list[int]) -> int:
    """Open, compare the lines and the index with the choices; return which one it is."""
    vault = ProfileVault(directory, argon2=CHEAP)
    store = await vault.open(OLD)
    assert not (directory / "database.next").exists()
    async with store.snapshot() as transaction:
        lines = [line.seq for line in await transaction.messages.window(1, 1, 1000)]
        for query in ("비밀", "이야기"):
            page = await transaction.messages.search(query, SearchFilter(), 1000)
            assert sorted(line.seq for line in page.hits) == lines
    async with store.transaction() as transaction:
        await transaction.statements.all(
            "INSERT INTO message_fts (message_fts) VALUES ('integrity-check')"
        )
    await store.close()  # which wipes what is still due
    assert names(directory) == ["database", "lock", "reserve", "vault"]
    shutil.rmtree(directory)
    return choices.index(lines)


async def test_killed_at_every_boundary_of_a_deletion(tmp_path: Path) -> None:
    await converse(tmp_path / "original")
    code, output = await run_child("wipe_at_every_step", tmp_path / "original")
    assert code == 0
    steps = int(output)
    before, after = list(range(1, 401)), list(range(1, 101))
    results = [
        await check_conversation(tmp_path / f"copy {step}", before, after)
        for step in range(1, steps + 1)
    ]
    assert results == sorted(results)
    assert (results[0], results[-1]) == (0, 1)
    assert steps > 60


async def test_killed_in_the_middle_of_writing_the_file_anew(tmp_path: Path) -> None:
    await converse(tmp_path / "original")
    size = (tmp_path / "original" / "database").stat().st_size
    rng = random.Random(13)
    after = [seq for seq in range(1, 401) if seq != 200]
    for number, limit in enumerate(rng.randrange(32768, size - 16384) for _ in range(6)):
        directory = tmp_path / f"copy {number}"
        shutil.copytree(tmp_path / "original", directory)
        code, _ = await run_child("wipe_with_limit", directory, limit)
        assert code == -signal.SIGXFSZ
        assert await check_conversation(directory, after) == 0


async def test_writing_the_file_anew_that_fails_changes_nothing(tmp_path: Path) -> None:
    await converse(tmp_path / "original")
    size = (tmp_path / "original" / "database").stat().st_size
    after = [seq for seq in range(1, 401) if seq != 200]
    for limit in (32768, size // 2, size - 16384):
        directory = tmp_path / f"copy {limit}"
        shutil.copytree(tmp_path / "original", directory)
        code, _ = await run_child("wipe_failing", directory, limit)
        assert code == 0
        assert "database" in names(directory)
        assert "database.next" not in names(directory)
        assert await check_conversation(directory, after) == 0


async def test_killed_at_every_boundary_of_a_first_run(tmp_path: Path) -> None:
    code, output = await run_child("create_at_every_step", tmp_path)
    assert code == 0
    steps = int(output)
    for step in range(1, steps + 1):
        vault = ProfileVault(tmp_path / f"profile {step}", argon2=CHEAP)
        store = await (vault.open(OLD) if vault.exists() else vault.create(OLD))
        async with store.transaction() as transaction:
            stored = await transaction.contacts.insert(contact(1))
            await write_text(transaction, stored.id, 1, "text")
        await store.close()
        shutil.rmtree(tmp_path / f"profile {step}")
    assert steps > 20


async def test_a_full_disk(tmp_path: Path) -> None:
    """On a real small disk, mounted where nobody else sees it."""
    (tmp_path / "disk").mkdir()
    script = (
        'mount -t tmpfs -o size=26m tmpfs "$1" && exec "$2" -m tests.unit.store.child'
        ' fill_the_disk "$1/profile"'
    )
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-Urm", "sh", "-c", script, "sh", str(tmp_path / "disk"), sys.executable),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, problems = await process.communicate()
    if b"mount" in problems or b"unshare" in problems:
        pytest.skip("no private mounts here")
    assert (process.returncode, problems) == (0, b"")
    assert output.startswith(b"survived")


@pytest.fixture(autouse=True)
def no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PYTHONDONTWRITEBYTECODE", "1")
