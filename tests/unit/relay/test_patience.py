"""Waits over one timer end as those of asyncio do."""

from __future__ import annotations

import asyncio

import pytest

from exile_tui.relay.patience import Patience


async def test_a_wait_that_lasts_too_long_ends() -> None:
    patience = Patience(0.01)
    async with asyncio.timeout(30):
        for _ in range(3):  # the timer begins anew
            with pytest.raises(TimeoutError), patience.wait():
                await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_of_many_only_those_end_that_still_wait() -> None:
    patience, ready = Patience(0.02), asyncio.Event()

    async def one(number: int) -> str:
        try:
            with patience.wait():
                await (ready.wait() if number % 2 else asyncio.Event().wait())
        except TimeoutError:
            return "late"
        return "in time"

    waiting = [asyncio.create_task(one(number)) for number in range(8)]
    await asyncio.sleep(0)
    ready.set()
    async with asyncio.timeout(30):
        assert await asyncio.gather(*waiting) == ["late", "in time"] * 4


async def test_who_is_ended_by_somebody_else_is_told_so() -> None:
    patience = Patience(3600)

    async def wait() -> None:
        with patience.wait():
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), Patience(3600).wait():
        raise KeyError


async def test_ended_by_both_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(0.01)
    both = asyncio.Event()

    async def wait() -> None:
        with patience.wait() as _:
            try:
                await asyncio.Event().wait()
            finally:
                both.set()

    waiting = asyncio.create_task(wait())
    async with asyncio.timeout(30):
        await asyncio.sleep(0)
        expire = next(iter(patience._waits)).expire
        expire()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert both.is_set()
