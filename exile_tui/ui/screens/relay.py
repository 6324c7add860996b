"""The relay: what it knows and can't know, what it states, who has not followed to it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from exile_tui.errors import N_, ExileError
from exile_tui.locale import tr
from exile_tui.locale.dates import time_of_day
from exile_tui.ui.moving_text import moving_text, place_text
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.statement import (
    facts_text,
    holdings_text,
    ignorance_text,
    literal_text,
    signed_text,
    watcher_text,
)
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.widgets.work_pane import WorkPane
from exile_tui.ui.words import connection_words, error_text

if TYPE_CHECKING:
    from exile_tui.core.events import Event
    from exile_tui.core.model import SignedFacts
    from exile_tui.core.moving import Moving

HEIGHTS = [(0, "-low"), (34, "-tall")]
"""The class that the screen has from a number of rows on: close together, or with air."""


class RelayScreen(ExileScreen):
    """Shows the relay so that one could show it to a journalist."""

    HEADING = N_("What the relay knows")
    CSS_PATH = "relay.tcss"
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f5", "reconnect", N_("Reconnect now"),
            tooltip=N_("Try to reach the relay now, without waiting"), id="relay.reconnect",
        ),
        Binding(
            "ctrl+e", "reach", N_("Let others reach it"),
            tooltip=N_("Open the relay of this computer to other computers"), id="relay.reach",
        ),
        Binding(
            "ctrl+r", "move", N_("Another relay"),
            tooltip=N_("Move to another relay and take the contacts along"), id="relay.move",
        ),
        Binding(
            "f6", "enlarge", N_("Address as code"),
            tooltip=N_("Show the relay's address as a QR code"), id="relay.enlarge",
        ),
        Binding(
            "f8", "copy", N_("Copy address"),
            tooltip=N_("Put the relay's address on the clipboard of this terminal"),
            id="relay.copy",
        ),
        Binding(
            "f7", "reload", N_("Ask again"), show=False,
            tooltip=N_("Ask the relay again what it holds"), id="relay.reload",
        ),
    ]  # fmt: skip

    def __init__(self, panel: str = "") -> None:
        """Make the screen.

        Args:
            panel: "reach" or "move": the panel to open on it at once.
        """
        super().__init__()
        self._panel = panel

    def compose_body(self) -> ComposeResult:
        """Put the address on top, two columns below, the statement under them."""
        with VerticalScroll(id="relay"):
            yield Static(id="address", markup=False)
            yield Static(id="where")
            yield Static(id="connection")
            yield Static(id="problem", classes="error", markup=False)
            yield WorkPane()
            with Vertical(id="access"):
                yield Static(tr("This relay lets in who knows its access phrase."))
                yield Field(
                    placeholder=tr("Access phrase"), password=True, max_length=1024, id="phrase"
                )
            yield Static(id="moving", markup=False)
            with Horizontal(id="ways"):
                yield Button(tr("Reconnect now"), id="reconnect", variant="primary")
                with Horizontal():
                    yield Button(tr("Let others reach it"), id="reach", variant="primary")
                    yield Button(tr("Use another relay"), id="move")
            with Horizontal(id="columns"):
                with Vertical(classes="column", id="left"):
                    yield Static(tr("What it holds about you now"), classes="heading")
                    yield Static(tr("Asking..."), id="holdings", markup=False)
                    yield Static(id="watcher")
                with Vertical(classes="column", id="right"):
                    yield Static(tr("What it can't know"), classes="heading")
                    yield Static(id="ignorance")
            with Horizontal(id="stated"):
                yield Static(tr("What its operator states"), classes="heading")
                yield Static(tr("Asking..."), id="signed", markup=False)
            yield Static(id="facts", markup=False)
            yield Static(tr("Its own answer, to the letter"), classes="heading", id="to-the-letter")
            yield Static(id="literal", markup=False)

    def on_mount(self) -> None:
        """Show what is known here, ask the relay for the rest."""
        self.query_one("#relay").focus()
        self.query_one("#ignorance", Static).update(ignorance_text())
        self.query_one("#watcher", Static).update(watcher_text())
        self.query_one("#access").display = False
        self._show_all()
        panel, self._panel = self._panel, ""
        if panel:
            self.call_after_refresh(self.action_move if panel == "move" else self.action_reach)

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        self.on_mount()

    def happened(self, event: Event) -> None:
        """Follow the connection, and who comes along."""
        from exile_tui.core.events import (
            ConnectionChanged,
            ContactChanged,
            MovingChanged,
            WorkChanged,
        )
        from exile_tui.core.model import Link

        if isinstance(event, ConnectionChanged):
            self._show_connection()
            if event.connection.link is Link.ONLINE:
                self.action_reload()
        elif isinstance(event, MovingChanged | ContactChanged):
            self._load_moving()
        elif isinstance(event, WorkChanged):
            self.query_one(WorkPane).show(self.messenger)

    def _show_all(self) -> None:
        messenger = self.messenger
        self.query_one("#address", Static).update(Content(messenger.relay_address.url))
        place = place_text(messenger.relay_address.host, embedded=messenger.embedded)
        self.query_one("#where", Static).update(place)
        reach = self.query_one("#reach", Button)
        reach.display = messenger.embedded
        reach.label = tr("Let others reach it") if messenger.only_here else tr("Another address")
        self._show_connection()
        self.query_one(WorkPane).show(messenger)
        self._load_moving()
        self.action_reload()

    def _show_connection(self) -> None:
        from exile_tui.core.model import Link
        from exile_tui.errors import RelayRefused

        connection = self.messenger.connection
        retry = ""
        if connection.retry_at_ms is not None:
            retry = time_of_day(connection.retry_at_ms, hours_24=self.exile.settings.time_24h)
        words, good = connection_words(connection, retry)
        line = self.query_one("#connection", Static)
        line.display = not good
        line.update(Content.assemble((f"{self.exile.marks.offline} ", "$warning"), words))
        self.query_one("#reconnect").display = connection.link is Link.OFFLINE
        problem = self.query_one("#problem", Static)
        wrong = connection.problem if connection.link is Link.OFFLINE else None
        problem.display = isinstance(wrong, ExileError)
        if isinstance(wrong, ExileError):
            problem.update(error_text(wrong))
        if isinstance(wrong, RelayRefused):
            self.query_one("#access").display = True
        self.refresh_bindings()

    def _load_moving(self) -> None:
        self.load("moving", self.messenger.moving, self._show_moving)

    def _show_moving(self, moving: Moving | None) -> None:
        line = self.query_one("#moving", Static)
        line.display = moving is not None
        if moving is not None:
            line.update(moving_text(moving, self.exile.clock.now_ms()))

    def action_reload(self) -> None:
        """Ask the relay what it holds and states."""
        self.load("holdings", self.messenger.disclosure, self._show_holdings, self._no_holdings)
        self.load("facts", self.messenger.facts, self._show_facts, self._no_facts)

    def _show_holdings(self, held: list[dict[str, Any]]) -> None:
        now_ms = self.exile.clock.now_ms()
        self.query_one("#holdings", Static).update(holdings_text(held, now_ms))
        self.query_one("#literal", Static).update(literal_text(held))
        self.query_one("#to-the-letter").display = bool(held)

    def _no_holdings(self, error: ExileError) -> None:
        self.query_one("#holdings", Static).update(Content(error_text(error)))
        self.query_one("#literal", Static).update("")
        self.query_one("#to-the-letter").display = False

    def _show_facts(self, signed: SignedFacts) -> None:
        facts = signed.facts
        now_ms = self.exile.clock.now_ms()
        self.query_one("#signed", Static).update(signed_text(facts, now_ms))
        self.query_one("#facts", Static).update(facts_text(facts))
        # One phrase is asked for on this screen only where none is stored yet.
        if facts.access == "phrase" and not self.messenger.access_phrase:
            self.query_one("#access").display = True

    def _no_facts(self, error: ExileError) -> None:
        from exile_tui.errors import RelayKeyMismatch

        style = "$text-warning bold" if isinstance(error, RelayKeyMismatch) else ""
        self.query_one("#signed", Static).update(Content.styled(error_text(error), style))
        self.query_one("#facts", Static).update("")

    @on(Input.Submitted, "#phrase")
    def _phrase(self, event: Input.Submitted) -> None:
        phrase = event.value
        event.input.value = ""

        def stored(_: None) -> None:
            self.exile.notify(tr("The access phrase is stored. Trying again with it."))

        self.command("access", lambda: self.messenger.set_access_phrase(phrase), stored)

    @on(Button.Pressed, "#reconnect")
    def action_reconnect(self) -> None:
        """Try again at once."""
        self.messenger.reconnect_now()

    @on(Button.Pressed, "#reach")
    def action_reach(self) -> None:
        """Choose the address at which others reach this computer's relay."""
        from exile_tui.ui.screens.reach import ReachPanel

        self.app.push_screen(ReachPanel(), self._moved)

    @on(Button.Pressed, "#move")
    def action_move(self) -> None:
        """Move to another relay."""
        from exile_tui.ui.screens.move import MovePanel

        self.app.push_screen(MovePanel(), self._moved)

    def _moved(self, moved: bool | None) -> None:
        if moved:
            self.query_one("#access").display = False
            self._show_all()

    def action_copy(self) -> None:
        """Put the address on the terminal's clipboard."""
        self.app.copy_to_clipboard(self.messenger.relay_address.url)
        self.exile.notify(
            tr("Copied, if your terminal allows it. Else mark the address with the mouse.")
        )

    def action_enlarge(self) -> None:
        """Show the address as a QR code."""
        from exile_tui.ui.screens.large_code import LargeCode

        self.app.push_screen(LargeCode(self.messenger.relay_address.url.encode()))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to reconnect only while offline, and what only this computer's relay can do."""
        if action == "reconnect":
            from exile_tui.core.model import Link

            return self.messenger.connection.link is Link.OFFLINE
        if action == "reach":
            return self.messenger.embedded
        return super().check_action(action, parameters)
