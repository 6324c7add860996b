"""Rounds: each measures every contestant once, in turn; ratios are taken within a round."""

from __future__ import annotations

import gc
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.relay.processes import Server, cpu_seconds

Sample = dict[str, float]
"""What one window showed of one contestant: column and value."""
Contestants = Mapping[str, Callable[[], Awaitable[Sample]]]


@dataclass(frozen=True, slots=True)
class Bar:
    """What must hold, or is only shown: a ratio, or a value where nothing is under it."""

    text: str
    over: tuple[str, str]
    """Contestant and column."""
    under: tuple[str, str] | None = None
    least: float | None = None
    most: float | None = None
    unit: str = ""

    def values(self, rounds: list[dict[str, Sample]]) -> list[float]:
        """Return its value in each round."""
        found = []
        for one in rounds:
            value = one[self.over[0]][self.over[1]]
            if self.under is not None:
                value /= one[self.under[0]][self.under[1]]
            found.append(value)
        return found

    def met_by(self, value: float) -> bool | None:
        """Tell whether a value is good enough; None where it is only shown."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


@dataclass(slots=True)
class Report:
    """What a measurement showed."""

    name: str
    title: str
    bars: list[Bar]
    notes: list[str] = field(default_factory=list)
    rounds: list[dict[str, Sample]] = field(default_factory=list)

    def medians(self) -> dict[str, Sample]:
        """Return the medians of the rounds."""
        return {
            name: {
                column: statistics.median(one[name][column] for one in self.rounds)
                for column in sample
            }
            for name, sample in self.rounds[0].items()
        }

    def as_text(self) -> str:
        """Draw the table and the bars."""
        medians = self.medians()
        columns = list(dict.fromkeys(column for sample in medians.values() for column in sample))
        rows = [["", *columns]]
        for name, sample in medians.items():
            rows.append([name, *(_number(sample.get(column)) for column in columns)])
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
        lines = [f"\n{self.title}"]
        for name, *cells in rows:
            padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
            lines.append("  ".join([name.ljust(widths[0]), *padded]).rstrip())
        lines += [f"  {note}" for note in self.notes]
        return "\n".join([*lines, *map(self._bar_text, self.bars)]) + "\n"

    def _bar_text(self, bar: Bar) -> str:
        values = bar.values(self.rounds)
        median = statistics.median(values)
        spread = f"{_number(min(values))} to {_number(max(values))}"
        unit = f" {bar.unit}" if bar.unit else ""
        found = f"{bar.text}: {_number(median)}{unit} ({spread})"
        if bar.met_by(median) is None:
            return f"  shown: {found}"
        wanted = f"at least {bar.least:g}" if bar.least is not None else f"at most {bar.most:g}"
        return f"  {'met' if bar.met_by(median) else 'NOT MET'}: {found}, {wanted} is wanted"

    def as_data(self) -> dict[str, object]:
        """Return it for JSON."""
        bars = []
        for bar in self.bars:
            values = bar.values(self.rounds)
            median = statistics.median(values)
            bars.append(
                {
                    "text": bar.text,
                    "median": median,
                    "rounds": values,
                    "least": bar.least,
                    "most": bar.most,
                    "met": bar.met_by(median),
                }
            )
        return {
            "name": self.name,
            "title": self.title,
            "notes": self.notes,
            "medians": self.medians(),
            "rounds": self.rounds,
            "bars": bars,
        }


async def interleave(contestants: Contestants, rounds: int, report: Report) -> Report:
    """Measure everybody once a round; who begins changes from round to round."""
    names = list(contestants)
    for number in range(rounds):
        turn = number % len(names)
        found: dict[str, Sample] = {}
        for name in names[turn:] + names[:turn]:
            sys.stderr.write(f"{report.name}, round {number + 1} of {rounds}: {name}\n")
            sys.stderr.flush()
            gc.collect()  # clients of the window before: nothing is collected within one
            found[name] = await contestants[name]()
        report.rounds.append({name: found[name] for name in names})
    return report


class Meter:
    """The cores that a server and this process, the generator, use in a window."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._began = time.perf_counter()
        self._before = server.cpu_seconds(), cpu_seconds(os.getpid())
        self._written = server.written_bytes()

    @property
    def seconds(self) -> float:
        """The length of the window so far."""
        return time.perf_counter() - self._began

    def read(self, messages: int = 0) -> Sample:
        """Return both in cores (1.0 is one core all the time), and what a message took.

        What a message costs changes less than its rate does when others use the machine too.
        """
        seconds = self.seconds
        server = self._server.cpu_seconds() - self._before[0]
        generator = cpu_seconds(os.getpid()) - self._before[1]
        sample = {"server cores": server / seconds, "generator cores": generator / seconds}
        written = self._server.written_bytes() - self._written
        if messages:
            sample["disk KiB each"] = written / 1024 / messages
            sample["server us each"] = 1e6 * server / messages
            sample["generator us each"] = 1e6 * generator / messages
        return sample


def percentile(values: list[float], share: float) -> float:
    """Return the value that a share of the others is not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
