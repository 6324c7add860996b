"""Export or import in forks that die, for tests: `python -m tests.unit.core.history_child ...`.

Each fork kills itself one step of the progress later than the one before, until one gets through.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from exile_tui.clock import SystemClock
from exile_tui.core import exporting, importing
from exile_tui.core.context import Context, Own, RelayPool
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.store import ProfileVault
from exile_tui.transport.client import HttpRelay
from tests.unit.core.conftest import ADDRESS, CHEAP


async def work(what: str, directory: Path, file: Path, step: int) -> None:
    """Do it; die at a step."""
    calls = 0

    def progress(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)

    store = await ProfileVault(directory, argon2=CHEAP).open("pass")
    own = Own("가람", 1, ADDRESS, embedded=False)
    context = Context(store, RelayPool(HttpRelay), SystemEntropy(), SystemClock(), own)
    if what == "export":
        await exporting.export_history(context, file, progress)
    else:
        await importing.import_history(context, file, progress)
    await store.close()


def main(what: str, directory: Path, file: Path) -> None:
    """Fork until one lives; tell how many died."""
    exporting.WINDOW, importing.BATCH, importing.BLOCK_BYTES = 20, 15, 2_000
    step, status = 0, -1
    while status != 0:
        step += 1
        pid = os.fork()
        if pid == 0:
            asyncio.run(work(what, directory, file, step))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
        # Nothing has the file's name before it is whole.
        assert what == "import" or status == 0 or not file.exists()
    print(step - 1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
