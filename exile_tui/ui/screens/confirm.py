"""One question before something that can't be undone."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Static

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.text import sanitize_terminal_text
from exile_tui.ui.screens.base import ExileModal


class ConfirmScreen(ExileModal[bool]):
    """Ask; the answer that changes nothing has the focus."""

    DEFAULT_CSS = """
    ConfirmScreen #panel { width: 60; max-width: 96%; height: auto; }
    ConfirmScreen Horizontal { height: auto; margin-top: 1; align-horizontal: right; }
    ConfirmScreen Button { margin-left: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right", "app.focus_next", N_("Choose"), id="confirm.choose",
                tooltip=N_("Move to the other answer")),
        Binding("enter", "press", N_("Answer"), tooltip=N_("Give the highlighted answer"),
                id="confirm.press"),
    ]  # fmt: skip

    def __init__(self, question: str, yes: str, explanation: str = "") -> None:
        """Make the question.

        Args:
            question: Translated, one sentence.
            yes: What the button that does it says, translated.
            explanation: What follows from it, translated.
        """
        super().__init__()
        self._question, self._yes, self._explanation = question, yes, explanation

    def compose_panel(self) -> ComposeResult:
        """Yield the question and two answers."""
        question = sanitize_terminal_text(self._question)
        yield Static(question, classes="heading", markup=False)
        if self._explanation:
            yield Static(sanitize_terminal_text(self._explanation), markup=False)
        with Horizontal():
            yield Button(tr("Cancel"), id="no")
            yield Button(self._yes, id="yes", variant="error")

    def on_mount(self) -> None:
        """Let Enter change nothing."""
        self.query_one("#no").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_press(self) -> None:
        """Press the focused answer."""
        if isinstance(self.focused, Button):
            self.focused.press()
