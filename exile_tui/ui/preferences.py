"""The settings while the program runs: what changes with them, and config.toml behind them."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from exile_tui import config_file
from exile_tui.config import AT_START, Settings
from exile_tui.errors import ExileError, UsageError
from exile_tui.locale import detect_language, language, set_language, tr
from exile_tui.ui.words import ASCII, UNICODE, error_text

if TYPE_CHECKING:
    from exile_tui.config import Source
    from exile_tui.ui.app import ExileApp

LOOK_S = 2.0
"""How often is looked whether config.toml changed."""
_DRAWN = ("time_24h", "ascii_marks", "enter_sends")
"""What screens ask for when they are made."""


class Preferences:
    """Applies what changed, here or in the file, at once."""

    def __init__(self, app: ExileApp, source: Source | None) -> None:
        """Make the keeper.

        Args:
            app: Whose settings.
            source: Where they come from; None if they are kept nowhere.
        """
        self._app = app
        self._source = source
        self._stamp: config_file.Stamp | None = None
        self._writing = 0

    # The file

    @property
    def file(self) -> str:
        """Where config.toml is, as text; empty if there is none to write to."""
        return str(self._source.file) if self._source and self._source.file else ""

    def override(self, name: str) -> str:
        """Return the flag or the variable that stands above the file's value, or nothing."""
        return self._source.override(name) if self._source else ""

    def start(self) -> None:
        """Say what is wrong with the file, and follow it from now on."""
        if self.file:
            self.look()
            self._app.set_interval(LOOK_S, self.look)
        self._apply_keys()

    def look(self) -> None:
        """Read the file again if it changed; a bad one is one notice and changes nothing."""
        if self._source is None or self._source.file is None or self._writing:
            return
        stamp = config_file.stamp(self._source.file)
        if stamp == self._stamp:
            return
        first, self._stamp = self._stamp is None, stamp
        try:
            found = self._source.load()
        except UsageError as error:
            self._app.notify(
                tr("{problem} The settings stay as they were.", problem=error_text(error))
                if not first
                else error_text(error),
                severity="warning",
                timeout=10,
            )
            return
        self._use(found)

    # Changes

    async def change(self, **values: str | bool | int) -> None:
        """Apply new values at once and write them into the file.

        A setting that a flag or a variable stands above is applied, not written.
        """
        self._apply(replace(self._app.settings, **values))  # type: ignore[arg-type]  # by name
        lasting = {name: value for name, value in values.items() if not self.override(name)}
        if self._source is None or self._source.file is None or not lasting:
            return
        self._writing += 1
        try:
            await asyncio.to_thread(config_file.save, lasting, self._source.file)
        finally:
            self._writing -= 1

    def _use(self, found: Settings) -> None:
        """Apply what the file says now."""
        now = self._app.settings
        late = [name for name in AT_START if getattr(found, name) != getattr(now, name)]
        if late:
            self._app.notify(
                tr("'{name}' has a new value; it takes effect at the next start.", name=late[0])
            )
        self._apply(replace(found, **{name: getattr(now, name) for name in AT_START}))

    def _apply(self, settings: Settings) -> None:
        app, before = self._app, self._app.settings
        app.settings = settings
        app.marks = ASCII if settings.ascii_marks else UNICODE
        app.set_class(settings.ascii_marks, "-ascii")
        if settings.theme != before.theme:
            self._show_theme(settings.theme)
        if settings.keys != before.keys:
            self._apply_keys()
        spoken = settings.lang or detect_language(os.environ)
        translated = settings.lang != before.lang and spoken != language()
        if translated:
            set_language(spoken)
        drawn = any(getattr(settings, name) != getattr(before, name) for name in _DRAWN)
        if translated or drawn:
            app.call_later(self._redraw)
        app.refresh_bindings()  # which tells the settings' screen

    async def choose_language(self, lang: str) -> None:
        """Speak another language where no settings can be seen yet, and keep it for next time."""
        app = self._app
        set_language(lang)
        await self._redraw()

        async def keep() -> None:
            # A full disk is no reason to talk of disks in the first minute.
            with suppress(ExileError):
                await self.change(lang=lang)

        app.services.command(app, "settings", keep)

    async def _redraw(self) -> None:
        """Make every screen anew; what was typed stays."""
        from exile_tui.ui.screens.base import ExileModal, ExileScreen

        for screen in self._app.screen_stack:
            if isinstance(screen, (ExileScreen, ExileModal)):
                await screen.retranslate()

    def _show_theme(self, name: str | None) -> None:
        if problem := self._app.themes.use(name):
            self._app.notify(problem, severity="warning")

    # Keys

    def _apply_keys(self) -> None:
        keys = self._app.settings.keys
        if not keys and not self._app._keymap:
            return

        async def check() -> tuple[dict[str, str], list[UsageError]]:
            # Compares with every screen's keys: loading them must not hold up the first frame.
            from exile_tui.ui import keymap

            return await asyncio.to_thread(keymap.check, keys)

        self._app.services.load(self._app, "keys", check, self._remap)

    def _remap(self, checked: tuple[dict[str, str], list[UsageError]]) -> None:
        keymap, problems = checked
        self._app.set_keymap(keymap)
        if problems:
            self._app.notify("\n".join(map(error_text, problems)), severity="warning", timeout=10)
