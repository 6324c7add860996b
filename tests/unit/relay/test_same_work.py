"""Nobody learns from the work that an answer took whether a mailbox exists."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path
from typing import Any

import pytest

from exile_tui.relay import engine
from exile_tui.relay.engine import Operation
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

    for count in (1, 2, 8, 9, 19):
        there, not_there = await traced(known[:count]), await traced(unknown[:count])
        assert there == not_there
        assert sum("SELECT" in one for one in there) == (count + 7) // 8
    store._connection.set_trace_callback(None)
    await store.close()
