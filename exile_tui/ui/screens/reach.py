"""Let others reach the relay of this computer: which of its addresses goes into invites."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from exile_tui.errors import N_, ExileError
from exile_tui.locale import tr
from exile_tui.ui.moving_text import LOOPBACK, host_kind
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.screens.move import AROUND, MovePanel
from exile_tui.ui.widgets.choices import Choice, Choices
from exile_tui.ui.widgets.working import Working
from exile_tui.ui.words import error_text


class ReachPanel(ExileModal[bool]):
    """Lists this computer's addresses; the answer is whether the relay moved to one."""

    CSS_PATH = "move.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", N_("Open it"), id="reach.open",
                tooltip=N_("Let the relay of this computer be reached at this address")),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._hosts: list[str] = []
        self._busy = False

    def compose_panel(self) -> ComposeResult:
        """Yield what it means, the addresses, and what follows."""
        port = self.messenger.relay_address.port
        with VerticalScroll(id="content", can_focus=False):
            yield Static(tr("Let others reach it"), classes="heading")
            yield Static(tr("At which address of this computer? The port stays: {port}", port=port))
            yield Static(tr("Looking..."), id="hosts", markup=False)
            yield Static(
                tr(
                    "The address goes into every invite, and your contacts are told it. If a "
                    "firewall or router keeps port {port} closed, nobody comes through. While "
                    "this computer is off, messages for you wait with whoever wrote them.",
                    port=port,
                ),
                classes="muted",
            )
            yield Static(id="problem", classes="error", markup=False)
        yield Working(id="working")
        with Horizontal():
            yield Button(tr("Open it"), id="open", variant="primary", disabled=True)
            yield Button(tr("Use another relay"), id="move")
            yield Button(tr("Cancel"), id="cancel")

    def on_mount(self) -> None:
        """Ask this computer, not the network, for its addresses."""
        self.query_one("#move").focus()
        self._say("")

        async def hosts() -> list[str]:
            return await asyncio.to_thread(self.messenger.hosts)

        self.load("hosts", hosts, self._show)

    def _show(self, found: list[str]) -> None:
        now = self.messenger.relay_address.host
        hosts = [host for host in found if host != now]
        if not self.messenger.only_here:
            hosts.append(LOOPBACK)
        self._hosts = hosts
        place = self.query_one("#hosts", Static)
        if not hosts:
            place.update(
                Content(
                    tr(
                        "This computer has no address that others could reach: it is in no "
                        "network. A relay elsewhere helps."
                    )
                )
            )
            return
        choices = Choices(
            [Choice(host, host_kind(host)) for host in hosts],
            column=True,
            id="addresses",
            translate=self._translate,
        )
        place.display = False
        self.query_one("#content").mount(choices, after=place)
        self.query_one("#open", Button).disabled = False
        # In sight already; Textual would scroll to it by where it was before it was laid out.
        self.call_after_refresh(choices.focus, scroll_visible=False)

    def _translate(self, text: str) -> str:
        return text if text in self._hosts else tr(text)

    def on_resize(self) -> None:
        """Keep the answers in sight: what does not fit above them scrolls."""
        self.query_one("#content").styles.max_height = max(4, self.size.height - AROUND)

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        self.on_mount()

    @on(Choices.Confirmed)
    @on(Button.Pressed, "#open")
    def action_open(self) -> None:
        """Open the relay at the address that is taken."""
        if self._busy or not self._hosts:
            return
        host = self._hosts[self.query_one("#addresses", Choices).chosen]
        self._busy = True
        self._say("")
        self.query_one(Working).begin(tr("Starting the relay at {host}...", host=host))
        self.command("move", lambda: self.messenger.move_to_embedded(host), self._done, self._fail)

    def _say(self, problem: str) -> None:
        line = self.query_one("#problem", Static)
        line.display = bool(problem)
        line.update(Content(problem))

    def _done(self, _: None) -> None:
        self.exile.notify(tr("The relay is open there. Your contacts are being told."))
        self.dismiss(True)

    def _fail(self, error: ExileError) -> None:
        self._busy = False
        self.query_one(Working).end()
        self._say(error_text(error))

    @on(Button.Pressed, "#move")
    def _move(self) -> None:
        if not self._busy:
            self.app.push_screen(MovePanel(), self._moved)

    def _moved(self, moved: bool | None) -> None:
        if moved:
            self.dismiss(True)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close; a start that is under way goes on."""
        self.dismiss(False)
