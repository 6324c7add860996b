"""The command `search`: every hit, however far back, as they are found."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from exile_tui.cli.output import is_imported, message_line, message_record
from exile_tui.errors import N_, UsageError
from exile_tui.locale.days import day_begins, typed_day

if TYPE_CHECKING:
    from exile_tui.cli.session import Session
    from exile_tui.core.searching import SearchFilter


async def search(session: Session) -> None:
    """Print the messages that contain a query: exact hits first, of each kind the newest first."""
    limit = positive(session.arguments.limit)
    only = await _filter(session)
    contacts = {contact.id: contact for contact in await session.messenger.contacts()}
    known: set[int] = set()
    after = None
    while len(known) < limit:
        page = await session.messenger.search(
            session.arguments.query, only, limit - len(known), after=after
        )
        for message in page.hits:
            contact = contacts.get(message.contact_id)
            if contact is not None and message.id not in known:
                known.add(message.id)
                session.out.result(
                    message_record(message, contact.name, imported=is_imported(contact)),
                    message_line(message, contact),
                )
        after = page.rest
        if after is None:
            break


async def _filter(session: Session) -> SearchFilter:
    from exile_tui.core.model import Direction
    from exile_tui.core.searching import SearchFilter

    arguments = session.arguments
    contact = await session.find(arguments.contact) if arguments.contact else None
    directions = {None: None, "me": Direction.OUT, "them": Direction.IN}
    until = _day(arguments.until)
    return SearchFilter(
        contact_id=contact.id if contact else None,
        direction=directions[arguments.sender],
        since_ms=day_begins(since) if (since := _day(arguments.since)) else None,
        until_ms=day_begins(min(until, date.max - timedelta(days=1)) + timedelta(days=1))
        if until
        else None,
        has_link=arguments.link,
    )


def _day(text: str | None) -> date | None:
    """Return the day that was given.

    Raises:
        UsageError: It is none.
    """
    if text is None:
        return None
    day = typed_day(text)
    if day is None:
        raise UsageError(N_("{day} is no day. A day looks like 2026-01-31."), day=text)
    return day


def positive(limit: int) -> int:
    """Return a limit of results.

    Raises:
        UsageError: It lets nothing through.
    """
    if limit < 1:
        raise UsageError(N_("A limit is 1 or more."))
    return limit
