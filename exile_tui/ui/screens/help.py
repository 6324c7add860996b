"""Help, made from the bindings of the focused widget, its screen and the app."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from exile_tui.locale import tr
from exile_tui.text import cell_len
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.widgets.key_line import ShownKey


class HelpScreen(ExileModal[None]):
    """List every key that works where the focus was, with a sentence on what it does."""

    DEFAULT_CSS = """
    HelpScreen #panel { width: 76; max-width: 96%; height: auto; max-height: 90%; }
    HelpScreen VerticalScroll { height: auto; max-height: 100%; }
    HelpScreen .help-group { color: $text-muted; margin-top: 1; }
    """

    def __init__(self, keys: list[ShownKey]) -> None:
        """Make the help.

        Args:
            keys: What worked when help was asked for.
        """
        super().__init__()
        self._keys = keys

    def compose_panel(self) -> ComposeResult:
        """Yield a line for each key, by the place that it belongs to."""
        yield Static(tr("Keys here"), classes="heading", markup=False)
        width = max((cell_len(each.key) for each in self._keys), default=0)
        with VerticalScroll(can_focus=True):
            for title, keys in self._groups():
                yield Static(title, classes="help-group", markup=False)
                for each in keys:
                    yield Static(self._line(each, width))

    def _groups(self) -> list[tuple[str, list[ShownKey]]]:
        screens = self.app.screen_stack
        everywhere = [each for each in self._keys if each.node is self.app]
        screen = [each for each in self._keys if each.node in screens]
        here = [each for each in self._keys if each not in everywhere and each not in screen]
        groups = [
            (tr("In the focused place"), here),
            (tr("On this screen"), screen),
            (tr("Everywhere"), everywhere),
        ]
        return [group for group in groups if group[1]]

    @staticmethod
    def _line(each: ShownKey, width: int) -> Content:
        key = each.key + " " * (width - cell_len(each.key))
        text = Content.assemble((key, "bold $primary"), "  ", each.description)
        return text + Content.styled(f"  {each.tooltip}", "$muted") if each.tooltip else text
