"""Write one's own conversations into a file of JSON lines (docs/history-format.md).

The file is not encrypted: that is what it is for, and whoever asks for it is told so. It lies under
another name until it is whole. What is read at once is one window of one conversation, so that
neither memory nor the database's log grows with the history.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from exile_tui.core import history
from exile_tui.core.context import Context
from exile_tui.core.deleting import What, noted, without
from exile_tui.core.model import Contact, ContactState, Extent, Message
from exile_tui.core.ports import Transaction
from exile_tui.core.sending import require_contact
from exile_tui.errors import N_, UsageError
from exile_tui.locks import FileLock

WINDOW = 1_000
"""Seqs read in one transaction."""
SALT = "history-salt"
"""The setting that tells this profile's conversations from another's."""
SALT_BYTES = 16
SUFFIX = ".part"
"""What the name of an unfinished file ends in."""

EXISTS = N_("The file {file} is there already. Nothing was written.")
NOT_WRITTEN = N_("The file {file} can't be written: {problem}. Nothing is left of it.")
BEING_WRITTEN = N_("Another program writes the file {file} just now. Nothing was written.")

Progress = Callable[[int, int], None]
"""Gets how much is done and how much there is, in the same unit."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a file holds."""

    conversations: int
    messages: int


async def export_history(
    context: Context,
    file: Path,
    progress: Progress,
    *,
    contact_id: int | None = None,
    replace: bool = False,
) -> Exported:
    """Write conversations into a file that only its owner may read.

    Args:
        context: The open profile.
        file: What it will be called.
        progress: Gets messages, done and in all.
        contact_id: Whose conversation; None for all but waiting requests.
        replace: Take the place of a file that is there.

    Raises:
        NoSuchContact: No such contact.
        UsageError: It is there already or can't be written; nothing is left of it.
    """
    part = _Part(file, replace=replace)
    try:
        try:
            await asyncio.to_thread(part.begin)
            exported = await _write(context, part, progress, contact_id)
            await asyncio.to_thread(part.sync)
            # Not in a thread: who stops it finds either no file or that it was done.
            part.finish()
        except BaseException:
            # Before anything else can be cancelled: what lies there is readable by others' tools.
            part.discard()
            raise
    except OSError as error:
        problem = error.strerror or str(error)
        raise UsageError(NOT_WRITTEN, file=file, problem=problem) from error
    return exported


async def own_salt(context: Context) -> bytes:
    """Return what names this profile's conversations, drawn when it is first needed."""
    async with context.store.snapshot() as tx:
        stored = await tx.settings.get(SALT)
    if stored is None:
        async with context.store.transaction() as tx:
            stored = await tx.settings.get(SALT) or context.entropy.bytes(SALT_BYTES).hex()
            await tx.settings.set(SALT, stored)
    return bytes.fromhex(stored)


def seqs(extent: Extent) -> Iterable[tuple[int, int]]:
    """Return first and last of each run of lines that a conversation has, WINDOW at most."""
    first = 1
    for gap_first, gap_last in (*extent.gaps, (extent.last_seq + 1, extent.last_seq)):
        for start in range(first, gap_first, WINDOW):
            yield start, min(start + WINDOW, gap_first) - 1
        first = gap_last + 1


async def _write(
    context: Context, part: _Part, progress: Progress, contact_id: int | None
) -> Exported:
    salt = await own_salt(context)
    async with context.store.snapshot() as tx:
        going = await noted(tx)
        removed = {each.contact_id for each in going if each.what is What.CONTACT}
        chosen = [each for each in await _chosen(tx, contact_id) if each.id not in removed]
        extents = [
            without(await tx.messages.extent(contact.id), contact.id, going) for contact in chosen
        ]
    total = sum(last - first + 1 for extent in extents for first, last in seqs(extent))
    messages = 0
    progress(0, total)
    await asyncio.to_thread(part.write, [history.header_line(context.clock.now_ms())])
    for contact, extent in zip(chosen, extents, strict=True):
        named = history.conversation_id(salt, contact.bundle_hash)
        await asyncio.to_thread(part.write, [history.conversation_line(named, contact.name)])
        async for found in _windows(context, contact, extent):
            await asyncio.to_thread(part.write, map(history.message_line, found))
            messages += len(found)
            progress(messages, total)
    await asyncio.to_thread(part.write, [history.end_line(messages)])
    return Exported(len(chosen), messages)


async def _windows(
    context: Context, contact: Contact, extent: Extent
) -> AsyncIterator[list[Message]]:
    for first, last in seqs(extent):
        async with context.store.snapshot() as tx:
            found = await tx.messages.window(contact.id, first, last)
        yield found


async def _chosen(tx: Transaction, contact_id: int | None) -> list[Contact]:
    if contact_id is not None:
        contact = await require_contact(tx, contact_id)
        if contact.state is ContactState.REQUESTED:
            raise UsageError(N_("Accept the contact request first; then you can read it."))
        return [contact]
    everybody = [*await tx.contacts.all(), *await tx.contacts.archived()]
    return [each for each in everybody if each.state is not ContactState.REQUESTED]


class _Part:
    """A file under another name until it is whole; what takes long is called in a thread."""

    def __init__(self, file: Path, *, replace: bool) -> None:
        if not file.name:  # `.` and `/`
            raise UsageError(EXISTS, file=file)
        self._file = file
        self._replace = replace
        self._path = file.with_name(f"{file.name}{SUFFIX}")
        self._lock = FileLock(self._path)
        self._stream: BinaryIO | None = None
        self._turn = threading.Lock()
        """Who discards it does so after the beginning, or nothing begins."""
        self._discarded = False

    def begin(self) -> None:
        """Make it; what an export that was killed left is taken away.

        Raises:
            UsageError: The file is there, or another program writes it.
            OSError: The system does not let us.
        """
        with self._turn:
            if not self._discarded:
                self._begin()

    def _begin(self) -> None:
        self._refuse_to_replace()
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(self._path.lstat().st_mode):
                raise UsageError(EXISTS, file=self._path)
        if not self._lock.acquire():
            raise UsageError(BEING_WRITTEN, file=self._file)
        descriptor = os.open(self._path, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o600)
        self._stream = os.fdopen(descriptor, "wb")
        os.chmod(self._path, 0o600)
        self._stream.truncate(0)

    def write(self, lines: Iterable[str]) -> None:
        """Add lines, one after the other: a window of long ones need not be there twice."""
        assert self._stream is not None
        for line in lines:
            self._stream.write(f"{line}\n".encode())

    def sync(self) -> None:
        """Make what was written durable."""
        assert self._stream is not None
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def finish(self) -> None:
        """Give it its name, durably.

        Raises:
            UsageError: Somebody made a file of that name meanwhile.
        """
        self._refuse_to_replace()
        os.replace(self._path, self._file)
        self._lock.release()
        with suppress(OSError):  # it is there; some systems can't make a directory durable
            descriptor = os.open(self._file.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def discard(self) -> None:
        """Leave nothing of it."""
        with self._turn:
            self._discarded = True
            with suppress(OSError):
                if self._lock.held:
                    self._path.unlink(missing_ok=True)
            with suppress(OSError):
                if self._stream is not None:
                    self._stream.close()
            self._lock.release()

    def _refuse_to_replace(self) -> None:
        try:
            mode = self._file.lstat().st_mode
        except FileNotFoundError:
            return
        # A device or a pipe is never a file of somebody's that may be replaced.
        plain = stat.S_ISREG(mode) or (stat.S_ISLNK(mode) and not self._file.is_dir())
        if not self._replace or not plain:
            raise UsageError(EXISTS, file=self._file)
