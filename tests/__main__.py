"""Run every check a change must pass, stopping at the first that fails: `python -m tests`."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sysconfig.get_path("scripts"))

WORKERS = str(2 * (os.cpu_count() or 1))
"""Half of them wait at any moment: for a disk, a process, a screen that comes to rest."""

CHECKS: tuple[tuple[str, list[str]], ...] = (
    ("lint", [sys.executable, "-m", "ruff", "check", "."]),
    ("format", [sys.executable, "-m", "ruff", "format", "--check", "."]),
    ("types", [sys.executable, "-m", "mypy"]),
    ("layers", [str(SCRIPTS / "lint-imports"), "--no-cache"]),
    ("catalog", [sys.executable, "-m", "tests.catalog", "check"]),
    ("tests", [sys.executable, "-m", "pytest", "-n", WORKERS, "--dist=worksteal", *sys.argv[1:]]),
)


def main() -> int:
    # Every worker and every program that a test starts would compile all modules for itself.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for name, command in CHECKS:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if code:
            print(f"== {name} failed", file=sys.stderr)
            return code
        print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
