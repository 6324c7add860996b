"""The embedded relay's own process: `python -m exile_tui.relay.detached DIRECTORY GRACE POLL`.

It says one word on standard output about how its start went and is silent from then on. It ends
when nobody has held the lease for GRACE seconds, or when the address to listen on was changed.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from exile_tui.errors import ExileError
from exile_tui.locks import FileLock
from exile_tui.relay.binding import CantListen, PortTaken, listen
from exile_tui.relay.listening import (
    CANT_LISTEN,
    FAILED,
    IN_USE,
    LEASE_FILE,
    LOOPBACK,
    PORT_TAKEN,
    READY,
    Listening,
)
from exile_tui.relay.main import on_signals, run_loop
from exile_tui.relay.placing import Placement, allowed
from exile_tui.relay.service import DirectoryInUse, RelayDirectory, RelayService, RelaySettings


class Lease:
    """Watches whether any messenger still needs this relay."""

    def __init__(self, path: Path, grace: float, now: float) -> None:
        self._lock = FileLock(path)
        self._grace = grace
        self._since = now

    def over(self, now: float) -> bool:
        """Look again; True when nobody held it for the grace.

        The lock is kept then: whoever comes waits for it, until this process is gone.
        """
        if not self._lock.acquire():
            self._since = now
            return False
        if now - self._since >= self._grace:
            return True
        self._lock.release()
        return False


async def serve(
    directory: RelayDirectory,
    bound: Sequence[socket.socket],
    listening: Listening,
    lease: Lease,
    poll: float,
) -> None:
    """Serve until the lease is over, the address changed, or a signal."""
    service = RelayService(
        RelaySettings(directory=directory.path), directory, *bound, placement=Placement(allowed())
    )
    on_signals(service.stop)

    async def watch() -> None:
        while True:
            if lease.over(time.monotonic()) or not _still(directory.path, listening):
                service.stop()
                return
            await asyncio.sleep(poll)

    watching = asyncio.create_task(watch())
    try:
        await service.run()
    finally:
        watching.cancel()


def run(path: Path, grace: float, poll: float) -> str:
    """Run a relay to its end; return the word for why it did not start, empty when it did."""
    try:
        directory = RelayDirectory(path)
    except DirectoryInUse:
        return IN_USE
    try:
        listening = Listening.read(path)
        bound = [listen(listening.host, listening.port)]
        if not listening.port:
            listening = Listening(listening.host, bound[0].getsockname()[1])
            listening.write(path)
        if listening.host != LOOPBACK:
            # Whoever was given the loopback's address on this computer goes on using it.
            bound.append(listen(LOOPBACK, listening.port))
        lease = Lease(path / LEASE_FILE, grace, time.monotonic())
        _say(READY)
        run_loop(serve(directory, bound, listening, lease, poll))
    except PortTaken:
        return PORT_TAKEN
    except CantListen:
        return CANT_LISTEN
    finally:
        directory.release()
    return ""


def main(arguments: list[str]) -> int:
    """Leave the starter's process tree, run, say how it went."""
    path, grace, poll = arguments
    if hasattr(os, "fork") and os.fork():
        os._exit(0)  # the starter waits for this one only, and the relay belongs to nobody
    try:
        word = run(Path(path), float(grace), float(poll))
    except (ExileError, OSError):
        word = FAILED
    if word:
        _say(word)
    return 1 if word else 0


def _say(word: str) -> None:
    """Tell the starter one word, and let go of its pipe."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.close(silence)


def _still(path: Path, listening: Listening) -> bool:
    try:
        return Listening.read(path) == listening
    except ExileError:  # a damaged file is told to who starts a relay, not to who uses one
        return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
