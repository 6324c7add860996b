"""Chats: the list at the left, the conversation in the middle, details at the right on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, OptionList

from exile_tui.core.events import (
    ClockJumped,
    ContactChanged,
    DeliveryChanged,
    Event,
    MessageStored,
    RequestArrived,
)
from exile_tui.core.model import Contact, ContactState, Excerpt, Message, Overview
from exile_tui.core.model import Conversation as ConversationEntry
from exile_tui.errors import N_, ExileError
from exile_tui.locale import tr
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.widgets.composer import Composer
from exile_tui.ui.widgets.conversation import Conversation
from exile_tui.ui.widgets.conversation_list import ConversationList
from exile_tui.ui.widgets.details import Details
from exile_tui.ui.widgets.overview_pane import OverviewPane
from exile_tui.ui.widgets.talk import Talk

if TYPE_CHECKING:
    from exile_tui.ui.searching import SearchWalk


class ChatsScreen(ExileScreen):
    """Talk. Under 80 columns one pane at a time; Esc leads back to the list."""

    HEADING = N_("Chats")
    CSS_PATH = "chats.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        # Of the app, here for its place in the key line.
        Binding("ctrl+k", "app.switcher", N_("Go to"), id="app.switcher", priority=True,
                tooltip=N_("Go to a conversation by its name or its initials")),
        Binding("escape", "to_list", N_("List"), tooltip=N_("Back to the list of chats"),
                id="chats.list"),
        Binding("f3", "verify", N_("Safety number"), id="chats.verify",
                tooltip=N_("Compare the safety number of this conversation")),
        Binding("ctrl+f", "search", N_("Search"), tooltip=N_("Search in all conversations"),
                id="chats.search"),
        Binding("shift+delete", "delete_conversation", N_("Delete the chat"),
                tooltip=N_("Delete all messages of this conversation"), id="chats.delete",
                show=False),
        Binding("f5", "details", N_("Details"), id="chats.details", show=False,
                tooltip=N_("Show what is known about this contact")),
        Binding("f8", "confirm_clock", N_("The clock is right"), id="chats.clock",
                tooltip=N_("Let things expire by this computer's clock again")),
        Binding("ctrl+up", "neighbour(-1)", N_("Previous chat"), id="chats.previous", show=False,
                tooltip=N_("Open the conversation above this one")),
        Binding("ctrl+down", "neighbour(1)", N_("Next chat"), id="chats.next", show=False,
                tooltip=N_("Open the conversation below this one")),
    ]  # fmt: skip

    def __init__(self, overview: Overview | None = None) -> None:
        """Make the screen.

        Args:
            overview: What the list shows, if it was read already.
        """
        super().__init__()
        self._overview = overview

    @property
    def contact(self) -> Contact | None:
        """Whose conversation is open."""
        return self.query_one(Talk).contact

    def compose_body(self) -> ComposeResult:
        """Yield the panes."""
        with Horizontal(id="panes"):
            yield OverviewPane()
            yield Talk()
            yield Details()

    def on_mount(self) -> None:
        """Load the list."""
        self._show_talk(None)
        if self._overview is not None:
            self._show_list(self._overview)
        else:
            self._reload_list()
        self.watch(self.app, "app_focus", self._looked_at, init=False)

    async def retranslate(self) -> None:
        """Show the same conversation in another language; what was typed stays."""
        talk = self.query_one(Talk)
        contact = talk.contact
        await talk.keep_draft()
        await self.recompose()
        self._show_talk(None)
        self._reload_list()
        if contact is not None:
            self.open_conversation(contact.id)

    async def before_lock(self) -> None:
        """Keep what is typed."""
        await self.query_one(Talk).keep_draft()

    # What the messenger says

    def happened(self, event: Event) -> None:
        """Load again what changed."""
        match event:
            case MessageStored(message=message):
                self._reload_list()
                self._reload_if_open(message.contact_id)
            case DeliveryChanged(contact_id=contact_id):
                self._reload_if_open(contact_id)
            case ContactChanged(contact_id=contact_id):
                self._reload_list()
                if self.contact is not None and self.contact.id == contact_id:
                    self._reload_contact()
            case ClockJumped():
                self._reload_list()
            case RequestArrived():
                self._reload_list()
                self.exile.notify(tr("Somebody asks to talk with you. F2 shows who."))

    def _reload_list(self) -> None:
        self.load("list", lambda: self.messenger.overview(), self._show_list)

    @property
    def _conversations(self) -> Sequence[ConversationEntry]:
        return self._overview.conversations if self._overview is not None else ()

    def _show_list(self, overview: Overview) -> None:
        self._overview = overview
        open_contact = self.contact.id if self.contact is not None else None
        self.query_one(OverviewPane).show(overview, open_contact, self.messenger.clock_jump_ms)
        self._say_who_is_here()
        if self.contact is None:
            self._show_talk(None)
        self.refresh_bindings()

    def _say_who_is_here(self) -> None:
        """Say in the pane that there is what to do while nobody is here."""
        what_to_do = _what_to_do(anybody=False) if self.narrow else Content(tr("No chats yet."))
        self.query_one(OverviewPane).say(what_to_do)

    def _reload_if_open(self, contact_id: int) -> None:
        if self.contact is not None and self.contact.id == contact_id:
            self.query_one(Talk).reload()

    def _reload_contact(self) -> None:
        if self.contact is None:
            return
        contact_id = self.contact.id
        self.load(
            "contact",
            lambda: self.messenger.contact(contact_id),
            self._contact_changed,
            lambda _: self._close_conversation(),
        )

    def _contact_changed(self, contact: Contact) -> None:
        if self.contact is not None and self.contact.id == contact.id:
            self._show_talk(contact)
            self.query_one(Talk).reload()
            self.refresh_bindings()

    def _close_conversation(self) -> None:
        self._show_talk(None)
        self.refresh_bindings()
        self.query_one(ConversationList).focus()

    # The conversation

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_id is not None:
            self.open_conversation(int(event.option_id))

    def open_conversation(
        self, contact_id: int, seq: int = 0, walk: SearchWalk | None = None
    ) -> None:
        """Open a conversation and put the focus into its composer.

        Args:
            contact_id: Whose.
            seq: The message to go to; 0 for the first unread, else the newest.
            walk: What was searched for, if the message is one that was found.
        """

        def opened(excerpt: Excerpt) -> None:
            contact = excerpt.contact
            self._give_way(talking=True)  # else a narrow window has no place for the cursor yet
            self.query_one(Talk).open(excerpt, seq, walk)
            self._show_details(contact)
            self.query_one(ConversationList).show(self._conversations, contact.id)

        async def failed(error: ExileError) -> None:
            self.exile.show_error(error)
            await self.exile.arrived()

        choose = Conversation.beginning(seq)
        self.exile.expect()
        self.exile.starting.hurry()
        self.load("open", lambda: self.messenger.excerpt(contact_id, choose), opened, failed)

    def _show_talk(self, contact: Contact | None) -> None:
        """Show what belongs to a contact, or what to do when none is open."""
        talk = self.query_one(Talk)
        self._give_way(talking=contact is not None)
        talk.show(contact)
        if contact is None:
            self.remove_class("-details")
            talk.say(_what_to_do(bool(self._conversations)))
        else:
            self._show_details(contact)

    def _show_details(self, contact: Contact) -> None:
        if self.has_class("-details"):
            self.query_one(Details).show(contact)

    def _give_way(self, *, talking: bool) -> None:
        """Show the conversation in place of the list where there is no room for both.

        Only there has it a class: the styles of all widgets are found anew for it, half of the
        time that opening a conversation takes.
        """
        self.set_class(talking and self.narrow, "-talking")

    def on_resize(self, event: events.Resize) -> None:
        """Fit what is shown to the panes that there are."""
        self._give_way(talking=self.contact is not None)
        self._say_who_is_here()

    @on(events.ScreenResume)
    def _looked_at(self) -> None:
        """Take what is on the screen as read, now that somebody looks again."""
        self.query_one(Conversation).tell()

    @on(Conversation.HitWanted)
    def _walk(self, event: Conversation.HitWanted) -> None:
        """Go to the next hit, in whosever conversation it is."""
        talk = self.query_one(Talk)
        walk = talk.walk
        if walk is None:
            return

        async def step() -> Message | None:
            return await walk.next() if event.by > 0 else walk.previous()

        def go(hit: Message | None) -> None:
            if hit is None:
                self.exile.notify(tr("There is no further hit."))
            elif self.contact is not None and hit.contact_id == self.contact.id:
                talk.go_to_hit()
            else:
                self.open_conversation(hit.contact_id, hit.seq, walk)

        # Steps are taken one after the other: a key held down must not lose its place.
        self.command("walk", step, go)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what belongs to a conversation only when one is open."""
        if action in ("verify", "to_list", "details", "delete_conversation"):
            contact = self.contact if self.is_mounted else None
            archived = contact is not None and contact.state is ContactState.ARCHIVED
            return contact is not None and not (archived and action == "verify")
        if action == "confirm_clock":
            messenger = self.exile.application.messenger
            return messenger is not None and messenger.clock_jump_ms is not None
        return super().check_action(action, parameters)

    def action_to_list(self) -> None:
        """Close the details, else go to the list; in a narrow window this closes the talk."""
        if self.has_class("-details"):
            self.action_details()
            return
        if self.query_one(Talk).walk is not None:
            self.query_one(Talk).end_walk()
            return
        if self.narrow:
            self._show_talk(None)
            self.refresh_bindings()
            self._reload_list()
        self.query_one(ConversationList).focus()

    def action_details(self) -> None:
        """Show or hide what is known about the contact."""
        shown = self.toggle_class("-details").has_class("-details")
        if self.contact is not None:
            self._show_details(self.contact)
        self.query_one("#details-verify" if shown else Composer).focus()

    @on(Button.Pressed, "#details-verify")
    def action_verify(self) -> None:
        """Compare the safety number of the open conversation."""
        if self.contact is not None:
            self.exile.open_screen("verify", contact_id=self.contact.id)

    def action_delete_conversation(self) -> None:
        """Delete all messages of the open conversation, after asking."""
        from exile_tui.ui.screens.deleting import ask_to_delete_conversation

        if self.contact is not None:
            ask_to_delete_conversation(self.exile, self.contact)

    def action_confirm_clock(self) -> None:
        """Say that the clock is right."""
        self.command("clock", self.messenger.confirm_clock, lambda _: self._reload_list())

    def action_neighbour(self, by: int) -> None:
        """Open the conversation above or below in the list."""
        ids = [each.contact.id for each in self._conversations]
        if not ids:
            return
        at = ids.index(self.contact.id) + by if self.contact and self.contact.id in ids else 0
        self.open_conversation(ids[at % len(ids)])

    def action_search(self, text: str = "") -> None:
        """Search in all conversations, for a text if given, and go to what was chosen."""
        from exile_tui.ui.screens.search import SearchScreen

        def found(walk: SearchWalk | None) -> None:
            if walk is not None:
                self.open_conversation(walk.current.contact_id, walk.current.seq, walk)

        self.app.push_screen(SearchScreen(text, self.contact), found)


def _what_to_do(anybody: bool) -> Content:
    if anybody:
        return Content(tr("Choose a chat at the left and press Enter."))
    return Content("\n\n").join(
        (
            Content(tr("Nobody is here yet.")),
            _key_and_words("Ctrl+N", tr("Invite someone by link or QR code")),
            _key_and_words("Ctrl+O", tr("Open an invite that you were given")),
        )
    )


def _key_and_words(key: str, words: str) -> Content:
    return Content.assemble((key, "bold $primary"), "  ", words)
