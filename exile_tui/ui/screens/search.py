"""Search in the conversations, with filters, and go to a hit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from exile_tui.core.model import ContactState, Direction, Message
from exile_tui.core.searching import SearchPage
from exile_tui.errors import N_
from exile_tui.locale import dates, tr, tr_n
from exile_tui.locale.days import typed_day
from exile_tui.text import cell_len, cut, nfc, one_line
from exile_tui.ui.keys import key_name
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.searching import HITS_AT_ONCE, SearchWalk, around, other_mode
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.widgets.search_filters import FilterLine, Filters, When
from exile_tui.ui.words import contact_name

if TYPE_CHECKING:
    from exile_tui.core.model import Contact

PANEL_COLUMNS = 80
WIDEST_NAME = 20
_AROUND_LIST = 11
"""Rows that the panel has besides the list, and those above and below it."""


@dataclass
class _Found:
    """What was read for the list."""

    walk: SearchWalk
    people: dict[int, Contact] = field(default_factory=dict)
    full: bool = True
    """The last page had as many hits as it may have."""
    offer: str = ""
    """The query of the other input mode, if that finds something and this does not."""


async def _nowhere(*_: object, **__: object) -> SearchPage:
    """Find nothing: before anything was typed."""
    return SearchPage()


class _QueryField(Field):
    """Gives Tab to the screen while there is something to take with it."""

    takes_tab = False


class SearchScreen(ExileModal[SearchWalk]):
    """List messages that contain what is typed; the walk at the chosen one is given back."""

    CSS_PATH = "search.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", N_("Go there"), tooltip=N_("Go to the message in its conversation"),
                id="search.go"),
        Binding("tab", "take", N_("Search for that"), priority=True, show=False, id="search.take",
                tooltip=N_("Search for what the same keys are in the other input mode")),
        Binding("down", "move(1)", N_("Next"), tooltip=N_("Go down in the list"),
                id="search.next"),
        Binding("up", "move(-1)", N_("Previous"), tooltip=N_("Go up in the list"),
                id="search.previous", show=False),
        Binding("pagedown", "move(5)", N_("Page down"), tooltip=N_("Go down in the list"),
                id="search.pagedown", show=False),
        Binding("pageup", "move(-5)", N_("Page up"), tooltip=N_("Go up in the list"),
                id="search.pageup", show=False),
        Binding("f4", "more", N_("Go on"), tooltip=N_("Look through older messages"),
                id="search.more"),
        Binding("f5", "where", N_("Where"), id="search.where", show=False,
                tooltip=N_("Search in all conversations, or in one")),
        Binding("f6", "who", N_("Who"), id="search.who", show=False,
                tooltip=N_("Search what anyone wrote, what you wrote, or what they wrote")),
        Binding("f7", "when", N_("When"), id="search.when", show=False,
                tooltip=N_("Search any time, or from a day on")),
        Binding("f8", "link", N_("Links"), id="search.link", show=False,
                tooltip=N_("Search only messages with a link, or any")),
    ]  # fmt: skip

    def __init__(self, text: str = "", contact: Contact | None = None) -> None:
        """Make the panel.

        Args:
            text: What is searched for at first.
            contact: Whose conversation is open: "this conversation".
        """
        super().__init__(classes="-search")
        self._text = text
        self._contact = contact
        self._filters = Filters()
        self._found = _Found(SearchWalk(_nowhere, ""))

    def on_mount(self) -> None:
        """Search at once if there is something to search for."""
        self.query_one("#query", Input).value = self._text
        self._show()

    def compose_panel(self) -> ComposeResult:
        """Yield the field, the filters and the hits; the field keeps the focus."""
        yield _QueryField(placeholder=tr("Search in the conversations"), id="query")
        yield FilterLine(self._filters)
        yield Field(placeholder=tr("From which day on? For example 2026-01-31"), id="day")
        yield Static(id="offer", markup=False)
        hits = OptionList(markup=False)
        hits.can_focus = False
        yield hits
        yield Static(id="hits", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Cut the lines for the new width."""
        self._show()

    # Searching

    @on(Input.Changed, "#query")
    def _typed(self) -> None:
        self._search()

    def _search(self) -> None:
        query = nfc(self.query_one("#query", Input).value).strip()
        only = self._filters.for_search(self.exile.clock.now_ms())
        walk = SearchWalk(self.messenger.search, query, only)
        if query or self._filters.link:
            self.load("hits", lambda: self._find(walk), self._take_over)
        else:
            # In the same group: what is still looked for is of no use any more.
            self.load("hits", lambda: self._nothing(walk), self._take_over)

    async def _nothing(self, walk: SearchWalk) -> _Found:
        return _Found(walk)

    async def _find(self, walk: SearchWalk) -> _Found:
        people = {contact.id: contact for contact in await self.messenger.contacts()}
        found = _Found(walk, people, full=await walk.load() >= HITS_AT_ONCE)
        turned = "" if walk.hits else other_mode(walk.query)
        if turned and (await self.messenger.search(turned, walk.only, 1, typing=True)).hits:
            found.offer = turned
        return found

    def _take_over(self, found: _Found) -> None:
        self._found = found
        self.query_one(OptionList).highlighted = None
        self._show()

    def action_more(self) -> None:
        """Look through older messages, part by part, until there is a hit or no more message."""
        found = self._found
        if found.walk.rest is None:
            return

        def loaded(new: int) -> None:
            if found is not self._found:
                return
            found.full = new >= HITS_AT_ONCE
            self._show()
            if not new:
                self.action_more()

        self.load("hits", found.walk.load, loaded)

    # Filters

    def action_where(self) -> None:
        """Go from all conversations to this one, or to that of the highlighted hit, and back."""
        if self._filters.contact is not None:
            self._filters.contact = None
        else:
            at = self.query_one(OptionList).highlighted
            hit = self._found.walk.hits[at].contact_id if at is not None else 0
            self._filters.contact = self._contact or self._found.people.get(hit)
        self._filtered()

    def action_who(self) -> None:
        """Search what anyone, I or they wrote."""
        self._filters.next_who()
        self._filtered()

    def action_when(self) -> None:
        """Search in the next time; a day is typed in a field of its own."""
        self._filters.next_when()
        day = self.query_one("#day", Input)
        day.display = self._filters.when is When.FROM
        self.query_one("#day" if day.display else "#query").focus()
        self._filtered()

    def action_link(self) -> None:
        """Search only messages with a link, or any."""
        self._filters.link = not self._filters.link
        self._filtered()

    def _filtered(self) -> None:
        self.query_one(FilterLine).refresh(layout=True)
        self._search()

    @on(Input.Changed, "#day")
    def _day_typed(self, event: Input.Changed) -> None:
        day = typed_day(event.value)
        event.input.set_class(bool(event.value.strip()) and day is None, "-invalid")
        if day != self._filters.day:
            self._filters.day = day
            self._search()
        else:
            self._show_note()

    @on(Input.Submitted, "#day")
    def _day_done(self) -> None:
        self.query_one("#query").focus()

    # The list

    def _show(self) -> None:
        """Show the hits; the highlight stays where it was."""
        listed, hits = self.query_one(OptionList), self._found.walk.hits
        at = listed.highlighted or 0
        listed.clear_options()
        listed.add_options(Option(self._line(hit)) for hit in hits)
        listed.display = bool(hits)
        room = min(16, max(4, self.app.size.height - _AROUND_LIST))
        listed.styles.max_height = room // 2 * 2  # a hit has two rows
        listed.highlighted = min(at, len(hits) - 1) if hits else None
        self.query_one("#day", Input).display = self._filters.when is When.FROM
        offer, turned = self.query_one("#offer", Static), self._found.offer
        offer.display = bool(turned)
        self.query_one("#query", _QueryField).takes_tab = bool(turned)
        sentence = tr("Search for {query}", query=turned)
        offer.update(Content.assemble((key_name("tab"), "bold $primary"), " ", sentence))
        self._show_note()
        self.refresh_bindings()

    def _show_note(self) -> None:
        self.query_one("#hits", Static).update(self._note())

    def _note(self) -> str:
        walk = self._found.walk
        if self.query_one("#day", Input).has_class("-invalid"):
            return tr("This is no day. A day looks like 2026-01-31.")
        if not (walk.query or walk.only.has_link):
            return tr(
                "Type what you look for: a word, a part of it, or initials (ㅎㄱ finds 학교). "
                "Enter goes to the message."
            )
        count = len(walk.hits)
        if walk.rest is None:
            if count:
                return tr_n("{n} message", "{n} messages", count)
            if self._filters:
                return tr("Nothing was found with these filters. F5 to F8 change them.")
            return tr("Nothing was found. Try a shorter part of it.")
        if count and self._found.full:
            return tr("The newest {n} messages. F4 looks for more.", n=count)
        day = dates.short_date(walk.rest.looked_ms, self.exile.clock.now_ms())
        if count:
            return tr_n(
                "{n} message. What is older than {day} was not looked through: F4 goes on",
                "{n} messages. What is older than {day} was not looked through: F4 goes on",
                count,
                day=day,
            )
        return tr(
            "Nothing back to {day}. What is older was not looked through: F4 goes on", day=day
        )

    def _line(self, message: Message) -> Content:
        exile = self.exile
        moment = dates.in_list(
            message.stored_ms, exile.clock.now_ms(), hours_24=exile.settings.time_24h
        )
        person = self._found.people.get(message.contact_id)
        name = cut(contact_name(person), WIDEST_NAME) if person else ""
        who = tr("Me") if message.direction is Direction.OUT else name
        # Not the list's own width, which follows only after the next layout.
        room = min(PANEL_COLUMNS, self.app.size.width * 96 // 100) - 11
        room = max(20, room - cell_len(who))
        text, spans = around(nfc(one_line(message.text)), self._found.walk.query, room)
        pieces: list[tuple[str, str]] = []
        at = 0
        for start, end in spans:
            pieces += [(text[at:start], ""), (text[start:end], "bold underline")]
            at = end
        marked = (Content.styled(piece, style) for piece, style in [*pieces, (text[at:], "")])
        # Nobody vouches for a file: whoever made it chose the name and the words.
        imported = person is not None and person.state is ContactState.ARCHIVED
        whence = (f"  {tr('imported')}" if imported else "", "$muted")
        return Content.assemble(
            (moment, "$muted"),
            "  ",
            (name, "bold"),
            whence,
            "\n  ",
            (f"{who}: ", "$muted"),
            *marked,
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done now."""
        if action == "take":
            return bool(self._found.offer)
        if action == "go":
            return bool(self._found.walk.hits or self._found.offer)
        if action == "more":
            return self._found.walk.rest is not None
        return super().check_action(action, parameters)

    def action_move(self, by: int) -> None:
        """Move the highlight; one step past an end leads to the other."""
        listed, last = self.query_one(OptionList), len(self._found.walk.hits) - 1
        if last < 0:
            return
        at = (listed.highlighted or 0) + by
        listed.highlighted = at % (last + 1) if abs(by) == 1 else min(max(at, 0), last)

    def action_take(self) -> None:
        """Search for what the same keys are in the other mode."""
        if self._found.offer:
            self.query_one("#query", Input).value = self._found.offer

    def action_go(self) -> None:
        """Go to the highlighted hit; with none, take what is offered."""
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is None:
            self.action_take()
        else:
            self._choose(highlighted)

    @on(Input.Submitted, "#query")
    def _submitted(self) -> None:
        self.action_go()

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self._choose(event.option_index)

    def _choose(self, index: int) -> None:
        self._found.walk.position = index
        self.dismiss(self._found.walk)
