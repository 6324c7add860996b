"""The engine of one machine: a journal for what comes in, SQLite for all else, with group commit.

Whatever was submitted during one turn of the event loop becomes one transaction. Its statements run
in the loop, some microseconds each; only what waits for the disk, the journal's writing and COMMIT,
runs in a thread. The next batch gathers meanwhile, so that durability costs nearly nothing under
load. The journal is written before COMMIT: records of a mailbox that is not in the database after a
crash are nobody's, and what was written beside a COMMIT that failed is taken back.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from exile_tui.clock import Clock
from exile_tui.relay import engine
from exile_tui.relay.activity import Activity
from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.blobs import Blobs
from exile_tui.relay.direct import Reply
from exile_tui.relay.engine import EngineUnavailable, Operation, QuotaReached, Sweep, Wake
from exile_tui.relay.envelopes import Envelopes
from exile_tui.relay.handling import handlers_of
from exile_tui.relay.limits import Limits
from exile_tui.relay.mailboxes import Mailboxes
from exile_tui.relay.maintaining import maintain
from exile_tui.relay.room import Room
from exile_tui.relay.schema import VERSION, DamagedDatabase, open_database
from exile_tui.relay.settling import Settling, room_for_bursts
from exile_tui.relay.slots import Slots
from exile_tui.relay.thread import OneThread
from exile_tui.relay.tickets import Tickets
from exile_tui.relay.watchers import Watchers
from exile_tui.relay.wiping import Wiping

MAX_BATCH = 512
"""Operations in one transaction; larger batches gained nothing when measured."""

QUICK_BATCH = 48
"""The same while the loop waits for the disk by itself.

Else all that is under way ends up in one batch, and the loop idles until all of it was answered and
asked anew. Of 64 posts under way, batches of 24 to 48 carry a tenth more; of 256 messages too.
"""

WIPE_INTERVAL = 20.0
"""Seconds between truncations of the write-ahead log, of the 60 that are promised."""

_LATE_S = 20.0
"""Seconds of settling after which it goes before what comes in; until it is done, what was deleted
is blanked in the files each time that so many have passed."""

BACKLOG = room_for_bursts()
"""Bytes of the journal above which a batch waits until some of it was moved to the database."""

_WAITED_FOR = 64 * 1024 * 1024
"""Bytes of a predecessor's journal that are settled before a start; more of it while it serves."""

_SOON = 0.75
"""Share of it from which on some is moved after each batch, so that none has to wait for long."""

_TAKING = (
    engine.CreateMailbox,
    engine.Append,
    engine.PutTicket,
    engine.PutBlobs,
    engine.Probe,
)
"""What is not done on a disk that is nearly full."""

_FULL = (sqlite3.Error, OSError)
"""What a disk raises that is full or fails."""

_Result = TypeVar("_Result")
_Job = tuple[Operation[Any], Reply[Any]]


class SqliteEngine:
    """Stores for a relay in one SQLite file. Open with `await SqliteEngine.open(...)`."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, limits: Limits, clock: Clock
    ) -> None:
        self._connection = connection
        self._path = path
        self._slots = Slots(connection)
        self._room = Room(path.parent, limits.disk_reserve, self._slots)
        self._arrivals = Arrivals(path)
        self._envelopes = Envelopes(connection, self._slots, self._arrivals, limits)
        self._settling = Settling(connection, self._arrivals, self._envelopes, self._room.for_more)
        self._tickets = Tickets(connection, limits, clock)
        self._mailboxes = Mailboxes(
            connection, self._envelopes, self._arrivals, self._tickets, limits, clock
        )
        self._blobs = Blobs(connection, self._slots, limits, clock)
        self._handlers: dict[type[Operation[Any]], Callable[[Any], Any]] = {
            **handlers_of(self._mailboxes, self._envelopes, self._tickets, self._blobs),
            engine.Sweep: self._sweep,
            engine.Probe: self._probe,
        }
        self._queue: deque[_Job] = deque()
        self._watchers = Watchers()
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.Event()
        self._turn = asyncio.Lock()
        self._thread = OneThread("relay-commit")
        self._closing = self._stale = self._probed = self._undone = False
        self._unwiped = True  # what a killed predecessor left in the log
        self._wiping = Wiping(
            connection,
            self._slots,
            self._arrivals.staying,
            (self._mailboxes, self._blobs, self._tickets),
            self._mailboxes.reload,
            self._undo,
        )
        self._overwrite = partial(self._wiping.overwrite, self._settling.blank)
        self._tasks: list[asyncio.Task[None]] = []
        self._activity = Activity()

    @classmethod
    async def open(
        cls, path: Path, limits: Limits, clock: Clock, *, wipe_interval: float = WIPE_INTERVAL
    ) -> SqliteEngine:
        """Open the file, made when there is none, and start.

        Args:
            wipe_interval: Seconds between truncations of the write-ahead log.

        Raises:
            DamagedDatabase: The file, or one of the journal, can't be used; nothing was changed.
        """
        self = cls(open_database(path), path, limits, clock)
        try:
            self._arrivals.recover(
                self._mailboxes.next_seq, self._envelopes.noted, self._envelopes.files()
            )
        except (DamagedDatabase, OSError, sqlite3.Error):
            self._thread.close()
            self._arrivals.close()
            self._connection.close()
            raise
        first = 0.0
        if self._arrivals.size + self._arrivals.staying.unseen <= _WAITED_FOR:
            with contextlib.suppress(*_FULL):  # again after the interval
                await self.wipe()
            first = wipe_interval
        await self._make_room()
        self._tasks = [
            asyncio.create_task(self._run()),
            asyncio.create_task(maintain(self, clock, wipe_interval, first)),
        ]
        return self

    def submit(self, operation: Operation[_Result]) -> Reply[_Result]:
        """Do an operation; it is durable when this is done (see `engine.Engine`)."""
        if self._closing:
            raise EngineUnavailable
        reply: Reply[_Result] = Reply(self._loop)
        self._queue.append((operation, reply))
        self._work.set()
        return reply

    def watch(self, mailbox_id: bytes, wake: Wake) -> None:
        """Call `wake` when envelopes came to a mailbox (see `engine.Engine`)."""
        self._watchers.add(mailbox_id, wake)

    def unwatch(self, mailbox_id: bytes, wake: Wake) -> None:
        """Stop calling `wake`."""
        self._watchers.remove(mailbox_id, wake)

    def mailboxes(self) -> engine.MailboxCount:
        """Return how many mailboxes there are (see `engine.Engine`)."""
        return engine.MailboxCount(self._mailboxes.count, self._mailboxes.made)

    def activity(self) -> Activity:
        """Return what was done since the start (see `engine.Engine`)."""
        activity, log = self._activity, self._path.with_name(f"{self._path.name}-wal")
        activity.database_bytes = _size(self._path)
        activity.log_bytes = _size(log) + self._arrivals.size + self._arrivals.staying.size
        return activity

    async def wipe(self) -> None:
        """Make deleted bytes unrecoverable from the files.

        The journal is settled, or blanked where the disk is full or it takes long; then the log is
        emptied (`Wiping`).
        """
        try:
            async with self._turn:
                if self._arrivals.closed:  # unless some of it can be moved, no further file
                    await self._thread.run(self._settle)
                self._arrivals.close_current()
            await self._settle_closed()
        except _FULL:
            async with self._turn:
                await self._thread.run(self._overwrite)
            raise
        finally:  # where there is no room for it, what was deleted must leave the log still
            async with self._turn:
                if self._unwiped:
                    self._unwiped = await self._thread.run(self._wiping.wipe)

    async def _settle_closed(self) -> None:
        last = self._arrivals.closed[-1] if self._arrivals.closed else None
        late = self._loop.time() + _LATE_S
        self._settling.hurried = done = False
        while not done:
            async with self._turn:
                if self._loop.time() >= late:
                    self._settling.hurried = True
                    with contextlib.suppress(*_FULL):  # settling may be possible still
                        await self._thread.run(self._overwrite)
                    late = self._loop.time() + _LATE_S
                if last in self._arrivals.closed:
                    await self._thread.run(self._settle)
                else:
                    done = await self._thread.run(self._tidy)

    async def close(self) -> None:
        """Finish what was submitted, make it durable, leave no deleted byte behind."""
        if self._closing:
            return
        self._closing = True
        self._work.set()
        runner, maintainer = self._tasks
        async with self._turn:  # a file that a thread is rewriting is left to it until it is done
            maintainer.cancel()
        await asyncio.gather(maintainer, return_exceptions=True)
        await runner
        try:
            with contextlib.suppress(*_FULL):  # at the next start
                await self.wipe()
        finally:
            self._thread.close()
            self._arrivals.close()
            self._connection.close()

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._work.wait()
            self._work.clear()
            while self._queue:
                async with self._turn:
                    await self._make_room()
                    most = QUICK_BATCH if self._arrivals.quick else MAX_BATCH
                    size = min(most, len(self._queue))
                    await self._commit([self._queue.popleft() for _ in range(size)])
                    await asyncio.sleep(0)  # others come next, however much is asked

    async def _make_room(self) -> None:
        """Begin another file of the journal if need be, and keep the journal small.

        Where the disk has no room for it, nothing new is taken, and all else goes on.
        """
        with contextlib.suppress(*_FULL):
            while self._arrivals.closed and self._arrivals.size > BACKLOG * _SOON:
                await self._thread.run(self._settle)
                if self._arrivals.size <= BACKLOG:
                    break  # with each batch some of it
        with contextlib.suppress(*_FULL):
            if not self._arrivals.ready:
                await self._thread.run(self._arrivals.begin)

    async def _commit(self, batch: list[_Job]) -> None:
        connection = self._connection
        before, made = connection.total_changes, self._mailboxes.made
        outcomes: list[tuple[Reply[Any], Any]] = []
        try:
            if self._stale:
                self._undo()
            connection.execute("BEGIN")
            room = self._room.for_more()
            self._mailboxes.read_for(operation for operation, _ in batch)
            for operation, reply in batch:
                outcomes.append((reply, self._apply(operation, room)))
            changed = connection.total_changes != before
            self._wiping.changed |= changed
            durably = changed or self._probed or self._arrivals.pending
            if durably and self._undone:
                self._probe()
            if not (changed or self._probed):  # which writes nothing, and waits for nothing
                connection.execute("COMMIT")
            if durably:
                await self._commit_durably()
                self._undone = False
                if self._mailboxes.tally["appended"]:
                    self._watchers.trust()
            self._arrivals.keep()
            self._tell()
        except Exception:  # whatever it was, nothing was stored and the next batch must go on
            with contextlib.suppress(sqlite3.Error):
                self._undo()
            self._mailboxes.made = made
            self._activity.failed_commits += 1
            outcomes = [(reply, EngineUnavailable()) for _, reply in batch]
        self._activity.settle(self._mailboxes.tally, self._mailboxes.refused)
        for reply, outcome in outcomes:  # who waits may go on at once, and submit more
            reply.give(outcome)

    def _tell(self) -> bool:
        taken = self._watchers.call(self._mailboxes.take_changed())
        self._mailboxes.tally["delivered"] += taken
        return taken > 0

    async def _commit_durably(self) -> None:
        self._unwiped, self._probed = True, False
        told = self._watchers.early and self._tell()
        quick = self._arrivals.quick and not self._connection.in_transaction
        if quick and told:
            await asyncio.sleep(0)  # the streams send before this thread waits
        started = time.perf_counter()
        if quick:
            self._arrivals.write()
        else:
            await self._thread.run(self._store)
        self._activity.commits.add(time.perf_counter() - started)

    def _store(self) -> None:
        self._arrivals.write()
        self._connection.commit()  # nothing where it was ended before

    def _apply(self, operation: Operation[Any], room: bool) -> Any:
        if not room and isinstance(operation, _TAKING):
            return EngineUnavailable()
        try:
            return self._handlers[type(operation)](operation)
        except (QuotaReached, EngineUnavailable) as error:  # before anything was written
            return error

    def _undo(self) -> None:
        self._stale = True  # until all of it worked, which a failing disk may prevent
        # Of a COMMIT whose synchronisation failed, SQLite's log may hold all. It is written over
        # before anything else counts as stored: a crash would bring it back.
        self._undone, self._probed = True, False
        self._watchers.doubt()
        self._mailboxes.undo()
        self._arrivals.undo()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._slots.reload()
        self._mailboxes.reload()
        self._stale = False

    def _probe(self, operation: engine.Probe | None = None) -> None:
        # Written even when it is the same, and it counts as no change of any row.
        self._connection.execute(f"PRAGMA user_version = {VERSION}")
        self._probed = True

    def _sweep(self, operation: Sweep) -> int | None:
        self._tickets.sweep()
        if self._blobs.sweep():
            return operation.start
        return self._mailboxes.sweep(operation.start)

    def _settle(self) -> None:
        self._move(self._settling.some)

    def _tidy(self) -> bool:
        return self._move(self._settling.tidy)

    def _move(self, move: Callable[[], _Result]) -> _Result:
        before = self._connection.total_changes
        try:
            if self._stale:
                self._undo()
            return move()
        except _FULL:
            self._undo()
            raise
        finally:
            if self._connection.total_changes != before:
                self._unwiped = self._wiping.changed = True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
