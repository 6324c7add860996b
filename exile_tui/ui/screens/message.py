"""One message: what is known about it, where its links lead, and what can be done with it."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.style import Style
from textual.widgets import Button, Static

from exile_tui.core.model import Contact, Delivery, Direction, Message, MessageKind
from exile_tui.errors import N_
from exile_tui.locale import dates, tr
from exile_tui.text import sanitize_terminal_text
from exile_tui.ui.links import Link, find_links
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.words import contact_name

PREVIEW = 400
"""Characters of a message that are shown; the whole of it is copied."""
PREVIEW_LINES = 6
"""The same in its own lines: nothing that it says may push what we say about it off the panel."""
_AROUND_TEXT = 12
"""Rows that the panel has besides the text and the facts, and those above and below it."""
STATES = {
    Delivery.QUEUED: N_("It has not left this computer yet."),
    Delivery.WAITING: N_("It has not left this computer yet."),
    Delivery.SENT: N_("It is at the relay and waits to be fetched."),
    Delivery.DELIVERED: N_("It arrived on the other device."),
    Delivery.FAILED: N_("It was not delivered within 14 days."),
}


class MessageAction(Enum):
    """What was chosen."""

    COPY = "copy"
    DELETE = "delete"


class MessageScreen(ExileModal[MessageAction]):
    """Show one message closely; what is to be done with it is given back."""

    DEFAULT_CSS = """
    MessageScreen #panel { width: 70; max-width: 96%; height: auto; max-height: 96%; }
    MessageScreen VerticalScroll { height: auto; margin: 1 0; }
    MessageScreen #text { margin-bottom: 1; border-left: outer $bubble-peer; padding-left: 1; }
    MessageScreen #text.-mine { border-left: outer $bubble-mine; }
    MessageScreen Horizontal { height: auto; }
    MessageScreen Button { margin-right: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "app.focus_previous", N_("Previous"), id="message.previous", show=False,
                tooltip=N_("Move to the button at the left")),
        Binding("right", "app.focus_next", N_("Choose"), id="message.next",
                tooltip=N_("Move to the button at the right")),
        Binding("up,pageup", "scroll(-3)", N_("Up"), id="message.up", show=False,
                tooltip=N_("Scroll up")),
        Binding("down,pagedown", "scroll(3)", N_("Down"), id="message.down", show=False,
                tooltip=N_("Scroll down")),
        Binding("c,ctrl+y", "copy", N_("Copy"), id="message.copy",
                tooltip=N_("Copy the whole message")),
        Binding("delete", "delete", N_("Delete"), id="message.delete",
                tooltip=N_("Delete this message from this device")),
    ]  # fmt: skip

    def __init__(self, message: Message, contact: Contact) -> None:
        """Make the panel.

        Args:
            message: Which.
            contact: With whom.
        """
        super().__init__()
        self._message, self._contact = message, contact

    def compose_panel(self) -> ComposeResult:
        """Yield the text, the facts, the links and the buttons."""
        message = self._message
        yield Static(tr("Message"), classes="heading", markup=False)
        with VerticalScroll(can_focus=False):
            if message.kind is MessageKind.TEXT:
                # Behind a bar as in the conversation: it may read like the facts below.
                mine = "-mine" if message.direction is Direction.OUT else ""
                yield Static(_preview(message.text), id="text", classes=mine, markup=False)
            yield Static(self._facts())
            links = find_links(message.text) if message.kind is MessageKind.TEXT else []
            if links:
                yield Static(self._links(links), id="links")
        with Horizontal():
            if message.kind is MessageKind.TEXT:
                yield Button(tr("Copy"), id="copy", variant="primary")
            yield Button(tr("Delete for me"), id="delete")
            yield Button(tr("Close"), id="close")

    def on_mount(self) -> None:
        """Begin with what changes nothing."""
        self.query(Button).first().focus()

    def on_resize(self, event: events.Resize) -> None:
        """Leave room for the buttons."""
        rows = self.app.size.height - _AROUND_TEXT
        self.query_one(VerticalScroll).styles.max_height = max(3, rows)

    def action_scroll(self, by: int) -> None:
        """Scroll to what the panel has no room for."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def _facts(self) -> Content:
        message = self._message
        own = message.direction is Direction.OUT
        rows = [(tr("From"), tr("Me") if own else contact_name(self._contact))]
        if own:
            rows.append((tr("Written"), self._time(message.stored_ms)))
            if message.delivery is not None:
                rows.append((tr("Delivery"), tr(STATES[message.delivery])))
        else:
            if message.sent_ms:
                rows.append((tr("Written, by the sender's clock"), self._time(message.sent_ms)))
            rows.append((tr("Arrived here"), self._time(message.stored_ms)))
        return Content("\n").join(
            Content.assemble((f"{title}: ", "$text-muted"), value) for title, value in rows
        )

    def _time(self, at_ms: int) -> str:
        hours_24 = self.exile.settings.time_24h
        return f"{dates.full_date(at_ms)} {dates.time_of_day(at_ms, hours_24=hours_24)}"

    def _links(self, links: list[Link]) -> Content:
        """Show where each link really leads; the terminal opens it, with its own key."""
        found = [Content(""), Content(tr("Links lead to these hosts. Your terminal opens them."))]
        for link in links:
            host = link.host if link.host == link.shown_host else f"{link.host} ({link.shown_host})"
            found.append(Content.styled(sanitize_terminal_text(host), "bold"))
            found.append(Content(link.url).stylize(Style(underline=True, link=link.url)))
        return Content("\n").join(found)

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        """Copy the message."""
        if self._message.kind is MessageKind.TEXT:
            self.dismiss(MessageAction.COPY)

    @on(Button.Pressed, "#delete")
    def action_delete(self) -> None:
        """Delete the message, after a question."""
        self.dismiss(MessageAction.DELETE)

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.action_cancel()


def _preview(text: str) -> str:
    text = sanitize_terminal_text(text)
    shown = "\n".join(text[:PREVIEW].split("\n", PREVIEW_LINES)[:PREVIEW_LINES])
    return shown if shown == text else f"{shown}..."
