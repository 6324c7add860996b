"""The demo's relay as a process that can be stopped and started again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from exile_tui.errors import N_, RelayError

_NOT_STARTED = N_("The demo's relay did not start. Look whether {path} can be written.")


class RelayPlug:
    """Starts and stops the relay of one demo; its port and its key stay."""

    def __init__(self, directory: Path, language: str) -> None:
        self._directory = directory
        self._language = language
        self._process: subprocess.Popen[str] | None = None

    async def start(self) -> str:
        """Start it and return its address once it listens.

        Raises:
            RelayError: It ended instead.
        """
        # Standard input is the lifeline: the relay sees it close, too. Its errors go where ours go.
        self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - this very program, no waiting
            [sys.executable, "-m", "exile_tui.demo.relay", str(self._directory), self._language],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        address = await asyncio.to_thread(self._process.stdout.readline)
        if not address:
            raise RelayError(_NOT_STARTED, path=self._directory)
        return address.strip()

    async def stop(self) -> None:
        """Let it end in order."""
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.communicate)

    def kill(self) -> None:
        """End it at once: the demo is over."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
