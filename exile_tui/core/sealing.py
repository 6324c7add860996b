"""From contents to an envelope in the outbox, in one transaction (docs/protocol.md, 5, 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exile_tui.core.context import Context
from exile_tui.core.ports import Transaction
from exile_tui.crypto.session import Session
from exile_tui.wire.body import contents_size, pack_body
from exile_tui.wire.content import Acknowledged

ACKS_AT_ONCE = 80
"""Content ids in one acknowledgement: the most that fit the smallest body alone."""
_LENGTH_FIELD = 2


@dataclass(frozen=True, slots=True)
class _Plan:
    contents: list[bytes | Acknowledged]
    ids: list[bytes]
    acks: list[bytes]


async def load_session(tx: Transaction, contact_id: int) -> tuple[Session, int]:
    """Return a contact's session and its row version."""
    state, version = await tx.sessions.load(contact_id)
    return Session.from_bytes(state), version


async def seal(
    context: Context,
    tx: Transaction,
    contact_id: int,
    contents: Sequence[tuple[bytes, bytes]] = (),
) -> bool:
    """Seal contents, with what else the contact should get, and put the envelope into the outbox.

    Announcements that are not acknowledged ride on every message; acknowledgements fill the room
    that is left in the bucket. A body of acknowledgements only is appended once.

    Args:
        context: The profile.
        tx: The transaction that also stores the messages.
        contact_id: To whom.
        contents: (content id 16, encoded content) of the messages.

    Returns:
        Whether it was sealed; False when the session can't take more now (nothing changed).
    """
    session, version = await load_session(tx, contact_id)
    if not session.can_seal:
        return False
    plan = await _plan(tx, contact_id, contents, session.body_sizes)
    if plan is None:
        # The text leaves no room for the announcements: they go ahead in an envelope of their own.
        if not await seal(context, tx, contact_id):
            return False
        session, version = await load_session(tx, contact_id)
        if not session.can_seal:
            return False
        plan = _Plan([encoded for _, encoded in contents], [key for key, _ in contents], [])
    body = pack_body(plan.contents, session.body_sizes)
    request = session.in_request_form
    session, envelope = session.seal(body, context.entropy)
    await tx.sessions.update(contact_id, session.to_bytes(), version)
    await tx.acks.remove(contact_id, plan.acks)
    await tx.outbox.insert(
        contact_id,
        envelope,
        plan.ids,
        created_ms=context.clock.now_ms(),
        once=not plan.ids and not request,
        request=request,
    )
    return True


async def _plan(
    tx: Transaction,
    contact_id: int,
    contents: Sequence[tuple[bytes, bytes]],
    sizes: Sequence[int],
) -> _Plan | None:
    """Choose what goes into the body; None when contents and announcements do not fit together."""
    announcements = await tx.announcements.of(contact_id)
    encoded: list[bytes | Acknowledged] = [content for _, content in contents]
    encoded += [announcement.content for announcement in announcements]
    ids = [key for key, _ in contents] + [entry.content_id for entry in announcements]
    used = contents_size(encoded)
    room = next((size - _LENGTH_FIELD - used for size in sizes if size - _LENGTH_FIELD >= used), -1)
    if room < 0:
        return None
    acks = await tx.acks.due(contact_id, ACKS_AT_ONCE)
    while acks and contents_size([Acknowledged(tuple(acks))]) > room:
        acks = acks[: len(acks) * 3 // 4]
    if acks:
        encoded.append(Acknowledged(tuple(acks)))
    return _Plan(encoded, ids, acks)
