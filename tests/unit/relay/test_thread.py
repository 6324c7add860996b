"""The thread that a relay's disk is waited for in."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest

from exile_tui.relay.thread import OneThread


async def test_results_come_in_order_and_errors_to_whom_they_belong() -> None:
    thread, seen = OneThread("test"), list[str]()

    def note(what: str) -> str:
        seen.append(f"{what} {threading.current_thread().name}")
        return what

    def fail() -> str:
        raise OSError("full")

    first, second, third = (thread.run(lambda: note("a")), thread.run(fail),
                            thread.run(lambda: note("b")))  # fmt: skip
    assert await first == "a"
    with pytest.raises(OSError, match="full"):
        await second
    assert await third == "b"
    assert seen == ["a test", "b test"]
    thread.close()


async def test_who_stops_waiting_does_not_stop_the_work() -> None:
    thread, begun, let_go, done = OneThread("test"), *(threading.Event() for _ in range(3))

    def work() -> None:
        begun.set()
        let_go.wait(30)
        done.set()

    waiting = asyncio.create_task(asyncio.wait_for(thread.run(work), None))
    await asyncio.to_thread(begun.wait, 30)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    let_go.set()
    assert await thread.run(done.is_set)
    thread.close()


async def test_nothing_is_kept_of_what_was_done() -> None:
    class Large:
        """Something that has to go."""

    thread, large = OneThread("test"), Large()
    gone = weakref.ref(large)
    assert await thread.run(lambda large=large: large is not None)  # type: ignore[misc]
    del large
    await thread.run(lambda: None)
    gc.collect()
    assert gone() is None
    thread.close()


async def test_it_ends_after_all_is_done() -> None:
    thread, done = OneThread("test"), list[int]()
    for number in range(100):
        thread.run(lambda number=number: done.append(number))  # type: ignore[misc]
    thread.close()
    assert done == list(range(100))
