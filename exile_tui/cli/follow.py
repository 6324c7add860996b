"""Print messages as they arrive."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from exile_tui.cli.output import (
    Printer,
    contact_line,
    contact_record,
    error_sentence,
    message_line,
    message_record,
)
from exile_tui.cli.session import WorkNotes
from exile_tui.core.events import ConnectionChanged, Event, MessageStored, RequestArrived
from exile_tui.core.model import Direction
from exile_tui.errors import ExileError, NoSuchContact

if TYPE_CHECKING:
    from exile_tui.cli.session import Session
    from exile_tui.core.messenger import Messenger
    from exile_tui.core.model import Conversation, Message

PAGE = 200
"""Lines of a conversation read at once."""


class Inbox:
    """Print what is unread, then mark it read: what was not printed is printed next time."""

    def __init__(self, messenger: Messenger, out: Printer) -> None:
        self._messenger = messenger
        self._out = out
        self._requests: list[int] = []
        self._problem = ""
        self.changed = asyncio.Event()
        """Something new may be there."""

    def __enter__(self) -> Self:
        self._unsubscribe = self._messenger.events.subscribe(self._notice)
        return self

    def __exit__(self, *_: object) -> None:
        self._unsubscribe()

    async def print_new(self) -> None:
        """Print contact requests that came since the last time, then messages, oldest first."""
        self.changed.clear()
        requests, self._requests = self._requests, []
        for contact_id in requests:
            with suppress(NoSuchContact):  # declined in the meantime
                contact = await self._messenger.contact(contact_id)
                self._out.result(contact_record(contact), contact_line(contact))
        found: list[tuple[Message, Conversation]] = []
        for conversation in (await self._messenger.overview()).conversations:
            if conversation.unread:
                found += [(message, conversation) for message in await self._unread(conversation)]
        found.sort(key=lambda pair: pair[0].id)
        for message, conversation in found:
            contact = conversation.contact
            self._out.result(message_record(message, contact.name), message_line(message, contact))
        for contact_id in {message.contact_id for message, _ in found}:
            printed = [message.seq for message, _ in found if message.contact_id == contact_id]
            await self._messenger.mark_read(contact_id, min(printed), max(printed))

    async def _unread(self, conversation: Conversation) -> list[Message]:
        limit = PAGE
        while True:
            lines = await self._messenger.messages(conversation.contact.id, limit=limit)
            unread = [m for m in lines if m.direction is Direction.IN and not m.read]
            if len(unread) >= conversation.unread or len(lines) < limit:
                return unread
            limit *= 4

    def _notice(self, event: Event) -> None:
        if isinstance(event, RequestArrived):
            self._requests.append(event.contact_id)
            self.changed.set()
        elif isinstance(event, MessageStored):
            self.changed.set()
        elif isinstance(event, ConnectionChanged):
            self._tell(event.connection.problem)

    def _tell(self, problem: Exception | None) -> None:
        """Say once what keeps the connection away, until it is another thing."""
        sentence = error_sentence(problem) if isinstance(problem, ExileError) else ""
        if sentence and sentence != self._problem:
            self._out.note(sentence)
        self._problem = sentence


async def follow(session: Session, inbox: Inbox) -> None:
    """Print what arrives until SIGINT or SIGTERM.

    Raises:
        RelayError: This computer's relay is ours, does not run, and was not to be started.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    await session.reach_relay()
    session.messenger.events.subscribe(WorkNotes(session.out))
    await session.messenger.start()
    stopped = asyncio.create_task(stop.wait())
    while not stop.is_set():
        await inbox.print_new()
        changed = asyncio.create_task(inbox.changed.wait())
        await asyncio.wait((changed, stopped), return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()
