"""What every screen is: a status line, a body, a line of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, Screen

from exile_tui.errors import N_
from exile_tui.ui.messages import Happened
from exile_tui.ui.redrawing import recompose
from exile_tui.ui.widgets.key_line import KeyLine
from exile_tui.ui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.worker import Worker

    from exile_tui.core.events import Event
    from exile_tui.core.messenger import Messenger
    from exile_tui.ui.app import ExileApp
    from exile_tui.ui.service import Call, Failed, Then

WIDTHS = [(0, "-narrow"), (80, "-normal"), (100, "-wide")]
"""The class that a screen has from a width on: one pane, two, room to spare."""


def _width_class(width: int) -> str:
    return max(each for each in WIDTHS if each[0] <= width)[1]


R = TypeVar("R")
T = TypeVar("T")


class ServiceCalls(MessagePump):
    """The app and its services, for both kinds of screen."""

    @property
    def exile(self) -> ExileApp:
        """Return the app under its own type."""
        return cast("ExileApp", self.app)

    @property
    def messenger(self) -> Messenger:
        """Return the open profile; only screens behind the lock ask for it."""
        return self.exile.open_messenger

    def load(
        self, group: str, call: Call[R], then: Then[R], failed: Failed | None = None
    ) -> Worker[None]:
        """Read something; see `Services.load`."""
        return self.exile.services.load(self, group, call, then, failed)

    def command(
        self,
        group: str,
        call: Call[R],
        then: Then[R] | None = None,
        failed: Failed | None = None,
    ) -> Worker[None]:
        """Change something; see `Services.command`."""
        return self.exile.services.command(self, group, call, then, failed)


class ExileScreen(ServiceCalls, Screen[None]):
    """A full screen. Subclasses give `HEADING`, `compose_body` and, if they care, `happened`."""

    HEADING: ClassVar[str] = ""
    """A catalog key, shown in the status line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "back", N_("Back"), tooltip=N_("Return to where you were"), id="screen.back"
        ),
    ]
    HORIZONTAL_BREAKPOINTS = WIDTHS

    _was_shown = False

    place: str = ""
    """The name that this screen was made by."""

    # What Textual 8.2.8 does twice as a screen is shown: half of the time that this takes.

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Find all styles anew only where they may have changed since the screen was shown."""
        event.refresh_styles &= self._was_shown
        self._was_shown = True

    def _screen_resized(self, size: Size) -> None:
        """Lay out for a size; not again for that which the first layout told of."""
        if size != self._compositor.size:
            super()._screen_resized(size)

    def _on_timer_update(self) -> None:
        """Paint once where there is a layout to be made, and all of the screen is to be painted."""
        if self._layout_required and self._repaint_required:
            self._repaint_required = False
            self._dirty_widgets.add(self)
        super()._on_timer_update()

    @property
    def narrow(self) -> bool:
        """Whether there is room for one pane only, now: the class comes after `on_resize`."""
        return _width_class(self.app.size.width) == WIDTHS[0][1]

    def compose(self) -> ComposeResult:
        """Put the body between the two lines."""
        # Known before the first layout, or all styles are found twice.
        width = self.app.size.width
        self.update_classes({name: name == _width_class(width) for _, name in WIDTHS})
        yield StatusLine(self.HEADING)
        with Container(id="body"):
            yield from self.compose_body()
        yield KeyLine()

    def compose_body(self) -> ComposeResult:
        """Yield the screen's own widgets."""
        yield from ()

    def happened(self, event: Event) -> None:
        """Take notice of what the messenger said; also while another screen lies above."""

    @on(Happened)
    def _on_happened(self, message: Happened) -> None:
        self.query_one(StatusLine).refresh()
        if self.exile.application.messenger is not None:  # not locked since it was said
            self.happened(message.event)

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await recompose(self)

    async def before_lock(self) -> None:
        """Store what only this screen holds; the profile closes next."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer "back" only where there is a way back."""
        if action == "back":
            return len(self.app.screen_stack) > 1
        return True

    def action_back(self) -> None:
        """Leave this screen."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()


class ExileModal(ServiceCalls, ModalScreen[T]):
    """A panel over a screen; `dismiss` ends it. Subclasses give `compose_panel`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", N_("Close"), tooltip=N_("Close this panel"), id="panel.close"),
        Binding("f1", "app.help", N_("Help"), tooltip=N_("The keys that work here"), id="app.help"),
    ]

    def compose(self) -> ComposeResult:
        """Put the panel in the middle and its keys below."""
        with Vertical(id="panel"):
            yield from self.compose_panel()
        yield KeyLine()

    def compose_panel(self) -> ComposeResult:
        """Yield the panel's own widgets."""
        yield from ()

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await recompose(self)

    async def before_lock(self) -> None:
        """End what needs the profile; it closes next."""

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
