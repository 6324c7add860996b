"""Search in every conversation, and go to a hit."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from exile_tui.core.model import Direction, Message
from exile_tui.errors import N_
from exile_tui.locale import dates, tr
from exile_tui.text import cell_len, cut, nfc, one_line
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.words import contact_name

MOST_HITS = 50
PANEL_COLUMNS = 80
Hits = list[tuple[Message, str]]


class SearchScreen(ExileModal[Message]):
    """List messages that contain what is typed; the chosen one is given back."""

    DEFAULT_CSS = """
    SearchScreen { align: center top; }
    SearchScreen #panel { width: 80; max-width: 96%; height: auto; margin-top: 2; }
    SearchScreen OptionList { height: auto; max-height: 16; margin-top: 1; }
    SearchScreen #hits { color: $text-muted; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", N_("Next"), tooltip=N_("Go down in the list"),
                id="search.next"),
        Binding("up", "move(-1)", N_("Previous"), tooltip=N_("Go up in the list"),
                id="search.previous", show=False),
    ]  # fmt: skip

    def __init__(self, text: str = "") -> None:
        """Make the panel.

        Args:
            text: What is searched for at first.
        """
        super().__init__()
        self._text = text
        self._hits: Hits = []

    def on_mount(self) -> None:
        """Search at once if there is something to search for."""
        self.query_one(Input).value = self._text

    def compose_panel(self) -> ComposeResult:
        """Yield the field and the hits; the field keeps the focus."""
        yield Field(placeholder=tr("Search in all conversations"))
        hits = OptionList(markup=False)
        hits.can_focus = False
        yield hits
        yield Static(tr("Type what you look for; Enter goes to it."), id="hits", markup=False)

    def on_resize(self) -> None:
        """Cut the lines for the new width."""
        self._show(self._hits)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        query = nfc(event.value).strip()
        if query:
            self.load("hits", lambda: self._find(query), self._show)
        else:
            self._show([])

    async def _find(self, query: str) -> Hits:
        names = {contact.id: contact_name(contact) for contact in await self.messenger.contacts()}
        page = await self.messenger.search(query, limit=MOST_HITS, typing=True)
        return [(message, names.get(message.contact_id, "")) for message in page.hits]

    def _show(self, hits: Hits) -> None:
        listed = self.query_one(OptionList)
        place = listed.highlighted if hits == self._hits else 0
        self._hits = hits
        listed.clear_options()
        listed.add_options(Option(self._line(*hit)) for hit in hits)
        listed.highlighted = (place or 0) if hits else None
        typed = bool(self.query_one(Input).value.strip())
        note = self.query_one("#hits", Static)
        note.display = not hits
        note.update(
            tr("Nothing was found.") if typed else tr("Type what you look for; Enter goes to it.")
        )

    def _line(self, message: Message, name: str) -> Content:
        moment = dates.in_list(message.stored_ms, self.exile.clock.now_ms())
        who = tr("Me") if message.direction is Direction.OUT else name
        # Not the list's own width, which follows only after the next layout.
        room = min(PANEL_COLUMNS, self.app.size.width * 96 // 100) - 11
        text = cut(one_line(message.text), max(20, room - cell_len(cut(who, 20))))
        return Content.assemble(
            (moment, "$muted"), "  ", (cut(name, 20), "bold"), "\n  ",
            (f"{cut(who, 20)}: ", "$muted"), text,
        )  # fmt: skip

    def action_move(self, by: int) -> None:
        """Move the highlight."""
        listed = self.query_one(OptionList)
        if self._hits:
            listed.highlighted = ((listed.highlighted or 0) + by) % len(self._hits)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is not None and self._hits:
            self.dismiss(self._hits[highlighted][0])

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._hits[event.option_index][0])
