"""Bring the outbox to the peers' relays, in order for each contact (docs/protocol.md, 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from exile_tui.core.backoff import Backoff, asked_wait, wait_any
from exile_tui.core.context import Context
from exile_tui.core.events import DeliveryChanged
from exile_tui.core.model import ContactState, Delivery, OutboxEntry, Reason
from exile_tui.errors import ExileError, RelayError, RelayKeyMismatch, TryLater
from exile_tui.wire.mailbox import MailboxDescriptor
from exile_tui.wire.relay import MAX_APPEND, Verdict

_REASONS = {
    Verdict.FULL: Reason.FULL,
    Verdict.REFUSED: Reason.REFUSED,
    Verdict.BAD_SIZE: Reason.REFUSED,
    Verdict.TRY_LATER: Reason.LATER,
}


class Held(RelayError):
    """The peer's relay answered, and kept something back."""

    def __init__(self, reason: Reason) -> None:
        super().__init__()
        self.reason = reason


async def append_due(context: Context, contact_id: int, at_once: int = MAX_APPEND) -> None:
    """Append everything that is due to a contact, until nothing is.

    Args:
        context: The profile.
        contact_id: The contact.
        at_once: Envelopes in one request.

    Raises:
        Held: The relay did not take all of it; the reason stands at the messages.
        RelayError: The peer's relay is out of reach or not itself.
    """
    while True:
        async with context.store.snapshot() as tx:
            contact = await tx.contacts.get(contact_id)
            entries = await tx.outbox.due(contact_id, at_once)
        if not entries or contact is None or contact.peer_mailbox is None:
            return
        if contact.state is ContactState.REQUESTED:
            return
        await _append(context, contact_id, contact.peer_mailbox, entries)


async def _append(
    context: Context, contact_id: int, to: MailboxDescriptor, entries: Sequence[OutboxEntry]
) -> None:
    relay = context.relays(to.address)
    try:
        verdicts = await relay.append(
            to.mailbox_id, to.send_token, [entry.envelope for entry in entries]
        )
    except RelayError as error:
        reason = Reason.OFFLINE
        if isinstance(error, RelayKeyMismatch):
            reason = Reason.WRONG_KEY
        elif isinstance(error, TryLater):
            reason = Reason.LATER
        await _note(context, contact_id, [], entries, reason, to)
        raise
    stored = next(
        (at for at, verdict in enumerate(verdicts) if verdict is not Verdict.STORED), len(entries)
    )
    reason = _REASONS[verdicts[stored]] if stored < len(entries) else Reason.NONE
    await _note(context, contact_id, entries[:stored], entries[stored:], reason, to)
    if reason is not Reason.NONE:
        raise Held(reason)


async def _note(
    context: Context,
    contact_id: int,
    stored: Sequence[OutboxEntry],
    held: Sequence[OutboxEntry],
    reason: Reason,
    to: MailboxDescriptor,
) -> None:
    """Write down what became of the entries, in one transaction."""
    async with context.store.transaction() as tx:
        contact = await tx.contacts.get(contact_id)
        if contact is not None and contact.peer_mailbox == to:
            await tx.outbox.stored([entry.id for entry in stored], context.clock.now_ms())
        # Else the peer moved meanwhile: they stay due, for its new mailbox.
        changed = await tx.messages.set_delivery(
            contact_id, _ids(stored), Delivery.SENT, Reason.NONE
        )
        never = [entry for entry in held if entry.appended_ms is None]
        changed += await tx.messages.set_delivery(contact_id, _ids(never), Delivery.WAITING, reason)
        if reason in (Reason.REFUSED, Reason.OFFLINE):
            # The mailbox is gone, or the relay was and may have lost what it had stored: all of it
            # goes again, in order. What still lies there is not stored twice.
            await tx.outbox.set_due(contact_id=contact_id, appended_before_ms=None)
    if changed:
        context.emit(DeliveryChanged(contact_id))


def _ids(entries: Sequence[OutboxEntry]) -> list[bytes]:
    return [key for entry in entries for key in entry.content_ids]


async def deliver_once(context: Context) -> list[ExileError]:
    """Try every contact once; return what went wrong."""
    async with context.store.snapshot() as tx:
        contacts = await tx.outbox.due_contacts()
    results = await asyncio.gather(
        *(append_due(context, contact_id) for contact_id in contacts), return_exceptions=True
    )
    errors: list[ExileError] = []
    for result in results:
        if isinstance(result, ExileError):
            errors.append(result)
        elif isinstance(result, BaseException):
            raise result
    return errors


class Courier:
    """Keeps one delivery under way for each contact that has something due."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._running: dict[int, asyncio.Task[None]] = {}
        self._backoffs: dict[int, Backoff] = {}
        self._not_before: dict[int, float] = {}
        self._at_once: dict[int, int] = {}
        """Envelopes in one request to whose relay asked to try later: it may have room for few."""

    async def run(self) -> None:
        """Deliver until cancelled."""
        signals = self._context.signals
        try:
            while True:
                signals.outbox.clear()
                await self._start_due()
                await wait_any(self._next_try(), signals.outbox)
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def retry_now(self) -> None:
        """Forget every wait."""
        self._not_before.clear()
        self._context.signals.outbox.set()

    async def _start_due(self) -> None:
        async with self._context.store.snapshot() as tx:
            contacts = await tx.outbox.due_contacts()
        now = self._context.clock.monotonic()
        rerouted = self._context.signals.rerouted
        while rerouted:
            self._not_before.pop(rerouted.pop(), None)
        # A wait for somebody with nothing left to get would be over again and again.
        self._not_before = {
            contact_id: at
            for contact_id, at in self._not_before.items()
            if contact_id in contacts or contact_id in self._running
        }
        for contact_id in contacts:
            if contact_id in self._running or self._not_before.get(contact_id, now) > now:
                continue
            self._running[contact_id] = asyncio.create_task(self._deliver(contact_id))

    def _next_try(self) -> float | None:
        now = self._context.clock.monotonic()
        waits = [at - now for key, at in self._not_before.items() if key not in self._running]
        return max(0.0, min(waits)) if waits else None

    async def _deliver(self, contact_id: int) -> None:
        backoff = self._backoffs.setdefault(contact_id, Backoff(self._context.entropy))
        done, asked = False, 0.0
        at_once = self._at_once.pop(contact_id, MAX_APPEND)
        try:
            await append_due(self._context, contact_id, at_once)
            done = True
        except ExileError as error:
            asked = asked_wait(error)
            if isinstance(error, TryLater):
                self._at_once[contact_id] = max(1, at_once // 4)
        finally:
            # Whatever went wrong, it is not tried again at once.
            if done:
                backoff.reset()
                self._not_before.pop(contact_id, None)
            else:
                self._not_before[contact_id] = self._context.clock.monotonic() + backoff.next(asked)
            del self._running[contact_id]
            # Something may have become due after the last look.
            self._context.signals.outbox.set()
