"""Rows that are read together: random batches against the plain model.

Every operation that finds a mailbox is in the batches, with right and wrong tokens, and memory is
so small that rows and what waits are dropped in the middle of a batch.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from exile_tui.relay import arrivals, rows, settling, staying, waiting
from exile_tui.relay import engine as ops
from exile_tui.relay.engine import EngineUnavailable, QuotaReached
from exile_tui.relay.limits import Limits
from exile_tui.relay.sqlite import _TAKING, SqliteEngine
from tests.unit.relay import model as plain
from tests.unit.relay.model import BODIES, Held, Model, Sees, compare
from tests.unit.relay.support import Box, SettableClock, open_engine

LIMITS = Limits(mailboxes=6, envelopes=4, mailbox_days=9)
BOXES = [Box(bytes([number]) * 32, bytes([number + 100]) * 32) for number in range(8)]
SEEDS = int(os.environ.get("RELAY_ROWS_SEEDS", "5"))
EVERYTHING = 1 << 24
WRONG = b"w" * 32


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_MAX", 4)
    monkeypatch.setattr(waiting, "_MAX", 12)
    monkeypatch.setattr(arrivals, "SEGMENT", 60_000)
    monkeypatch.setattr(settling, "SETTLE", 3)
    monkeypatch.setattr(settling, "_MOST", 2)
    monkeypatch.setattr(plain, "LIMITS", LIMITS)


def waits_in(store: SqliteEngine, number: int) -> list[int]:
    """Return what waits in a mailbox, as the files have it."""
    found = store._connection.execute(
        "SELECT seq FROM slots WHERE mailbox = ? AND seq >= 0 ORDER BY seq", (number,)
    )
    return [seq for (seq,) in found] + list(store._arrivals.index.of(number))


def observe(store: SqliteEngine) -> None:
    """Let each row that is used be compared with the files."""
    begin = store._envelopes.begin

    def checked(number: int) -> None:
        assert not waits_in(store, number)
        begin(number)

    store._envelopes.begin = checked  # type: ignore[method-assign]


def check_memory(store: SqliteEngine) -> None:
    execute = store._connection.execute
    for mailbox_id, row in store._mailboxes._rows._rows.items():
        stored = execute(
            "SELECT number, receive_hash, send_hash, expires, next_seq FROM mailboxes WHERE id = ?",
            (mailbox_id,),
        ).fetchone()
        assert stored is not None
        assert stored[:4] == (row.number, row.receive_hash, row.send_hash, row.expires)
        assert row.next_seq >= store._arrivals.next_seq(row.number, stored[4])
        there = waits_in(store, row.number)
        assert not (row.untouched and there)
        assert not there or row.next_seq > there[-1]
    known = store._envelopes._waiting
    for number, each in known._known.items():
        there = waits_in(store, number)
        assert list(each.by_seq) == there
        assert set(each.by_mark.values()) == set(there)
        settled = execute(
            "SELECT count(*) FROM slots WHERE mailbox = ? AND seq >= 0", (number,)
        ).fetchone()
        assert (each.settled,) == settled
    assert known._count == sum(len(each.by_seq) for each in known._known.values())


class Driver:
    """Draws batches, and compares their answers with those of the model, one by one."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.rng = random.Random(seed)
        self.clock = SettableClock()
        self.model = Model(self.clock)
        self.told: dict[tuple[bytes, int], set[bytes]] = {}
        self.store: SqliteEngine

    async def open(self) -> None:
        self.store = await open_engine(self.directory, self.clock, LIMITS)
        self.store._tasks[1].cancel()
        observe(self.store)
        for box in BOXES:
            self.store.watch(box.id, partial(self.tell, box))

    def tell(self, box: Box, news: Any) -> bool:
        for seq, body in news:
            self.told.setdefault((box.id, seq), set()).add(body)
        return True

    def seen(self, box: Box) -> list[int]:
        held = self.model.mailboxes.get(box.id, Held(0))
        return [each.seq for each in held.envelopes if each.seq is not None]

    def draw(self) -> tuple[ops.Operation[Any], Any]:
        rng, model = self.rng, self.model
        box = rng.choice(BOXES)
        kind = rng.choice(
            ["create", "delete", "open", "fetch", "ack", "count", "check", "disclose", "sweep"]
            + ["append"] * 9
            + ["create"]
        )
        wrong = rng.random() < 0.3
        swapped = rng.random() < 0.1
        sends = (kind == "append") != swapped
        token = WRONG if wrong else box.send_hash if sends else box.receive_hash
        if kind == "create":
            creation = ops.CreateMailbox(box.id, box.receive_hash, box.send_hash)
            return creation, lambda: model.create(box)
        if kind == "delete":
            return ops.DeleteMailbox(box.id, token), lambda: model.delete(box, token)
        if kind == "open":
            other = rng.choice(BOXES)
            pairs = [(box, token), (other, other.receive_hash)]
            opening = ops.OpenMailboxes([(one.id, secret) for one, secret in pairs])
            return opening, lambda: [model.receive(*pair)[0] for pair in pairs]
        if kind == "fetch":
            life = model.mailboxes.get(box.id)
            after = rng.choice([-1, *self.seen(box)])

            def fetch() -> Any:
                held = model.owned(box, token)
                return held and Sees(held, after if held is life else -1)

            return ops.Fetch(box.id, token, after, EVERYTHING), fetch
        if kind == "ack":
            some = [seq for seq in self.seen(box) if rng.random() < 0.7]
            operation = ops.Acknowledge(box.id, token, some)
            return operation, lambda: model.acknowledge(box, token, some)
        if kind == "count":

            def count() -> int:
                held = model.owned(box, token)
                return sum(len(each.body) for each in held.envelopes) if held else 0

            return ops.CountBytes([(box.id, token, 2**63 - 1)]), count
        if kind == "check":
            fits = token in (box.receive_hash, box.send_hash)
            return (
                ops.CheckToken(box.id, token),
                lambda: fits and model.owned(box, box.receive_hash) is not None,
            )
        if kind == "disclose":

            def disclose() -> Any:
                held = model.owned(box, token)
                return held and [len(each.body) for each in held.envelopes]

            return ops.Disclose(box.id, token), disclose
        if kind == "sweep":
            return ops.Sweep(), model.sweep
        bodies = [BODIES[rng.randrange(6)] for _ in range(rng.randint(1, 2))]
        if rng.random() < 0.05:
            bodies.append(BODIES[7])
        return ops.Append(box.id, token, bodies), lambda: model.append(box, token, bodies)

    async def submit(self, batch: list[tuple[ops.Operation[Any], Any]]) -> list[Any]:
        replies = [self.store.submit(operation) for operation, _ in batch]
        return await asyncio.gather(*replies, return_exceptions=True)

    def compare(self, batch: list[tuple[ops.Operation[Any], Any]], answers: list[Any]) -> None:
        for (operation, step), answer in zip(batch, answers, strict=True):
            expected = step()
            if isinstance(expected, Sees):
                compare(expected.held, answer, expected.after)
                assert isinstance(operation, ops.Fetch)
                for seq, body in answer:
                    self.told.setdefault((operation.mailbox_id, seq), set()).add(body)
            elif expected is QuotaReached:
                assert isinstance(answer, QuotaReached)
            elif isinstance(operation, ops.Disclose) and expected is not None:
                assert [each["bytes"] for each in answer["envelopes"]] == expected
            else:
                assert answer == expected, operation
        assert all(len(bodies) == 1 for bodies in self.told.values()), "a number came back"

    async def batch(self) -> None:
        drawn = [self.draw() for _ in range(self.rng.randint(1, 24))]
        how = self.rng.random()
        with pytest.MonkeyPatch.context() as patch:
            if how < 0.12:
                await self.failing(drawn, patch)
            elif how < 0.18:
                patch.setattr(self.store._room, "for_more", lambda: False)
                answers = await self.submit(drawn)
                done = []
                for each, answer in zip(drawn, answers, strict=True):
                    if isinstance(each[0], _TAKING):
                        assert isinstance(answer, EngineUnavailable)
                    else:
                        done.append((each, answer))
                self.compare([each for each, _ in done], [answer for _, answer in done])
            else:
                self.compare(drawn, await self.submit(drawn))

    async def failing(self, drawn: Any, patch: pytest.MonkeyPatch) -> None:
        fired = False
        if self.rng.random() < 0.5:

            async def fail() -> None:
                nonlocal fired
                fired = True
                raise sqlite3.OperationalError("disk I/O error")

            patch.setattr(self.store, "_commit_durably", fail)
        else:
            left, execute = self.rng.randint(0, 12), self.store._mailboxes._rows._execute

            def failing(statement: str, *parameters: Any) -> Any:
                nonlocal left, fired
                left -= 1
                if left < 0 and not fired:
                    fired = True
                    raise sqlite3.OperationalError("disk I/O error")
                return execute(statement, *parameters)

            patch.setattr(self.store._mailboxes._rows, "_execute", failing)
            patch.setattr(self.store._envelopes, "_execute", failing)
        answers = await self.submit(drawn)
        if fired:
            assert all(isinstance(answer, EngineUnavailable) for answer in answers)
        else:
            self.compare(drawn, answers)

    async def meanwhile(self) -> None:
        rng, store = self.rng, self.store
        what = rng.choice(["", "", "", "wipe", "settle", "reload", "clear", "day", "kill"])
        if what == "wipe":
            await store.wipe()
        elif what == "settle":
            async with store._turn:
                store._arrivals.close_current()
                for _ in range(rng.randint(1, 3)):
                    store._settle()
        elif what == "reload":
            store._mailboxes.reload()
        elif what == "clear":
            store._mailboxes._rows.clear()
        elif what == "day":
            self.clock.skip_days(rng.choice([1, 1, 1, 3, 9]))
        elif what == "kill":
            copy = self.directory.with_name("copy")
            shutil.copytree(self.directory, copy)
            await store.close()
            shutil.rmtree(self.directory)
            copy.rename(self.directory)
            await self.open()


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_any_batch_is_answered_as_one_by_one(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:  # bodies stay in the journal
        monkeypatch.setattr(staying, "LEAST", 8192)
    driver = Driver(tmp_path / "relay", seed)
    driver.directory.mkdir()
    await driver.open()
    for _ in range(40):
        await driver.batch()
        check_memory(driver.store)
        await driver.meanwhile()
        check_memory(driver.store)
    await driver.store.close()
