"""The tasks that run while a profile is open, and the one round that headless commands do."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from exile_tui.core.backoff import Backoff, wait_any
from exile_tui.core.chores import Housekeeper, do_chores
from exile_tui.core.context import Context
from exile_tui.core.delivery import Courier, Held, deliver_once
from exile_tui.core.events import ConnectionChanged, DeliveryChanged, Event, MessageStored
from exile_tui.core.listening import Listener
from exile_tui.core.model import Connection, Link
from exile_tui.core.ports import EmbeddedRelay
from exile_tui.core.sending import answer
from exile_tui.core.upkeep import CHECK_S, ClockWatch, Upkeep
from exile_tui.errors import N_, ExileError, RelayUnreachable
from exile_tui.wire.address import RelayAddress, is_loopback

ANSWER_DELAY_S = 0.1
"""How long an acknowledgement waits for a message to ride on."""
_ELSEWHERE = N_(
    "The relay of this computer is not reached at {address} any more, but at {host}. Choose its "
    "address on the relay's screen; your messages are kept."
)


class Network:
    """Runs delivery, receiving, chores and upkeep of one open profile."""

    def __init__(
        self,
        context: Context,
        embedded: EmbeddedRelay | None,
        resume: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._context = context
        self._embedded = embedded
        self._watch = ClockWatch(context)
        self._courier = Courier(context)
        self._housekeeper = Housekeeper(context)
        self._upkeep = Upkeep(context, self._watch, resume)
        self._listeners: dict[RelayAddress, tuple[Listener, asyncio.Task[None]]] = {}
        self._reports: dict[RelayAddress, Connection] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] | None = None
        self.connection = Connection(Link.OFFLINE, context.own.relay)

    @property
    def clock_jump_ms(self) -> int | None:
        """By how much the wall clock jumped, None when it is believed."""
        return self._watch.jump_ms

    async def confirm_clock(self) -> None:
        """Believe the wall clock again; what expired meanwhile goes now."""
        await self._watch.confirm()

    async def start(self) -> None:
        """Start every task. What was not acknowledged goes again: the relay may have lost it."""
        if self._tasks:
            return
        await self._watch.begin()
        async with self._context.store.transaction() as tx:
            await tx.outbox.set_due(contact_id=None, appended_before_ms=None)
        self._unsubscribe = self._context.events.subscribe(self._on_event)
        self._context.signals.answer.set()
        self._context.signals.listen.set()
        for run in (self._answer, self._keep_up):
            self._spawn(run())
        for guarded in (self._listen, self._courier.run, self._housekeeper.run):
            self._spawn(self._guard(guarded))
        await self._count_waiting()

    async def stop(self) -> None:
        """Stop every task and wait for it."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        tasks, self._tasks = self._tasks, []
        tasks += [task for _, task in self._listeners.values()]
        self._listeners.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._embedded is not None:
            with contextlib.suppress(ExileError):
                await self._embedded.release()

    def reconnect_now(self) -> None:
        """Stop waiting: try everything now."""
        for listener, _ in self._listeners.values():
            listener.retry.set()
        self._courier.retry_now()
        self._context.signals.retry.set()

    async def synchronize(self) -> None:
        """Do one round: chores, delivery, receiving until caught up, answers.

        Raises:
            RelayError: Our own relay, or a peer's, is out of reach; what could be done was done.
        """
        await self._watch.begin()
        await self._upkeep.once()
        errors: list[ExileError] = []
        # Twice: what is received may ask for an answer, and a mailbox to be made or given up.
        for _ in range(2):
            errors = await self._chores()
            await answer(self._context)
            late = await deliver_once(self._context)
            errors += await self._catch_up()
            errors += late
            if errors:
                break
        await answer(self._context)
        errors += await deliver_once(self._context)
        errors += await self._chores()
        for problem in errors:
            if not isinstance(problem, Held):
                raise problem

    async def _chores(self) -> list[ExileError]:
        """Do the chores; what goes wrong at a relay that we left can wait."""
        errors = await do_chores(self._context)
        own = self._context.own.relay
        return [errors[own]] if own in errors else []

    async def _catch_up(self) -> list[ExileError]:
        """Receive what lies at each of our relays, all of them at once."""
        addresses = await self._addresses()
        found = await asyncio.gather(
            *(Listener(self._context, address, lambda _: None).catch_up() for address in addresses),
            return_exceptions=True,
        )
        errors: list[ExileError] = []
        for address, error in zip(addresses, found, strict=True):
            if isinstance(error, BaseException) and not isinstance(error, ExileError):
                raise error
            if error is not None and address == self._context.own.relay:
                errors.append(error)
        return errors

    # -- tasks ---------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._finished)
        self._tasks.append(task)

    def _finished(self, task: asyncio.Task[None]) -> None:
        """Show a failure that nobody expected, rather than stop in silence."""
        if not task.cancelled() and task.exception() is not None:
            problem = ExileError()
            problem.__cause__ = task.exception()
            self._report_problem(problem)

    async def _guard(self, run: Callable[[], Awaitable[None]]) -> None:
        """Keep a task going when the disk fails under it."""
        backoff = Backoff(self._context.entropy)
        while True:
            try:
                await run()
            except ExileError as error:
                self._report_problem(error)
                # It stays set from the last time that somebody asked.
                self._context.signals.retry.clear()
                await wait_any(backoff.next(), self._context.signals.retry)

    async def _listen(self) -> None:
        """Keep one listener for each of our relays."""
        signal = self._context.signals.listen
        while True:
            signal.clear()
            addresses = await self._addresses()
            await self._leave([each for each in self._listeners if each not in addresses])
            for address in addresses:
                if address in self._listeners and not self._listeners[address][1].done():
                    self._listeners[address][0].changed.set()
                    continue
                listener = Listener(self._context, address, self._report)
                prepare = functools.partial(self._prepare, address)
                task = asyncio.create_task(listener.run(prepare))
                task.add_done_callback(self._finished)
                self._listeners[address] = (listener, task)
            self._look_at_own()
            await signal.wait()

    async def _leave(self, addresses: Sequence[RelayAddress]) -> None:
        """Stop listening at relays where nothing of ours is left."""
        for address in addresses:
            _, task = self._listeners.pop(address)
            self._reports.pop(address, None)
            task.cancel()
            await asyncio.wait({task})
            if self._embedded is not None and not any(map(self._is_embedded, self._listeners)):
                with contextlib.suppress(ExileError):
                    await self._embedded.release()

    def _is_embedded(self, address: RelayAddress) -> bool:
        """Tell whether one of our relays is the one of this computer."""
        own = self._context.own
        if address == own.relay:
            return own.embedded
        return any(left.embedded and left.relay.pin == address.pin for left in own.former)

    async def _prepare(self, address: RelayAddress) -> None:
        """See to it that the embedded relay runs, where it is needed.

        Raises:
            RelayError: It does not start, or is reached under another address by now.
        """
        if self._embedded is None or not self._is_embedded(address):
            return
        there = await self._embedded.ensure()
        if there.pin == address.pin and there != address and not is_loopback(address.host):
            raise RelayUnreachable(_ELSEWHERE, address=address.authority, host=there.host)

    async def _addresses(self) -> list[RelayAddress]:
        async with self._context.store.snapshot() as tx:
            mailboxes = await tx.mailboxes.all()
        return list(dict.fromkeys([self._context.own.relay, *(box.relay for box in mailboxes)]))

    async def _answer(self) -> None:
        signal = self._context.signals.answer
        while True:
            await signal.wait()
            signal.clear()
            await asyncio.sleep(ANSWER_DELAY_S)
            with contextlib.suppress(ExileError):
                await answer(self._context)

    async def _keep_up(self) -> None:
        while True:
            with contextlib.suppress(ExileError):
                await self._upkeep.once()
            await asyncio.sleep(CHECK_S)

    # -- the connection ------------------------------------------------------------------------

    def _look_at_own(self) -> None:
        """Show the relay that is ours by now."""
        own = self._context.own.relay
        if self.connection.relay != own:
            self._report(self._reports.get(own, Connection(Link.CONNECTING, own)))

    def _report(self, connection: Connection) -> None:
        if connection.relay is not None:
            self._reports[connection.relay] = connection
        if connection.relay != self._context.own.relay:
            return
        if connection.link is Link.ONLINE and self.connection.link is not Link.ONLINE:
            # What waited for a network need not wait longer.
            self._courier.retry_now()
            self._context.signals.retry.set()
            self._context.signals.chores.set()
        self._set(replace(connection, waiting=self.connection.waiting))

    def _report_problem(self, error: ExileError) -> None:
        self._set(replace(self.connection, problem=error))

    def _set(self, connection: Connection) -> None:
        if connection != self.connection:
            self.connection = connection
            self._context.emit(ConnectionChanged(connection))

    def _on_event(self, event: Event) -> None:
        if isinstance(event, MessageStored | DeliveryChanged):
            self._spawn_count()

    def _spawn_count(self) -> None:
        self._tasks = [task for task in self._tasks if not task.done()]
        self._spawn(self._count_waiting())

    async def _count_waiting(self) -> None:
        with contextlib.suppress(ExileError):
            async with self._context.store.snapshot() as tx:
                waiting = await tx.messages.count_waiting()
            self._set(replace(self.connection, waiting=waiting))
