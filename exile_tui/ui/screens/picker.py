"""A field that narrows a list while somebody types, and gives back what was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from exile_tui.errors import N_
from exile_tui.ui.find import best
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.widgets.one_line import Field

T = TypeVar("T")


class Picker(ExileModal[T]):
    """The field keeps the focus; arrows, Enter and the mouse choose.

    Subclasses fill `items` and give `texts`, `line` and what an empty list says.
    """

    CSS_PATH = "picker.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", N_("Choose"), tooltip=N_("Take what is highlighted"),
                id="picker.choose", priority=True),  # the field has Enter for its own
        Binding("down", "move(1)", N_("Next"), tooltip=N_("Go down in the list"),
                id="picker.next"),
        Binding("up", "move(-1)", N_("Previous"), tooltip=N_("Go up in the list"),
                id="picker.previous", show=False),
        Binding("pagedown", "move(5)", N_("Page down"), tooltip=N_("Go down in the list"),
                id="picker.pagedown", show=False),
        Binding("pageup", "move(-5)", N_("Page up"), tooltip=N_("Go up in the list"),
                id="picker.pageup", show=False),
    ]  # fmt: skip

    def __init__(self, placeholder: str, items: Sequence[T] = ()) -> None:
        """Make the panel.

        Args:
            placeholder: What the empty field says, translated.
            items: What there is, in the order to show it when nothing is typed.
        """
        super().__init__(classes="-picker")
        self._placeholder = placeholder
        self.items = items
        self._shown: Sequence[T] = ()

    def compose_panel(self) -> ComposeResult:
        """Yield the field and the list."""
        yield Field(placeholder=self._placeholder, max_length=200)
        listed = OptionList(markup=False, compact=True)
        listed.can_focus = False
        yield listed
        yield Static(id="nothing", markup=False)

    # What subclasses say

    def texts(self, item: T) -> Iterable[str]:
        """Return the names that an item is found by."""
        raise NotImplementedError

    def line(self, item: T, width: int) -> Content:
        """Return an item as it is shown in a width of cells."""
        raise NotImplementedError

    def nothing(self, query: str) -> str:
        """Return what the empty list says, translated."""
        raise NotImplementedError

    def found(self, query: str) -> Sequence[T]:
        """Return the items that fit, the best first."""
        return best(query, self.items, self.texts)

    # The list

    @on(Input.Changed)
    def _typed(self) -> None:
        self._fill()
        self.query_one(OptionList).highlighted = 0 if self._shown else None

    def on_resize(self, event: events.Resize) -> None:
        """Draw the lines for the width that there is now."""
        self.call_after_refresh(self.show_items)

    def show_items(self) -> None:
        """List the items anew; the highlight stays where it was."""
        listed = self.query_one(OptionList)
        at = listed.highlighted or 0
        self._fill()
        listed.highlighted = min(at, len(self._shown) - 1) if self._shown else None

    def _fill(self) -> None:
        query = self.query_one(Input).value
        self._shown = self.found(query)
        listed = self.query_one(OptionList)
        width = max(10, self.query_one("#panel").content_size.width - 3)
        listed.clear_options()
        listed.add_options(Option(self.line(each, width)) for each in self._shown)
        listed.display = bool(self._shown)
        nothing = self.query_one("#nothing", Static)
        nothing.display = not self._shown
        nothing.update(self.nothing(query))

    def action_move(self, by: int) -> None:
        """Move the highlight; one step past an end leads to the other."""
        listed, last = self.query_one(OptionList), len(self._shown) - 1
        if last < 0:
            return
        at = (listed.highlighted or 0) + by
        turns = abs(by) == 1
        listed.highlighted = at % (last + 1) if turns else min(max(at, 0), last)

    def action_choose(self) -> None:
        """Give back what is highlighted."""
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is not None and self._shown:
            self.dismiss(self._shown[highlighted])

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])
