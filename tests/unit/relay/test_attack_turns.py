"""Who runs without a task lets others go first."""

from __future__ import annotations

import asyncio
import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from exile_tui.relay import engine as ops
from exile_tui.relay import pace as pace_module
from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.direct import Runs
from exile_tui.relay.engine import EngineUnavailable
from exile_tui.relay.journal import Segment
from exile_tui.relay.lanes import PART, Lanes
from exile_tui.wire.relay import Verdict
from tests.unit.relay.support import SettableClock, box, open_engine


async def test_between_the_parts_of_a_long_acknowledgement_others_come_in(tmp_path: Path) -> None:
    rng, runs = random.Random(6), Runs()
    engine = await open_engine(tmp_path, SettableClock())
    lanes = Lanes(engine)
    mine = box(rng)
    await engine.submit(ops.CreateMailbox(mine.id, mine.receive_hash, mine.send_hash, None))
    parts, turns, ended = 0, list[int](), asyncio.Event()
    submit = engine.submit

    def counted(operation: Any) -> Any:
        nonlocal parts
        parts += isinstance(operation, ops.Acknowledge)
        return submit(operation)

    engine.submit = counted  # type: ignore[method-assign]

    async def acknowledge() -> None:
        seqs = range(16 * PART)
        assert await lanes.submit(ops.Acknowledge(mine.id, mine.receive_hash, seqs))
        ended.set()

    loop = asyncio.get_running_loop()

    def turn() -> None:
        turns.append(parts)
        if not ended.is_set():
            loop.call_soon(turn)

    runs.run(acknowledge())
    turn()
    async with asyncio.timeout(30):
        await ended.wait()
    # How many parts went by from one turn of the loop to the next.
    turns.append(parts)
    longest = max(after - before for before, after in itertools.pairwise(turns))
    await engine.close()
    assert parts == 16
    assert longest <= 2


@pytest.mark.parametrize("quick", [False, True])
async def test_a_queue_of_many_batches_lets_the_loop_turn_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    monkeypatch.setattr(Arrivals, "quick", property(lambda self: quick))
    rng, loop = random.Random(7), asyncio.get_running_loop()
    engine = await open_engine(tmp_path, SettableClock())
    mine = [box(rng) for _ in range(16)]
    there: list[tuple[Any, int]] = []
    for each in mine:
        await engine.submit(ops.CreateMailbox(each.id, each.receive_hash, each.send_hash, None))
        envelopes = [rng.randbytes(4096) for _ in range(128)]
        await engine.submit(ops.Append(each.id, each.send_hash, envelopes))
        found = await engine.submit(ops.Fetch(each.id, each.receive_hash, -1, 1 << 20))
        there += [(each, seq) for seq, _ in found or ()]
    replies, seen = [], list[int]()
    for one, seq in there:
        replies.append(engine.submit(ops.Acknowledge(one.id, one.receive_hash, [seq])))

    def turn() -> None:
        seen.append(sum(each.done() for each in replies))
        if seen[-1] < len(replies):
            loop.call_soon(turn)

    turn()
    await asyncio.gather(*replies)
    turn()
    await engine.close()
    assert len(replies) == 2048
    assert max(b - a for a, b in itertools.pairwise(seen)) <= 512


async def test_a_disk_that_fails_slowly_is_not_believed_to_be_quick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(8)
    engine = await open_engine(tmp_path, SettableClock())
    mine = box(rng)
    await engine.submit(ops.CreateMailbox(mine.id, mine.receive_hash, mine.send_hash, None))

    def operation() -> ops.Append:
        return ops.Append(mine.id, mine.send_hash, [rng.randbytes(4096)])

    assert await engine.submit(operation()) == [Verdict.STORED]
    for _ in range(200):
        engine._arrivals._pace.note(0.0001, 4096)
    assert engine._arrivals.quick
    write = Segment.write

    def fail(self: Segment) -> None:
        raise OSError(5, "stalled, then failed")

    monkeypatch.setattr(pace_module, "_STALL_S", 0.0)  # whatever it takes is too long
    monkeypatch.setattr(Segment, "write", fail)
    with pytest.raises(EngineUnavailable):
        await engine.submit(operation())
    monkeypatch.setattr(Segment, "write", write)
    quick = engine._arrivals.quick
    await engine.close()
    assert not quick
