"""Waits over one timer end as those of asyncio do."""

from __future__ import annotations

import asyncio

import pytest

from exile_tui.relay.patience import Patience


def never() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_a_wait_that_lasts_too_long_ends() -> None:
    patience = Patience(0.01)
    async with asyncio.timeout(30):
        for _ in range(3):  # the timer begins anew
            future = never()
            with pytest.raises(TimeoutError):
                await patience.wait(future)
            assert future.cancelled()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_of_many_only_those_end_that_still_wait() -> None:
    patience, futures = Patience(0.02), [never() for _ in range(8)]

    async def one(future: asyncio.Future[None]) -> str:
        try:
            await patience.wait(future)
        except TimeoutError:
            return "late"
        return "in time"

    waiting = [asyncio.create_task(one(future)) for future in futures]
    await asyncio.sleep(0)
    for future in futures[1::2]:
        future.set_result(None)
    async with asyncio.timeout(30):
        assert await asyncio.gather(*waiting) == ["late", "in time"] * 4


async def test_what_is_there_is_not_waited_for() -> None:
    patience, future = Patience(3600), never()
    future.set_result(None)
    await patience.wait(future)
    assert not patience._timer


async def test_who_is_ended_by_somebody_else_is_told_so() -> None:
    patience = Patience(3600)
    waiting = asyncio.create_task(patience.wait(never()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not patience._waits


async def test_other_errors_pass() -> None:
    future = never()
    waiting = asyncio.create_task(Patience(3600).wait(future))
    await asyncio.sleep(0)
    future.set_exception(KeyError())
    with pytest.raises(KeyError):
        await waiting


async def test_ended_by_both_it_is_ended() -> None:
    patience = Patience(3600)
    waiting = asyncio.create_task(patience.wait(never()))
    await asyncio.sleep(0)
    next(iter(patience._waits)).expire()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
