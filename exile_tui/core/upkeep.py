"""What time brings: expiry, re-appending, and a clock that can't be believed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from exile_tui.clock import DAY_MS, HOUR_MS, MINUTE_MS
from exile_tui.core.context import Context
from exile_tui.core.events import ClockJumped, DeliveryChanged, InvitesChanged
from exile_tui.core.following import end_moves
from exile_tui.core.inviting import GRACE_MS, close_invite
from exile_tui.core.model import ContactState, Delivery, InviteState, Reason
from exile_tui.core.noting import Outcome, note_missing
from exile_tui.core.ports import Transaction
from exile_tui.core.sealing import load_session
from exile_tui.core.settings import CLOCK_JUMP, LAST_WALL
from exile_tui.core.verifying import check_verified

KEEP_MS = 14 * DAY_MS
"""How long the bytes of a message that is not acknowledged are kept."""
RETENTION_MS = 3 * DAY_MS
"""How long a relay keeps an envelope by default; we append again a little earlier."""
REAPPEND_MS = RETENTION_MS - 2 * HOUR_MS
REQUEST_MS = DAY_MS
"""How often a request goes again until it is answered."""
JUMP_MS = DAY_MS
"""A wall clock that moves further than this against the monotonic one is not believed."""
CHECK_S = 60.0


async def reappend(context: Context) -> None:
    """Make due what a relay may be about to drop, and requests that nobody answered for a day."""
    now = context.clock.now_ms()
    async with context.store.transaction() as tx:
        count = await tx.outbox.set_due(contact_id=None, appended_before_ms=now - REAPPEND_MS)
        for contact in await tx.contacts.all():
            if contact.state is ContactState.JOINING:
                count += await tx.outbox.set_due(
                    contact_id=contact.id, appended_before_ms=now - REQUEST_MS
                )
    if count:
        context.signals.outbox.set()


async def expire(context: Context) -> None:
    """Let go of what its time has passed: invites, undelivered bytes, hashes, skipped keys."""
    outcome = Outcome()
    async with context.store.transaction() as tx:
        invites = await _expire_invites(context, tx)
        await _expire_outbox(context, tx, outcome)
        await tx.seen.expire(context.day - KEEP_MS // DAY_MS)
        for contact in await tx.contacts.all():
            session, version = await load_session(tx, contact.id)
            session, lapsed = session.expire(context.day)
            if lapsed:
                await tx.sessions.update(contact.id, session.to_bytes(), version)
                await note_missing(context, tx, outcome, contact, lapsed)
    if invites:
        outcome.add(InvitesChanged())
        context.signals.chores.set()
        context.signals.listen.set()
    context.emit(*outcome.events)


async def _expire_invites(context: Context, tx: Transaction) -> bool:
    now, changed = context.clock.now_ms(), False
    for invite in await tx.invites.all():
        if invite.secret and now >= invite.expires_ms + GRACE_MS:
            await close_invite(tx, invite, InviteState.EXPIRED)
            changed = True
        elif invite.state is InviteState.OPEN and now >= invite.expires_ms:
            # Nobody can open it any more; a request that is on its way is still taken.
            await tx.invites.update(replace(invite, state=InviteState.EXPIRED, blob=b""))
            changed = True
    return changed


async def _expire_outbox(context: Context, tx: Transaction, outcome: Outcome) -> None:
    now = context.clock.now_ms()
    for entry in await tx.outbox.created_before(now - KEEP_MS):
        contact = await tx.contacts.get(entry.contact_id)
        waits = contact is not None and contact.state is ContactState.JOINING
        if contact is not None and waits and now < contact.expiry_ms + GRACE_MS:
            continue
        await tx.outbox.delete([entry.id])
        if await tx.messages.set_delivery(
            entry.contact_id, entry.content_ids, Delivery.FAILED, Reason.NONE
        ):
            outcome.add(DeliveryChanged(entry.contact_id))


class ClockWatch:
    """Notices a wall clock that jumped, in a run and between runs.

    A forward jump between two runs can't be told from a program that was not started.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._wall = context.clock.now_ms()
        self._monotonic = context.clock.monotonic()
        self._begun = False
        self.jump_ms: int | None = None

    async def begin(self) -> None:
        """Read once what the last run left: a jump that nobody confirmed, and when it was."""
        if self._begun:
            return
        self._begun = True
        async with self._context.store.snapshot() as tx:
            jump = await tx.settings.get(CLOCK_JUMP)
            last = await tx.settings.get(LAST_WALL)
        if jump is not None:
            self.jump_ms = int(jump)
            self._context.believed_day = int(last or self._wall) // DAY_MS
        elif last is not None and self._wall < int(last) - JUMP_MS:
            await self._jumped(self._wall - int(last), int(last))
        else:
            await self._remember()

    async def check(self) -> None:
        """Compare wall and monotonic time; keep a jump on disk until it is confirmed."""
        wall, monotonic = self._context.clock.now_ms(), self._context.clock.monotonic()
        drift = (wall - self._wall) - int((monotonic - self._monotonic) * 1000)
        believed, self._wall, self._monotonic = self._wall, wall, monotonic
        if self.jump_ms is None and abs(drift) > JUMP_MS:
            await self._jumped(drift, believed)
        elif self.jump_ms is None:
            await self._remember()

    async def confirm(self) -> None:
        """Believe the wall clock from now on."""
        self._wall, self._monotonic = self._context.clock.now_ms(), self._context.clock.monotonic()
        async with self._context.store.transaction() as tx:
            await tx.settings.delete(CLOCK_JUMP)
            await tx.settings.set(LAST_WALL, str(self._wall))
        self.jump_ms = None
        self._context.believed_day = None

    async def _jumped(self, by_ms: int, believed_ms: int) -> None:
        self.jump_ms = by_ms
        self._context.believed_day = believed_ms // DAY_MS
        async with self._context.store.transaction() as tx:
            await tx.settings.set(CLOCK_JUMP, str(by_ms))
        self._context.emit(ClockJumped(by_ms))

    async def _remember(self) -> None:
        async with self._context.store.transaction() as tx:
            await tx.settings.set(LAST_WALL, str(self._wall))


class Upkeep:
    """Checks the clock every minute and lets things expire every hour."""

    def __init__(
        self,
        context: Context,
        watch: ClockWatch,
        resume: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Make one that has not checked anything yet.

        Args:
            context: The profile's.
            watch: Its clock's.
            resume: Goes on with what was begun and failed, as on a disk that was full.
        """
        self._context = context
        self._watch = watch
        self._resume = resume
        self._last_ms: int | None = None

    async def once(self) -> None:
        """Do what is due now; nothing expires while the clock is in doubt."""
        await self._watch.check()
        signals = self._context.signals
        for signal in (signals.outbox, signals.answer, signals.chores):
            # A use case that was cancelled, or a disk that failed, may have left work unannounced.
            signal.set()
        if self._resume is not None:
            await self._resume()
        now = self._context.clock.now_ms()
        if self._last_ms is not None and abs(now - self._last_ms) < 60 * MINUTE_MS:
            return
        self._last_ms = now
        await check_verified(self._context)
        if self._watch.jump_ms is None:
            # Or what a clock in the future wrote would neither go again nor be given up.
            async with self._context.store.transaction() as tx:
                await tx.outbox.mend_times(now + JUMP_MS, now)
        await reappend(self._context)
        if self._watch.jump_ms is None:
            await expire(self._context)
            await end_moves(self._context)
        # In doubt about the clock too: what was deleted is not to wait for an answer.
        await self._context.store.wipe(large=True)
