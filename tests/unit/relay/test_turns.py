"""Addresses take turns while more is asked than can be answered; heavy work waits beside light."""

from __future__ import annotations

import asyncio
from typing import Any

from exile_tui.relay import engine
from exile_tui.relay.engine import Operation
from exile_tui.relay.lanes import PART, Lanes
from exile_tui.relay.turns import BUSY, Place, Turns


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_little_waits_for_nobody_who_asks_much() -> None:
    turns, much, little = Turns(), Place(), Place()
    asked = [asyncio.create_task(turns.take(much)) for _ in range(2 * 256)]
    await settle()
    assert turns.busy
    assert sum(task.done() for task in asked) == 256
    await turns.take(little)
    turns.give(little)
    turns.give(much)
    await settle()
    assert sum(task.done() for task in asked) == 257
    for _ in asked[1:]:
        turns.give(much)
        await settle()
    assert all(task.done() for task in asked)
    assert not turns.busy
    assert (turns._answered, turns._places, much.answered) == (0, 0, 0)


async def test_nobody_waits_while_there_is_little_to_do() -> None:
    turns, place = Turns(), Place()
    for _ in range(BUSY):
        await turns.take(place)
    assert turns.busy
    for _ in range(BUSY):
        turns.give(place)
    assert not turns.busy


async def test_who_leaves_while_waiting_takes_no_place() -> None:
    turns, place = Turns(), Place()
    first = [asyncio.create_task(turns.take(place)) for _ in range(256)]
    waiting = [asyncio.create_task(turns.take(place)) for _ in range(2)]
    await settle()
    assert all(task.done() for task in first)
    waiting[0].cancel()
    await settle()
    turns.give(place)
    await settle()
    assert waiting[1].done()
    handed = asyncio.create_task(turns.take(place))
    await settle()
    turns.give(place)  # hands it on, and then it is given up before it could be used
    handed.cancel()
    await settle()
    for _ in range(255):
        turns.give(place)
    assert (turns._answered, turns._places, place.answered) == (0, 0, 0)


async def test_when_nobody_takes_turns_any_more_nobody_waits_for_the_slow_ones_beside_him() -> None:
    turns, much = Turns(), [Place() for _ in range(BUSY)]
    slow = Place()
    for _ in range(4):
        await turns.take(slow)
    for each in much:
        await turns.take(each)
    beside = [asyncio.create_task(turns.take(slow)) for _ in range(3)]
    await settle()
    assert not any(task.done() for task in beside)
    beside[0].cancel()
    await settle()
    for each in much:
        turns.give(each)
    await settle()
    assert all(task.done() for task in beside)
    for _ in range(6):
        turns.give(slow)
    assert (turns._answered, turns._places, slow.answered) == (0, 0, 0)
    assert not turns._held_up


class Recording:
    """An engine that answers when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Operation[Any], asyncio.Future[Any]]] = []

    async def submit(self, operation: Operation[Any]) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting.append((operation, answer))
        return await answer


async def test_few_heavy_operations_are_in_the_line_at_once_and_light_ones_pass_them() -> None:
    inner = Recording()
    lanes = Lanes(inner)  # type: ignore[arg-type]  # of an engine it has what is called
    blobs = [asyncio.ensure_future(lanes.submit(engine.GetBlobs([bytes(16)]))) for _ in range(20)]
    await settle()
    assert len(inner.waiting) == 2
    light = asyncio.ensure_future(lanes.submit(engine.Append(bytes(16), bytes(32), [bytes(4096)])))
    await settle()
    assert len(inner.waiting) == 3
    while inner.waiting:
        _, answer = inner.waiting.pop()
        answer.set_result([])
        await settle()
    assert await light == []
    assert await asyncio.gather(*blobs) == [[]] * 20


async def test_a_long_acknowledgement_is_done_in_parts_and_ends_with_the_first_refusal() -> None:
    inner = Recording()
    lanes = Lanes(inner)  # type: ignore[arg-type]  # of an engine it has what is called
    done = asyncio.create_task(
        lanes.submit(engine.Acknowledge(bytes(16), bytes(32), range(2 * PART + 1)))
    )
    seqs: list[int] = []
    for _ in range(3):
        await settle()
        operation, answer = inner.waiting.pop()
        assert isinstance(operation, engine.Acknowledge)
        assert len(operation.seqs) <= PART
        seqs += operation.seqs
        answer.set_result(True)
    assert await done
    assert seqs == list(range(2 * PART + 1))
    refused = asyncio.create_task(
        lanes.submit(engine.Acknowledge(bytes(16), bytes(32), range(2 * PART)))
    )
    await settle()
    inner.waiting.pop()[1].set_result(False)
    assert not await refused
    assert not inner.waiting
