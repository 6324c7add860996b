"""Invite someone: one invite as QR code and link, or the list of those given out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, ContentSwitcher, OptionList, Static
from textual.widgets.option_list import Option

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.locale.dates import date_and_time
from exile_tui.ui.invite_text import listed_text
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.widgets.invite_side import InviteSide
from exile_tui.ui.widgets.qr import QrCode
from exile_tui.ui.widgets.work_pane import WorkPane

if TYPE_CHECKING:
    from exile_tui.core.events import Event
    from exile_tui.core.model import Contact, Invite

SIDE_COLUMNS = 34
"""What the link and its facts need beside the code."""


class InviteScreen(ExileScreen):
    """Makes an invite when none is open, else lists them; one of them can be shown large."""

    HEADING = N_("Invite")
    CSS_PATH = "invite.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f5", "new", N_("New invite"), tooltip=N_("Make an invite for one person"),
            id="invite.new",
        ),
        Binding(
            "f6", "enlarge", N_("Large code"),
            tooltip=N_("Show the QR code over the whole window"), id="invite.enlarge",
        ),
        Binding(
            "f8,c", "copy", N_("Copy link"),
            tooltip=N_("Put the link on the clipboard of this terminal"), id="invite.copy",
        ),
        Binding(
            "ctrl+s,s", "save", N_("Save picture"), tooltip=N_("Save the QR code as a picture"),
            id="invite.save", show=False,
        ),
        Binding(
            "ctrl+t,t", "text", N_("Text to send"),
            tooltip=N_("Copy a text to paste into another messenger: how to install, the link"),
            id="invite.text",
        ),
        Binding(
            "f7", "list", N_("All invites"), tooltip=N_("List the invites that you gave out"),
            id="invite.list",
        ),
        Binding(
            "ctrl+e", "relay('reach')", N_("Let others reach it"), show=False,
            tooltip=N_("Open the relay of this computer to other computers"), id="invite.reach",
        ),
        Binding(
            "ctrl+r", "relay('move')", N_("Another relay"), show=False,
            tooltip=N_("Move to another relay and take the contacts along"), id="invite.move",
        ),
        Binding(
            "delete", "revoke", N_("Revoke"), tooltip=N_("Make this invite useless"),
            id="invite.revoke",
        ),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._invites: list[Invite] = []
        self._users: dict[bytes, Contact] = {}
        """Who used which invite, by its bundle's hash."""
        self._shown_id: int | None = None
        self._asked = False

    def compose_body(self) -> ComposeResult:
        """Build both views; one is visible."""
        with ContentSwitcher(initial="one", id="views"):
            with Horizontal(id="one"):
                yield QrCode(spare_columns=SIDE_COLUMNS, window_rows=2, id="code")
                yield InviteSide(embedded=self.messenger.embedded, id="side")
            with VerticalScroll(id="all", can_focus=False):
                yield Static(tr("Invites that you gave out"), classes="heading")
                yield OptionList(id="invites", compact=True)
                yield Static(id="no-invites")
                with Horizontal(classes="buttons"):
                    yield Button(tr("New invite"), id="new", variant="primary")
                    yield Button(tr("Revoke"), id="revoke-listed")

    def on_mount(self) -> None:
        """Fetch the invites; make one when none is open."""
        self._reload()
        self._show_work()

    def on_resize(self) -> None:
        """Put the link below the code's sentence when the code does not fit beside it."""
        beside = self.query_one("#code", QrCode).fits_beside(self.query_one("#body").size)
        self.set_class(not beside, "-stacked")

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        self.on_mount()

    def happened(self, event: Event) -> None:
        """Show the invites anew when one was published, used or ended, or its user changed."""
        from exile_tui.core.events import ContactChanged, InvitesChanged, WorkChanged

        if isinstance(event, InvitesChanged | ContactChanged):
            self._reload()
        elif isinstance(event, WorkChanged):
            self._show_work()

    def _show_work(self) -> None:
        self.query_one(WorkPane).show(self.messenger)

    def _reload(self) -> None:
        messenger = self.messenger

        async def both() -> tuple[list[Invite], list[Contact]]:
            return await messenger.invites(), await messenger.contacts()

        self.load("invites", both, self._show)

    def _show(self, loaded: tuple[list[Invite], list[Contact]]) -> None:
        from exile_tui.core.model import InviteState

        invites, contacts = loaded
        self._users = {contact.bundle_hash: contact for contact in contacts}
        self._invites = sorted(invites, key=lambda invite: -invite.id)
        if not self._asked:
            self._asked = True
            if any(invite.state is InviteState.OPEN for invite in invites):
                self._switch("all")
            else:
                self.action_new()
        self._fill_list()
        self._show_one()

    def _switch(self, view: str) -> None:
        self.query_one("#views", ContentSwitcher).current = view
        if view == "all":
            self.query_one("#invites").focus()
        else:
            self.query_one(InviteSide).focus_first()
        self.refresh_bindings()

    @property
    def _view(self) -> str:
        return self.query_one("#views", ContentSwitcher).current or "one"

    # The list

    def _fill_list(self) -> None:
        listed = self.query_one("#invites", OptionList)
        place = listed.highlighted
        listed.clear_options()
        listed.add_options(
            [
                Option(listed_text(invite, self._user(invite), self._time), id=str(invite.id))
                for invite in self._invites
            ]
        )
        if self._invites:
            listed.highlighted = min(place or 0, len(self._invites) - 1)
        empty = self.query_one("#no-invites", Static)
        empty.display = not self._invites
        empty.update(tr("No invite yet. F5 makes one."))

    def _user(self, invite: Invite) -> Contact | None:
        return self._users.get(invite.bundle_hash)

    def _time(self, at_ms: int) -> str:
        hours_24 = self.exile.settings.time_24h
        return date_and_time(at_ms, self.exile.clock.now_ms(), hours_24=hours_24)

    @on(OptionList.OptionSelected, "#invites")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._shown_id = int(event.option.id or 0)
        self._show_one()
        self._switch("one")

    # One invite

    def _current(self) -> Invite | None:
        """Return the invite that the view is about: shown large, or highlighted in the list."""
        if self._view == "all":
            listed = self.query_one("#invites", OptionList)
            if listed.highlighted is None or listed.highlighted >= len(self._invites):
                return None
            return self._invites[listed.highlighted]
        return next((invite for invite in self._invites if invite.id == self._shown_id), None)

    def _show_one(self) -> None:
        from exile_tui.core.model import InviteState

        invite = next((each for each in self._invites if each.id == self._shown_id), None)
        if invite is None:
            return
        self.query_one("#code", QrCode).payload = (
            self.messenger.link_bytes(invite.link) if invite.state is InviteState.OPEN else b""
        )
        self.query_one(InviteSide).show(invite, self._user(invite), self._time)
        self.on_resize()
        self.refresh_bindings()

    @on(Button.Pressed, "#contacts")
    def _to_contacts(self) -> None:
        self.exile.open_screen("contacts")

    @on(Button.Pressed, "#new")
    @on(Button.Pressed, "#again")
    def action_new(self) -> None:
        """Make another invite and show it."""
        self.command("invites", self.messenger.create_invite, self._made)

    def _made(self, invite: Invite) -> None:
        self._shown_id = invite.id
        self._invites = [invite, *(each for each in self._invites if each.id != invite.id)]
        self._switch("one")
        self._show_one()
        self._reload()

    @on(Button.Pressed, "#list")
    def action_list(self) -> None:
        """List the invites that were given out."""
        self._fill_list()
        self._switch("all")

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        """Put the link on the terminal's clipboard."""
        invite = self._current()
        if invite is not None:
            self.app.copy_to_clipboard(invite.link)
            self.exile.notify(
                tr("Copied, if your terminal allows it. Else mark the link with the mouse.")
            )

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Save the code as a picture."""
        invite = self._current()
        if invite is not None:
            from exile_tui.ui.screens.save_picture import SavePicture

            payload = self.messenger.link_bytes(invite.link)
            self.app.push_screen(
                SavePicture(payload, Path.home() / f"exile-invite-{invite.id}.png"), self._saved
            )

    def _saved(self, file: Path | None) -> None:
        if file is not None:
            self.exile.notify(
                tr("Saved as {file}. Delete it once the invite was opened.", file=str(file))
            )

    @on(Button.Pressed, "#reach")
    @on(Button.Pressed, "#move")
    def _to_relay(self, event: Button.Pressed) -> None:
        self.action_relay(event.button.id or "")

    def action_relay(self, panel: str) -> None:
        """Go to the relay's screen, with one of its panels open."""
        self.exile.open_screen("relay", panel=panel)

    @on(Button.Pressed, "#text")
    def action_text(self) -> None:
        """Show a text to paste into another messenger."""
        invite = self._current()
        if invite is not None:
            from exile_tui.ui.screens.hand_over import HandOver

            self.app.push_screen(HandOver(invite))

    def action_enlarge(self) -> None:
        """Show the code over the whole window."""
        invite = self._current()
        if invite is not None:
            from exile_tui.ui.screens.large_code import LargeCode

            self.app.push_screen(LargeCode(self.messenger.link_bytes(invite.link)))

    @on(Button.Pressed, "#revoke")
    @on(Button.Pressed, "#revoke-listed")
    def action_revoke(self) -> None:
        """Make an invite useless, after asking."""
        invite = self._current()
        if invite is None:
            return
        revoke = partial(self.messenger.revoke_invite, invite.id)
        self.exile.ask(
            tr("Revoke this invite?"),
            tr("Revoke"),
            lambda: self.command("invites", revoke, lambda _: self._reload()),
            tr("Its link and code stop working at once. Contacts that you have stay."),
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the invite in view still allows."""
        from exile_tui.core.model import InviteState

        if action in ("enlarge", "copy", "save", "text", "revoke"):
            invite = self._current() if self.is_mounted else None
            return invite is not None and invite.state is InviteState.OPEN
        if action == "relay" and parameters == ("reach",):
            return self.messenger.embedded
        if action == "list":
            return self.is_mounted and self._view == "one"
        return super().check_action(action, parameters)

    @on(OptionList.OptionHighlighted, "#invites")
    def _highlighted(self) -> None:
        invite = self._current()
        usable = self.check_action("revoke", ())
        self.query_one("#revoke-listed", Button).disabled = invite is None or not usable
        self.refresh_bindings()
