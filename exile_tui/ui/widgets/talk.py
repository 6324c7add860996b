"""One conversation: who it is with, its messages, and what is being written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from exile_tui.core.model import ContactState, Trust
from exile_tui.errors import N_
from exile_tui.locale import dates, tr, tr_n
from exile_tui.text import cut, one_line, sanitize_terminal_text
from exile_tui.ui.screens.base import ServiceCalls
from exile_tui.ui.searching import SearchWalk
from exile_tui.ui.timeline import Timeline
from exile_tui.ui.widgets.composer import Composer
from exile_tui.ui.widgets.conversation import Conversation
from exile_tui.ui.widgets.slash import CommandComposer, as_typed
from exile_tui.ui.widgets.talk_header import TalkHeader
from exile_tui.ui.words import error_text

if TYPE_CHECKING:
    from exile_tui.core.messenger import Messenger
    from exile_tui.core.model import Contact, Excerpt
    from exile_tui.errors import ExileError
    from exile_tui.ui.widgets.block_view import Choose

DAY_ROWS = 2
"""Rows of a day's line above its first message."""
FOUND = N_("Search '{query}': {n} of {count}. n older, N newer, Esc ends.")
FOUND_SO_FAR = N_("Search '{query}': {n} of {count} or more. n older, N newer, Esc ends.")
LONGEST_QUERY = 20
"""Cells of a query that are shown."""
PAUSE_S = 1.0
"""How long nobody types before a draft is stored: a crash costs what was typed since."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one contact's conversation; implements `block_view.Reader`."""

    messenger: Messenger
    contact_id: int

    async def excerpt(self, choose: Choose) -> Excerpt:
        """Return the lines that are chosen when it is known which there are."""
        return await self.messenger.excerpt(self.contact_id, choose)


class Talk(ServiceCalls, Vertical):
    """Shows the conversation with one contact; what is typed stays with whom it is for."""

    DEFAULT_CSS = """
    Talk { width: 1fr; height: 1fr; padding: 0 1; layers: base cover; }
    Talk #nothing { layer: cover; }
    Talk Conversation { height: 1fr; margin-top: 1; }
    Talk #below { height: 1; color: $primary; text-style: bold; padding: 0 1; text-align: center; }
    Talk #walk { height: 1; color: $mention; padding: 0 1; display: none; }
    Talk Composer { margin: 0 0 1 0; }
    """

    def __init__(self) -> None:
        super().__init__(id="talk")
        self.contact: Contact | None = None
        """Whose conversation is open."""
        self._drafts: dict[int, str] = {}
        """As typed, newer than what is stored."""
        self._pause: Timer | None = None
        self.walk: SearchWalk | None = None
        """What was searched for and found, while it is walked through."""
        self._read = (0, 0, 0)
        """From where to where was marked as read last, and how many were unread then."""

    def compose(self) -> ComposeResult:
        """Yield the header, the messages and the composer; or what to do while none is open."""
        yield Static(id="nothing", classes="empty", markup=False)
        yield TalkHeader()
        yield Static(id="quiet", classes="empty", markup=False)
        yield Conversation()
        yield Static(id="below", markup=False)
        yield Static(id="walk", markup=False)
        yield CommandComposer(
            enter_sends=self.exile.settings.enter_sends,
            placeholder=tr("Write a message here"),
        )

    # Whose

    def open(self, excerpt: Excerpt, seq: int = 0, walk: SearchWalk | None = None) -> None:
        """Show a conversation from its first unread message on, or from a given one.

        Args:
            excerpt: What `Conversation.beginning` chose of it.
            seq: The message to go to; 0 for the first unread, else the newest.
            walk: What was searched for, if the message is one that was found.
        """
        contact = excerpt.contact
        self._read, self.walk = (0, 0, 0), walk
        self._drafts.setdefault(contact.id, excerpt.draft)
        self.show(contact)
        conversation = self.query_one(Conversation)
        conversation.open(self._timeline(contact), self._lines(contact), excerpt, seq)
        self._show_walk()
        # What moves with the focus is drawn behind the messages: they come first.
        self.call_after_refresh(self._take_focus)
        if seq and not excerpt.extent.count(seq, seq):
            self._say_deleted()

    async def _take_focus(self) -> None:
        """Put the focus to where one writes or, where nobody can, reads."""
        composer = self.query_one(Composer)
        if self.contact is not None:
            writes = composer.display and self.walk is None
            self.screen.set_focus(composer if writes else self.query_one(Conversation))
        self.screen.refresh_bindings()
        await self.exile.arrived()

    def show(self, contact: Contact | None) -> None:
        """Show what belongs to a contact as it is now; without one, what to do."""
        self._take_draft(contact)
        self.contact = contact
        # Everything has its place all the time, covered while nobody is talked to: the first frame
        # of a conversation can show its messages only if the room that they have is known.
        self.query_one("#nothing").display = contact is None
        self.query_one("#below").visible = False
        self.query_one("#quiet").display = False
        conversation = self.query_one(Conversation)
        conversation.display = True
        conversation.can_focus = contact is not None
        # Nobody is behind what was imported: it is there to be read.
        composer, header = self.query_one(Composer), self.query_one(TalkHeader)
        composer.display = contact is None or contact.state is not ContactState.ARCHIVED
        for widget in (composer, header):
            # Set in place: for a class all of its styles are found anew, 5 ms each.
            if contact is None:
                widget.styles.visibility = "hidden"
            else:
                widget.styles.inline.clear_rule("visibility")
        if contact is None:
            conversation.clear()
            if self.walk is not None:
                self.walk = None
                self._show_walk()
        else:
            header.show(contact)

    def say(self, what_to_do: Content) -> None:
        """Set what an empty pane says."""
        self.query_one("#nothing", Static).update(what_to_do)

    # Walking through what was found

    def go_to_hit(self) -> None:
        """Show the hit that the walk stands on; it is in this conversation."""
        if self.walk is not None:
            conversation, seq = self.query_one(Conversation), self.walk.current.seq
            conversation.go_to(seq)
            if not conversation.holds(seq):
                self._say_deleted()
        self._show_walk()

    def _say_deleted(self) -> None:
        """Say why another message stands where one was to be gone to."""
        self.app.notify(tr("This message is deleted already."))

    def end_walk(self) -> None:
        """Mark no hits any more; the place stays."""
        self.walk = None
        self._show_walk()
        self.screen.refresh_bindings()
        self.reload()

    def _show_walk(self) -> None:
        walk, line = self.walk, self.query_one("#walk", Static)
        line.display = walk is not None
        self.query_one(Conversation).walking = walk is not None
        if walk is not None:
            query = cut(one_line(walk.query), LONGEST_QUERY)
            line.update(
                tr(FOUND if walk.rest is None else FOUND_SO_FAR,
                   query=query, n=walk.position + 1, count=len(walk.hits))
            )  # fmt: skip

    # Messages

    def reload(self) -> None:
        """Read the messages again that are on the screen, and those that came."""
        if self.contact is not None:
            self.query_one(Conversation).update_lines(self._timeline(self.contact))

    def _lines(self, contact: Contact) -> Lines:
        return Lines(self.messenger, contact.id)

    def _timeline(self, contact: Contact) -> Timeline:
        return Timeline(
            contact=contact,
            width=1,
            now_ms=self.exile.clock.now_ms(),
            own_name=tr("Me"),
            hours_24=self.exile.settings.time_24h,
            query=self.walk.query if self.walk is not None else "",
            marks=self.exile.marks,
        )

    @on(Conversation.Filled)
    def _filled(self, event: Conversation.Filled) -> None:
        self._show_quiet(not event.any)

    def _show_quiet(self, quiet: bool) -> None:
        """Say what to do where nothing was written yet."""
        first = self.query_one("#quiet", Static)
        first.display = quiet
        self.query_one(Conversation).display = not quiet
        if quiet and self.contact is not None:
            sentences = [tr("Nothing was written here yet. Write below; Enter sends it.")]
            if not self.exile.settings.enter_sends:
                sentences = [tr("Nothing was written here yet. Write below; Ctrl+J sends it.")]
            if self.contact.trust is not Trust.VERIFIED:
                sentences.append(tr("F3 compares the safety number: then you know who it is."))
            first.update(Content("\n\n".join(sentences)))

    @on(Conversation.Shown)
    def _shown(self, event: Conversation.Shown) -> None:
        """Mark as read what was really on the screen, and say how much is further down."""
        below = self.query_one("#below", Static)
        below.visible = event.below > 0
        # Its place stays the same: laying the whole screen out for it would cost a frame.
        words = tr_n("{n} message below: End", "{n} messages below: End", event.below)
        below.update(words, layout=False)
        looking = self.app.app_focus and self.app.screen is self.screen
        if self.contact is None or not looking or not event.unread:
            return
        if self._read == (event.first, event.last, event.unread):
            return
        contact_id, self._read = self.contact.id, (event.first, event.last, event.unread)
        self.command("read", lambda: self.messenger.mark_read(contact_id, event.first, event.last))

    @on(Conversation.DayWanted)
    def _go_to_day(self, event: Conversation.DayWanted) -> None:
        if self.contact is None:
            return
        contact_id, conversation = self.contact.id, self.query_one(Conversation)

        def go(seq: int) -> None:
            if seq and self.contact is not None and self.contact.id == contact_id:
                conversation.go_to(seq, below_top=DAY_ROWS)

        self.load(
            "day",
            lambda: self.messenger.day_begins(contact_id, event.seq, dates.day_of, event.by),
            go,
        )

    @on(Conversation.Chosen)
    def _look_closer(self, event: Conversation.Chosen) -> None:
        from exile_tui.ui.screens.message import MessageAction, MessageScreen

        message, contact = event.message, self.contact
        if contact is None:
            return

        def chosen(action: MessageAction | None) -> None:
            if action is MessageAction.COPY:
                self.app.copy_to_clipboard(sanitize_terminal_text(message.text))
                self.exile.notify(tr("The message is copied."))
            elif action is MessageAction.DELETE:
                from exile_tui.ui.screens.deleting import ask_to_delete

                ask_to_delete(self.exile, contact, message.seq, message.seq)

        self.app.push_screen(MessageScreen(message, contact), chosen)

    # Writing

    @on(Composer.Submitted)
    def _send(self, event: Composer.Submitted) -> None:
        contact_id, text = event.addressee, event.text
        if contact_id is None:
            return

        def failed(error: ExileError) -> None:
            self.exile.notify(error_text(error), title=tr(error.title), severity="error")
            self._give_back(contact_id, text)

        self._drafts[contact_id] = ""
        self.query_one(Conversation).follow()
        self.command("send", lambda: self.messenger.send(contact_id, text), failed=failed)

    def forget(self, contact_id: int) -> None:
        """Drop what is typed to a contact, stored or not."""
        self._drafts[contact_id] = ""
        composer = self.query_one(Composer)
        if composer.addressee == contact_id:
            composer.load_text("")

    def _give_back(self, contact_id: int, text: str) -> None:
        """Return a text that could not be sent to whom it was written, seen or not."""
        text = as_typed(text)
        if self.contact is not None and self.contact.id == contact_id:
            self.query_one(Composer).give_back(text)
        else:
            self._drafts[contact_id] = "\n".join(filter(None, (text, self._drafts[contact_id])))
            self._store_draft(contact_id)

    def _take_draft(self, contact: Contact | None) -> None:
        """Put away what was typed to the last contact, show what was typed to this one."""
        composer = self.query_one(Composer)
        before, after = composer.addressee, contact.id if contact is not None else None
        if before == after:
            return
        if before is not None:
            self._drafts[before] = composer.text
            self._store_draft(before)
        composer.addressee = after
        composer.load_text(self._drafts.get(after, "") if after is not None else "")
        composer.move_cursor(composer.document.end)

    @on(Composer.Changed)
    def _typed(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, self._store_typed)

    def _store_typed(self) -> None:
        if not self.query(Composer):  # the screen closes
            return
        composer = self.query_one(Composer)
        addressee = composer.addressee
        if addressee is not None and self._drafts.get(addressee) != composer.text:
            self._drafts[addressee] = composer.text
            self._store_draft(addressee)

    def _store_draft(self, contact_id: int) -> None:
        text = self._drafts[contact_id]
        # In turn with what is sent: an older draft must not come back after its message.
        self.command(
            "send",
            lambda: self.messenger.keep_draft(contact_id, text),
            failed=lambda _: None,  # the contact was removed meanwhile
        )

    async def keep_draft(self) -> None:
        """Store what is typed now, before the profile closes."""
        composer = self.query_one(Composer)
        if self._pause is not None:
            self._pause.stop()
        if composer.addressee is not None and self.exile.application.messenger is not None:
            await self.messenger.keep_draft(composer.addressee, composer.text)
