"""What headless commands print: a line for people, or one JSON object a line for programs.

Text from peers is sanitised for people; in JSON whatever could move the cursor is escaped, so that
neither can write to the terminal outside its own line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from exile_tui.errors import N_, ExileError
from exile_tui.json_line import json_line
from exile_tui.locale import tr
from exile_tui.names import display_name
from exile_tui.text import one_line, sanitize_terminal_text

if TYPE_CHECKING:
    from exile_tui.core.model import Contact, Invite, Message

STATE_WORDS = {
    "joining": N_("waiting to be accepted"),
    "requested": N_("asks to be a contact"),
    "active": N_("contact"),
    "archived": N_("imported messages"),
}
TRUST_WORDS = {
    "unverified": N_("not verified"),
    "verified": N_("verified"),
    "changed": N_("safety number changed"),
}
DELIVERY_WORDS = {
    "queued": N_("waiting"),
    "waiting": N_("waiting"),
    "sent": N_("sent"),
    "delivered": N_("delivered"),
    "failed": N_("not delivered"),
}
REASON_WORDS = {
    "offline": N_("the relay is out of reach"),
    "not-accepted": N_("the request was not accepted yet"),
    "peer-silent": N_("too many messages are unanswered"),
    "full": N_("the mailbox is full"),
    "refused": N_("the relay does not know the mailbox yet"),
    "later": N_("the relay asked to try later"),
    "wrong-key": N_("another key answered in place of the relay"),
}
INVITE_WORDS = {
    "open": N_("open"),
    "spent": N_("used"),
    "revoked": N_("revoked"),
    "expired": N_("expired"),
}
POSSIBLE_COPY = N_(
    "A message came that contradicts earlier ones; it was not taken. Perhaps exile-tui was set "
    "back to an older copy there or here, or a copy of it runs somewhere else. Nothing that "
    "stands here was lost. Ask in another way what happened, and compare the safety number "
    "again. If no more messages come, start anew with an invite."
)


class Printer:
    """Write results to standard output, each flushed, as text or as JSON."""

    def __init__(self, *, as_json: bool, stream: TextIO | None = None) -> None:
        self.as_json = as_json
        self._stream = sys.stdout if stream is None else stream

    def result(self, record: Mapping[str, Any], text: str) -> None:
        """Print one result.

        Args:
            record: What `--json` prints, in one line.
            text: What people read; already sanitised where it holds a peer's words.
        """
        line = json_line(record) if self.as_json else text
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            line.encode(encoding)
        except UnicodeEncodeError:  # not every terminal's encoding has what a peer may write
            if self.as_json:
                line = json.dumps(record)
            else:
                line = line.encode(encoding, "backslashreplace").decode(encoding)
        self._stream.write(line + "\n")
        self._stream.flush()

    def note(self, text: str) -> None:
        """Tell people something that is no result, on standard error; programs are spared it."""
        if not self.as_json:
            print(text, file=sys.stderr)


def error_sentence(error: ExileError) -> str:
    """Translate an error's sentence; whatever fills it stays on its line."""
    parameters = {
        name: value if isinstance(value, int) else one_line(str(value))
        for name, value in error.parameters.items()
    }
    return tr(error.sentence, **parameters)


def shown_name(contact: Contact) -> str:
    """Return a contact's name as it may be shown; a contact that never answered has none yet."""
    return display_name(contact.name)


def is_imported(contact: Contact) -> bool:
    """Tell whether the lines of a contact come from a file, which anybody may have written."""
    return contact.state.value == "archived"


def contact_record(contact: Contact) -> dict[str, Any]:
    """Return what `--json` says about a contact."""
    return {
        "contact": contact.id,
        "name": contact.name,
        "state": contact.state.value,
        "trust": contact.trust.value,
        "created_ms": contact.created_ms,
    }


def contact_line(contact: Contact) -> str:
    """Return a contact as a line for people."""
    words = [tr(STATE_WORDS[contact.state.value])]
    if not is_imported(contact):  # nobody whom one could verify
        words.append(tr(TRUST_WORDS[contact.trust.value]))
    return f"#{contact.id} {shown_name(contact)} ({', '.join(words)})"


def invite_record(invite: Invite) -> dict[str, Any]:
    """Return what `--json` says about an invite."""
    return {
        "invite": invite.id,
        "state": invite.state.value,
        "link": invite.link,
        "created_ms": invite.created_ms,
        "expires_ms": invite.expires_ms,
    }


def invite_line(invite: Invite) -> str:
    """Return an invite as a line for people, in a list."""
    state = tr(INVITE_WORDS[invite.state.value])
    until = tr("until {time}", time=local_time(invite.expires_ms))
    link = f": {invite.link}" if invite.link else ""
    return f"#{invite.id} {state}, {until}{link}"


def message_record(message: Message, name: str, *, imported: bool = False) -> dict[str, Any]:
    """Return what `--json` says about a line of a conversation.

    Args:
        message: The line.
        name: The contact's.
        imported: It comes from a file: nobody vouches for it.
    """
    return {
        "message": message.id,
        "contact": message.contact_id,
        "name": name,
        "imported": imported,
        "seq": message.seq,
        "direction": message.direction.value,
        "kind": message.kind.value,
        "text": message.text,
        "sent_ms": message.sent_ms,
        "stored_ms": message.stored_ms,
        "delivery": message.delivery.value if message.delivery else None,
        "reason": message.reason.value,
    }


def message_line(message: Message, contact: Contact) -> str:
    """Return a line of a conversation for people; further lines of its text are indented."""
    who = shown_name(contact) if message.delivery is None else tr("You")
    if is_imported(contact):
        who = f"{who} ({tr('imported')})"
    parts = [f"[{local_time(message.stored_ms)}] {who}: {_indented(message_text(message))}"]
    if message.delivery is not None:
        parts.append(f" ({delivery_words(message)})")
    return "".join(parts)


def message_text(message: Message) -> str:
    """Return what a line says, whatever its kind."""
    if message.kind.value == "missing":
        return tr("[up to {count} messages never arrived]", count=message.text)
    if message.kind.value == "newer":
        return tr("[this message needs a newer version of exile-tui]")
    if message.kind.value == "possible-copy":
        return "[" + tr(POSSIBLE_COPY) + "]"
    return sanitize_terminal_text(message.text)


def delivery_words(message: Message) -> str:
    """Say how far an own message has come, and why no further."""
    assert message.delivery is not None
    words = tr(DELIVERY_WORDS[message.delivery.value])
    reason = REASON_WORDS.get(message.reason.value)
    if reason is None or message.delivery.value not in ("queued", "waiting"):
        return words
    return f"{words}: {tr(reason)}"


def local_time(milliseconds: int) -> str:
    """Return a time in the local zone, to the minute."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return "?"


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")
