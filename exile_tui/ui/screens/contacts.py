"""Contacts and requests: accept, decline, open, verify, remove, and find by typing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from exile_tui.errors import N_
from exile_tui.hangul import QWERTY
from exile_tui.locale import tr, tr_n
from exile_tui.locale.dates import date_and_time
from exile_tui.text import cell_len, fit
from exile_tui.ui.find import matches, name_order
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.words import contact_name, trust_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from exile_tui.core.events import Event
    from exile_tui.core.model import Contact


class ContactsScreen(ExileScreen):
    """Lists requests above contacts; typing narrows the list."""

    HEADING = N_("Contacts")
    CSS_PATH = "contacts.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "open", N_("Open"), tooltip=N_("Open the conversation"), id="contacts.open"
        ),
        Binding(
            "f5", "accept", N_("Accept"), tooltip=N_("Become contacts and answer"),
            id="contacts.accept",
        ),
        Binding(
            "f3", "verify", N_("Safety number"),
            tooltip=N_("Compare the safety number of this contact"), id="contacts.verify",
        ),
        Binding(
            "delete", "remove", N_("Remove"),
            tooltip=N_("Delete this contact and the conversation"), id="contacts.remove",
        ),
        Binding(
            "shift+delete", "delete_conversation", N_("Delete the chat"), show=False,
            tooltip=N_("Delete all messages and keep the contact"), id="contacts.delete",
        ),
        Binding(
            "delete", "decline", N_("Decline"), tooltip=N_("Decline the request; nobody is told"),
            id="contacts.decline",
        ),
        Binding(
            "slash,ctrl+f", "find", N_("Find"), tooltip=N_("Find a contact by a part of the name"),
            id="contacts.find",
        ),
        Binding("up", "move(-1)", N_("Previous"), tooltip=N_("Go up in the list"),
                id="contacts.up", show=False),
        Binding("down", "move(1)", N_("Next"), tooltip=N_("Go down in the list"),
                id="contacts.down", show=False),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._contacts: dict[int, Contact] = {}

    def compose_body(self) -> ComposeResult:
        """Put the filter on top, the list below, and what can be done at the bottom."""
        with Vertical(id="contacts"):
            yield Field(
                placeholder=tr("Find by name"), max_length=200, select_on_focus=False, id="find"
            )
            people = OptionList(id="people", compact=True)
            people.display = False  # until somebody is there: as it goes, the focus goes too
            yield people
            yield Static(id="nobody")
            with Horizontal(id="doing"):
                yield Button(tr("Accept"), id="accept", variant="primary")
                yield Button(tr("Decline"), id="decline")
                yield Button(tr("Open"), id="open", variant="primary")
                yield Button(tr("Safety number"), id="verify")
                yield Button(tr("Delete the chat"), id="delete-conversation")
                yield Button(tr("Remove"), id="remove")

    def on_mount(self) -> None:
        """Fetch the contacts; the list has the focus, typing goes to the filter."""
        self.query_one("#people").focus()
        self._reload()

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        self.on_mount()

    def happened(self, event: Event) -> None:
        """Show the contacts anew when one came, went or changed."""
        from exile_tui.core.events import ContactChanged, RequestArrived

        if isinstance(event, (ContactChanged, RequestArrived)):
            self._reload()

    def _reload(self) -> None:
        self.load("contacts", self.messenger.contacts, self._loaded)

    def _loaded(self, contacts: list[Contact]) -> None:
        self._contacts = {contact.id: contact for contact in contacts}
        self._fill()

    # The list

    @on(Input.Changed, "#find")
    def _fill(self) -> None:
        from exile_tui.core.model import ContactState

        query = self.query_one("#find", Input).value
        found = [each for each in self._contacts.values() if matches(query, contact_name(each))]
        found.sort(key=lambda each: name_order(contact_name(each)))
        requests = [each for each in found if each.state is ContactState.REQUESTED]
        others = [each for each in found if each.state is not ContactState.REQUESTED]
        people = self.query_one("#people", OptionList)
        before = self._highlighted()
        people.clear_options()
        if requests:
            count = tr_n("{n} contact request", "{n} contact requests", len(requests))
            people.add_option(Option(Content.styled(count, "bold $accent"), disabled=True))
            people.add_options([Option(self._request(each), id=str(each.id)) for each in requests])
        if others:
            if requests:
                heading = Content.styled("\n" + tr("Contacts"), "bold $text-muted")
                people.add_option(Option(heading, disabled=True))
            width = max(cell_len(self._trust(each)) for each in others)
            people.add_options(
                [Option(self._person(each, width), id=str(each.id)) for each in others]
            )
        self._highlight(before.id if before else None, [each.id for each in (*requests, *others)])
        self._explain(bool(found))

    def _highlight(self, wanted: int | None, shown: list[int]) -> None:
        people = self.query_one("#people", OptionList)
        if shown:
            chosen = wanted if wanted in shown else shown[0]
            people.highlighted = people.get_option_index(str(chosen))
        else:
            self._offer()

    def _explain(self, any_found: bool) -> None:
        nobody = self.query_one("#nobody", Static)
        nobody.display = not any_found
        self.query_one("#people").display = any_found
        if self._contacts:
            nobody.update(tr("Nobody by that name. Esc clears the field."))
        else:
            nobody.update(
                tr("Nobody here yet. Ctrl+N invites someone, Ctrl+O opens an invite you got.")
            )

    def _trust(self, contact: Contact) -> str:
        words = trust_words(contact, self.exile.marks)
        return f"{words.mark} {words.word}"

    def _person(self, contact: Contact, width: int) -> Content:
        from exile_tui.core.model import ContactState

        color = trust_words(contact, self.exile.marks).color
        waiting = contact.state is ContactState.JOINING
        gap = "\n  " if self.has_class("-narrow") else "   "
        return Content.assemble(
            (fit(self._trust(contact), width), f"${color}"),
            ("   ", ""),
            (contact_name(contact), "bold"),
            (gap + tr("has to accept first") if waiting else "", "$warning"),
        )

    def _request(self, contact: Contact) -> Content:
        now, hours_24 = self.exile.clock.now_ms(), self.exile.settings.time_24h
        since = date_and_time(contact.created_ms, now, hours_24=hours_24)
        return Content.assemble(
            (contact_name(contact), "bold"),
            ("\n  " + tr("opened your invite, {time}", time=since), "$text-muted"),
        )

    def _highlighted(self) -> Contact | None:
        people = self.query_one("#people", OptionList)
        option = people.highlighted_option
        if option is None or option.id is None:
            return None
        return self._contacts.get(int(option.id))

    @on(OptionList.OptionHighlighted, "#people")
    def _offer(self) -> None:
        """Show the buttons of what is highlighted."""
        contact = self._highlighted()
        request = contact is not None and self._is_request(contact)
        for name in ("#accept", "#decline"):
            self.query_one(name).display = request
        for name in ("#open", "#verify", "#delete-conversation", "#remove"):
            self.query_one(name).display = contact is not None and not request
        self.refresh_bindings()

    @staticmethod
    def _is_request(contact: Contact) -> bool:
        from exile_tui.core.model import ContactState

        return contact.state is ContactState.REQUESTED

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what fits to what is highlighted."""
        if action in ("open", "accept", "decline", "verify", "remove", "delete_conversation"):
            contact = self._highlighted() if self.is_mounted else None
            if contact is None:
                return False
            return (action in ("accept", "decline")) == self._is_request(contact)
        return super().check_action(action, parameters)

    # What can be done

    def on_key(self, event: events.Key) -> None:
        """Let a letter that means nothing here begin the search."""
        field = self.query_one("#find", Input)
        letter = QWERTY.get(event.character or "", event.character)
        if event.is_printable and not field.has_focus and letter not in ("/", " "):
            field.focus()
            field.insert_text_at_cursor(event.character or "")
            event.stop()
            event.prevent_default()

    def action_find(self) -> None:
        """Put the cursor into the filter."""
        self.query_one("#find").focus()

    def action_move(self, step: int) -> None:
        """Walk the list while the cursor is in the filter."""
        people = self.query_one("#people", OptionList)
        if step > 0:
            people.action_cursor_down()
        else:
            people.action_cursor_up()

    def action_back(self) -> None:
        """Clear the filter first, then leave."""
        field = self.query_one("#find", Input)
        if field.value:
            field.value = ""
            self.query_one("#people").focus()
        else:
            super().action_back()

    @on(OptionList.OptionSelected, "#people")
    @on(Input.Submitted, "#find")
    @on(Button.Pressed, "#open")
    def action_open(self) -> None:
        """Open the conversation; a request is accepted with its own key."""
        contact = self._highlighted()
        if contact is not None and not self._is_request(contact):
            self.exile.show_chats(contact.id)

    @on(Button.Pressed, "#accept")
    def action_accept(self) -> None:
        """Become contacts."""
        contact = self._highlighted()
        if contact is None or not self._is_request(contact):
            return
        number, name = contact.id, contact_name(contact)

        def accepted(_: None) -> None:
            self.exile.notify(tr("{name} is a contact now. Say hello.", name=name))
            self._reload()

        self.command(f"contact:{number}", lambda: self.messenger.accept(number), accepted)

    @on(Button.Pressed, "#verify")
    def action_verify(self) -> None:
        """Compare the safety number."""
        contact = self._highlighted()
        if contact is not None and not self._is_request(contact):
            self.exile.open_screen("verify", contact_id=contact.id)

    @on(Button.Pressed, "#decline")
    def action_decline(self) -> None:
        """Decline a request, after asking."""
        contact = self._highlighted()
        if contact is None or not self._is_request(contact):
            return
        decline = partial(self.messenger.decline, contact.id)
        self.exile.ask(
            tr("Decline the request of {name}?", name=contact_name(contact)),
            tr("Decline"),
            lambda: self._change(contact.id, decline),
            tr("They are not told. To become contacts later, a new invite is needed."),
        )

    @on(Button.Pressed, "#remove")
    def action_remove(self) -> None:
        """Delete a contact, after asking."""
        contact = self._highlighted()
        if contact is None or self._is_request(contact):
            return
        from exile_tui.ui.screens.deleting import ask_to_remove

        ask_to_remove(self.exile, contact)

    @on(Button.Pressed, "#delete-conversation")
    def action_delete_conversation(self) -> None:
        """Delete the conversation and keep the contact, after asking."""
        contact = self._highlighted()
        if contact is None or self._is_request(contact):
            return
        from exile_tui.ui.screens.deleting import ask_to_delete_conversation

        ask_to_delete_conversation(self.exile, contact)

    def _change(self, contact_id: int, change: Callable[[], Awaitable[None]]) -> None:
        self.command(f"contact:{contact_id}", change, lambda _: self._reload())
