"""Delete messages, a conversation or a contact: ask first, then show how far it is.

What is being deleted goes on whatever becomes of the panel; the status line says so too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static

from exile_tui.errors import N_
from exile_tui.locale import tr, tr_n
from exile_tui.text import sanitize_terminal_text
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.widgets.talk import Talk
from exile_tui.ui.words import contact_name

if TYPE_CHECKING:
    from exile_tui.core.deleting import Deletion
    from exile_tui.core.events import Event
    from exile_tui.core.model import Contact, Extent
    from exile_tui.ui.app import ExileApp

LONG = 2000
"""From so many lines on it takes more than a moment, and the panel shows how far it is."""
BAR_CELLS = 30


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what is done on yes."""

    contact_id: int
    question: str
    yes: str
    sentences: tuple[str, ...]
    done: str
    count: int
    work: Callable[[], Awaitable[None]]
    draft_too: bool = True
    """What is typed to them just now goes too."""


def ask_to_delete(app: ExileApp, contact: Contact, first_seq: int, last_seq: int) -> None:
    """Ask whether to delete the messages from one seq to another, and do so on yes."""
    name = contact_name(contact)

    def ask(extent: Extent) -> None:
        count = extent.count(first_seq, last_seq)
        deletions = app.open_messenger.deletions
        if count == 0:
            app.notify(tr("This message is deleted already."))
            return
        _ask(
            app,
            Question(
                contact.id,
                tr_n("Delete {n} message?", "Delete {n} messages?", count),
                tr("Delete"),
                (_for_good(name), _elsewhere(name), *_on_its_way(app), _traces()),
                tr_n("{n} message was deleted.", "{n} messages were deleted.", count),
                count,
                lambda: deletions.messages(contact.id, first_seq, last_seq),
                draft_too=False,
            ),
        )

    app.services.load(app, "deleting", lambda: app.open_messenger.extent(contact.id), ask)


def ask_to_delete_conversation(app: ExileApp, contact: Contact) -> None:
    """Ask whether to delete all of a conversation and its draft, and do so on yes."""
    _ask_about_all(app, contact, _about_conversation)


def ask_to_remove(app: ExileApp, contact: Contact) -> None:
    """Ask whether to remove a contact with all of the conversation, and do so on yes."""
    _ask_about_all(app, contact, _about_contact)


def _about_conversation(app: ExileApp, contact: Contact, count: int) -> Question:
    name, deletions = contact_name(contact), app.open_messenger.deletions
    return Question(
        contact.id,
        tr("Delete the conversation with {name}?", name=name),
        tr("Delete"),
        (
            _how_many(count),
            tr("{name} stays in your contacts.", name=name),
            _elsewhere(name),
            *_on_its_way(app),
            *_takes_long(count),
        ),
        tr("The conversation with {name} was deleted.", name=name),
        count,
        lambda: deletions.conversation(contact.id),
    )


def _about_contact(app: ExileApp, contact: Contact, count: int) -> Question:
    name, deletions = contact_name(contact), app.open_messenger.deletions
    return Question(
        contact.id,
        tr("Remove {name}?", name=name),
        tr("Remove"),
        (
            _how_many(count),
            tr("What waits to be sent to {name} goes too. They are not told.", name=name),
            _elsewhere(name),
            *_takes_long(count),
        ),
        tr("{name} was removed.", name=name),
        count,
        lambda: deletions.contact(contact.id),
    )


def _ask_about_all(
    app: ExileApp, contact: Contact, about: Callable[[ExileApp, Contact, int], Question]
) -> None:
    """Ask, or show how far it is if something of this contact is being deleted already."""
    if _running(app, contact.id) is not None:
        app.push_screen(DeletingScreen(contact.id))
        return

    def ask(extent: Extent) -> None:
        _ask(app, about(app, contact, extent.count(1, extent.last_seq)))

    app.services.load(app, "deleting", lambda: app.open_messenger.extent(contact.id), ask)


def _ask(app: ExileApp, question: Question) -> None:
    app.push_screen(DeletingScreen(question.contact_id, question))


def _running(app: ExileApp, contact_id: int) -> Deletion | None:
    messenger = app.application.messenger
    running = messenger.deletions.running if messenger is not None else ()
    return next((each for each in running if each.contact_id == contact_id), None)


def _how_many(count: int) -> str:
    if count == 0:
        return tr("There are no messages; what you typed there and did not send is deleted.")
    return tr_n(
        "{n} message and what you typed there are deleted from this computer for good.",
        "{n} messages and what you typed there are deleted from this computer for good.",
        count,
    )


def _for_good(name: str) -> str:
    return tr("From the conversation with {name}, on this computer, for good.", name=name)


def _elsewhere(name: str) -> str:
    return tr("{name} keeps a copy: nothing is deleted on their device.", name=name)


def _on_its_way(app: ExileApp) -> tuple[str, ...]:
    if app.connection is None or not app.connection.waiting:
        return ()
    return (tr("A message of yours that is on its way may still arrive."),)


def _takes_long(count: int) -> tuple[str, ...]:
    if count <= LONG:
        return ()
    return (tr("This goes on in the background, and after a restart until it is done."),)


def _traces() -> str:
    return tr(
        "The last traces in the file are gone within an hour, or when the program is opened next."
    )


class DeletingScreen(ExileModal[None]):
    """Ask, the answer that changes nothing having the focus; then show how far it is."""

    DEFAULT_CSS = """
    DeletingScreen #panel { width: 64; max-width: 96%; height: auto; max-height: 96%; }
    DeletingScreen .text { margin-top: 1; }
    DeletingScreen Horizontal { height: auto; margin-top: 1; align-horizontal: right; }
    DeletingScreen Button { margin-left: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right", "app.focus_next", N_("Choose"), id="deleting.choose",
                tooltip=N_("Move to the other answer")),
        Binding("enter", "press", N_("Answer"), tooltip=N_("Give the highlighted answer"),
                id="deleting.press"),
    ]  # fmt: skip

    def __init__(self, contact_id: int, question: Question | None = None) -> None:
        """Make the panel.

        Args:
            contact_id: Whose conversation.
            question: What to ask; None shows what is under way.
        """
        super().__init__()
        self._contact_id, self._question = contact_id, question
        self._unsubscribe: Callable[[], None] = lambda: None

    def compose_panel(self) -> ComposeResult:
        """Yield the question with two answers, or the bar."""
        if self._question is None:
            yield Static(tr("Deleting"), classes="heading", markup=False)
            yield Static(id="bar", classes="text", markup=False)
            yield Static(
                tr(
                    "You can close this and go on; messages keep coming. If the program ends, "
                    "the rest is deleted when it is opened next."
                ),
                classes="text", markup=False,
            )  # fmt: skip
            with Horizontal():
                yield Button(tr("Close"), id="no")
            return
        question = sanitize_terminal_text(self._question.question)
        yield Static(question, classes="heading", markup=False)
        # One paragraph: with one each, the answers would be out of sight in 20 rows.
        sentences = " ".join(self._question.sentences)
        yield Static(sanitize_terminal_text(sentences), classes="text", markup=False)
        with Horizontal():
            yield Button(tr("Cancel"), id="no")
            yield Button(self._question.yes, id="yes", variant="error")

    def on_mount(self) -> None:
        """Let Enter change nothing; follow what is under way."""
        self.query_one("#no").focus()
        self._unsubscribe = self.messenger.events.subscribe(self._heard)
        self._show()

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        self.query_one("#no").focus()
        self._show()

    def on_unmount(self) -> None:
        """Hear no more."""
        self._unsubscribe()

    def _heard(self, event: Event) -> None:
        from exile_tui.core.events import DeletionChanged

        if isinstance(event, DeletionChanged):
            self.call_later(self._show)

    @on(events.ScreenResume)
    def _show(self) -> None:
        """Draw the bar; close when it is done, unless something lies above."""
        if self._question is not None or not self.is_mounted or not self.query("#bar"):
            return
        deletion = _running(self.exile, self._contact_id)
        if deletion is not None:
            self.query_one("#bar", Static).update(bar(deletion))
        elif self.is_current:
            self.dismiss(None)

    @on(Button.Pressed, "#no")
    def _leave(self) -> None:
        self.action_cancel()

    @on(Button.Pressed, "#yes")
    async def _start(self) -> None:
        question, app = self._question, self.exile
        if question is None:
            return
        if question.draft_too:
            for talk in app.screen_stack[0].query(Talk):
                talk.forget(question.contact_id)
        # The app owns it: it goes on when this panel is gone. A turn of its own: what is asked for
        # is noted at once, and then waits for what is deleted now.
        app.services.command(
            app, f"delete:{id(question)}", question.work,
            lambda _: app.notify(question.done),
        )  # fmt: skip
        if question.count <= LONG:
            self.dismiss(None)
            return
        self._question = None
        await self.retranslate()

    def action_press(self) -> None:
        """Press the focused answer."""
        if isinstance(self.focused, Button):
            self.focused.press()


def bar(deletion: Deletion) -> Content:
    """Return how far it is, as a bar and in numbers."""
    if not deletion.total:
        return Content(tr("It begins when what is deleted now is done."))
    if deletion.done >= deletion.total:
        return Content(tr("All messages are deleted; the last traces in the file go now."))
    cells = deletion.done * BAR_CELLS // deletion.total
    percent = deletion.done * 100 // deletion.total
    numbers = f"{percent:3}%  {deletion.done:,} / {deletion.total:,}"
    return Content.assemble(
        ("=" * cells, "$primary"), ("-" * (BAR_CELLS - cells), "$text-muted"), "  ", numbers
    )
