"""The repositories over one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count

from exile_tui.store.acks import AckTable
from exile_tui.store.announcements import AnnouncementTable
from exile_tui.store.contacts import ContactTable
from exile_tui.store.database import to_the_end
from exile_tui.store.invites import InviteTable
from exile_tui.store.mailboxes import MailboxTable
from exile_tui.store.messages import MessageTable
from exile_tui.store.outbox import OutboxTable
from exile_tui.store.seen import SeenTable
from exile_tui.store.sessions import SessionTable
from exile_tui.store.settings import SettingTable
from exile_tui.store.statements import Statements


class ProfileTransaction:
    """Implements `ports.Transaction`; worthless once its transaction is over."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._savepoints = count(1)
        self._contacts = ContactTable(statements)
        self._sessions = SessionTable(statements)
        self._messages = MessageTable(statements)
        self._outbox = OutboxTable(statements)
        self._acks = AckTable(statements)
        self._announcements = AnnouncementTable(statements)
        self._invites = InviteTable(statements)
        self._mailboxes = MailboxTable(statements)
        self._seen = SeenTable(statements)
        self._settings = SettingTable(statements)

    @property
    def statements(self) -> Statements:
        """For what concerns the whole file, not one repository."""
        return self._statements

    @property
    def contacts(self) -> ContactTable:
        """The contacts of this profile."""
        return self._contacts

    @property
    def sessions(self) -> SessionTable:
        """The ratchet states."""
        return self._sessions

    @property
    def messages(self) -> MessageTable:
        """The conversations."""
        return self._messages

    @property
    def outbox(self) -> OutboxTable:
        """The sealed envelopes that peers have not acknowledged."""
        return self._outbox

    @property
    def acks(self) -> AckTable:
        """Content ids of peers that are not acknowledged yet."""
        return self._acks

    @property
    def announcements(self) -> AnnouncementTable:
        """Own names and mailboxes that are not acknowledged yet."""
        return self._announcements

    @property
    def invites(self) -> InviteTable:
        """Invites given out."""
        return self._invites

    @property
    def mailboxes(self) -> MailboxTable:
        """Mailboxes that we receive from."""
        return self._mailboxes

    @property
    def seen(self) -> SeenTable:
        """Digests of the envelopes of the last 14 days."""
        return self._seen

    @property
    def settings(self) -> SettingTable:
        """Small values of the profile."""
        return self._settings

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Open a savepoint, rolled back alone when its body raises; the exception goes on."""
        return self._savepoint()

    @asynccontextmanager
    async def _savepoint(self) -> AsyncIterator[None]:
        # Numbered, so that one left over from a cancelled opening is never taken for this one.
        name = f"savepoint_{next(self._savepoints)}"
        await self._statements.all(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            # SQLite has rolled back everything by itself after some errors.
            if self._statements.is_open:
                await to_the_end(lambda: self._statements.all(f"ROLLBACK TO {name}"))
                await self._statements.all(f"RELEASE {name}")
            raise
        await self._statements.all(f"RELEASE {name}")
