"""Receive from one of our relays: stream, store, acknowledge, and begin again when it breaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import cast

from exile_tui.clock import SECOND_MS
from exile_tui.core.backoff import Backoff, asked_wait, wait_any
from exile_tui.core.context import Context
from exile_tui.core.model import Connection, InviteState, Link, MailboxState, OwnMailbox
from exile_tui.core.ports import Transaction
from exile_tui.core.receiving import receive_batch
from exile_tui.errors import ExileError, RelayUnreachable, TryLater
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import CaughtUp, EnvelopeFrame, Frame, Goodbye, RefusedFrame

Report = Callable[[Connection], None]


class Listener:
    """The receiving side of one relay address."""

    def __init__(self, context: Context, address: RelayAddress, report: Report) -> None:
        """Make a listener.

        Args:
            context: The profile.
            address: The relay.
            report: Takes every change of the connection.
        """
        self.changed = asyncio.Event()
        """Set it when the set of mailboxes may have changed."""
        self.retry = asyncio.Event()
        """Set it to try at once."""
        self._context = context
        self._address = address
        self._report = report

    async def run(self, prepare: Callable[[], object] | None = None) -> None:
        """Receive until cancelled, reconnecting with full jitter."""
        backoff = Backoff(self._context.entropy)
        while True:
            self._report(Connection(Link.CONNECTING, self._address))
            try:
                if prepare is not None:
                    result = prepare()
                    if asyncio.iscoroutine(result):
                        await result
                await self._receive(backoff)
            except ExileError as error:
                if not isinstance(error, TryLater):
                    await self._suspect()
                pause = backoff.next(asked_wait(error))
                at = self._context.clock.now_ms() + int(pause * SECOND_MS)
                self._report(Connection(Link.OFFLINE, self._address, at, error))
                self.retry.clear()
                await wait_any(pause, self.retry)

    async def _receive(self, backoff: Backoff) -> None:
        """Receive over one connection until the set of mailboxes changes."""
        self.changed.clear()
        mailboxes = await self._mailboxes()
        if not mailboxes:
            await self._context.relays(self._address).facts()
            self._online(backoff)
            await self.changed.wait()
            return
        async with (
            _stream(self._context, self._address, mailboxes) as frames,
            contextlib.aclosing(_until(frames, self.changed)) as batches,
        ):
            lost = False
            async for batch in batches:
                lost |= any(isinstance(frame, RefusedFrame) for frame in batch)
                self._online(None if lost else backoff)
                await self._take(mailboxes, batch)
                if any(isinstance(frame, Goodbye) for frame in batch):
                    raise RelayUnreachable(address=self._address.authority)
        if not self.changed.is_set():
            raise RelayUnreachable(address=self._address.authority)
        if lost:
            # A relay that makes mailboxes and knows none must not keep us busy.
            self.retry.clear()
            await wait_any(backoff.next(), self.retry)

    async def catch_up(self) -> None:
        """Receive until every mailbox of this relay is caught up, then stop.

        Raises:
            RelayError: The relay is out of reach.
        """
        mailboxes = await self._mailboxes()
        missing = set(range(len(mailboxes)))
        if not missing:
            return
        async with _stream(self._context, self._address, mailboxes) as frames:
            async for batch in frames:
                await self._take(mailboxes, batch)
                for frame in batch:
                    if isinstance(frame, CaughtUp | RefusedFrame):
                        missing.discard(frame.index)
                if not missing:
                    return
        raise RelayUnreachable(address=self._address.authority)

    def _online(self, backoff: Backoff | None) -> None:
        if backoff is not None:
            backoff.reset()
        self._report(Connection(Link.ONLINE, self._address))

    async def _mailboxes(self) -> list[OwnMailbox]:
        async with self._context.store.snapshot() as tx:
            mailboxes = await tx.mailboxes.all()
        return [
            mailbox
            for mailbox in mailboxes
            if mailbox.relay == self._address
            and mailbox.state in (MailboxState.ALIVE, MailboxState.RETIRING)
        ]

    async def _take(self, mailboxes: Sequence[OwnMailbox], frames: Sequence[Frame]) -> None:
        envelopes = [frame for frame in frames if isinstance(frame, EnvelopeFrame)]
        envelopes = [frame for frame in envelopes if frame.index < len(mailboxes)]
        if envelopes:
            await receive_batch(
                self._context,
                [(mailboxes[frame.index].id, frame.envelope) for frame in envelopes],
            )
            await self._acknowledge(mailboxes, envelopes)
            await self._context.store.truncate_wal()
        for frame in frames:
            if isinstance(frame, RefusedFrame) and frame.index < len(mailboxes):
                await self._lost(mailboxes[frame.index])
            elif isinstance(frame, CaughtUp) and frame.index < len(mailboxes):
                await self._caught_up(mailboxes[frame.index])

    async def _acknowledge(
        self, mailboxes: Sequence[OwnMailbox], envelopes: Sequence[EnvelopeFrame]
    ) -> None:
        seqs: defaultdict[int, list[int]] = defaultdict(list)
        for frame in envelopes:
            seqs[frame.index].append(frame.seq)
        relay = self._context.relays(self._address)
        for index, numbers in seqs.items():
            mailbox = mailboxes[index]
            await relay.acknowledge(mailbox.id, mailbox.receive_token, numbers)

    async def _lost(self, mailbox: OwnMailbox) -> None:
        """Have a mailbox made again that the relay does not know any more.

        A relay that lost ours has lost the rest too: what it had stored for the peers goes again,
        and so do open invites.
        """
        async with self._context.store.transaction() as tx:
            current = await tx.mailboxes.get(mailbox.id)
            if current is None:
                return
            if current.state is MailboxState.RETIRING:
                await tx.mailboxes.delete(current.id)
            elif current.state is MailboxState.ALIVE:
                await tx.mailboxes.update(replace(current, state=MailboxState.WANTED))
            for invite in await tx.invites.all():
                if invite.state is InviteState.OPEN and invite.relay == self._address:
                    await tx.invites.update(replace(invite, published=False))
            await self._append_again(tx)
        self._context.signals.chores.set()
        self._context.signals.outbox.set()

    async def _suspect(self) -> None:
        """Append again what a relay held that was gone for a while: it may have lost it.

        It all goes before anything newer, so that the peer gets it in order. One that asks to try
        later was there all the while, and would be asked for more.
        """
        with contextlib.suppress(ExileError):
            async with self._context.store.transaction() as tx:
                await self._append_again(tx)

    async def _append_again(self, tx: Transaction) -> None:
        for contact in await tx.contacts.all():
            peer = contact.peer_mailbox
            if peer is not None and peer.address == self._address:
                await tx.outbox.set_due(contact_id=contact.id, appended_before_ms=None)

    async def _caught_up(self, mailbox: OwnMailbox) -> None:
        """Give up a mailbox that was only to be emptied."""
        if mailbox.state is not MailboxState.RETIRING:
            return
        async with self._context.store.transaction() as tx:
            current = await tx.mailboxes.get(mailbox.id)
            # The contact may have been deleted since the stream began, and the mailbox with it.
            if current is None or current.state is not MailboxState.RETIRING:
                return
            await tx.mailboxes.update(replace(current, state=MailboxState.DOOMED))
        self._context.signals.chores.set()


@contextlib.asynccontextmanager
async def _stream(
    context: Context, address: RelayAddress, mailboxes: Sequence[OwnMailbox]
) -> AsyncIterator[AsyncIterator[Sequence[Frame]]]:
    """Open the receive stream and see to it that it is closed."""
    pairs = [(mailbox.id, mailbox.receive_token) for mailbox in mailboxes]
    frames = context.relays(address).receive(pairs)
    try:
        yield frames
    finally:
        await cast("AsyncGenerator[Sequence[Frame], None]", frames).aclose()


async def _until(
    frames: AsyncIterator[Sequence[Frame]], stop: asyncio.Event
) -> AsyncGenerator[Sequence[Frame], None]:
    """Hand on batches until the stream ends or `stop` is set; only a wait is ever cut short."""
    stopping = asyncio.ensure_future(stop.wait())
    batch: asyncio.Future[Sequence[Frame] | None] | None = None
    try:
        while not stop.is_set():
            batch = asyncio.ensure_future(anext(frames, None))
            await asyncio.wait({batch, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not batch.done():
                return
            taken = batch.result()
            if taken is None:
                return
            yield taken
    finally:
        stopping.cancel()
        if batch is not None and not batch.done():
            batch.cancel()
            await asyncio.wait({batch})
