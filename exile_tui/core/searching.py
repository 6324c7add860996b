"""What to look for besides the words, and what comes back a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

from exile_tui.core.model import Direction, Message


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Which messages are looked at; without anything all of them."""

    contact_id: int | None = None
    """Whose conversation."""
    direction: Direction | None = None
    """Who wrote them: the peers, or we."""
    since_ms: int | None = None
    """When the first of them was stored, at the earliest."""
    until_ms: int | None = None
    """The moment before which the last of them was stored."""
    has_link: bool = False
    """Only those with a link; without a query all of these are found."""


EVERYWHERE = SearchFilter()


@dataclass(frozen=True, slots=True)
class SearchPlace:
    """Where a search goes on; of use with the same query and filter only."""

    step: int
    """Which way of looking."""
    before: int
    """The id from which on messages were looked through, that way."""
    looked_ms: int = 0
    """When the oldest message was stored that was looked through; 0 if none was."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some hits: those that contain the query first, then what only begins so, the newest first.

    A message that is found in two ways may come twice, on different pages.
    """

    hits: tuple[Message, ...] = ()
    rest: SearchPlace | None = None
    """Where to go on; None when everything was looked through.

    With fewer hits than asked for: as much was looked through as may be done at once.
    """
