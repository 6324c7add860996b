"""Welcome, once, above the empty chats: the one next step."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Static

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.ui.screens.base import WIDTHS, ExileModal


class Welcome(ExileModal[None]):
    """Leads to the chats, or from there to the next step."""

    CSS_PATH = "welcome.tcss"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+n", "go('invite')", N_("Invite"), tooltip=N_("Invite someone by link or QR code"),
            id="welcome.invite",
        ),
        Binding(
            "ctrl+o", "go('join')", N_("Open an invite"),
            tooltip=N_("Open an invite that you were given"), id="welcome.join",
        ),
    ]  # fmt: skip

    def __init__(self, *, joined: bool = False) -> None:
        """Make the panel.

        Args:
            joined: The profile came by an invite, which was opened already.
        """
        super().__init__()
        self._joined = joined

    def compose_panel(self) -> ComposeResult:
        """Yield the greeting and the ways on."""
        yield Static(tr("Welcome to exile"), classes="heading")
        yield Static(
            tr(
                "Your profile is ready, and whoever invited you has your request. In the chats "
                "you can write to them already."
            )
            if self._joined
            else tr("Your profile is ready. Invite someone, or open an invite that you were given.")
        )
        with Horizontal():
            yield Button(tr("To the chats"), id="chats", variant="primary")
            yield Button(tr("Invite"), id="invite")
            yield Button(tr("Open an invite"), id="join")
        if self.messenger.embedded and self.messenger.only_here:
            yield Static(
                tr(
                    "Your relay runs on this computer, and only this computer reaches it. For "
                    "people elsewhere, open it to others or use another one, now or later (F4)."
                ),
                id="only-here",
            )
            with Horizontal():
                yield Button(tr("Let others reach it"), id="reach")
                yield Button(tr("Use another relay"), id="move")

    def on_mount(self) -> None:
        """Let Enter lead to the chats."""
        self.query_one("#chats").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_go(event.button.id or "")

    def action_go(self, place: str) -> None:
        """Close and go there."""
        # Not by an answer to whoever asked: the first run's screen is gone by now.
        exile = self.exile
        self.dismiss(None)
        if place in ("reach", "move"):
            exile.call_later(exile.open_screen, "relay", panel=place)
        elif place != "chats":
            exile.call_later(exile.action_go, place)
