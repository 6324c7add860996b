"""How the two connections are set, and how often they are asked."""

from __future__ import annotations

import pytest

from exile_tui.core.model import Delivery, Direction, Reason
from exile_tui.store import database
from exile_tui.store.database import Database
from exile_tui.store.store import ProfileStore
from tests.unit.store.samples import contact, content_id, write_text


async def test_pragmas(store: ProfileStore) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "foreign_keys": 1,
        "temp_store": 2,
    }
    for connection in (store._connections.writer, store._connections.reader):
        assert connection is not None
        for pragma, value in expected.items():
            assert await connection.all(f"PRAGMA {pragma}") == [(value,)], pragma


async def test_a_send_is_few_statements(
    store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement is a trip to the connection's thread: 0.1 ms."""
    async with store.transaction() as transaction:
        stored = await transaction.contacts.insert(contact(1))
        await transaction.sessions.insert(stored.id, bytes(2000))
    count = 0

    async def counted(self: Database, awaitable: object) -> object:
        nonlocal count
        count += 1
        return await original(self, awaitable)  # type: ignore[arg-type]

    original = database.Database._translated
    monkeypatch.setattr(database.Database, "_translated", counted)
    async with store.transaction() as transaction:
        state, version = await transaction.sessions.load(stored.id)
        await transaction.sessions.update(stored.id, state, version)
        await write_text(
            transaction,
            stored.id,
            1,
            "안녕",
            direction=Direction.OUT,
            delivery=Delivery.WAITING,
        )
        await transaction.outbox.insert(
            stored.id, bytes(4096), [content_id(1)], created_ms=1, once=False, request=False
        )
        await transaction.messages.set_delivery(
            stored.id, [content_id(1)], Delivery.WAITING, Reason.OFFLINE
        )
    assert count <= 9
