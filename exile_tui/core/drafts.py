"""What was typed and not sent yet: one text for each conversation, encrypted like the rest."""

from __future__ import annotations

import unicodedata

from exile_tui.core.context import Context
from exile_tui.core.ports import Transaction
from exile_tui.core.sending import require_contact
from exile_tui.core.settings import DRAFT, draft_key

LONGEST = 65_536
"""Characters kept of a draft: more than one message can hold."""


async def keep(context: Context, contact_id: int, text: str) -> None:
    """Store a draft in place of the last one; white space alone is none.

    Raises:
        NoSuchContact: The contact is gone.
    """
    text = unicodedata.normalize("NFC", text)[:LONGEST].encode(errors="ignore").decode()
    async with context.store.transaction() as tx:
        await require_contact(tx, contact_id)
        if text.strip():
            await tx.settings.set(draft_key(contact_id), text)
        else:
            await tx.settings.delete(draft_key(contact_id))


async def every(tx: Transaction) -> dict[int, str]:
    """Return all drafts by contact id."""
    stored = await tx.settings.beginning_with(DRAFT)
    return {int(name.removeprefix(DRAFT)): text for name, text in stored.items()}
