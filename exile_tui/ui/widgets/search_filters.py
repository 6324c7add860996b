"""The filters of a search as one line of words; a click on one changes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.content import Content
from textual.widget import Widget

from exile_tui.core.model import Direction
from exile_tui.core.searching import SearchFilter
from exile_tui.locale import dates, tr
from exile_tui.locale.days import day_begins
from exile_tui.text import cell_len, cut
from exile_tui.ui.words import contact_name

if TYPE_CHECKING:
    from exile_tui.core.model import Contact

WIDEST_NAME = 12
_GAP = 2


class When(Enum):
    """The times that can be chosen, in the order of the key."""

    ANY = "any"
    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    FROM = "from"
    """From a day on that is typed."""


@dataclass
class Filters:
    """What was chosen."""

    contact: Contact | None = None
    """Whose conversation; None for all."""
    who: Direction | None = None
    when: When = When.ANY
    day: date | None = None
    """The day that was typed, for FROM; None counts as any time."""
    link: bool = False

    def __bool__(self) -> bool:
        return self != Filters(day=self.day)

    def next_who(self) -> None:
        """Go from anyone to me to them."""
        order = (None, Direction.OUT, Direction.IN)
        self.who = order[(order.index(self.who) + 1) % len(order)]

    def next_when(self) -> None:
        """Go to the next time."""
        order = list(When)
        self.when = order[(order.index(self.when) + 1) % len(order)]

    def for_search(self, now_ms: int) -> SearchFilter:
        """Return what the search takes; days are those of this computer's zone."""
        today = dates.local(now_ms).date()
        first = {
            When.ANY: None,
            When.TODAY: today,
            When.WEEK: today - timedelta(days=6),
            When.MONTH: today - timedelta(days=29),
            When.YEAR: today.replace(month=1, day=1),
            When.FROM: self.day,
        }[self.when]
        return SearchFilter(
            contact_id=self.contact.id if self.contact else None,
            direction=self.who,
            since_ms=day_begins(first) if first else None,
            has_link=self.link,
        )


class FilterLine(Widget):
    """Show each filter behind its key; what is set stands out and is underlined."""

    DEFAULT_CSS = """
    FilterLine { height: auto; margin-top: 1; color: $text-muted; }
    FilterLine > .filter-line--key { color: $primary; text-style: bold; }
    FilterLine > .filter-line--set { color: $foreground; text-style: bold underline; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"filter-line--key", "filter-line--set"}

    def __init__(self, filters: Filters) -> None:
        super().__init__()
        self._filters = filters
        self._spots: list[tuple[int, int, str]] = []

    def words(self) -> list[tuple[str, str, bool, str]]:
        """Return for each filter its key, its words, whether it is set, and its action."""
        chosen = self._filters
        where = (
            cut(contact_name(chosen.contact), WIDEST_NAME) if chosen.contact else tr("All chats")
        )
        who = {None: tr("Anyone"), Direction.OUT: tr("Me"), Direction.IN: tr("Them")}[chosen.who]
        when = {
            When.ANY: tr("Any time"),
            When.TODAY: tr("Today"),
            When.WEEK: tr("7 days"),
            When.MONTH: tr("30 days"),
            When.YEAR: tr("This year"),
            When.FROM: tr("From a day"),
        }[chosen.when]
        link = tr("With link") if chosen.link else tr("Any text")
        return [
            ("F5", where, chosen.contact is not None, "where"),
            ("F6", who, chosen.who is not None, "who"),
            ("F7", when, chosen.when is not When.ANY, "when"),
            ("F8", link, chosen.link, "link"),
        ]

    def render(self) -> Content:
        """Lay the filters out."""
        self._spots, column, parts = [], 0, []
        key_style = self.get_visual_style("filter-line--key")
        set_style = self.get_visual_style("filter-line--set")
        for key, words, is_set, action in self.words():
            shown = Content.styled(words, set_style) if is_set else Content(words)
            parts.append(Content.assemble((key, key_style), " ", shown))
            width = cell_len(key) + 1 + cell_len(words)
            self._spots.append((column, column + width, action))
            column += width + _GAP
        return Content(" " * _GAP).join(parts)

    async def on_click(self, event: events.Click) -> None:
        """Change the filter under the mouse."""
        for start, end, action in self._spots:
            if start <= event.x < end and event.y == 0:
                await self.screen.run_action(action)
