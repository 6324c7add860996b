"""Walk through a safety number one group or word at a time, to read it over the phone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.ui.screens.base import ExileModal


class ReadAloud(ExileModal[bool]):
    """Shows one part after the other; ends with the answer whether all were the same."""

    CSS_PATH = "read_aloud.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,down,space", "move(1)", N_("Next"), tooltip=N_("Show the part after this"),
                id="aloud.next"),
        Binding("left,up,backspace", "move(-1)", N_("Previous"), id="aloud.previous",
                tooltip=N_("Show the part before this")),
    ]  # fmt: skip

    def __init__(self, parts: Sequence[str]) -> None:
        super().__init__()
        self._parts = tuple(parts)
        self._at = 0

    def compose_panel(self) -> ComposeResult:
        """Put the part in the middle and the question below the last."""
        yield Static(id="place")
        yield Static(id="part")
        yield Static(id="around")
        with Horizontal(id="walk"):
            yield Button(tr("Previous"), id="previous")
            yield Button(tr("Next"), id="next", variant="primary")
            yield Button(tr("All were the same"), id="all-same", variant="primary")
            yield Button(tr("One was different"), id="one-different")

    def on_mount(self) -> None:
        """Begin with the first."""
        self._show()
        self.query_one("#next", Button).focus()

    def _show(self) -> None:
        last = self._at == len(self._parts) - 1
        place = tr("{number} of {total}", number=self._at + 1, total=len(self._parts))
        self.query_one("#place", Static).update(place)
        self.query_one("#part", Static).update(Content(self._parts[self._at]))
        self.query_one("#around", Static).update(
            tr("That was all. Did the other read the same each time?")
            if last
            else tr("Read it aloud, let the other read it back, then go on.")
        )
        self.query_one("#next", Button).display = not last
        self.query_one("#all-same", Button).display = last
        self.query_one("#previous", Button).disabled = self._at == 0
        if last:
            self.query_one("#all-same", Button).focus()
        elif not self.query_one("#previous", Button).has_focus or self._at == 0:
            self.query_one("#next", Button).focus()

    def action_move(self, step: int) -> None:
        """Go to the next or the previous part."""
        self._at = min(max(self._at + step, 0), len(self._parts) - 1)
        self._show()

    @on(Button.Pressed, "#next")
    def _next(self) -> None:
        self.action_move(1)

    @on(Button.Pressed, "#previous")
    def _previous(self) -> None:
        self.action_move(-1)

    @on(Button.Pressed, "#all-same")
    def _all_same(self) -> None:
        self.dismiss(True)

    @on(Button.Pressed, "#one-different")
    def _one_different(self) -> None:
        self.dismiss(False)
