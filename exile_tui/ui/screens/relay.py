"""The relay: where it is, how the connection stands, what it knows, what it states."""

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
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.statement import facts_text, holdings_text, ignorance_text
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.words import connection_words, error_text

if TYPE_CHECKING:
    from exile_tui.core.events import Event
    from exile_tui.core.model import SignedFacts


class RelayScreen(ExileScreen):
    """Shows the relay so that one could show it to a journalist."""

    HEADING = N_("What the relay knows")
    CSS_PATH = "relay.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f5", "reconnect", N_("Reconnect now"),
            tooltip=N_("Try to reach the relay now, without waiting"), id="relay.reconnect",
        ),
        Binding(
            "f6", "enlarge", N_("Address as code"),
            tooltip=N_("Show the relay's address as a QR code"), id="relay.enlarge",
        ),
        Binding(
            "f8,c", "copy", N_("Copy address"),
            tooltip=N_("Put the relay's address on the clipboard of this terminal"),
            id="relay.copy",
        ),
        Binding(
            "f7", "reload", N_("Ask again"),
            tooltip=N_("Ask the relay again what it holds"), id="relay.reload",
        ),
    ]  # fmt: skip

    def compose_body(self) -> ComposeResult:
        """Put address and connection on top, two columns below, the statement under them."""
        with VerticalScroll(id="relay"):
            yield Static(id="address", markup=False)
            yield Static(id="where")
            with Horizontal(id="line"):
                yield Static(id="connection")
                yield Button(tr("Reconnect now"), id="reconnect", variant="primary")
            yield Static(id="problem", classes="error", markup=False)
            with Vertical(id="access"):
                yield Static(tr("This relay lets in who knows its access phrase."))
                yield Field(
                    placeholder=tr("Access phrase"), password=True, max_length=1024, id="phrase"
                )
            with Horizontal(id="columns"):
                with Vertical(classes="column"):
                    yield Static(tr("What it holds about you now"), classes="heading")
                    yield Static(tr("Asking..."), id="holdings", markup=False)
                with Vertical(classes="column"):
                    yield Static(tr("What it can't know"), classes="heading")
                    yield Static(id="ignorance")
            yield Static(tr("What its operator states"), classes="heading")
            yield Static(tr("Asking..."), id="facts", markup=False)

    def on_mount(self) -> None:
        """Show what is known here, ask the relay for the rest."""
        self.query_one("#relay").focus()
        self.query_one("#address", Static).update(Content(self.messenger.relay_address.url))
        self.query_one("#where", Static).update(
            tr("It runs on this computer while exile-tui is open. Nobody else reaches it.")
            if self.messenger.embedded
            else tr("A relay only passes messages on. This one is run by somebody you chose.")
        )
        self.query_one("#ignorance", Static).update(ignorance_text())
        self.query_one("#access").display = False
        self._show_connection()
        self.action_reload()

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        self.on_mount()

    def happened(self, event: Event) -> None:
        """Follow the connection."""
        from exile_tui.core.events import ConnectionChanged
        from exile_tui.core.model import Link

        if isinstance(event, ConnectionChanged):
            self._show_connection()
            if event.connection.link is Link.ONLINE:
                self.action_reload()

    def _show_connection(self) -> None:
        from exile_tui.core.model import Link
        from exile_tui.errors import RelayRefused

        connection = self.messenger.connection
        retry = ""
        if connection.retry_at_ms is not None:
            retry = time_of_day(connection.retry_at_ms, hours_24=self.exile.settings.time_24h)
        words, good = connection_words(connection, retry)
        mark = self.exile.marks.online if good else self.exile.marks.offline
        color = "$success" if good else "$warning"
        self.query_one("#connection", Static).update(Content.assemble((f"{mark} ", color), words))
        self.query_one("#reconnect").display = connection.link is Link.OFFLINE
        problem = self.query_one("#problem", Static)
        wrong = connection.problem if connection.link is Link.OFFLINE else None
        problem.display = isinstance(wrong, ExileError)
        if isinstance(wrong, ExileError):
            problem.update(error_text(wrong))
        if isinstance(wrong, RelayRefused):
            self.query_one("#access").display = True
        self.refresh_bindings()

    def action_reload(self) -> None:
        """Ask the relay what it holds and states."""
        self.load("holdings", self.messenger.disclosure, self._show_holdings, self._no_holdings)
        self.load("facts", self.messenger.facts, self._show_facts, self._no_facts)

    def _show_holdings(self, held: list[dict[str, Any]]) -> None:
        self.query_one("#holdings", Static).update(holdings_text(held))

    def _no_holdings(self, error: ExileError) -> None:
        self.query_one("#holdings", Static).update(Content(error_text(error)))

    def _show_facts(self, signed: SignedFacts) -> None:
        facts = signed.facts
        now_ms = self.exile.clock.now_ms()
        self.query_one("#facts", Static).update(facts_text(facts, now_ms))
        if facts.access == "phrase":
            self.query_one("#access").display = True

    def _no_facts(self, error: ExileError) -> None:
        self.query_one("#facts", Static).update(Content(error_text(error)))

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
        """Offer to reconnect only while offline."""
        if action == "reconnect":
            from exile_tui.core.model import Link

            return self.messenger.connection.link is Link.OFFLINE
        return super().check_action(action, parameters)
