"""Safety numbers: computed from the session's own keys, compared with what was verified."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from exile_tui.core.context import Context
from exile_tui.core.events import ContactChanged
from exile_tui.core.model import ContactState, Verification, VerifiedHow
from exile_tui.core.sealing import load_session
from exile_tui.core.sending import require_contact
from exile_tui.crypto.safety_number import SafetyNumber, session_safety_number
from exile_tui.errors import N_, UsageError

GROUP = 5


@dataclass(frozen=True, slots=True)
class SafetyNumberView:
    """A safety number as it is shown."""

    digits: str
    """Sixty ASCII digits."""
    scannable: bytes
    """What our QR code holds."""
    number: SafetyNumber = field(repr=False)

    @property
    def groups(self) -> tuple[str, ...]:
        """The digits in twelve groups of five."""
        return tuple(self.digits[at : at + GROUP] for at in range(0, len(self.digits), GROUP))


async def safety_number(context: Context, contact_id: int) -> SafetyNumberView:
    """Compute the number of a conversation; a contact whose stored one differs is corrected.

    Raises:
        NoSuchContact: No such contact.
        UsageError: It is an imported conversation, which has none.
    """
    async with context.store.snapshot() as tx:
        contact = await require_contact(tx, contact_id)
        if contact.state is ContactState.ARCHIVED:
            raise UsageError(
                N_("These messages were imported from a file: they have no safety number.")
            )
        session, _ = await load_session(tx, contact_id)
    # 10,400 rounds of SHA-512: some milliseconds that the screen need not wait for.
    number = await asyncio.to_thread(session_safety_number, session)
    if number.digits != contact.safety_digits:
        await _update(context, contact_id, number.digits, contact.verification)
    return SafetyNumberView(number.digits, number.scannable, number)


async def check_verified(context: Context) -> None:
    """Recompute the number of every verified contact, so that a changed key can't go unnoticed."""
    async with context.store.snapshot() as tx:
        contacts = await tx.contacts.all()
    for contact in contacts:
        if contact.verification is not None:
            await safety_number(context, contact.id)


async def mark_verified(context: Context, contact_id: int, how: VerifiedHow) -> None:
    """Note that the number was compared, now."""
    view = await safety_number(context, contact_id)
    verification = Verification(view.digits, context.clock.now_ms(), how)
    await _update(context, contact_id, view.digits, verification)


async def unmark_verified(context: Context, contact_id: int) -> None:
    """Take the mark back."""
    view = await safety_number(context, contact_id)
    await _update(context, contact_id, view.digits, None)


async def _update(
    context: Context, contact_id: int, digits: str, verification: Verification | None
) -> None:
    async with context.store.transaction() as tx:
        contact = await require_contact(tx, contact_id)
        compared = verification is not None and verification != contact.verification
        await tx.contacts.update(
            replace(
                contact,
                verification=verification,
                safety_digits=digits,
                copy_suspected=contact.copy_suspected and not compared,
            )
        )
    context.emit(ContactChanged(contact_id))
