"""Keys take effect in the order in which they were typed."""

from __future__ import annotations

from textual import events, on
from textual.app import App
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

ROUNDS = 4
"""Enter goes up to the app, which acts on it; what that says goes up to its screen, which may show
another place and move the focus there: each a round of messages and a refresh."""
LONGEST_S = 0.5
"""A widget that is gone answers no more: by then the keys are let through all the same."""


class Settled(Message):
    """Everything that was said before this in a widget has reached the app."""

    def __init__(self, widget: Widget, rounds: int) -> None:
        super().__init__()
        self.widget = widget
        self.rounds = rounds


class TypeAhead(App[int]):
    """Holds the letters behind Enter until everybody has heard of Enter.

    Textual forwards a key at once and acts on Enter only after the event came back up; letters
    typed right behind it (a slow line hands them over together) would land in the place that Enter
    was about to leave. Where that has to be read first, whoever reads says so (`expect`).
    """

    _held: list[events.Event] | None = None
    _expecting = False
    """Whether the place that Enter leads to is being read from the disk."""
    _limit: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Hold keys and pastes while Enter is on its way."""
        if not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        elif self._held is not None and not event.is_forwarded:
            self._held.append(event)
        elif isinstance(event, events.Key) and event.key == "enter" and not event.is_forwarded:
            await self._enter(event)
        else:
            await super().on_event(event)

    async def _enter(self, event: events.Key) -> None:
        widget = self.focused or self.screen
        self._held = []
        self._limit = self.set_timer(LONGEST_S, self._release)
        await super().on_event(event)
        if not widget.post_message(Settled(widget, 0)):
            await self._release()

    @on(Settled)
    def _settled(self, message: Settled) -> None:
        self.call_after_refresh(self._next_round, message.widget, message.rounds + 1)

    def expect(self) -> None:
        """Hold the letters behind Enter, if there is one on its way, until `arrived`."""
        self._expecting = self._held is not None

    async def arrived(self) -> None:
        """Let the letters follow: the place that Enter leads to has the focus."""
        if self._expecting:
            await self._release()

    async def _next_round(self, widget: Widget, rounds: int) -> None:
        if self._expecting:
            return
        if rounds >= ROUNDS or not widget.post_message(Settled(widget, rounds)):
            await self._release()

    async def _release(self) -> None:
        """Let the keys follow, up to the next Enter among them."""
        held, self._held, self._expecting = self._held or [], None, False
        if self._limit is not None:
            self._limit.stop()
        while held:
            await self.on_event(held.pop(0))
            if self._held is not None:
                self._held += held
                return
