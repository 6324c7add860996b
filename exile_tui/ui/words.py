"""The words and marks that several screens use for the same thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exile_tui.errors import ExileError
from exile_tui.locale import tr
from exile_tui.names import display_name
from exile_tui.text import cut, one_line

if TYPE_CHECKING:
    from exile_tui.core.model import Connection, Contact, Reason, VerifiedHow

PRODUCT = "exile-tui"
NAME_IN_SENTENCE = 24
"""Cells of a name inside a sentence; a name of 800 bytes would bury what the sentence says."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Single-cell signs; those of ambiguous width have an ASCII twin."""

    verified: str = "✔"
    unverified: str = "·"
    changed: str = "!"
    online: str = "●"
    offline: str = "○"
    bar: str = "▎"
    rule: str = "─"
    pointer: str = "›"
    edge: str = "▏"


UNICODE = Marks()
ASCII = Marks(
    verified="v",
    unverified="-",
    changed="!",
    online="*",
    offline="o",
    bar="|",
    rule="-",
    pointer=">",
    edge="|",
)


@dataclass(frozen=True, slots=True)
class TrustWords:
    """How a contact's trust is shown: never by colour alone."""

    mark: str
    word: str
    color: str
    """A CSS variable's name without the dollar."""


def contact_name(contact: Contact) -> str:
    """Return a contact's name, safe to show; it may not be known yet."""
    return display_name(contact.name)


def trust_words(contact: Contact, marks: Marks = UNICODE) -> TrustWords:
    """Return the mark, the words and the colour of a contact's trust."""
    from exile_tui.core.model import ContactState, Trust

    if contact.state is ContactState.ARCHIVED:
        return TrustWords(marks.unverified, tr("imported"), "muted")
    if contact.trust is Trust.VERIFIED:
        return TrustWords(marks.verified, tr("verified"), "verified")
    if contact.trust is Trust.CHANGED:
        return TrustWords(marks.changed, tr("safety number changed"), "error")
    return TrustWords(marks.unverified, tr("not verified"), "unverified")


def how_words(how: VerifiedHow) -> str:
    """Return how a number was compared, as the end of a line."""
    from exile_tui.core.model import VerifiedHow

    return {
        VerifiedHow.QR: tr("by QR code"),
        VerifiedHow.DIGITS: tr("by its digits"),
        VerifiedHow.WORDS: tr("by its words"),
    }[how]


def error_text(error: ExileError) -> str:
    """Return an error's sentence, translated, what it quotes made safe."""
    values = {name: one_line(str(value)) for name, value in error.parameters.items()}
    return tr(error.sentence, **values)


def reason_words(reason: Reason, contact: Contact) -> str:
    """Return why a message of ours waits, in a sentence."""
    from exile_tui.core.model import Reason

    name = cut(contact_name(contact), NAME_IN_SENTENCE)
    match reason:
        case Reason.NONE:
            return ""
        case Reason.OFFLINE:
            return tr("waiting: the relay is out of reach")
        case Reason.NOT_ACCEPTED if not contact.name:
            return tr("waiting: the other person has to accept first")
        case Reason.NOT_ACCEPTED:
            return tr("waiting: {name} has to accept first", name=name)
        case Reason.PEER_SILENT:
            return tr("waiting: {name} has to write first", name=name)
        case Reason.FULL:
            return tr("waiting: the mailbox of {name} is full", name=name)
        case Reason.REFUSED:
            return tr("waiting: the relay doesn't know the mailbox yet")
        case Reason.LATER:
            return tr("waiting: the relay asked to try later")
        case Reason.WRONG_KEY:
            return tr("waiting: something else answered in place of the relay")


def connection_words(connection: Connection | None, retry_at: str) -> tuple[str, bool]:
    """Return the connection in words, and whether it stands.

    Args:
        connection: What the messenger said last; None before it said anything.
        retry_at: The time of the next try as text; empty when there is none.
    """
    from exile_tui.core.model import Link

    if connection is None or connection.link is Link.CONNECTING:
        return tr("connecting..."), False
    if connection.link is Link.ONLINE:
        return tr("connected"), True
    if retry_at:
        return tr("offline, trying again at {time}", time=retry_at), False
    return tr("offline"), False
