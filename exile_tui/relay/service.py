"""A relay's life: its directory, its parts, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exile_tui.clock import Clock, SystemClock
from exile_tui.errors import N_, ExileError
from exile_tui.locks import FileLock
from exile_tui.relay.access import Access
from exile_tui.relay.clients import Clients
from exile_tui.relay.door import Door
from exile_tui.relay.engine import Engine
from exile_tui.relay.exhaustion import keep_accepting
from exile_tui.relay.facts import FactSheet
from exile_tui.relay.facts_file import FactsFile, OperatorFacts
from exile_tui.relay.handlers import Handlers
from exile_tui.relay.key import RelayKey, ensure_key
from exile_tui.relay.lanes import Lanes
from exile_tui.relay.limits import Limits
from exile_tui.relay.listening import LOCK_FILE
from exile_tui.relay.placing import Placement
from exile_tui.relay.renewal import Renewals
from exile_tui.relay.server import RelayServer
from exile_tui.relay.shares import Shares
from exile_tui.relay.sockets import raise_descriptor_limit
from exile_tui.relay.sqlite import WIPE_INTERVAL, SqliteEngine
from exile_tui.relay.sweeper import Sweeper
from exile_tui.relay.work import WorkGate, WorkPolicy

DATABASE_FILE = "relay.db"


@dataclass(frozen=True, slots=True)
class Running:
    """What a relay that serves can be asked by those who run beside it."""

    engine: Engine
    handlers: Handlers
    clock: Clock


Beside = Callable[[Running], Coroutine[Any, Any, None]]
"""What runs while the relay serves."""

_DRAIN = 3.5
"""Seconds that requests under way get when the relay stops; all of it ends within 5."""

_IN_USE = N_("Another relay runs in {path}. End it first, or choose another directory.")
_CANT_WRITE = N_("The relay's directory {path} can't be used: {reason}.")


class DirectoryInUse(ExileError):
    """Another relay holds the directory."""

    sentence = _IN_USE


class DirectoryUnusable(ExileError):
    """The directory can't be made or written."""

    sentence = _CANT_WRITE


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """What a relay is started with."""

    directory: Path
    access: Access = field(default_factory=Access, repr=False)
    facts: OperatorFacts = field(default_factory=OperatorFacts)
    facts_file: Path | None = None
    """The operator's file, followed while the relay runs; `facts` is what it said at the start."""
    limits: Limits = field(default_factory=Limits)
    work: WorkPolicy = field(default_factory=WorkPolicy)
    shares: Shares = field(default_factory=Shares)
    balancers: tuple[str, ...] = ()
    """Addresses behind which everybody comes."""
    clock: Clock = field(default_factory=SystemClock)
    wipe_interval: float = WIPE_INTERVAL


class RelayDirectory:
    """A relay's directory, locked: its key and its database."""

    def __init__(self, path: Path) -> None:
        """Lock a directory, made when it is missing, and read or make its key.

        Raises:
            DirectoryInUse: Another relay runs there.
            DirectoryUnusable: It can't be made or written.
            DamagedKey: Its key can't be read.
        """
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = FileLock(path / LOCK_FILE)
            if not self._lock.acquire():
                raise DirectoryInUse(path=str(path))
            self.key: RelayKey = ensure_key(path)
        except OSError as error:
            raise DirectoryUnusable(path=str(path), reason=error.strerror or "?") from error

    def release(self) -> None:
        """Unlock it."""
        self._lock.release()


class RelayService:
    """One running relay."""

    def __init__(
        self,
        settings: RelaySettings,
        directory: RelayDirectory,
        *bound: socket.socket,
        placement: Placement | None = None,
    ) -> None:
        """Make a relay that is not running yet.

        Args:
            settings: What it is started with.
            directory: Its directory, locked.
            bound: The sockets that it listens on, one at least.
            placement: Where its threads run; None where others have threads in this process, too.
        """
        self._settings = settings
        self._directory = directory
        self._bound = bound
        self._placement = placement or Placement(())
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Begin the orderly end."""
        self._stop.set()

    async def run(self, *beside: Beside) -> None:
        """Serve until `stop`; then refuse new work, say goodbye, finish, commit.

        Args:
            beside: Each runs for as long as it serves, then it is cancelled.

        Raises:
            DamagedDatabase: The database can't be used.
        """
        settings = self._settings
        engine = await SqliteEngine.open(
            self._directory.path / DATABASE_FILE,
            settings.limits,
            settings.clock,
            wipe_interval=settings.wipe_interval,
        )
        try:
            facts = FactSheet(
                self._directory.key,
                self._operator(),
                settings.limits,
                settings.access,
                settings.clock,
            )
            handlers = Handlers(
                Lanes(engine),
                settings.access,
                Renewals(self._directory.key.private),
                WorkGate(settings.work, self._directory.key.pin, settings.clock),
                facts,
                settings.limits,
                settings.clock,
            )
            running = Running(engine, handlers, settings.clock)
            watching = [asyncio.create_task(each(running)) for each in beside]
            try:
                await self._serve(handlers)
            finally:
                for each in watching:
                    each.cancel()
                await asyncio.gather(*watching, return_exceptions=True)
        finally:
            await engine.close()
            for bound in self._bound:
                bound.close()

    def _operator(self) -> OperatorFacts | FactsFile:
        file, facts = self._settings.facts_file, self._settings.facts
        return facts if file is None else FactsFile(file, facts)

    async def _serve(self, handlers: Handlers) -> None:
        key, settings = self._directory.key, self._settings
        most = raise_descriptor_limit()
        clients = Clients(settings.shares, settings.clock.monotonic, settings.balancers)
        door = Door([bound.dup() for bound in self._bound])  # granian takes the others over
        sweeper = Sweeper(clients, door, most)
        placement = self._placement
        servers = [RelayServer(handlers, key, bound, clients, placement) for bound in self._bound]
        serving = [asyncio.create_task(server.serve()) for server in servers]
        guards = (sweeper.run(), keep_accepting(door), placement.keep())
        guarding = [asyncio.create_task(one) for one in guards]
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait((*serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for ended in serving:
            if ended.done():
                await ended
        handlers.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN):
                await handlers.finished()
        for guard in guarding:
            guard.cancel()
        await asyncio.gather(*guarding, return_exceptions=True)
        door.close()
        for server in servers:
            server.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await asyncio.gather(*serving)
