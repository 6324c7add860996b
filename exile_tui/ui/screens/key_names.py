"""The names of all keys, for who wants other ones: `[keys]` in config.toml."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from exile_tui.locale import tr
from exile_tui.text import cell_len, one_line
from exile_tui.ui.keys import key_name
from exile_tui.ui.screens.base import ExileModal

EXAMPLE = '[keys]\n"app.invite" = "f12"'
MOST_SHOWN = 3


class Named(NamedTuple):
    """A binding as config.toml knows it."""

    name: str
    keys: str
    description: str


class KeyNames(ExileModal[None]):
    """Lists what can have another key, and says where to write it."""

    DEFAULT_CSS = """
    KeyNames #panel { width: 76; max-width: 96%; height: auto; max-height: 92%; }
    KeyNames #example { margin: 1 0 1 2; }
    KeyNames .text { color: $text-muted; }
    KeyNames VerticalScroll { height: auto; max-height: 12; }
    KeyNames VerticalScroll:focus { background: $panel; }
    """

    def compose_panel(self) -> ComposeResult:
        """Yield the file, an example and the list."""
        file = self.exile.preferences.file or "config.toml"
        yield Static(tr("Other keys"), classes="heading", markup=False)
        yield Static(
            Content(tr("Write them into {file}; they work as soon as it is saved:",
                       file=one_line(file))),
            classes="text",
        )  # fmt: skip
        yield Static(EXAMPLE, id="example", markup=False)
        with VerticalScroll(can_focus=True):
            yield Static(id="names", markup=False)

    def on_mount(self) -> None:
        """Collect the names; every screen is loaded for that, so not before this is seen."""
        self.query_one(VerticalScroll).focus()

        async def read() -> list[Named]:
            return await asyncio.to_thread(_named, dict(self.app._keymap))

        self.load("names", read, self._show)

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        self.on_mount()

    def _show(self, names: list[Named]) -> None:
        first = max(cell_len(each.name) for each in names)
        second = max(cell_len(each.keys) for each in names)
        lines = [
            f"{each.name.ljust(first)}  {each.keys.ljust(second)}  {tr(each.description)}"
            for each in names
        ]
        self.query_one("#names", Static).update(Content("\n").join(Content(line) for line in lines))


def _named(keymap: dict[str, str]) -> list[Named]:
    from exile_tui.ui.keymap import FIXED, places, usual_keys

    everywhere = places()
    described = {
        binding.id: binding.description
        for place in everywhere
        for _, binding in place.ids()
        if binding.id
    }
    found = []
    for name, usual in usual_keys(everywhere).items():
        keys = keymap[name].split(",") if name in keymap else usual
        shown = ", ".join(map(key_name, keys[:MOST_SHOWN]))
        if name not in FIXED:
            found.append(Named(name, shown, described[name]))
    return sorted(found, key=lambda each: (not each.name.startswith("app."), each.name))
