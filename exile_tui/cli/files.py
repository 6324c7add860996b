"""Bring one's own history out into a file and back in, with progress for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from exile_tui.locale import tr, tr_n

if TYPE_CHECKING:
    from exile_tui.cli.session import Session


class Percentage:
    """Draws how far it is on standard error, only where that is a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        self._shows = sys.stderr.isatty() and not as_json
        self._percent = -1

    def __call__(self, done: int, total: int) -> None:
        """Draw it when the whole number changed."""
        percent = done * 100 // total if total else 100
        if self._shows and percent != self._percent:
            self._percent = percent
            sys.stderr.write(f"\r{percent:3} %")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave an empty line to whoever writes next."""
        if self._percent >= 0:
            sys.stderr.write("\r     \r")
            sys.stderr.flush()


async def export_history(session: Session) -> None:
    """Write conversations into a file."""
    arguments = session.arguments
    contact = await session.messenger.find_contact(arguments.contact) if arguments.contact else None
    percentage = Percentage(as_json=arguments.json)
    try:
        exported = await session.messenger.export_history(
            arguments.file,
            percentage,
            contact_id=contact.id if contact else None,
            replace=arguments.force,
        )
    finally:
        percentage.end()
    record = {
        "file": str(arguments.file),
        "conversations": exported.conversations,
        "messages": exported.messages,
    }
    text = tr_n(
        "{n} message written to {file}", "{n} messages written to {file}", exported.messages,
        file=arguments.file,
    )  # fmt: skip
    session.out.result(record, text)
    session.out.note(tr("The file is NOT encrypted: whoever gets it can read everything in it."))


async def import_history(session: Session) -> None:
    """Take conversations from a file."""
    percentage = Percentage(as_json=session.arguments.json)
    try:
        imported = await session.messenger.import_history(session.arguments.file, percentage)
    finally:
        percentage.end()
    record = {
        "file": str(session.arguments.file),
        "messages": imported.messages,
        "known": imported.known,
        "deleted": imported.deleted,
        "contacts": imported.contact_ids,
    }
    text = tr_n("{n} message imported", "{n} messages imported", imported.messages)
    session.out.result(record, text)
    if imported.known:
        session.out.note(tr_n("{n} was here already", "{n} were here already", imported.known))
    if imported.deleted:
        session.out.note(
            tr_n(
                "{n} was deleted here before and stays deleted",
                "{n} were deleted here before and stay deleted",
                imported.deleted,
            )
        )
