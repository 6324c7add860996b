"""The app: themes, screens by name, what the messenger says, and errors' one face."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from exile_tui.errors import N_, ExileError
from exile_tui.hangul import QWERTY
from exile_tui.locale import detect_language, set_language, tr
from exile_tui.text import sanitize_terminal_text
from exile_tui.ui.autolock import AutoLock
from exile_tui.ui.driver import ExileDriver
from exile_tui.ui.finding import Finding
from exile_tui.ui.keymap import run_remapped
from exile_tui.ui.locking import Locking
from exile_tui.ui.messages import Happened
from exile_tui.ui.notices import Noticing
from exile_tui.ui.preferences import Preferences
from exile_tui.ui.screens import make_screen
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.service import Services
from exile_tui.ui.starting import Starting
from exile_tui.ui.stylesheet import ReusingStylesheet
from exile_tui.ui.themes import Themes, next_of_kin
from exile_tui.ui.timers import LateTimers
from exile_tui.ui.words import ASCII, PRODUCT, UNICODE, error_text

if TYPE_CHECKING:
    from textual.await_complete import AwaitComplete
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from exile_tui.clock import Clock
    from exile_tui.config import Settings, Source
    from exile_tui.core.application import Application
    from exile_tui.core.events import Event
    from exile_tui.core.messenger import Messenger
    from exile_tui.core.model import Connection, Overview

FIRST_FRAME_S = 0.1
"""How long what can wait keeps out of the way of a screen's first frame."""
NETWORK_S = 0.4
"""How long the network keeps out of the way of the chats, and of the first that is opened."""


def _go(keys: str, place: str, description: str, tooltip: str, *, show: bool = False) -> Binding:
    return Binding(
        keys, f"go('{place}')", description, tooltip=tooltip, id=f"app.{place}", show=show
    )


class ExileApp(LateTimers, Noticing, Finding, inherit_bindings=False):
    """One window on one profile."""

    TITLE = PRODUCT
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        Path(__file__).with_name("app.tcss"),
        Path(__file__).with_name("plain.tcss"),
    ]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the fields that would take it for their own.
        Binding("ctrl+k", "switcher", N_("Go to"), id="app.switcher", priority=True,
                tooltip=N_("Go to a conversation by its name or its initials")),
        _go("f2", "contacts", N_("Contacts"), N_("Contacts and requests"), show=True),
        _go("f4", "relay", N_("Relay"), N_("What the relay knows")),
        _go("f9", "settings", N_("Settings"), N_("Language, colours, notifications, locking")),
        _go("ctrl+n", "invite", N_("Invite"), N_("Invite someone by link or QR code")),
        _go("ctrl+o", "join", N_("Open an invite"), N_("Open an invite that you were given")),
        Binding("ctrl+b", "history", N_("Export and import"), id="app.history", show=False,
                tooltip=N_("Write your messages into a file, or take them from one")),
        Binding("ctrl+x", "work", N_("Work for the relay"), id="app.work", show=False,
                tooltip=N_("Put off the work that the busy relay asks for, or do it now")),
        Binding("ctrl+p", "palette", N_("Commands"), tooltip=N_("Find a command"),
                id="app.palette"),
        Binding("f1", "help", N_("Help"), tooltip=N_("The keys that work here"), id="app.help"),
        # From panels too, which know no other keys of the app.
        Binding("ctrl+l", "lock", N_("Lock"), tooltip=N_("Lock this profile"), id="app.lock",
                show=False, priority=True),
        Binding("ctrl+q", "quit", N_("Quit"), tooltip=N_("Close exile-tui"), id="app.quit",
                show=False, priority=True),
        Binding("ctrl+c", "hint_quit", show=False),
        # Before all others: what is typed right after Tab must not land in the field that is left.
        Binding("tab", "focus_next", N_("Next field"), id="app.next", show=False, priority=True,
                tooltip=N_("Move on to the next field, list or button")),
        Binding("shift+tab", "focus_previous", N_("Previous field"), id="app.previous", show=False,
                tooltip=N_("Move back to the field before"), priority=True),
    ]  # fmt: skip

    def __init__(
        self,
        application: Application,
        settings: Settings,
        clock: Clock,
        config_directory: Path | None = None,
        source: Source | None = None,
    ) -> None:
        """Make the app.

        Args:
            application: The profile, closed or open.
            settings: What the person chose.
            clock: For everything that is shown with a time.
            config_directory: Where the person's own themes are; None for the usual place.
            source: Where the settings come from; None if they are kept nowhere.
        """
        set_language(settings.lang or detect_language(os.environ))
        super().__init__(driver_class=ExileDriver)
        self.stylesheet = ReusingStylesheet(variables=self.get_css_variables())
        self.application = application
        self.settings = settings
        self.clock = clock
        self.preferences = Preferences(self, source)
        self.autolock = AutoLock(self)
        self.locking = Locking(self)
        self.services = Services(self)
        self.starting = Starting(self)
        self.marks = ASCII if settings.ascii_marks else UNICODE
        self.set_class(settings.ascii_marks, "-ascii")
        self.connection: Connection | None = None
        """What the messenger last said about its connection."""
        self.unexpected: list[Exception] = []
        """Errors that are bugs; tests assert that there are none."""
        self._unsubscribe: Callable[[], None] = lambda: None
        self.themes = Themes(self, config_directory and config_directory / "themes")
        """All themes that can be shown, and how to show one."""
        self._theme_problems = self.themes.load()
        self._theme_problems += filter(None, [self.themes.use(settings.theme)])

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme our own colours, from the shipped theme of its kind."""
        theme = self.get_theme(next_of_kin(self.current_theme))
        return dict(theme.variables) if theme is not None else {}

    def get_css_variables(self) -> dict[str, str]:
        """Give muted text a colour of the theme: Textual's share of the foreground is too faint."""
        variables = super().get_css_variables()
        if "muted" in variables:  # not before the themes are loaded
            variables["text-muted"] = variables["foreground-muted"] = variables["muted"]
        return variables

    @property
    def badge(self) -> str:
        """What the first line says beside the product's name, translated."""
        return ""

    # Screens

    def get_default_screen(self) -> Screen[Any]:
        """Begin where the profile is: not made yet, or locked."""
        if self.application.messenger is not None:
            screen = make_screen("chats")
        else:
            screen = make_screen("unlock" if self.application.exists() else "first_run")
        self._load_screen_css(screen)  # Textual does so for every screen but the first
        return screen

    def on_mount(self) -> None:
        """Say what was wrong with themes; take an open profile as it is."""
        for notice in self._theme_problems:
            self.notify(notice, severity="warning")
        # Textual's call after a refresh is lost with the screen that was to be refreshed.
        self.set_timer(FIRST_FRAME_S, self.starting.shown)
        self.preferences.start()
        self.autolock.start()
        if self.application.messenger is not None:
            self._listen(self.application.messenger)

    @property
    def open_messenger(self) -> Messenger:
        """Return the open profile.

        Raises:
            ExileError: It is locked.
        """
        if self.application.messenger is None:
            raise ExileError(N_("The profile is locked."))
        return self.application.messenger

    def enter(self, messenger: Messenger, overview: Overview | None = None) -> None:
        """Go from first run or unlock to the chats, then start the network.

        Args:
            messenger: The open profile.
            overview: Its list of conversations, if it was read already.
        """

        async def start() -> None:
            # The chats show without it, and whoever opens one at once is not to wait for it.
            await asyncio.sleep(NETWORK_S)
            if self.application.messenger is messenger:  # not locked again
                await messenger.start()

        self.autolock.seen()
        self._listen(messenger, overview)
        self._begin("chats", overview=overview)
        self.services.command(self, "start", start)

    def _listen(self, messenger: Messenger, overview: Overview | None = None) -> None:
        self._unsubscribe()
        self.connection = messenger.connection
        self._unsubscribe = messenger.events.subscribe(self._heard)
        self.count_unread(overview)

    def _heard(self, event: Event) -> None:
        from exile_tui.core.events import ConnectionChanged

        if isinstance(event, ConnectionChanged):
            self.connection = event.connection
        self.tell_outside(event)
        for screen in self.screen_stack:
            if isinstance(screen, ExileScreen):
                screen.post_message(Happened(event))

    def open_screen(self, name: str, **arguments: object) -> None:
        """Show a screen above this one; Esc leads back."""
        self.push_screen(make_screen(name, **arguments))

    def show_chats(self, contact_id: int | None = None) -> None:
        """Return to the chats and, if given, open a conversation."""
        from exile_tui.ui.screens.chats import ChatsScreen

        self._to_base()
        base = self.screen_stack[0]
        if contact_id is not None and isinstance(base, ChatsScreen):
            base.open_conversation(contact_id)

    def _to_base(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def _begin(self, name: str, **arguments: object) -> AwaitComplete:
        self._to_base()
        if not self.screen._result_callbacks:
            # Textual 8.2.8 never pushed its first screen, but switching takes a callback off it.
            self.screen._push_result_callback(self.screen, None)
        return self.switch_screen(make_screen(name, **arguments))

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keep what needs an open profile out of reach while it is locked."""
        if action in ("go", "lock", "history"):
            return self.application.messenger is not None
        return super().check_action(action, parameters)

    def action_go(self, place: str) -> None:
        """Show one of the main places, directly above the chats."""
        top = self.screen
        if isinstance(top, ExileScreen) and top.place == place:
            return
        self._to_base()
        self.open_screen(place)

    def action_history(self) -> None:
        """Bring messages out into a file, or in from one."""
        from exile_tui.ui.screens.history import open_history

        open_history(self)

    def action_lock(self) -> None:
        """Close the profile; only the passphrase opens it again."""
        self._unsubscribe()
        self.connection = None
        self.locking.begin()

    async def action_quit(self) -> None:
        """Leave; what was typed is kept."""
        await self.locking.keep_typed()
        self.exit()

    def ask(
        self, question: str, yes: str, then: Callable[[], object], explanation: str = ""
    ) -> None:
        """Ask before something that can't be undone; `then` runs only on yes.

        Args:
            question: Translated, one sentence.
            yes: The button that does it, translated.
            then: What to do.
            explanation: What follows from it, translated.
        """
        from exile_tui.ui.screens.confirm import ConfirmScreen

        def answered(answer: bool | None) -> None:
            if answer:
                then()

        self.push_screen(ConfirmScreen(question, yes, explanation), answered)

    def passphrase_changed(self) -> None:
        """Take notice that another passphrase opens the profile now."""

    async def choose_language(self, language: str) -> None:
        """Show everything in another language from now on, and after the next start too."""
        await self.preferences.choose_language(language)

    # What people are told

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a notice; its text is made safe and never read as markup."""
        super().notify(
            sanitize_terminal_text(message),
            title=sanitize_terminal_text(title),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    def show_error(self, error: ExileError) -> None:
        """Show an error that no screen has a better place for."""
        self.notify(error_text(error), title=tr(error.title), severity="error", timeout=10)

    def show_unexpected(self, error: Exception) -> None:
        """Show that something went wrong that should not have; the program goes on."""
        self.unexpected.append(error)
        self.log.error(error)
        self.show_error(ExileError())

    # Keys and the end

    async def on_event(self, event: events.Event) -> None:
        """Drop what comes after the time to lock, or while the profile closes."""
        if not (self.locking.keeps_away(event) or self.autolock.comes_too_late(event)):
            await super().on_event(event)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Take a jamo for the letter on its key where nothing wanted it as text."""
        if await super()._check_bindings(key, priority):
            return True
        if priority and await run_remapped(self, key):
            return True
        letter = QWERTY.get(key)
        return letter is not None and await super()._check_bindings(letter, priority)

    async def on_unmount(self) -> None:
        """Close the profile with the window."""
        self._unsubscribe()
        await self.application.close()
