"""Transactions, snapshots, and the wiping of the log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

import pytest

from exile_tui.core.model import AnnouncementKind
from exile_tui.core.ports import Store, Transaction, Vault
from exile_tui.core.searching import EVERYWHERE
from exile_tui.errors import ProfileError
from exile_tui.store import ProfileVault
from exile_tui.store.database import Database, connect
from exile_tui.store.store import ProfileStore
from exile_tui.store.vaultfile import VaultFile
from tests.unit.store.conftest import PASSPHRASE
from tests.unit.store.samples import contact, content_id, hits, invite, mailbox, write_text


def as_ports(vault: ProfileVault, store: ProfileStore) -> tuple[Vault, Store]:
    """Hold the type checker to the ports."""
    return vault, store


async def setting(store: ProfileStore, key: str = "key") -> str | None:
    async with store.snapshot() as transaction:
        return await transaction.settings.get(key)


async def test_a_transaction_commits(store: ProfileStore, vault: ProfileVault) -> None:
    assert as_ports(vault, store)
    async with store.transaction() as transaction:
        await transaction.settings.set("key", "값")
        assert await transaction.settings.get("key") == "값"
        assert await setting_from_another_task(store) is None
    assert await setting(store) == "값"


async def setting_from_another_task(store: ProfileStore) -> str | None:
    return await asyncio.create_task(setting(store))


async def test_an_exception_rolls_back(store: ProfileStore) -> None:
    async def fail() -> None:
        async with store.transaction() as transaction:
            await transaction.settings.set("key", "value")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await setting(store) is None


async def test_writers_take_turns(store: ProfileStore) -> None:
    async def increase() -> None:
        async with store.transaction() as transaction:
            number = int(await transaction.settings.get("key") or 0)
            await transaction.settings.set("key", str(number + 1))

    await asyncio.gather(*(increase() for _ in range(20)))
    assert await setting(store) == "20"


@pytest.mark.parametrize("step", range(40))
async def test_a_cancellation_anywhere_leaves_nothing_open(store: ProfileStore, step: int) -> None:
    async def work() -> None:
        async with store.transaction() as transaction:
            for number in range(4):
                async with transaction.savepoint():
                    await transaction.settings.set(f"key{number}", "value")

    task = asyncio.create_task(work())
    # Each turn of the loop lets the task come one await further.
    for _ in range(step):
        await asyncio.sleep(0)
    in_time = task.cancel()  # the database's thread may have been quicker than the turns
    with pytest.raises(asyncio.CancelledError) if in_time else contextlib.nullcontext():
        await task
    assert not store._connections.writer.in_transaction
    there = [await setting(store, f"key{number}") for number in range(4)]
    assert there in (([None] * 4, ["value"] * 4) if in_time else (["value"] * 4,))
    async with store.transaction() as transaction:
        await transaction.settings.set("key", "after")
    assert await setting(store) == "after"


async def cancel_in(store: ProfileStore, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancel a transaction at the moment when it waits for the named operation of its database."""
    original = getattr(Database, name)
    tasks: list[asyncio.Task[None]] = []

    async def cancelled_on_the_way(self: Database, *arguments: object) -> object:
        if arguments in ((), ("BEGIN IMMEDIATE",)) and tasks:
            tasks.pop().cancel()
        return await original(self, *arguments)

    async def work() -> None:
        async with store.transaction() as transaction:
            await transaction.settings.set("key", "value")

    with monkeypatch.context() as patched:
        patched.setattr(Database, name, cancelled_on_the_way)
        task = asyncio.create_task(work())
        tasks.append(task)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not store._connections.writer.in_transaction


async def test_a_cancelled_begin(store: ProfileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await cancel_in(store, "all", monkeypatch)
    assert await setting(store) is None


async def test_a_cancelled_commit_is_finished(
    store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cancel_in(store, "commit", monkeypatch)
    assert await setting(store) == "value"


async def test_a_time_out_inside_is_a_time_out(store: ProfileStore) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0), store.transaction() as transaction:
            await transaction.settings.set("key", "value")
    assert await setting(store) is None


async def test_a_savepoint_rolls_back_alone(store: ProfileStore) -> None:
    async def fail(transaction: Transaction) -> None:
        async with transaction.savepoint():
            await transaction.settings.set("inside", "1")
            async with transaction.savepoint():
                await transaction.settings.set("innermost", "1")
            raise ZeroDivisionError

    async with store.transaction() as transaction:
        await transaction.settings.set("before", "1")
        with pytest.raises(ZeroDivisionError):
            await fail(transaction)
        async with transaction.savepoint():
            await transaction.settings.set("after", "1")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0), transaction.savepoint():
                    await transaction.settings.set("late", "1")
    names = ("before", "inside", "innermost", "after", "late")
    assert [await setting(store, name) for name in names] == ["1", None, None, "1", None]


async def test_a_transaction_is_worthless_after_its_end(store: ProfileStore) -> None:
    async with store.transaction() as transaction:
        pass
    with pytest.raises(RuntimeError, match="over"):
        await transaction.settings.set("key", "value")
    async with store.snapshot() as snapshot:
        pass
    with pytest.raises(RuntimeError, match="over"):
        await snapshot.settings.get("key")


async def test_nesting_is_refused_before_it_waits_for_itself(store: ProfileStore) -> None:
    async with asyncio.timeout(10):
        async with store.transaction():
            for open_ in (store.transaction, store.snapshot):
                with pytest.raises(RuntimeError, match="already"):
                    async with open_():
                        pass
            with pytest.raises(RuntimeError, match="already"):
                await store.truncate_wal()
            with pytest.raises(RuntimeError, match="already"):
                await store.close()
        async with store.snapshot():
            with pytest.raises(RuntimeError, match="already"):
                async with store.snapshot():
                    pass


async def test_a_snapshot_sees_one_state(store: ProfileStore) -> None:
    async def write(value: str) -> None:
        async with store.transaction() as transaction:
            await transaction.settings.set("key", value)

    await write("1")
    async with store.snapshot() as snapshot:
        await asyncio.create_task(write("2"))
        assert await snapshot.settings.get("key") == "1"
    assert await setting(store) == "2"


async def test_a_snapshot_can_not_write(store: ProfileStore) -> None:
    async with store.snapshot() as snapshot:
        with pytest.raises(RuntimeError, match="readonly"):
            await snapshot.settings.set("key", "value")
        assert await snapshot.settings.get("key") is None


async def test_a_broken_rule_is_an_error_of_the_program(store: ProfileStore) -> None:
    async with store.transaction() as transaction:
        stored = await transaction.contacts.insert(contact(1))
        for _ in range(2):
            with pytest.raises(RuntimeError, match="constraint"):
                async with transaction.savepoint():
                    await transaction.contacts.insert(contact(1))
        with pytest.raises(RuntimeError, match="constraint"):
            await transaction.acks.add(stored.id + 1, [content_id(1)])
        with pytest.raises(KeyError):
            await write_text(transaction, stored.id + 1, 1, "text")
        with pytest.raises(KeyError):
            await transaction.contacts.update(contact(1))
        with pytest.raises(KeyError):
            await transaction.invites.update(invite(1))
        with pytest.raises(KeyError):
            await transaction.mailboxes.update(mailbox(1))
        with pytest.raises(ValueError, match="16"):
            await transaction.seen.add(b"d", 0, [b"short"], 1)
        assert await transaction.announcements.get(stored.id, AnnouncementKind.PROFILE) is None


async def test_the_log_is_truncated_when_the_snapshot_ends(
    store: ProfileStore, directory: Path
) -> None:
    log = directory / "database-wal"
    async with store.transaction() as transaction:
        await transaction.settings.set("key", "value")
    assert log.stat().st_size
    entered, leave = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        async with store.snapshot() as transaction:
            entered.set()
            await leave.wait()
            assert await transaction.settings.get("key") == "value"

    reading = asyncio.create_task(read())
    await entered.wait()
    truncating = asyncio.create_task(store.truncate_wal())
    async with store.transaction() as transaction:
        await transaction.settings.set("other", "writers go on")
    assert log.stat().st_size
    assert not truncating.done()
    leave.set()
    async with asyncio.timeout(10):
        await truncating
    await reading
    assert log.stat().st_size == 0


async def test_another_programs_reading_is_an_error_in_the_end(
    store: ProfileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store.transaction() as transaction:
        await transaction.settings.set("key", "value")
    keys = VaultFile.decode((directory / "vault").read_bytes(), "vault").unlock(PASSPHRASE)
    other = connect(directory / "database", keys[0])
    other.execute("BEGIN")
    other.execute("SELECT * FROM setting").fetchall()
    await store._connections.writer.all("PRAGMA busy_timeout = 1")
    with pytest.raises(ProfileError, match="Another program"):
        await store.truncate_wal()
    other.execute("ROLLBACK")
    await store.truncate_wal()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ProfileError, match="Another program"):
        async with store.transaction():
            pass
    other.close()
    assert await setting(store) == "value"


async def test_a_closed_store_refuses(vault: ProfileVault) -> None:
    store = await vault.create(PASSPHRASE)
    await store.close()
    for open_ in (store.transaction, store.snapshot):
        with pytest.raises(RuntimeError, match="closed"):
            async with open_():
                pass
    with pytest.raises(RuntimeError, match="closed"):
        await store.truncate_wal()


async def test_closing_waits_and_leaves_no_log(vault: ProfileVault, directory: Path) -> None:
    store = await vault.create(PASSPHRASE)
    entered, leave = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with store.transaction() as transaction:
            entered.set()
            await leave.wait()
            await transaction.settings.set("key", "value")

    writing = asyncio.create_task(write())
    await entered.wait()
    closing = asyncio.create_task(store.close())
    leave.set()
    await asyncio.gather(writing, closing)
    assert not (directory / "database-wal").exists()
    reopened = await vault.open(PASSPHRASE)
    assert await setting(reopened) == "value"
    await reopened.close()


async def test_a_cancelled_search_stops(store: ProfileStore) -> None:
    async with store.transaction() as transaction:
        stored = await transaction.contacts.insert(contact(1))
        for number in range(300):
            await write_text(transaction, stored.id, number, "안녕하세요 " * 20)

    async def search() -> None:
        async with store.snapshot() as transaction:
            await transaction.messages.search("없는 말", EVERYWHERE, 10)

    for turns in range(8):
        task = asyncio.create_task(search())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(10), store.snapshot() as transaction:
        assert await hits(transaction.messages, "안녕", limit=1)


async def test_nothing_is_logged(store: ProfileStore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with store.transaction() as transaction:
            await transaction.settings.set("key", "비밀")
    assert "비밀" not in caplog.text
    assert not [record for record in caplog.records if record.name == "aiosqlite"]


async def test_a_statement_that_loses_the_transaction_is_never_a_success(
    store: ProfileStore,
) -> None:
    writer = store._connections.writer
    assert writer is not None

    async def lose(*, then_write: bool) -> None:
        async with store.transaction() as transaction:
            await transaction.settings.set("key", "value")
            # As SQLite does by itself on some failures of the disk.
            await writer.rollback()
            if then_write:
                await transaction.settings.set("key", "value")

    with pytest.raises(ProfileError, match="took back"):
        await lose(then_write=False)
    with pytest.raises(RuntimeError, match="over"):
        await lose(then_write=True)
    assert await setting(store) is None
