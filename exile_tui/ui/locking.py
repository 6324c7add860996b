"""Close the profile at once for whoever looks, however long its closing takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.widgets import Static

from exile_tui.errors import ExileError
from exile_tui.locale import tr
from exile_tui.ui.screens.base import ExileModal, ExileScreen

if TYPE_CHECKING:
    from exile_tui.ui.app import ExileApp

SIGNS = (events.Key, events.Paste, events.MouseEvent)
"""What a person does."""


QUIT = "ctrl+q"
"""What leaves the program, unless a person gave that another key."""


class Locking:
    """Hides what is shown, keeps keys from it, closes the profile, asks for the passphrase."""

    def __init__(self, app: ExileApp) -> None:
        self._app = app
        self.under_way = False
        """From the moment that somebody asked for it until the passphrase is asked for."""

    def begin(self) -> None:
        """Close the profile; only the passphrase opens it again."""
        if self.under_way:
            return
        self.under_way = True
        app = self._app
        app.forget_outside()
        app.clear_notifications()
        for screen in app.screen_stack:
            for child in screen.children:
                child.visible = False
        app.screen.mount(Static(tr("Locking..."), classes="locking"))
        app.services.command(app, "lock", self._close, self._closed)

    def keeps_away(self, event: events.Event) -> bool:
        """Tell whether a key, click or paste must reach nothing: its place is hidden by now.

        To leave is still possible, should the closing never end.
        """
        if not (self.under_way and isinstance(event, SIGNS)):
            return False
        return not (isinstance(event, events.Key) and self._leaves(event.key))

    def _leaves(self, key: str) -> bool:
        return key in self._app._keymap.get("app.quit", QUIT).split(",")

    async def _closed(self, _: None) -> None:
        app = self._app
        await app._begin("unlock")
        self.under_way = False
        # Textual keeps a closed screen, with all that is written on it, until what it watched
        # changes.
        for watching in vars(app).get("__watchers", {}).values():
            watching[:] = [each for each in watching if not each[0]._closing]

    async def _close(self) -> None:
        await self.keep_typed()
        try:
            await self._app.application.lock()
        except ExileError as error:  # its keys are gone all the same, and so must the screen be
            self._app.show_error(error)
        except Exception as error:
            self._app.show_unexpected(error)

    async def keep_typed(self) -> None:
        """Let screens store what only they hold; whatever fails there, the lock must close."""
        for screen in self._app.screen_stack:
            if isinstance(screen, ExileScreen | ExileModal):
                try:
                    await screen.before_lock()
                except ExileError:  # a full disk, say
                    continue
                except Exception as error:
                    self._app.show_unexpected(error)
