"""What is made of a benchmark's rounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from benchmarks.relay.rounds import Bar, Report, Sample, interleave, percentile

A, B = ("a", "rate"), ("b", "rate")


def report(bar: Bar, *rounds: tuple[float, float]) -> Report:
    return Report(
        "name", "Title", [bar], rounds=[{"a": {"rate": a}, "b": {"rate": b}} for a, b in rounds]
    )


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine was ten times faster in the second round; the medians' ratio would be 1.
    made = report(Bar("a over b", A, B, least=2.0), (2, 1), (20, 10), (10, 5))
    assert made.as_data()["bars"] == [
        {
            "text": "a over b",
            "median": 2.0,
            "rounds": [2.0, 2.0, 2.0],
            "least": 2.0,
            "most": None,
            "met": True,
        }
    ]


def test_the_median_of_the_rounds_is_held_against_the_bar() -> None:
    assert (
        "met: a over b: 2 (1 to 3)"
        in report(Bar("a over b", A, B, least=2.0), (3, 1), (2, 1), (1, 1)).as_text()
    )
    assert (
        "NOT MET: a over b: 1.9 (1 to 3)"
        in report(Bar("a over b", A, B, least=2.0), (3, 1), (1.9, 1), (1, 1)).as_text()
    )


def test_a_value_may_have_a_largest_and_a_bar_may_be_none() -> None:
    assert "NOT MET: a: 16 ms" in report(Bar("a", A, most=15.0, unit="ms"), (16, 1)).as_text()
    assert "  met: a: 15 ms" in report(Bar("a", A, most=15.0, unit="ms"), (15, 1)).as_text()
    assert "  shown: a: 16" in report(Bar("a", A), (16, 1)).as_text()


def test_columns_that_one_contestant_lacks_stay_empty() -> None:
    made = Report("name", "Title", [], rounds=[{"a": {"x": 1.0}, "b": {"y": 2.0}}])
    assert made.as_text().splitlines()[2:5] == ["   x  y", "a  1  -", "b  -  2"]


def test_another_contestant_begins_each_round() -> None:
    order: list[str] = []

    def contestant(name: str) -> Callable[[], Awaitable[Sample]]:
        async def run() -> Sample:
            order.append(name)
            return {"rate": 1.0}

        return run

    contestants = {name: contestant(name) for name in "abc"}
    made = asyncio.run(interleave(contestants, 4, Report("name", "Title", [])))
    assert "".join(order) == "abc" + "bca" + "cab" + "abc"
    assert [list(one) for one in made.rounds] == [["a", "b", "c"]] * 4


def test_percentiles() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, 0.5) == 51.0
    assert percentile(values, 0.99) == 100.0
    assert percentile([7.0], 0.99) == 7.0
