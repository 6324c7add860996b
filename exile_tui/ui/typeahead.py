"""Keys take effect in the order in which they were typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from textual import events, on
from textual.app import App
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

ROUNDS = 4
"""Enter goes up to the app, which acts on it; what that says goes up to its screen, which may show
another place and move the focus there: each a round of messages and a refresh."""
LOOK_S = 0.5
"""A widget that is removed on the way answers no more: so often is looked whether it is there."""
MOST_LOOKS = 10
"""One that says nothing for this many looks never will: the keys are let through all the same."""


@dataclass(eq=False)
class Hold:
    """The keys behind one Enter, until everybody has heard of it."""

    widget: Widget
    """Where the Enter went; once that is gone, the screen in its place."""
    keys: list[events.Event] = field(default_factory=list)
    expecting: bool = False
    """Whether the place that it leads to is being read from the disk."""
    rounds: int = 0
    looks: int = 0
    timer: Timer | None = None


class Settled(Message):
    """Everything that was said before this in a widget has reached the app."""

    def __init__(self, hold: Hold) -> None:
        super().__init__()
        self.hold = hold


class TypeAhead(App[int]):
    """Holds the letters behind Enter until everybody has heard of Enter.

    Textual forwards a key at once and acts on Enter only after the event came back up; letters
    typed right behind it (a slow line hands them over together) would land in the place that Enter
    was about to leave. Where that has to be read first, whoever reads says so (`expect`).
    """

    _hold: Hold | None = None

    async def on_event(self, event: events.Event) -> None:
        """Hold keys and pastes while Enter is on its way."""
        if not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        elif self._hold is not None and not event.is_forwarded:
            self._hold.keys.append(event)
        elif isinstance(event, events.Key) and event.key == "enter" and not event.is_forwarded:
            await self._enter(event)
        else:
            await super().on_event(event)

    def expect(self) -> None:
        """Hold the letters behind Enter, if there is one on its way, until `arrived`."""
        if self._hold is not None:
            self._hold.expecting = True

    async def arrived(self) -> None:
        """Let the letters follow: the place that Enter leads to has the focus."""
        if self._hold is not None and self._hold.expecting:
            await self._release(self._hold)

    async def _enter(self, event: events.Key) -> None:
        self._hold = hold = Hold(self.focused or self.screen)
        hold.timer = self.set_interval(LOOK_S, partial(self._look, hold))
        await super().on_event(event)
        await self._ask(hold)

    async def _ask(self, hold: Hold) -> None:
        """Let a message go the way that what Enter sets off goes."""
        if not hold.widget.post_message(Settled(hold)):
            hold.widget = self.screen
            if not hold.widget.post_message(Settled(hold)):
                await self._release(hold)

    @on(Settled)
    def _settled(self, message: Settled) -> None:
        self.call_after_refresh(self._next_round, message.hold)

    async def _next_round(self, hold: Hold) -> None:
        if hold.expecting or hold is not self._hold:
            return
        hold.rounds += 1
        if hold.rounds < ROUNDS:
            await self._ask(hold)
        else:
            await self._release(hold)

    def _look(self, hold: Hold) -> None:
        """Ask elsewhere if who was asked is gone.

        A busy machine alone is no reason to let the keys through: they would land in the place
        that Enter leaves. What is called here is called later: this is the timer's own task.
        """
        hold.looks += 1
        if hold.looks >= MOST_LOOKS:
            self.call_later(self._release, hold)
        elif not hold.widget.is_running and hold.widget is not self.screen:
            hold.widget, hold.expecting = self.screen, False
            self.call_later(self._ask, hold)

    async def _release(self, hold: Hold) -> None:
        """Let the keys follow, up to the next Enter among them."""
        if hold.timer is not None:
            hold.timer.stop()
        if hold is not self._hold:
            return
        self._hold = None
        while hold.keys:
            await self.on_event(hold.keys.pop(0))
            if self._hold is not None:
                self._hold.keys += hold.keys
                return
