"""Take conversations from a file of JSON lines (docs/history-format.md).

Nobody vouches for a file, so nothing of it ever mixes with what was received: each conversation
becomes one of its own, marked as imported, with no session behind it. The whole file is checked
before the first line is stored. An import that was stopped goes on where it was when it is done
again, as each line keeps the number that it had.
"""

from __future__ import annotations

import asyncio
import os
import stat
from bisect import bisect_right
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from exile_tui.core import history
from exile_tui.core.context import Context
from exile_tui.core.deleting import What, noted, without
from exile_tui.core.events import ContactChanged
from exile_tui.core.exporting import Progress, own_salt
from exile_tui.core.history import ConversationLine, MessageLine, Reader
from exile_tui.core.model import Contact, ContactState, Extent
from exile_tui.core.ports import Transaction
from exile_tui.errors import N_, UsageError

BATCH = 2_000
"""Messages stored in one transaction."""
BATCH_BYTES = 512 * 1024
"""And about so much text, or lines of 60 KB would keep everybody waiting for minutes."""
BLOCK_BYTES = 1024 * 1024
"""About how much is read and checked at once."""

NOT_READ = N_("The file {file} can't be read: {problem}. Nothing was imported.")
NOT_A_FILE = N_("{file} is not an ordinary file. Nothing was imported.")
NOT_READ_ON = N_(
    "The file {file} can't be read any further: {problem}. What was taken until then is kept; "
    "import the file again to go on."
)
BEING_DELETED = N_(
    "The imported conversation {name} is just being deleted. What came before it in the file was "
    "imported; import the file again when it is gone."
)
CHANGED = N_(
    "The file {file} changed while it was imported. What was taken until then is kept; import the "
    "file again once nothing writes it any more."
)


@dataclass(slots=True)
class Imported:
    """What came of an import."""

    messages: int = 0
    """Lines that were stored now."""
    known: int = 0
    """Lines that are here already."""
    deleted: int = 0
    """Lines that an earlier import brought and that were deleted here: they stay so."""
    contact_ids: list[int] = field(default_factory=list)
    """The imported conversations that got lines."""


@dataclass(slots=True)
class _Target:
    """Where the messages that are being read go."""

    line: ConversationLine
    original: Extent | None
    """Of the conversation in this profile that the file's was exported from."""
    contact_id: int = 0
    """0 until a message is stored."""
    last_seq: int = 0
    """The newest that was imported."""
    kept: int = 0
    """How many lines that an earlier import brought are here."""
    earlier: int = 0
    """How many lines of the file an earlier import brought."""
    waiting: list[MessageLine] = field(default_factory=list)
    size: int = 0
    """Bytes of text that wait."""

    def add(self, line: MessageLine) -> bool:
        """Take a line; return whether a batch is full."""
        self.waiting.append(line)
        self.size += len(line.text.encode())
        return len(self.waiting) >= BATCH or self.size >= BATCH_BYTES

    def has(self, seq: int) -> bool:
        """Tell whether a line need not be stored; ask once for each."""
        if seq <= self.last_seq:
            self.earlier += 1
            return True
        here = self.original
        return here is not None and seq <= here.last_seq and not _in_gap(here, seq)


async def import_history(context: Context, file: Path, progress: Progress) -> Imported:
    """Check a file, then store what it holds.

    Args:
        context: The open profile.
        file: What `export_history` wrote.
        progress: Gets bytes, done and in all; the file is read twice.

    Raises:
        UsageError: The file can't be read or is not whole and in order, and nothing was stored;
            or that, or a deletion, came when some was stored, and the sentence says so.
    """
    try:
        with await asyncio.to_thread(_open, file) as stream:
            size = os.fstat(stream.fileno()).st_size
            async for _ in _blocks(stream, Reader(str(file))):
                progress(stream.tell(), 2 * size)
            stream.seek(0)
            return await _store(context, stream, Reader(str(file)), size, progress)
    except OSError as error:
        raise UsageError(NOT_READ, file=file, problem=error.strerror or str(error)) from error


async def _store(
    context: Context, stream: BinaryIO, reader: Reader, size: int, progress: Progress
) -> Imported:
    imported = Imported()
    originals = await _originals(context)
    target: _Target | None = None
    try:
        async for block in _again(stream, reader):
            for line in block:
                if isinstance(line, MessageLine):
                    assert target is not None
                    if target.has(line.seq):
                        imported.known += 1
                        continue
                    if target.add(line):
                        await _append(context, target, imported)
                else:
                    await _append(context, target, imported)
                    if target is not None:
                        gone = max(0, target.earlier - target.kept)
                        imported.known -= gone
                        imported.deleted += gone
                    target = None
                    if isinstance(line, ConversationLine):
                        target = await _target(context, originals, line)
            progress(size + stream.tell(), 2 * size)
    finally:
        context.emit(*map(ContactChanged, imported.contact_ids))
    return imported


async def _append(context: Context, target: _Target | None, imported: Imported) -> None:
    if target is None or not target.waiting:
        return
    async with context.store.transaction() as tx:
        if not target.contact_id:
            target.contact_id = (await _insert(context, tx, target.line)).id
        elif await tx.contacts.get(target.contact_id) is None:
            raise UsageError(BEING_DELETED, name=target.line.name)
        lines = [history.to_store(line) for line in target.waiting]
        await tx.messages.append_many(target.contact_id, lines)
    imported.messages += len(lines)
    target.waiting.clear()
    target.size = 0
    if imported.contact_ids[-1:] != [target.contact_id]:  # the lines of one come in a row
        imported.contact_ids.append(target.contact_id)
        context.emit(ContactChanged(target.contact_id))


async def _insert(context: Context, tx: Transaction, line: ConversationLine) -> Contact:
    return await tx.contacts.insert(
        Contact(
            id=0,
            state=ContactState.ARCHIVED,
            name=line.name,
            name_serial=0,
            created_ms=context.clock.now_ms(),
            safety_digits="",
            bundle_hash=history.archive_key(line.id),
            expiry_ms=0,
        )
    )


async def _originals(context: Context) -> dict[str, int]:
    """Return the contacts by what their conversations are called in a file of this profile."""
    salt = await own_salt(context)
    async with context.store.snapshot() as tx:
        everybody = [*await tx.contacts.all(), *await tx.contacts.archived()]
        removed = {each.contact_id for each in await noted(tx) if each.what is What.CONTACT}
    everybody = [each for each in everybody if each.id not in removed]
    return {history.conversation_id(salt, each.bundle_hash): each.id for each in everybody}


async def _target(context: Context, originals: dict[str, int], line: ConversationLine) -> _Target:
    async with context.store.snapshot() as tx:
        original, going = originals.get(line.id), await noted(tx)
        target = _Target(line, None)
        if original:
            target.original = without(await tx.messages.extent(original), original, going)
        archive = await tx.contacts.by_bundle(history.archive_key(line.id))
        if archive is not None:
            if any(each.contact_id == archive.id for each in going):
                raise UsageError(BEING_DELETED, name=archive.name)
            target.contact_id = archive.id
            newest = await tx.messages.recent(archive.id, 1)
            target.last_seq = history.imported_seq(newest[0].content_id) if newest else 0
            extent = await tx.messages.extent(archive.id)
            target.kept = extent.count(1, extent.last_seq)
    return target


def _in_gap(extent: Extent, seq: int) -> bool:
    index = bisect_right(extent.gaps, (seq, history.MOST_SEQ)) - 1
    return index >= 0 and seq <= extent.gaps[index][1]


def _open(file: Path) -> BinaryIO:
    # Otherwise a named pipe waits for ever for somebody who writes.
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(NOT_A_FILE, file=file)
    return os.fdopen(descriptor, "rb")


async def _again(stream: BinaryIO, reader: Reader) -> AsyncIterator[list[history.Line]]:
    """Yield the lines of a file that was checked; what is wrong now comes after some were stored.

    Raises:
        UsageError: It can't be read any more, or is another file now.
    """
    try:
        async for block in _blocks(stream, reader):
            yield block
    except UsageError as error:
        raise UsageError(CHANGED, file=reader.file) from error
    except OSError as error:
        problem = error.strerror or str(error)
        raise UsageError(NOT_READ_ON, file=reader.file, problem=problem) from error


async def _blocks(stream: BinaryIO, reader: Reader) -> AsyncIterator[list[history.Line]]:
    """Yield the lines of a file, checked, a block at a time; each is checked in a thread."""
    while block := await asyncio.to_thread(_block, stream, reader):
        yield block
    reader.finish()


def _block(stream: BinaryIO, reader: Reader) -> list[history.Line]:
    lines: list[history.Line] = []
    end = stream.tell() + BLOCK_BYTES
    while stream.tell() < end and (raw := stream.readline(history.MOST_LINE_BYTES + 1)):
        lines.append(reader.read(raw))
    return lines
