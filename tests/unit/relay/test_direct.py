"""Coroutines that run without a task do what they would do in one."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from exile_tui.relay.direct import Reply, Runs
from exile_tui.relay.patience import Patience


def reply() -> Reply[int]:
    return Reply(asyncio.get_running_loop())


async def test_who_waits_for_a_reply_goes_on_when_it_is_given() -> None:
    runs, first, second, seen = Runs(), reply(), reply(), []

    async def wait() -> None:
        seen.append(await first)
        seen.append(await second)

    runs.run(wait())
    assert (seen, len(runs)) == ([], 1)
    first.give(1)
    assert seen == [1]
    second.give(2)
    assert (seen, len(runs)) == ([1, 2], 0)


async def test_a_reply_that_is_there_is_not_waited_for() -> None:
    runs, given, seen = Runs(), reply(), []
    given.give(1)

    async def wait() -> None:
        seen.append(await given)

    runs.run(wait())
    assert (seen, len(runs)) == ([1], 0)


async def test_an_error_is_raised_where_it_is_waited_for() -> None:
    runs, given, seen = Runs(), reply(), []

    async def wait() -> None:
        try:
            await given
        except KeyError:
            seen.append("KeyError")

    runs.run(wait())
    given.give(KeyError())
    assert (seen, len(runs)) == (["KeyError"], 0)


async def test_what_the_coroutine_raises_does_not_reach_who_gives() -> None:
    runs, given = Runs(), reply()

    async def fail() -> None:
        await given
        raise KeyError

    runs.run(fail())
    given.give(1)
    assert not runs


async def test_a_task_waits_for_a_reply_as_for_a_future() -> None:
    given, failed, left = reply(), reply(), reply()

    async def wait(future: Reply[int]) -> int:
        return await future

    waiting = [asyncio.create_task(wait(each)) for each in (given, failed, left)]
    await asyncio.sleep(0)
    waiting[2].cancel()
    given.give(1)
    failed.give(KeyError())
    left.give(3)  # nobody waits any more
    assert await waiting[0] == 1
    with pytest.raises(KeyError):
        await waiting[1]
    with pytest.raises(asyncio.CancelledError):
        await waiting[2]


@asynccontextmanager
async def _half(seen: list[str]) -> AsyncIterator[None]:
    await asyncio.sleep(0)
    try:
        yield
    finally:
        await asyncio.sleep(0.001)
        seen.append("left")


async def _nested(seen: list[str]) -> None:
    async with _half(seen):
        await asyncio.gather(asyncio.sleep(0), asyncio.create_task(asyncio.sleep(0)))
        done, _ = await asyncio.wait([asyncio.create_task(asyncio.sleep(0.001))])
        seen.append(f"{len(done)} done")


async def _shared(seen: list[str]) -> None:
    lock = asyncio.Semaphore(1)
    async with lock:
        waiting = asyncio.create_task(lock.acquire())
        await asyncio.sleep(0)
    await waiting
    seen.append("acquired")


async def _late(seen: list[str]) -> None:
    try:
        await Patience(0.01).wait(asyncio.get_running_loop().create_future())
    except TimeoutError:
        seen.append("late")


async def _cancelled(seen: list[str]) -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.cancel)
    seen.append("waits")
    await future


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (_nested, ["1 done", "left"]),
        (_shared, ["acquired"]),
        (_late, ["late"]),
        (_cancelled, ["waits"]),
    ],
)
async def test_all_that_needs_no_task_can_be_waited_for(function: Any, expected: list[str]) -> None:
    runs, seen, ended = Runs(), list[str](), asyncio.Event()

    async def whole() -> None:
        try:
            await function(seen)
        finally:
            ended.set()

    runs.run(whole())
    async with asyncio.timeout(30):
        await ended.wait()
    assert seen == expected
    assert not runs


async def test_who_waits_for_what_only_itself_holds_is_kept() -> None:
    runs, seen, loop = Runs(), list[str](), asyncio.get_running_loop()

    async def wait() -> None:
        future = loop.create_future()
        try:
            await future
        finally:
            seen.append("gone")

    runs.run(wait())
    gc.collect()
    assert seen == []
    assert len(runs) == 1
