"""Create mailboxes, and do the work that a busy relay asks for first (docs/protocol.md, 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from exile_tui.core.context import Context
from exile_tui.core.events import Work, WorkChanged
from exile_tui.core.model import OwnMailbox
from exile_tui.core.puzzle import Solver
from exile_tui.errors import N_, RelayBusy
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.mailbox import MailboxKeys
from exile_tui.wire.relay import MAX_TRIES, Puzzle, Solution

SLICE = 4096
"""Keys tried in one go, in a thread: some 15 ms. HMAC lets go of the interpreter at each key."""
TOLD_EVERY = 8
"""Slices from one look at what else goes on to the next."""
ATTEMPTS = 3
"""Solutions for one mailbox at one time: a relay may ask anew when the work took too long."""

PUT_OFF = N_("The relay {address} is busy and asks for work, which you put off. Nothing is lost.")
_TOO_MUCH = N_(
    "The relay {address} asks for more work than this program does for it. Your messages are kept; "
    "it is tried again later."
)


async def create_mailbox(
    context: Context, mailbox: OwnMailbox, authorization: bytes
) -> bytes | None:
    """Create a mailbox; return its renewal token, which may be empty.

    Returns None when the mailbox stopped being wanted in the meantime.

    Raises:
        RelayBusy: The work was put off, is too much, or is asked for again and again.
        RelayError: Whatever else the relay's client raises.
    """
    try:
        return await _create(context, mailbox, authorization)
    except RelayBusy as error:
        context.effort.waits_at.add(mailbox.relay)
        context.effort.problem = error
        context.emit(WorkChanged(None))
        raise


async def _create(context: Context, mailbox: OwnMailbox, authorization: bytes) -> bytes | None:
    relay = context.relays(mailbox.relay)
    keys = MailboxKeys(mailbox.receive_token, mailbox.send_token)
    solution: Solution | None = None
    for attempt in range(ATTEMPTS + 1):
        answer = await relay.create_mailbox(
            mailbox.id, keys.receive_hash, keys.send_hash, authorization, solution
        )
        if isinstance(answer, bytes):
            return answer
        if attempt < ATTEMPTS:
            solution = await _solve(context, mailbox, answer)
            if solution is None:
                return None
    raise RelayBusy(address=mailbox.relay.authority)


async def _solve(context: Context, mailbox: OwnMailbox, puzzle: Puzzle) -> Solution | None:
    where, effort = mailbox.relay, context.effort
    if puzzle.tries > MAX_TRIES:
        raise RelayBusy(_TOO_MUCH, address=where.authority)
    solver = Solver(puzzle, puzzle.cookie(mailbox.id, where.pin))
    async with effort.turn:
        started, slices = context.clock.monotonic(), 0
        try:
            while True:
                if effort.put_off:
                    raise RelayBusy(PUT_OFF, address=where.authority)
                solution = await asyncio.to_thread(solver.run, SLICE)
                if solution is not None:
                    return solution
                if slices % TOLD_EVERY == 0:
                    if not await _wanted(context, mailbox):
                        return None
                    each = (context.clock.monotonic() - started) / solver.tried
                    effort.work = Work(where, solver.share, solver.left * each)
                    context.emit(WorkChanged(effort.work))
                slices += 1
        finally:
            if effort.work is not None:
                effort.work = None
                context.emit(WorkChanged(None))


async def _wanted(context: Context, mailbox: OwnMailbox) -> bool:
    """Tell whether the mailbox is still to be created: its invite may have been revoked."""
    async with context.store.snapshot() as tx:
        current = await tx.mailboxes.get(mailbox.id)
    return current is not None and current.state is mailbox.state


def put_off(context: Context) -> None:
    """Stop working for relays until `go_on`; mailboxes that need it wait."""
    context.effort.put_off = True


def go_on(context: Context) -> None:
    """Do the work that was put off or given up."""
    effort = context.effort
    if effort.put_off or effort.problem is not None:
        effort.put_off, effort.problem = False, None
        context.signals.chores.set()
        context.emit(WorkChanged(None))


def settle(context: Context, errors: Collection[RelayAddress]) -> None:
    """After a round of chores: no relay waits for work any more if all of theirs could be done.

    Args:
        context: The profile.
        errors: The relays at which something went wrong.
    """
    effort = context.effort
    effort.waits_at.intersection_update(errors)
    if not effort.waits_at and (effort.put_off or effort.problem is not None):
        effort.put_off, effort.problem = False, None
        context.emit(WorkChanged(None))
