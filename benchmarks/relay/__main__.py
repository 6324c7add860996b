"""Measure the relay beside its peers, on this machine only: `python -m benchmarks.relay`.

    python -m benchmarks.relay                    # everything
    python -m benchmarks.relay posts --rounds 3 --seconds 5
    python -m benchmarks.relay --json figures.json

The relay runs as its own process with its default settings and keeps all its promises. Everything
is on the loopback interface, in temporary directories, and ends with this command. In one round
every contestant is measured once, the first one being another in each round; figures are medians
of the rounds, ratios are taken within each round.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import os
import platform
import resource
import signal
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import uvloop

from benchmarks.relay.connection import Broken
from benchmarks.relay.mailboxes import Full
from benchmarks.relay.processes import Missing, NotStarted, require_programs
from benchmarks.relay.rounds import Report

MEASURES = (
    "posts", "path", "batches", "delivery", "offline", "latency", "idle", "scale", "constant",
    "generator",
)  # fmt: skip


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=20.0,
        help="of each window; 20 hold one truncation of the relay's log",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MEASURES]
    if unknown:
        parser.error(f"no such measure: {unknown[0]}; there are {', '.join(MEASURES)}")
    modules = [
        importlib.import_module(f"benchmarks.relay.{name}") for name in options.names or MEASURES
    ]
    programs = dict.fromkeys(name for module in modules for name in getattr(module, "PROGRAMS", ()))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.disable()  # a collection would count as latency; there is one between two windows
    reports = []
    try:
        machine = describe_machine(require_programs(programs))
        print(machine, flush=True)
        for module in modules:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                report = runner.run(_measure(module, options.rounds, options.seconds))
            print(report.as_text(), flush=True)
            reports.append(report.as_data())
            if options.json is not None:
                told = {"machine": machine, "measures": reports}
                options.json.write_text(json.dumps(told, indent=1) + "\n")
    except (Missing, NotStarted, Broken, Full) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    print(f"Load of this machine at the end: {os.getloadavg()[0]:.1f}")
    return 0


async def _measure(module: ModuleType, rounds: int, seconds: float) -> Report:
    """Measure, and end every server when this process is told to end."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    report: Report = await module.measure(rounds, seconds)
    return report


def describe_machine(versions: str) -> str:
    """Name the processor, its cores, the kernel, versions, and what else the machine does."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (
        f"{os.cpu_count()} cores, {model}; Linux {platform.release()}; "
        f"Python {platform.python_version()}; {versions or 'no peers'}; "
        f"files on {_file_system(Path(tempfile.gettempdir()).resolve())}; "
        f"load before: {os.getloadavg()[0]:.1f}"
    )


def _file_system(path: Path) -> str:
    """Name the file system of a directory: on tmpfs nothing would be durable."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    holding = [(len(place), kind) for place, kind in mounts if path.is_relative_to(place)]
    return max(holding)[1]


if __name__ == "__main__":
    sys.exit(main())
