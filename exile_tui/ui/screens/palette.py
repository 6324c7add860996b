"""The command palette: every binding by name, in both languages and by initial consonants."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.text import cell_len
from exile_tui.ui.find import matches
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.widgets.key_line import ShownKey


class PaletteScreen(ExileModal[ShownKey]):
    """Filter what can be done here and give back what was chosen."""

    DEFAULT_CSS = """
    PaletteScreen { align: center top; }
    PaletteScreen #panel { width: 64; max-width: 96%; height: auto; margin-top: 2; }
    PaletteScreen OptionList { height: auto; max-height: 14; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", N_("Do it"), id="palette.choose"),
        Binding("down", "move(1)", N_("Next"), id="palette.next"),
        Binding("up", "move(-1)", N_("Previous"), id="palette.previous", show=False),
    ]

    def __init__(self, keys: list[ShownKey]) -> None:
        """Make the palette.

        Args:
            keys: What worked when the palette was asked for.
        """
        super().__init__()
        self._keys = keys
        self._shown: list[ShownKey] = []

    def compose_panel(self) -> ComposeResult:
        """Yield the field and the list; the field keeps the focus."""
        yield Input(placeholder=tr("What do you want to do?"))
        commands = OptionList(markup=False)
        commands.can_focus = False
        yield commands

    def on_mount(self) -> None:
        """List everything at first."""
        self._filter("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._filter(event.value)

    def _filter(self, query: str) -> None:
        self._shown = [
            each for each in self._keys if matches(query, each.description, each.english)
        ]
        commands = self.query_one(OptionList)
        commands.clear_options()
        commands.add_options(Option(self._line(each)) for each in self._shown)
        commands.highlighted = 0 if self._shown else None

    def _line(self, each: ShownKey) -> Content:
        width = max(cell_len(key.key) for key in self._keys)
        key = each.key.rjust(width)
        return Content.assemble((key, "$primary"), "  ", each.description)

    def action_move(self, by: int) -> None:
        """Move the highlight."""
        commands = self.query_one(OptionList)
        if self._shown:
            commands.highlighted = ((commands.highlighted or 0) + by) % len(self._shown)

    @on(Input.Submitted)
    def action_choose(self) -> None:
        """Give back the highlighted command."""
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is not None and self._shown:
            self.dismiss(self._shown[highlighted])

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])
