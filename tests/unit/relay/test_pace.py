"""The loop waits for the disk by itself only while that is quick."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from exile_tui.relay import engine as ops
from exile_tui.relay import pace as module
from exile_tui.relay.journal import Segment
from exile_tui.relay.pace import SMALL, Pace
from exile_tui.relay.sqlite import QUICK_BATCH
from exile_tui.wire.relay import Verdict
from tests.unit.relay.support import Box, SettableClock, box, open_engine


def after(*writings: tuple[int, float]) -> Pace:
    pace = Pace()
    for count, seconds in writings:
        for _ in range(count):
            pace.note(seconds, 4096)
    return pace


def test_the_loop_tries_after_some_quick_writings() -> None:
    assert not after((20, 0.001)).allows(4096)
    pace = after((200, 0.001))
    assert pace.allows(SMALL)
    assert not pace.allows(SMALL + 1)
    pace.note(0.5, SMALL + 1)  # much takes long on any disk
    assert pace.allows(4096)


def test_a_disk_that_is_slow_on_average_is_left_to_the_thread() -> None:
    assert not after((5000, 0.0021)).allows(4096)
    assert after((200, 0.001), (2000, 0.0011)).allows(4096)
    assert not after((200, 0.001), (200, 0.0014)).allows(4096)


def test_after_one_that_stops_the_loop_does_not_try_for_long() -> None:
    assert after((200, 0.0003), (3, 0.019)).allows(4096)  # 1.1 ms on average
    assert not after((200, 0.0003), (1, 0.021)).allows(4096)
    assert not after((200, 0.0003), (1, 0.021), (1000, 0.0003)).allows(4096)
    assert after((200, 0.0003), (1, 0.021), (1001, 0.0003)).allows(4096)


async def test_a_disk_that_becomes_slow_is_waited_for_by_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PROMISING_S", 3600.0)
    monkeypatch.setattr(module, "_QUICK_S", 3600.0)
    monkeypatch.setattr(module, "_STALL_S", 3600.0)
    rng, where, here = random.Random(5), list[int](), threading.get_ident()
    write = Segment.write

    def noted(self: Segment) -> None:
        if not self.empty:  # the beginning of a file is another matter
            where.append(threading.get_ident())
        write(self)

    engine = await open_engine(tmp_path, SettableClock())
    mine = box(rng)
    await engine.submit(ops.CreateMailbox(mine.id, mine.receive_hash, mine.send_hash, None))

    async def append(mailbox: Box) -> None:
        operation = ops.Append(mailbox.id, mailbox.send_hash, [rng.randbytes(4096)])
        assert await engine.submit(operation) == [Verdict.STORED]

    await append(mine)  # which begins a file
    engine._arrivals._pace = Pace()
    monkeypatch.setattr(Segment, "write", noted)
    for _ in range(6):
        await append(mine)
    assert [ident == here for ident in where] == [False] + [True] * 5
    monkeypatch.setattr(module, "_STALL_S", 0.0)
    await append(mine)  # it showed to be slow
    await append(mine)
    assert [ident == here for ident in where[6:]] == [True, False]
    await engine.close()


@pytest.mark.parametrize("quick", [False, True])
async def test_a_quick_disk_is_given_small_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    monkeypatch.setattr(module, "_STALL_S", 3600.0)  # whatever else this machine does
    monkeypatch.setattr(module, "_QUICK_S", 3600.0)
    engine = await open_engine(tmp_path, SettableClock())
    rng = random.Random(11)
    mine = box(rng)
    await engine.submit(ops.CreateMailbox(mine.id, mine.receive_hash, mine.send_hash, None))
    envelopes = [rng.randbytes(4096) for _ in range(100)]
    pace = engine._arrivals._pace = after((200, 0.001)) if quick else Pace()
    assert pace.allows(0) == quick
    before = sum(engine.activity().commits.counts)

    submitted = [engine.submit(ops.Append(mine.id, mine.send_hash, [each])) for each in envelopes]
    assert [await reply for reply in submitted] == [[Verdict.STORED]] * len(envelopes)

    batches = sum(engine.activity().commits.counts) - before
    assert batches == (-(-len(envelopes) // QUICK_BATCH) if quick else 1)
    stored = await engine.submit(ops.Fetch(mine.id, mine.receive_hash, -1, 1 << 20))
    assert stored is not None
    assert [body for _, body in stored] == envelopes
    await engine.close()
