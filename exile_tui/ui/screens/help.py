"""Help, made from the bindings of the focused widget, its screen and the app."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.text import cell_len, fit
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.widgets.key_line import ShownKey

_WIDEST_KEYS, _WIDEST_NAME = 16, 18
_ROOM_FOR_COLUMNS = 80


class HelpScreen(ExileModal[None]):
    """List every key that works where the focus was, with a sentence on what it does."""

    DEFAULT_CSS = """
    HelpScreen #panel {
        width: 84; max-width: 96%; height: auto; max-height: 94%;
        padding: 1 1 0 2; }
    HelpScreen VerticalScroll { height: auto; max-height: 100%; padding: 0 1 0 0; }
    HelpScreen .help-group { color: $text-muted; text-style: bold; margin-top: 1; }
    HelpScreen .help-row { height: auto; }
    HelpScreen .help-key { color: $primary; text-style: bold; }
    HelpScreen .help-text { width: 1fr; height: auto; }
    HelpScreen #other-keys {
        dock: bottom; height: auto; padding: 1 0; color: $text-muted; background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "names", N_("Names"), id="help.names",
                tooltip=N_("Show the names of keys for config.toml, or what keys do")),
        Binding("down", "scroll(1)", N_("Down"), tooltip=N_("Scroll down"), id="help.down"),
        Binding("up", "scroll(-1)", N_("Up"), tooltip=N_("Scroll up"), id="help.up", show=False),
    ]  # fmt: skip

    names: reactive[bool] = reactive(False)
    """Whether the names for config.toml are shown in place of what keys do."""

    def __init__(self, keys: list[ShownKey]) -> None:
        """Make the help.

        Args:
            keys: What worked when help was asked for.
        """
        super().__init__()
        self._keys = keys

    def compose_panel(self) -> ComposeResult:
        """Yield a line for each key, by the place that it belongs to."""
        yield Static(tr("Keys"), classes="heading", markup=False)
        keys = _width(_keys(each) for each in self._keys)
        names = min(_width(each.description for each in self._keys), _WIDEST_NAME)
        with VerticalScroll(can_focus=True):
            for title, group in self._groups():
                yield Static(title, classes="help-group", markup=False)
                for each in group:
                    yield _Row(each, keys + 2, names)
        yield Static(
            tr('Other keys: "app.help" = "f1" under [keys] in config.toml (Space: names)'),
            id="other-keys",
            markup=False,
        )

    def _groups(self) -> list[tuple[str, list[ShownKey]]]:
        everywhere = [each for each in self._keys if each.id.startswith("app.")]
        here = [each for each in self._keys if each not in everywhere]
        groups = [(tr("Here"), here), (tr("Everywhere"), everywhere)]
        return [group for group in groups if group[1]]

    def watch_names(self, names: bool) -> None:
        """Show names, or what keys do."""
        for row in self.query(_Row):
            row.show(names=names)

    def action_names(self) -> None:
        """Turn to the names for config.toml, or back."""
        self.names = not self.names

    def action_scroll(self, by: int) -> None:
        """Scroll by a line."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


class _Row(Horizontal):
    """A key, what it is called, and what it does."""

    def __init__(self, key: ShownKey, keys: int, names: int) -> None:
        """Make the row.

        Args:
            key: What it is about.
            keys: The width of the column of keys in cells.
            names: The width of the column of names in cells.
        """
        super().__init__(classes="help-row")
        self._key, self._keys, self._names = key, keys, names
        self._with_names = False

    def compose(self) -> ComposeResult:
        key = Static(_keys(self._key), classes="help-key", markup=False)
        key.styles.width = self._keys
        yield key
        yield Static(classes="help-text", markup=False)

    def on_resize(self) -> None:
        self.show(names=self._with_names)

    def show(self, *, names: bool) -> None:
        self._with_names = names
        name, about = self._key.description, self._key.id if names else self._key.tooltip
        if self.app.size.width >= _ROOM_FOR_COLUMNS:
            name = fit(name, self._names)
        text = Content.assemble(name, "  ", Content.styled(about, "$text-muted"))
        self.query_one(".help-text", Static).update(text)


def _width(texts: Iterable[str]) -> int:
    return max((cell_len(text) for text in texts), default=0)


def _keys(each: ShownKey) -> str:
    """Return all keys of an action, or the first few that have room."""
    shown = each.keys[0]
    for key in each.keys[1:]:
        if cell_len(shown) + cell_len(key) + 2 > _WIDEST_KEYS:
            break
        shown = f"{shown}, {key}"
    return shown
