"""The engine of one machine: SQLite with group commit.

Whatever was submitted during one turn of the event loop becomes one transaction. Its statements run
in the loop, some microseconds each; only COMMIT, which waits for the disk, runs in a thread. The
next batch gathers meanwhile, so that durability costs nearly nothing under load.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from exile_tui.clock import Clock
from exile_tui.relay import engine
from exile_tui.relay.activity import Activity
from exile_tui.relay.blobs import Blobs
from exile_tui.relay.engine import EngineUnavailable, Operation, QuotaReached, Sweep
from exile_tui.relay.limits import Limits, today
from exile_tui.relay.mailboxes import Mailboxes
from exile_tui.relay.schema import PAGE, VERSION, open_database
from exile_tui.relay.slots import Slots
from exile_tui.relay.steady import SteadyCalendar
from exile_tui.relay.tickets import Tickets

MAX_BATCH = 512
"""Operations in one transaction; larger batches gained nothing when measured."""

WIPE_INTERVAL = 20.0
"""Seconds between truncations of the write-ahead log, of the 60 that are promised."""

REWRITE_LIMIT = 32 * 1024 * 1024
"""Bytes of what is rewritten at most after ids were deleted: 0.2 s of the disk's time."""

ORDER_LIMIT = 8 * 1024 * 1024
"""Bytes of what is rewritten at most after any change, to give up the order of arrival.

Between few envelopes the order would tell who answered whom.
"""

_TAKING = (
    engine.CreateMailbox,
    engine.Append,
    engine.PutTicket,
    engine.PutBlobs,
    engine.Probe,
)
"""What is not done on a disk that is nearly full."""

_Result = TypeVar("_Result")
_Job = tuple[Operation[Any], "asyncio.Future[Any]"]


class SqliteEngine:
    """Stores for a relay in one SQLite file. Open with `await SqliteEngine.open(...)`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        limits: Limits,
        clock: Clock,
        wipe_interval: float,
    ) -> None:
        self._connection = connection
        self._path = path
        self._reserve = limits.disk_reserve
        self._clock = clock
        self._wipe_interval = wipe_interval
        self._slots = Slots(connection)
        self._tickets = Tickets(connection, limits, clock)
        self._mailboxes = Mailboxes(connection, self._slots, self._tickets, limits, clock)
        self._blobs = Blobs(connection, self._slots, limits, clock)
        self._handlers: dict[type[Operation[Any]], Callable[[Any], Any]] = {
            engine.CreateMailbox: self._mailboxes.create,
            engine.DeleteMailbox: self._mailboxes.delete,
            engine.Append: self._mailboxes.append,
            engine.Acknowledge: self._mailboxes.acknowledge,
            engine.OpenMailboxes: self._mailboxes.open,
            engine.Fetch: self._mailboxes.fetch,
            engine.CountBytes: self._mailboxes.count_bytes,
            engine.CheckToken: self._mailboxes.check,
            engine.Disclose: self._mailboxes.disclose,
            engine.PutTicket: self._tickets.put,
            engine.PutBlobs: self._blobs.put,
            engine.GetBlobs: self._blobs.get,
            engine.DeleteBlob: self._blobs.delete,
            engine.CountAll: self._count_all,
            engine.Sweep: self._sweep,
            engine.Probe: self._probe,
        }
        self._queue: deque[_Job] = deque()
        self._watchers: dict[bytes, set[Callable[[], None]]] = {}
        self._work = asyncio.Event()
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relay-commit")
        self._closing = False
        self._stale = False
        self._moved = False
        self._probed = False
        self._changed = True
        self._unwiped = True  # what a killed predecessor left in the log
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
            DamagedDatabase: The file can't be used; nothing was changed.
        """
        self = cls(open_database(path), path, limits, clock, wipe_interval)
        with contextlib.suppress(sqlite3.OperationalError):  # a full disk: again after the interval
            await self.wipe()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._maintain())]
        return self

    async def submit(self, operation: Operation[_Result]) -> _Result:
        """Do an operation; it is durable when this returns (see `engine.Engine`)."""
        if self._closing:
            raise EngineUnavailable
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._queue.append((operation, future))
        self._work.set()
        return await future

    def watch(self, mailbox_id: bytes, wake: Callable[[], None]) -> None:
        """Call `wake` after something new lies in a mailbox, or after it was deleted."""
        self._watchers.setdefault(mailbox_id, set()).add(wake)

    def unwatch(self, mailbox_id: bytes, wake: Callable[[], None]) -> None:
        """Stop calling `wake`."""
        watchers = self._watchers.get(mailbox_id, set())
        watchers.discard(wake)
        if not watchers:
            self._watchers.pop(mailbox_id, None)

    def mailboxes(self) -> engine.MailboxCount:
        """Return how many mailboxes there are (see `engine.Engine`)."""
        return engine.MailboxCount(self._mailboxes.count, self._mailboxes.made)

    def activity(self) -> Activity:
        """Return what was done since the start (see `engine.Engine`)."""
        log = self._path.with_name(f"{self._path.name}-wal")
        self._activity.database_bytes = _size(self._path)
        self._activity.log_bytes = _size(log)
        return self._activity

    async def wipe(self) -> None:
        """Make deleted bytes unrecoverable from the files: empty the log, rewrite a small file."""
        async with self._turn:
            if self._unwiped:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._thread, self._wipe)

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
            with contextlib.suppress(sqlite3.OperationalError):  # a full disk: at the next start
                await self.wipe()
        finally:
            self._thread.shutdown()
            self._connection.close()

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._work.wait()
            self._work.clear()
            while self._queue:
                async with self._turn:
                    size = min(MAX_BATCH, len(self._queue))
                    await self._commit([self._queue.popleft() for _ in range(size)])

    async def _commit(self, batch: list[_Job]) -> None:
        connection = self._connection
        before, made = connection.total_changes, self._mailboxes.made
        outcomes: list[tuple[asyncio.Future[Any], Any]] = []
        try:
            if self._stale:
                self._undo()
            connection.execute("BEGIN")
            room = self._has_room()
            for operation, future in batch:
                outcomes.append((future, self._apply(operation, room)))
            changed = connection.total_changes != before
            self._changed |= changed
            if changed or self._probed:
                await self._commit_durably()
            else:
                connection.execute("COMMIT")
        except Exception:  # whatever it was, nothing was stored and the next batch must go on
            with contextlib.suppress(sqlite3.Error):
                self._undo()
            self._mailboxes.made = made
            self._activity.failed_commits += 1
            outcomes = [(future, EngineUnavailable()) for _, future in batch]
        for future, outcome in outcomes:
            if future.done():  # the client is gone
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._activity.settle(self._mailboxes.tally, self._mailboxes.refused)
        self._notify()

    async def _commit_durably(self) -> None:
        self._unwiped, self._probed = True, False
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        await loop.run_in_executor(self._thread, self._connection.execute, "COMMIT")
        self._activity.commits.add(time.perf_counter() - started)

    def _apply(self, operation: Operation[Any], room: bool) -> Any:
        if not room and isinstance(operation, _TAKING):
            return EngineUnavailable()
        try:
            return self._handlers[type(operation)](operation)
        except QuotaReached as error:  # raised before anything was written
            return error

    def _has_room(self) -> bool:
        try:
            free = shutil.disk_usage(self._path.parent).free
        except OSError:  # a disk that tells nothing: whether it commits is seen then
            return True
        if free < self._reserve:
            return min(free, self._slots.free_bytes()) >= self._reserve // 2
        return True

    def _undo(self) -> None:
        self._stale = True  # until all of it worked, which a failing disk may prevent
        self._probed = False
        for gathered in (
            self._mailboxes.changed,
            self._mailboxes.tally,
            self._mailboxes.refused,
        ):
            gathered.clear()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._slots.reload()
        self._mailboxes.reload()
        self._stale = False

    def _notify(self) -> None:
        changed = self._mailboxes.changed
        for mailbox_id in changed:
            for wake in tuple(self._watchers.get(mailbox_id, ())):
                wake()
        changed.clear()

    async def _maintain(self) -> None:
        swept, calendar = None, SteadyCalendar(self._clock)
        while True:
            try:
                if calendar.may_be_believed() and swept != (day := today(self._clock)):
                    await self._sweep_all()
                    swept = day
                await self.wipe()
            except (EngineUnavailable, sqlite3.Error):  # a full disk: again after the interval
                pass
            await asyncio.sleep(self._wipe_interval)

    async def _sweep_all(self) -> None:
        start: int | None = 0
        while start is not None:
            start = await self.submit(Sweep(start))

    def _count_all(self, operation: engine.CountAll) -> engine.Totals:
        execute = self._connection.execute
        (mailboxes,) = execute("SELECT count(*) FROM mailboxes").fetchone()
        envelopes = execute("SELECT count(*), coalesce(sum(size), 0) FROM slots WHERE seq >= 0")
        blobs = execute("SELECT count(*), coalesce(sum(length), 0) FROM blobs")
        return engine.Totals(mailboxes, *envelopes.fetchone(), *blobs.fetchone())

    def _probe(self, operation: engine.Probe) -> None:
        # Written even when it is the same, and it counts as no change of any row.
        self._connection.execute(f"PRAGMA user_version = {VERSION}")
        self._probed = True

    def _sweep(self, operation: Sweep) -> int | None:
        self._tickets.sweep()
        if self._blobs.sweep():
            return operation.start
        return self._mailboxes.sweep(operation.start)

    def _wipe(self) -> None:
        try:
            if self._changed:
                self._forget()
                self._changed = False
        finally:  # where there is no room for rewriting, what was deleted must leave the log still
            checkpoint = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _, _ = checkpoint.fetchone()
            self._unwiped = bool(busy) or self._changed

    def _forget(self) -> None:
        """Rewrite the file where it is small enough, so that it holds no order and no old row."""
        parts = (self._mailboxes, self._blobs, self._tickets)
        limit = ORDER_LIMIT
        if any(part.forgot for part in parts):
            limit = REWRITE_LIMIT
        if self._moved or self._held_bytes() <= limit:
            self._rewrite()
            for part in parts:
                part.forgot = False

    def _rewrite(self) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._slots.shuffle()
            self._mailboxes.reload()
            connection.execute("COMMIT")
        except sqlite3.Error:
            self._undo()
            raise
        self._moved = True  # copies of what was moved may lie anywhere
        connection.execute("VACUUM")
        self._moved = False

    def _held_bytes(self) -> int:
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (unused,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        return int(pages - unused) * PAGE - self._slots.free_bytes()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
