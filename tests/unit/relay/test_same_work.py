"""Nobody learns from the work that an answer took whether a mailbox exists."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exile_tui.relay import engine, rows
from exile_tui.relay.engine import Operation
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.relay import Verdict
from tests.unit.relay.support import Box, SettableClock, box, open_engine

VALUE = re.compile(r"x'[0-9a-f]*'|-?\b[0-9]+\b")
"""What is bound to a statement's parameters, as the trace writes it."""


async def test_an_unknown_mailbox_and_a_wrong_token_run_the_same_statements(tmp_path: Path) -> None:
    store = await open_engine(tmp_path, SettableClock())
    rng = random.Random(5)
    known, unknown, wrong = box(rng), box(rng), rng.randbytes(32)
    assert await store.submit(engine.CreateMailbox(known.id, known.receive_hash, known.send_hash))
    await store.submit(engine.Append(known.id, known.send_hash, [rng.randbytes(4096)]))
    blob = engine.NewBlob(known.id, known.receive_hash, 1 << 30, b"blob")
    await store.submit(engine.PutBlobs([blob]))
    statements: list[str] = []
    store._connection.set_trace_callback(statements.append)

    async def traced(operation: Operation[Any]) -> tuple[Any, list[str]]:
        statements.clear()
        answer = await store.submit(operation)
        return answer, [VALUE.sub("?", one) for one in statements]

    for make in (
        lambda which: engine.DeleteMailbox(which, wrong),
        lambda which: engine.Append(which, wrong, [bytes(4096), bytes(16_384)]),
        lambda which: engine.Acknowledge(which, wrong, [1, 2, 3]),
        lambda which: engine.OpenMailboxes([(which, wrong)] * 3),
        lambda which: engine.Fetch(which, wrong, -1, 65_536),
        lambda which: engine.CountBytes([(which, wrong, 9)]),
        lambda which: engine.CheckToken(which, wrong),
        lambda which: engine.Disclose(which, wrong),
        lambda which: engine.DeleteBlob(which, wrong),
    ):
        operation = make(known.id)
        there = await traced(operation)
        not_there = await traced(make(unknown.id))
        assert there == not_there, operation
        assert any("SELECT" in one for one in there[1]), operation
    store._connection.set_trace_callback(None)
    await store.close()


@pytest.mark.parametrize("remembered", [False, True], ids=["", "remembered for others"])
async def test_the_same_is_true_of_many_that_are_asked_for_at_once(
    tmp_path: Path, remembered: bool
) -> None:
    store = await open_engine(tmp_path, SettableClock())
    rng = random.Random(6)
    known, unknown = [box(rng) for _ in range(19)], [box(rng) for _ in range(19)]
    for each in known:
        await store.submit(engine.CreateMailbox(each.id, each.receive_hash, each.send_hash))
        if remembered:
            await store.submit(engine.Append(each.id, each.send_hash, [rng.randbytes(4096)]))
    wrong = rng.randbytes(32)
    statements: list[str] = []
    store._connection.set_trace_callback(statements.append)

    async def traced(boxes: list[Box]) -> list[str]:
        statements.clear()
        asked = [engine.Append(each.id, wrong, [bytes(4096)]) for each in boxes]
        answers = await asyncio.gather(*(store.submit(each) for each in asked))
        assert answers == [[Verdict.REFUSED]] * len(boxes)
        return [VALUE.sub("?", one) for one in statements]

    for count in (1, 2, 4, 5, 19):
        there, not_there = await traced(known[:count]), await traced(unknown[:count])
        assert there == not_there
        assert sum("SELECT" in one for one in there) == sum(divmod(count, 4))
    store._connection.set_trace_callback(None)
    await store.close()


@pytest.mark.parametrize("kind", ["append", "fetch", "open", "create", "acknowledge"])
@pytest.mark.parametrize("number", [1, 2, 4, 7])
async def test_who_asks_with_a_wrong_token_does_not_see_who_uses_the_mailbox_just_then(
    tmp_path: Path, kind: str, number: int
) -> None:
    """As many statements run whether it is the mailbox that was asked for, or another, or none."""
    store = await open_engine(tmp_path, SettableClock())
    rng = random.Random(7)
    used, other = box(rng), box(rng)
    create, also = (
        engine.CreateMailbox(each.id, each.receive_hash, each.send_hash) for each in (used, other)
    )
    use: Operation[Any] = {
        "append": engine.Append(used.id, used.send_hash, [b"x"]),
        "fetch": engine.Fetch(used.id, used.receive_hash, -1, 1),
        "open": engine.OpenMailboxes([(used.id, used.receive_hash)]),
        "create": create,
        "acknowledge": engine.Acknowledge(used.id, used.receive_hash, [1]),
    }[kind]
    await asyncio.gather(*(store.submit(each) for each in (create, also)))
    statements: list[str] = []
    store._connection.set_trace_callback(statements.append)

    async def count(asked: Box, *, first: bool, remembered: bool) -> int:
        store._mailboxes.reload()
        if remembered:
            await store.submit(engine.Fetch(used.id, used.receive_hash, -1, 1))
        wrong = [asked, *(box(rng) for _ in range(number - 1))]
        batch: list[Operation[Any]] = [
            engine.Append(each.id, rng.randbytes(32), [b"x"]) for each in wrong
        ]
        batch.insert(0 if first else number, use)
        statements.clear()
        await asyncio.gather(*(store.submit(each) for each in batch))
        return sum("nobody" in one for one in statements)

    for first in (False, True):
        for remembered in (False, True):
            counts = {
                await count(asked, first=first, remembered=remembered)
                for asked in (used, other, box(rng))
            }
            assert len(counts) == 1, (first, remembered)
    store._connection.set_trace_callback(None)
    await store.close()


class Sending:
    """A relay with one mailbox, and what happens there when somebody sends to it."""

    def __init__(self, store: SqliteEngine, clock: SettableClock) -> None:
        self.store, self.clock, self.box = store, clock, box(random.Random(8))
        self._statements: list[str] = []
        store._tasks[1].cancel()  # whose statements would be among them
        store._connection.set_trace_callback(self._statements.append)

    @property
    def creation(self) -> engine.CreateMailbox:
        return engine.CreateMailbox(self.box.id, self.box.receive_hash, self.box.send_hash)

    @property
    def opening(self) -> engine.OpenMailboxes:
        return engine.OpenMailboxes([(self.box.id, self.box.receive_hash)])

    async def send(self, envelope: bytes = b"x") -> list[str]:
        """Send; return the statements that it took."""
        self._statements.clear()
        await self.store.submit(engine.Append(self.box.id, self.box.send_hash, [envelope]))
        return [VALUE.sub("?", each) for each in self._statements]

    async def receive(self) -> None:
        """Fetch and acknowledge what waits."""
        box = self.box
        fetch = engine.Fetch(box.id, box.receive_hash, -1, 1)
        for seq, _ in await self.store.submit(fetch) or ():
            assert await self.store.submit(engine.Acknowledge(box.id, box.receive_hash, [seq]))


@pytest.fixture
async def sending(tmp_path: Path) -> AsyncIterator[Sending]:
    clock = SettableClock()
    store = await open_engine(tmp_path, clock)
    made = Sending(store, clock)
    await store.submit(made.creation)
    yield made
    store._connection.set_trace_callback(None)
    await store.close()


async def test_who_sends_does_not_see_whether_somebody_receives(sending: Sending) -> None:
    seen = []
    for receives in (False, True):
        sending.store._mailboxes.reload()
        if receives:
            await sending.store.submit(sending.opening)
        seen.append(await sending.send())
    assert seen[0] == seen[1]
    assert any("nobody" in each for each in seen[0])


async def test_and_as_much_is_drawn(sending: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    """A random number takes a call of the system, which is among no statements."""
    drawn: list[int] = []
    draw = secrets.randbits

    def randbits(bits: int) -> int:
        drawn.append(bits)
        return draw(bits)

    monkeypatch.setattr(secrets, "randbits", randbits)
    for receives in (False, True):
        sending.store._mailboxes.reload()
        if receives:
            await sending.receive()
        drawn.clear()
        await sending.send()
        assert len(drawn) == 1


async def test_nor_whether_somebody_received_while_something_waited(sending: Sending) -> None:
    seen = []
    for remembered in (False, True):
        await sending.send(bytes(4096))
        sending.store._mailboxes.reload()
        await sending.receive()
        if not remembered:
            sending.store._mailboxes.reload()
        seen.append(await sending.send())
    assert seen[0] == seen[1]


async def test_nor_whether_the_mailbox_was_renewed(sending: Sending) -> None:
    seen = []
    for renewal in (None, sending.creation, sending.opening):
        sending.store._mailboxes.reload()
        await sending.send()
        sending.clock.skip_days(1)
        if renewal is not None:
            assert await sending.store.submit(renewal)
        seen.append(await sending.send())
    assert seen[0] == seen[1] == seen[2]


async def test_what_sqlite_learned_of_the_tables_changes_nothing_in_how_it_looks(
    tmp_path: Path,
) -> None:
    """By numbers: with a filter over all of a table, a place that is not there is not looked at."""
    store = await open_engine(tmp_path, SettableClock())
    rng = random.Random(11)
    for each in [box(rng) for _ in range(64)]:
        await store.submit(engine.CreateMailbox(each.id, each.receive_hash, each.send_hash))
        await store.submit(engine.Append(each.id, each.send_hash, [rng.randbytes(4096)]))
    await store.wipe()
    await store.submit(engine.Probe())
    execute = store._connection.execute
    for learned in (False, True):
        if learned:
            execute("ANALYZE")
            assert execute("SELECT count(*) FROM sqlite_stat1").fetchone() > (0,)
        for statement, count in ((rows._FIND, 1), (rows._FIND_TOGETHER, 4)):
            bound = rows._bound([rng.randbytes(32) for _ in range(count)])
            plan = [row[3] for row in execute(f"EXPLAIN QUERY PLAN {statement}", bound)]
            assert not any("BLOOM" in step for step in plan)
            for place in range(count):
                assert f"SEARCH m{place} USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN" in plan
            assert sum("sqlite_autoindex_mailboxes_1 (id=?)" in step for step in plan) == count
            assert {step for step in plan if "SCAN" in step} == {"SCAN nobody"}
    await store.close()
