"""Fuzz what reads bytes from outside, guided by coverage (atheris, over libFuzzer).

    python -m tests.fuzz frames --minutes 10
    python -m tests.fuzz all --minutes 10

One target after the other, each in a process of its own. atheris is not among the project's
dependencies: `pip install atheris` beside the program. What a target finds is an input in the
kept directory; it becomes a line of tests/unit/test_fuzz.py.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ONE_INPUT_S = 60
"""Seconds for one input; libFuzzer counts a longer one as found, also when the machine is busy."""
MEMORY_MIB = 1024


def main() -> int:
    """Fuzz; 1 when anything was found."""
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=(*TARGETS, "all"))
    parser.add_argument("--minutes", type=float, default=10.0, help="for each target")
    parser.add_argument("--seed", type=int, default=2014)
    parser.add_argument("--keep", type=Path, default=Path("fuzz"), help="inputs and findings")
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install atheris")
    names = list(TARGETS) if arguments.target == "all" else [arguments.target]
    found = [name for name in names if not fuzz(name, arguments)]
    return 1 if found else 0


def fuzz(name: str, arguments: argparse.Namespace) -> bool:
    """Fuzz one target; tell whether it stood."""
    from tests.fuzz.targets import TARGETS

    target, home = TARGETS[name], arguments.keep.absolute() / name
    corpus = home / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    command = [
        *(sys.executable, "-m", "tests.fuzz.child", name),
        f"-max_total_time={round(arguments.minutes * 60)}",
        f"-max_len={target.longest}",
        f"-seed={arguments.seed}",
        f"-timeout={ONE_INPUT_S}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-artifact_prefix={home}/",
        "-print_final_stats=1",
        str(corpus),
    ]
    log = home / "log"
    with log.open("wb") as output:
        code = subprocess.run(
            command, cwd=ROOT, env=dict(os.environ), stdout=output, stderr=output, check=False
        ).returncode
    print(f"{name}: {_summary(log.read_text('utf-8', 'replace'))}", flush=True)
    if code:
        print(f"{name}: found something, see {log}", flush=True)
    return code == 0


def _summary(log: str) -> str:
    executed = re.findall(r"stat::number_of_executed_units:\s+(\d+)", log)
    progress = re.findall(r"#\d+\s+\w+\s+(?:cov: (\d+) )?ft: (\d+) corp: (\d+)", log)
    if not executed or not progress:
        return "no figures"
    first, (edges, features, inputs) = progress[0], progress[-1]
    return (
        f"{int(executed[-1]):,} executions, {edges or 0} edges of the program covered "
        f"({first[0] or 0} by the seeds), {features} features, {inputs} inputs kept"
    )


if __name__ == "__main__":
    raise SystemExit(main())
