"""Clocks that jump and disks that fill up: nothing that was taken is lost by them."""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
from pathlib import Path

import pytest

from exile_tui.clock import DAY_MS
from exile_tui.relay import engine as ops
from exile_tui.relay.engine import EngineUnavailable
from exile_tui.relay.limits import Limits, today
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.relay.steady import LASTING_S, SteadyCalendar
from exile_tui.wire.relay import Verdict
from tests.unit.relay.support import Box, SettableClock, box, open_engine

RESERVE = Limits().disk_reserve


class JumpyClock(SettableClock):
    """A clock that can be set, while the time that passes stays what it is."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return self.ms + self.ahead_ms

    def jump_days(self, days: int) -> None:
        self.ahead_ms += days * DAY_MS


@pytest.fixture
def clock() -> JumpyClock:
    return JumpyClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(14)


def creation(mailbox: Box, ticket: bytes | None = None) -> ops.CreateMailbox:
    return ops.CreateMailbox(mailbox.id, mailbox.receive_hash, mailbox.send_hash, ticket)


def test_a_jump_ahead_is_believed_once_it_lasted(clock: JumpyClock) -> None:
    calendar = SteadyCalendar(clock)
    assert calendar.may_be_believed()
    for _ in range(2):
        clock.jump_days(400)
        assert not calendar.may_be_believed()
        clock.ms += int(LASTING_S * 500)
        assert not calendar.may_be_believed()
        clock.jump_days(-400)  # set right in time
        assert calendar.may_be_believed()
    clock.jump_days(2)  # a computer that slept
    assert not calendar.may_be_believed()
    clock.ms += int(LASTING_S * 1000)
    assert calendar.may_be_believed()
    clock.skip_days(3)  # days that passed
    assert calendar.may_be_believed()
    clock.jump_days(-20_000)
    assert calendar.may_be_believed()


async def test_a_clock_that_is_years_ahead_for_a_while_deletes_nothing(
    tmp_path: Path, clock: JumpyClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = asyncio.Semaphore(0)

    class Watched(SteadyCalendar):
        def may_be_believed(self) -> bool:
            looks.release()
            return super().may_be_believed()

    monkeypatch.setattr("exile_tui.relay.maintaining.SteadyCalendar", Watched)
    engine = await SqliteEngine.open(tmp_path / "relay.db", Limits(), clock, wipe_interval=0.001)

    async def look_again() -> None:
        async with asyncio.timeout(30):
            for _ in range(looks._value + 3):  # one whole look after this moment at least
                await looks.acquire()

    mine, ticket, blob = box(rng), rng.randbytes(32), rng.randbytes(16)
    bodies = [rng.randbytes(4096) for _ in range(3)]
    stored = ops.NewBlob(blob, bytes(32), today(clock) + 2, b"blob")
    await engine.submit(creation(mine))
    await engine.submit(ops.Append(mine.id, mine.send_hash, bodies))
    await engine.submit(ops.PutTicket(hashlib.sha256(ticket).digest(), today(clock) + 2))
    await engine.submit(ops.PutBlobs([stored]))
    clock.jump_days(4000)
    await look_again()
    opening = ops.OpenMailboxes([(mine.id, mine.receive_hash)])
    assert await engine.submit(opening) == [False]
    assert await engine.submit(creation(mine))  # what its owner's program does then
    fetch = ops.Fetch(mine.id, mine.receive_hash, -1, 1 << 20)
    found = await engine.submit(fetch)
    assert found is not None
    assert [body for _, body in found] == bodies
    await look_again()
    clock.jump_days(-4000)
    await look_again()
    assert await engine.submit(fetch) == found
    assert await engine.submit(ops.GetBlobs([blob])) == [b"blob"]
    assert await engine.submit(creation(box(rng), ticket))
    again = await engine.submit(ops.Append(mine.id, mine.send_hash, bodies))
    assert again == [Verdict.STORED] * 3
    assert await engine.submit(fetch) == found
    clock.jump_days(4000)
    clock.ms += int(LASTING_S * 1000)
    await look_again()
    clock.ms += int(LASTING_S * 1000)
    async with asyncio.timeout(30):
        while await engine.submit(fetch):  # it lasted: now it is the time
            await look_again()
    await engine.close()


async def test_a_disk_that_is_nearly_full_takes_nothing_new_and_lets_everything_go(
    tmp_path: Path, clock: JumpyClock, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = RESERVE
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    engine, mine = await open_engine(tmp_path, clock), box(rng)
    body = rng.randbytes(4096)
    append = ops.Append(mine.id, mine.send_hash, [body])
    await engine.submit(creation(mine))
    assert await engine.submit(append) == [Verdict.STORED]
    free = RESERVE - 1
    blob = ops.NewBlob(bytes(16), bytes(32), today(clock) + 2, b"blob")
    for taking in (
        append,
        creation(box(rng)),
        ops.PutTicket(bytes(32), today(clock) + 2),
        ops.PutBlobs([blob]),
        ops.Probe(),
    ):
        with pytest.raises(EngineUnavailable):
            await engine.submit(taking)
    fetch = ops.Fetch(mine.id, mine.receive_hash, -1, 1 << 20)
    refused, lying = await asyncio.gather(
        engine.submit(append), engine.submit(fetch), return_exceptions=True
    )
    assert isinstance(refused, EngineUnavailable)
    assert isinstance(lying, list)
    ((seq, found),) = lying
    assert found == body
    assert await engine.submit(ops.OpenMailboxes([(mine.id, mine.receive_hash)])) == [True]
    assert await engine.submit(ops.Acknowledge(mine.id, mine.receive_hash, [seq]))
    assert await engine.submit(fetch) == []
    # What is free inside the database counts, for one half.
    monkeypatch.setattr(engine._slots, "free_bytes", lambda: RESERVE // 2)
    assert await engine.submit(append) == [Verdict.STORED]
    free = RESERVE // 2 - 1
    with pytest.raises(EngineUnavailable):
        await engine.submit(append)
    assert await engine.submit(ops.DeleteMailbox(mine.id, mine.receive_hash))
    await engine.close()
