"""Open an invite: pasted link, picture or camera, then wait for the other to accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, ContentSwitcher, Static

from exile_tui.errors import N_, ExileError
from exile_tui.locale import tr
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.widgets.code_source import CodeSource
from exile_tui.ui.words import contact_name, error_text

if TYPE_CHECKING:
    from exile_tui.core.events import Event
    from exile_tui.core.model import Contact


class JoinScreen(ExileScreen):
    """Takes an invite and shows what comes of it; an error leaves what was typed."""

    HEADING = N_("Open an invite")
    CSS_PATH = "join.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._contact: Contact | None = None

    def compose_body(self) -> ComposeResult:
        """Build the field and, behind it, what comes next."""
        with (
            VerticalScroll(id="join", can_focus=False),
            ContentSwitcher(initial="ask", id="steps"),
        ):
            with Vertical(id="ask"):
                yield Static(tr("Open the invite that you were given"), classes="heading")
                yield Static(
                    tr(
                        "Paste the link, drop a picture of the QR code here, or hold the code in "
                        "front of the camera."
                    ),
                    classes="text",
                )
                yield CodeSource(N_("exile:... or a picture's path"), N_("Open"), id="source")
            with Vertical(id="done"):
                yield Static(id="waiting", classes="heading", markup=False)
                yield Static(
                    tr(
                        "They see your request and your name. You can write already: up to eight "
                        "messages are delivered before they accept, the rest right after."
                    ),
                    classes="text",
                    id="meanwhile",
                )
                with Horizontal(classes="buttons"):
                    yield Button(tr("Write a message"), id="write", variant="primary")
                    yield Button(tr("Safety number"), id="verify")

    def on_mount(self) -> None:
        """Put the cursor into the field."""
        self.query_one("#source", CodeSource).focus_field()

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        if self._contact is not None:
            self._joined(self._contact)

    @on(CodeSource.Pasted)
    def _pasted(self, event: CodeSource.Pasted) -> None:
        self._join([event.text])

    @on(CodeSource.Scanned)
    def _scanned(self, event: CodeSource.Scanned) -> None:
        self._join(event.payloads)

    def _join(self, found: list[str] | list[bytes]) -> None:
        """Open the first that is an invite; a picture may show other codes too."""
        self.query_one("#source", CodeSource).say(tr("Opening the invite..."))

        async def join() -> Contact:
            from exile_tui.errors import WireError

            for link in found[:-1]:
                try:
                    return await self.messenger.join(link)
                except WireError:
                    continue
            return await self.messenger.join(found[-1])

        self.command("join", join, self._joined, self._failed)

    def _failed(self, error: ExileError) -> None:
        source = self.query_one("#source", CodeSource)
        source.say(error_text(error), wrong=True)
        source.focus_field()

    @on(CodeSource.Failed)
    def _not_read(self, event: CodeSource.Failed) -> None:
        self._failed(event.error)

    def _joined(self, contact: Contact) -> None:
        from exile_tui.core.model import ContactState

        self._contact = contact
        name = contact_name(contact)
        if contact.state is not ContactState.JOINING:
            sentence = tr("{name} accepted. You are contacts now.", name=name)
        elif contact.name:
            sentence = tr("Waiting for {name} to accept", name=name)
        else:
            sentence = tr("The invite is open. Waiting for the other to accept")
        self.query_one("#waiting", Static).update(sentence)
        self.query_one("#meanwhile").display = contact.state is ContactState.JOINING
        self.query_one("#steps", ContentSwitcher).current = "done"
        self.query_one("#write", Button).focus()

    def happened(self, event: Event) -> None:
        """Notice that the other accepted."""
        from exile_tui.core.events import ContactChanged

        contact = self._contact
        if contact and isinstance(event, ContactChanged) and event.contact_id == contact.id:
            number = contact.id
            self.load("joined", lambda: self.messenger.contact(number), self._joined)

    @on(Button.Pressed, "#write")
    def _write(self) -> None:
        if self._contact is not None:
            self.exile.show_chats(self._contact.id)

    @on(Button.Pressed, "#verify")
    def _verify(self) -> None:
        if self._contact is not None:
            self.exile.open_screen("verify", contact_id=self._contact.id)
