"""Tell outside of the screen that something came, copy, and leave no trace at the end.

Nothing is told while somebody looks. A terminal that reports focus decides that; one that never
did (tmux without `focus-events`, some consoles) can't, so there a person counts as looking until
a minute after the last key, click or paste.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual import events
from textual.driver import Driver

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.text import cut
from exile_tui.ui import escapes
from exile_tui.ui.typeahead import TypeAhead
from exile_tui.ui.widgets.work_pane import WorkPane, work_sentence
from exile_tui.ui.words import NAME_IN_SENTENCE, contact_name

if TYPE_CHECKING:
    from exile_tui.clock import Clock
    from exile_tui.config import Settings
    from exile_tui.core.application import Application
    from exile_tui.core.events import Event, Work
    from exile_tui.core.model import Contact, Overview
    from exile_tui.ui.service import Services

PAUSE_S = 3.0
"""A burst of messages is one notice."""
LOOKING_S = 60.0
"""How long after the last touch somebody counts as looking, where the terminal does not tell."""

SOMETHING_CAME = N_("A new message came.")
REQUEST_CAME = N_("Somebody asks to talk with you.")
CRASHED = N_(
    "exile-tui ended because of an error in the program. What was sent is not lost, and nothing of "
    "your conversations is shown here. To report it, send these lines:"
)
_TOUCHES = (
    events.Mount,  # of the app: somebody started it
    events.Key,
    events.MouseDown,
    events.MouseScrollDown,
    events.MouseScrollUp,
    events.Paste,
)


class Noticing(TypeAhead):
    """An app that reaches the person through the terminal's other means."""

    application: Application
    settings: Settings
    clock: Clock
    services: Services

    def __init__(self, driver_class: type[Driver]) -> None:
        super().__init__(driver_class=driver_class)
        self.terminal = escapes.detect(os.environ)
        self._focus_reported = False
        self._touched_s: float | None = None
        self._noticed_s: float | None = None
        self._work_told_s: float | None = None
        self._unread = 0

    # Whether somebody looks

    async def on_event(self, event: events.Event) -> None:
        """Note what tells whether somebody is there."""
        if isinstance(event, events.AppFocus | events.AppBlur):
            self._focus_reported = True
        elif isinstance(event, _TOUCHES):
            self._touched_s = self.clock.monotonic()
        elif isinstance(event, Driver.SignalResume):  # back after Ctrl+Z: the title is the shell's
            self._write_out(self.terminal.title(self._unread))
        await super().on_event(event)

    @property
    def looked_at(self) -> bool:
        """Whether somebody looks at the screen, as far as can be known."""
        if self._focus_reported or self._touched_s is None:
            return bool(self.app_focus)
        return self.clock.monotonic() - self._touched_s < LOOKING_S

    # Telling

    def tell_outside(self, event: Event) -> None:
        """Tell of a message or a request, and count what is unread."""
        from exile_tui.core.events import (
            ContactChanged,
            MessageStored,
            RequestArrived,
            WorkChanged,
        )
        from exile_tui.core.model import Direction

        match event:
            case MessageStored(message=message, hidden=False):
                if message.direction is Direction.IN:
                    self._message_came(message.contact_id)
                    self.count_unread()
            case RequestArrived():
                self._notice(tr(REQUEST_CAME))
            case ContactChanged():
                self.count_unread()
            case WorkChanged(work=work) if work is not None:
                self._work_goes_on(work)

    def _work_goes_on(self, work: Work) -> None:
        """Say once a minute at most what the computer is busy with, where nothing else does."""
        now = self.clock.monotonic()
        told, self._work_told_s = self._work_told_s, now
        if (told is None or now - told >= LOOKING_S) and not self.screen.query(WorkPane):
            self.notify(work_sentence(work.seconds) + " " + tr("F4 shows how far it is."))

    def action_work(self) -> None:
        """Put the work that a busy relay asks for off, or do what was put off."""
        messenger = self.application.messenger
        if messenger is not None and messenger.work is not None:
            messenger.put_off_work()
        elif messenger is not None:
            messenger.reconnect_now()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to put work off only where there is some."""
        if action == "work":
            messenger = self.application.messenger
            if messenger is None:
                return False
            return messenger.work is not None or messenger.work_problem is not None
        return super().check_action(action, parameters)

    def _message_came(self, contact_id: int) -> None:
        messenger = self.application.messenger
        if self.settings.notifications != "who" or messenger is None or self._is_quiet():
            self._notice(tr(SOMETHING_CAME))
            return

        def tell(contact: Contact) -> None:
            if self.application.messenger is messenger:  # not locked in the meantime
                name = cut(contact_name(contact), NAME_IN_SENTENCE)
                self._notice(tr("New message from {name}", name=name))

        self.services.load(self, "notice", lambda: messenger.contact(contact_id), tell)

    def _is_quiet(self) -> bool:
        if self.settings.notifications == "none" or self.looked_at:
            return True
        last = self._noticed_s
        return last is not None and self.clock.monotonic() - last < PAUSE_S

    def _notice(self, text: str) -> None:
        if not self._is_quiet():
            self._noticed_s = self.clock.monotonic()
            self._write_out(self.terminal.notice(text, bell=self.settings.bell))

    def count_unread(self, overview: Overview | None = None) -> None:
        """Show in the title how many messages wait.

        Args:
            overview: What was read of it just now, if it was.
        """
        messenger = self.application.messenger
        if messenger is None or self.is_headless:
            return

        def show(overview: Overview) -> None:
            if self.application.messenger is messenger:
                self._show_unread(sum(each.unread for each in overview.conversations))

        if overview is not None:
            show(overview)
        else:
            self.services.load(self, "unread", messenger.overview, show)

    def _show_unread(self, unread: int) -> None:
        if unread != self._unread:
            self._unread = unread
            self._write_out(self.terminal.title(unread))

    def forget_outside(self) -> None:
        """Take back what was told, since the profile is locked."""
        self._clipboard = ""  # Ctrl+V pastes it; the terminal's own is not ours to empty
        self._write_out(self.terminal.withdraw())
        self._show_unread(0)

    # The terminal

    def _write_out(self, sequence: str) -> None:
        if sequence and self._driver is not None and not self.is_headless:
            self._driver.write(sequence)
            self._driver.flush()

    def copy_to_clipboard(self, text: str) -> None:
        """Put a text into the terminal's clipboard, through tmux if need be."""
        self._clipboard = text
        self._write_out(self.terminal.clipboard(text))

    # The end that nobody wants

    def _fatal_error(self) -> None:
        """Say where it went wrong, and nothing else: Textual would print every local variable.

        They hold messages and keys, and the terminal's scrollback would keep them.
        """
        from rich.text import Text

        lines = [tr(CRASHED), ""]
        if self._exception is not None:
            lines += places(self._exception)
        self._exit_renderables.append(Text("\n".join(lines)))
        self._close_messages_no_wait()


def places(error: BaseException) -> Iterator[str]:
    """Yield the kinds of an error and its causes, each with the places it came through."""
    at: BaseException | None = error
    while at is not None:
        yield type(at).__name__
        for frame, line in traceback.walk_tb(at.__traceback__):
            yield f"  {frame.f_globals.get('__name__')}:{line} {frame.f_code.co_name}"
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
