"""An invite in words: where it stands, since when and until when."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content

from exile_tui.locale import tr
from exile_tui.text import cut, sanitize_name
from exile_tui.ui.words import NAME_IN_SENTENCE

if TYPE_CHECKING:
    from exile_tui.core.model import Contact, Invite

Time = Callable[[int], str]
"""Turns Unix milliseconds into what is shown."""


def state_words(invite: Invite) -> str:
    """Return where an invite stands."""
    from exile_tui.core.model import InviteState

    if invite.state is InviteState.OPEN:
        return tr("waiting for someone") if invite.published else tr("not at the relay yet")
    return {
        InviteState.SPENT: tr("used"),
        InviteState.REVOKED: tr("revoked"),
        InviteState.EXPIRED: tr("expired"),
    }[invite.state]


def spent_text(user: Contact | None, time: Time) -> str:
    """Return who used an invite and when, as far as it is still known.

    Args:
        user: The contact that came of it; None if it was declined or removed.
        time: Turns a moment into text.
    """
    from exile_tui.core.model import ContactState

    if user is None:
        return tr("Used by someone who is not in your contacts now.")
    moment = time(user.created_ms)
    name = cut(sanitize_name(user.name, ""), NAME_IN_SENTENCE)
    if not name:
        return tr("Used, {time}.", time=moment)
    if user.state is ContactState.REQUESTED:
        return tr("Used by {name}, {time}; waiting for your answer.", name=name, time=moment)
    return tr("Used by {name}, {time}.", name=name, time=moment)


def listed_text(invite: Invite, user: Contact | None, time: Time) -> Content:
    """Return an invite as two rows of the list.

    Args:
        invite: Which.
        user: Who used it, if a contact did.
        time: Turns a moment into text.
    """
    from exile_tui.core.model import InviteState

    made = "\n  " + tr("made {time}", time=time(invite.created_ms))
    if invite.state is InviteState.SPENT:
        return Content.assemble(spent_text(user, time), (made, "$text-muted"))
    color = "$success" if invite.state is InviteState.OPEN else "$text-muted"
    return Content.assemble(
        (state_words(invite), color),
        (made, "$text-muted"),
        ("   " + tr("ends {time}", time=time(invite.expires_ms)), "$text-muted"),
    )


def facts_text(invite: Invite, time: Time) -> Content:
    """Return what stands under an open invite's link."""
    published = (
        Content.styled(tr("At the relay, ready to be opened"), "$success")
        if invite.published
        else Content.styled(tr("Not at the relay yet: works once it is there"), "$warning")
    )
    once = tr("One person, until {time}", time=time(invite.expires_ms))
    return Content("\n").join([published, Content(once)])
