"""A relay's threads share one processor, and the server's have the others."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator

import pytest

from exile_tui.relay import placing as module
from exile_tui.relay.placing import Placement, allowed, ran_and_waited

needs_two = pytest.mark.skipif(len(allowed()) < 2, reason="one processor, or no way to choose")


class Resting:
    """A thread that did something first and then only is."""

    def __init__(self, first: Callable[[], None] = lambda: None) -> None:
        self._end, began = threading.Event(), threading.Event()

        def run() -> None:
            first()
            began.set()
            self._end.wait()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        began.wait()

    def where(self) -> set[int]:
        assert self._thread.native_id is not None
        return os.sched_getaffinity(self._thread.native_id)

    def end(self) -> None:
        self._end.set()
        self._thread.join()


@pytest.fixture
def resting() -> Iterator[Callable[..., Resting]]:
    threads: list[Resting] = []

    def start(first: Callable[[], None] = lambda: None) -> Resting:
        threads.append(Resting(first))
        return threads[-1]

    yield start
    for thread in threads:
        thread.end()


def serving(placement: Placement, resting: Callable[..., Resting]) -> tuple[Resting, Resting]:
    """Start a thread that serves, and from it one of the server's; return both."""
    inner: list[Resting] = []

    def serve() -> None:
        with placement.elsewhere():
            inner.append(resting())

    return resting(serve), inner[0]


@needs_two
def test_whoever_enters_is_at_home_and_what_they_start_elsewhere_is_not(
    resting: Callable[..., Resting],
) -> None:
    placement = Placement(allowed())
    loop, inner = serving(placement, resting)
    entered, other = resting(placement.enter), resting()
    assert loop.where() == entered.where() == placement.home
    assert inner.where() == placement.rest
    assert other.where() == set(allowed()) == placement.home | placement.rest
    assert len(placement.home) == 1
    assert not placement.home & placement.rest


@needs_two
def test_a_move_takes_all_that_were_placed_along_and_nobody_else(
    resting: Callable[..., Resting],
) -> None:
    placement = Placement(allowed())
    loop, inner = serving(placement, resting)
    other, homes = resting(), [placement.home]
    for _ in range(len(allowed())):
        placement.move()
        homes.append(placement.home)
        assert loop.where() == placement.home
        assert inner.where() == placement.rest
        assert other.where() == set(allowed())
    assert homes[0] == homes[-1]
    assert set.union(*homes) == set(allowed())


@pytest.mark.parametrize("processors", [(), (3,)])
def test_one_processor_is_left_alone(
    processors: tuple[int, ...], resting: Callable[..., Resting]
) -> None:
    placement = Placement(processors)
    before = allowed()
    thread = resting(placement.enter)
    with placement.elsewhere():
        assert allowed() == before
    asyncio.run(placement.keep())  # which has nothing to do
    if hasattr(os, "sched_getaffinity"):
        assert thread.where() == before
    assert not placement.home
    assert not placement.rest


@needs_two
def test_a_processor_that_can_t_be_had_is_no_matter(resting: Callable[..., Resting]) -> None:
    placement = Placement((100_000, 100_001))
    assert resting(placement.enter).where() == set(allowed())
    placement.move()


def test_the_quickest_processors_come_first_and_of_these_the_last() -> None:
    placement = Placement((0, 1, 2, 3), frequency={0: 5, 1: 5, 2: 3, 3: 3}.__getitem__)
    homes = [placement.home]
    for _ in range(4):
        placement.move()
        homes.append(placement.home)
    assert homes == [{1}, {0}, {3}, {2}, {1}]
    assert placement.rest == {0, 2, 3}


class Enough(Exception):
    """Nothing more is to be seen."""


@pytest.mark.parametrize(
    ("ran", "waited", "moves"),
    [
        (5.0, 1.2, False),  # busy on its own
        (2.5, 2.5, True),  # one other that never rests
        (0.09, 0.09, False),  # nothing to do
        (0.05, 0.2, True),
        (0.0, 0.0, False),  # where nothing is said
    ],
)
def test_whoever_waits_long_for_the_processor_moves(
    ran: float, waited: float, moves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0)
    said = iter([(10.0, 3.0), (10.0 + ran, 3.0 + waited)])

    def say() -> tuple[float, float]:
        for each in said:
            return each
        raise Enough

    placement = Placement((100_000, 100_001), say)  # nothing can be placed there
    home = placement.home
    with pytest.raises(Enough):
        asyncio.run(placement.keep())
    assert (placement.home != home) is moves


@needs_two
def test_linux_tells_how_long_a_thread_ran() -> None:
    ran, waited = ran_and_waited()
    for _ in range(100_000):
        os.sched_yield()  # when it counts
        if ran_and_waited()[0] > ran:
            break
    assert ran_and_waited()[0] > ran
    assert waited >= 0
