"""An invite in words: where it stands, since when and until when."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content

from exile_tui.locale import tr

if TYPE_CHECKING:
    from exile_tui.core.model import Invite

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


def listed_text(invite: Invite, time: Time) -> Content:
    """Return an invite as two rows of the list."""
    from exile_tui.core.model import InviteState

    color = "$success" if invite.state is InviteState.OPEN else "$text-muted"
    return Content.assemble(
        (state_words(invite), color),
        ("\n  " + tr("made {time}", time=time(invite.created_ms)), "$text-muted"),
        ("   " + tr("ends {time}", time=time(invite.expires_ms)), "$text-muted"),
    )


def facts_text(invite: Invite, time: Time) -> Content:
    """Return what stands under an invite's link."""
    from exile_tui.core.model import InviteState

    if invite.state is not InviteState.OPEN:
        return Content.styled(state_words(invite), "$text-warning")
    published = (
        Content.styled(tr("At the relay, ready to be opened"), "$success")
        if invite.published
        else Content.styled(tr("Not at the relay yet: works once it is there"), "$warning")
    )
    once = tr("One person, until {time}", time=time(invite.expires_ms))
    return Content("\n").join([published, Content(once)])
