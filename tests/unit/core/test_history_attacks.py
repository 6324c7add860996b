"""What was tried against exporting and importing, and broke something once."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.core import exporting, history, importing
from exile_tui.core.context import Context
from exile_tui.core.deleting import Deletion, What, without
from exile_tui.core.model import Extent, Message
from exile_tui.errors import NoSuchContact, UsageError
from exile_tui.store.messages import MessageTable
from exile_tui.wire.content import (
    MAX_CONTENT,
    MAX_NAME,
    Profile,
    Text,
    decode_content,
    encode_content,
)
from tests.unit.core.conftest import MakePerson, Person
from tests.unit.core.test_history import (
    END,
    HEADER,
    PERSON,
    TEXT,
    archives,
    everything,
    files_in,
    fill,
    line,
    nothing,
)


@pytest.fixture
async def people(make_person: MakePerson) -> tuple[Person, Person]:
    return await make_person("가람"), await make_person("나루")


async def test_force_replaces_files_alone(make_person: MakePerson, tmp_path: Path) -> None:
    """Run by root, an export over a device once took the device's place."""
    person = await make_person("가람")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target in (pipe, tmp_path, Path("."), Path("..")):
        with pytest.raises(UsageError, match="already"):
            await person.messenger.export_history(target, nothing, replace=True)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert files_in(tmp_path) == []


async def test_an_export_that_can_t_begin_leaves_nothing(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person("가람")
    chmod = os.chmod

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    with pytest.raises(UsageError, match="can't be written"):
        await person.messenger.export_history(tmp_path / "out", nothing)
    assert files_in(tmp_path) == []
    monkeypatch.setattr(os, "chmod", chmod)
    await person.messenger.export_history(tmp_path / "out", nothing)  # no lock is left either


@pytest.mark.parametrize("before", [True, False])
async def test_an_export_stopped_while_it_begins_leaves_nothing(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """The thread that makes the file goes on when its task is cancelled."""
    person = await make_person("가람")
    stopped, ended = threading.Event(), threading.Event()
    loop, reached = asyncio.get_running_loop(), asyncio.Event()
    begin = exporting._Part.begin

    def slowly(part: exporting._Part) -> None:
        if not before:
            begin(part)
        loop.call_soon_threadsafe(reached.set)
        stopped.wait(10)
        if before:
            begin(part)
        ended.set()

    monkeypatch.setattr(exporting._Part, "begin", slowly)
    task = asyncio.create_task(person.messenger.export_history(tmp_path / "out", nothing))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stopped.set()
    await asyncio.to_thread(ended.wait, 10)
    assert files_in(tmp_path) == []


async def test_an_export_stopped_at_its_end_leaves_nothing(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person("가람")
    await fill(person, 1, [line(1, "글")])
    to_thread = asyncio.to_thread

    async def stopped_after(work: Callable[..., object], *arguments: object) -> object:
        result = await to_thread(work, *arguments)
        if getattr(work, "__name__", "") in ("sync", "finish"):
            task.cancel()
            await asyncio.sleep(0)
        return result

    monkeypatch.setattr(asyncio, "to_thread", stopped_after)
    task = asyncio.create_task(person.messenger.export_history(tmp_path / "out", nothing))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_in(tmp_path) == []


async def test_an_export_is_durable_with_its_name(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that a power loss takes away is a history that is lost with the old profile."""
    person = await make_person("가람")
    synced: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((directory, (tmp_path / "out").exists()))
        fsync(descriptor)

    await exporting.own_salt(person.context)
    monkeypatch.setattr(os, "fsync", noted)
    await person.messenger.export_history(tmp_path / "out", nothing)
    assert (True, True) in synced


async def test_a_window_of_long_texts_is_encoded_line_by_line(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person("가람")
    await fill(person, 1, [line(number, "글" * 100) for number in range(50)])
    sizes: list[int] = []
    fdopen = os.fdopen

    def watched(descriptor: int, mode: str) -> object:
        stream = fdopen(descriptor, mode)
        write = stream.write

        class Watched:
            def __getattr__(self, name: str) -> object:
                return getattr(stream, name)

            def write(self, data: bytes) -> int:
                sizes.append(len(data))
                return int(write(data))

        return Watched()

    monkeypatch.setattr(os, "fdopen", watched)
    await person.messenger.export_history(tmp_path / "out", nothing)
    assert max(sizes) < 1_000


async def test_what_a_contact_can_make_us_store_comes_back(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    """One text that grows when it is composed made all of an export worthless."""
    ours, theirs = people
    note = "\U0001d160"
    text = decode_content(encode_content(Text(bytes(16), 1, note * (MAX_CONTENT // 4 - 9))))
    name = decode_content(encode_content(Profile(bytes(16), 1, note * (MAX_NAME // 4))))
    assert isinstance(text, Text)
    assert isinstance(name, Profile)
    assert len(text.text.encode()) > 180_000
    await fill(ours, 1, [line(1, text.text)], name=name.name)
    await ours.messenger.export_history(tmp_path / "out", nothing)
    imported = await theirs.messenger.import_history(tmp_path / "out", nothing)
    (archive,) = await archives(theirs)
    assert archive.name == name.name
    assert [each.text for each in await everything(theirs, archive.id)] == [text.text]
    assert imported.messages == 1


async def test_a_conversation_s_id_ends_where_it_ends(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    person, _ = people
    twice = PERSON.replace('eeff"', 'eeff\\n"')
    lines = [HEADER, PERSON, TEXT.replace('"seq": 1', '"seq": 5'), twice, TEXT, END]
    (tmp_path / "in").write_text("".join(f"{each}\n" for each in lines).replace(": 1}", ": 2}"))
    with pytest.raises(UsageError) as refused:
        await person.messenger.import_history(tmp_path / "in", nothing)
    assert refused.value.parameters["line"] == 4


async def test_long_texts_are_stored_few_at_a_time(
    people: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2,000 of them in one transaction kept everybody else waiting for two minutes."""
    ours, theirs = people
    monkeypatch.setattr(importing, "BATCH_BYTES", 1_000)
    await fill(ours, 1, [line(number, "글" * 100) for number in range(20)])
    await ours.messenger.export_history(tmp_path / "out", nothing)
    batches: list[int] = []
    append = MessageTable.append_many

    async def counted(table: MessageTable, contact_id: int, lines: Sequence[Message]) -> int:
        batches.append(len(lines))
        return await append(table, contact_id, lines)

    monkeypatch.setattr(MessageTable, "append_many", counted)
    await theirs.messenger.import_history(tmp_path / "out", nothing)
    assert batches == [4] * 5


async def test_what_was_imported_can_be_exported_and_imported(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    """The longest text, each byte of it one that is escaped when it is written."""
    ours, theirs = people
    text = TEXT.replace("안녕", "\x7f" * history.MOST_TEXT_BYTES)
    (tmp_path / "in").write_text("".join(f"{each}\n" for each in (HEADER, PERSON, text, END)))
    await ours.messenger.import_history(tmp_path / "in", nothing)
    await ours.messenger.export_history(tmp_path / "out", nothing)
    assert (await theirs.messenger.import_history(tmp_path / "out", nothing)).messages == 1


async def test_a_disk_that_fails_in_the_middle_is_not_called_nothing(
    people: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = people
    monkeypatch.setattr(importing, "BATCH", 2)
    monkeypatch.setattr(importing, "BLOCK_BYTES", 1)
    await fill(ours, 1, [line(number, "글") for number in range(9)])
    await ours.messenger.export_history(tmp_path / "out", nothing)
    block = importing._block

    def failing(stream: BinaryIO, reader: history.Reader) -> list[history.Line]:
        if stored and reader.number > 6:
            raise OSError(5, "Input/output error")
        return block(stream, reader)

    stored: list[bool] = []
    monkeypatch.setattr(importing, "_block", failing)
    with pytest.raises(UsageError, match="until then is kept"):
        await theirs.messenger.import_history(
            tmp_path / "out", lambda done, total: stored.extend([True] * (2 * done > total))
        )
    (archive,) = await archives(theirs)
    assert len(await everything(theirs, archive.id)) == 4


async def interrupted(person: Person, deletion: Deletion) -> None:
    """Leave what a kill leaves of a deletion that had just begun."""
    async with person.context.store.transaction() as tx:
        await tx.settings.set(deletion.note, "")


async def test_what_is_being_deleted_is_not_exported(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    ours, theirs = people
    part = await fill(ours, 1, [line(number, f"글 {number}") for number in range(9)])
    whole = await fill(ours, 2, [line(1, "지운 사람의 글")], name="지운 사람")
    await interrupted(ours, Deletion(What.MESSAGES, part, 3, 6))
    await interrupted(ours, Deletion(What.CONTACT, whole, 1, 1))
    file = tmp_path / "out"
    exported = await ours.messenger.export_history(file, nothing)
    assert (exported.conversations, exported.messages) == (1, 5)
    assert "지운" not in file.read_text()
    assert "글 3" not in file.read_text()
    await theirs.messenger.import_history(file, nothing)
    assert (await theirs.messenger.import_history(file, nothing)).known == 5


async def test_what_was_deleted_after_an_import_is_not_called_here(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    ours, theirs = people
    file = tmp_path / "out"
    await fill(ours, 1, [line(number, f"글 {number}") for number in range(9)])
    await ours.messenger.export_history(file, nothing)
    await theirs.messenger.import_history(file, nothing)
    (archive,) = await archives(theirs)
    await theirs.messenger.deletions.messages(archive.id, 3, 5)
    again = await theirs.messenger.import_history(file, nothing)
    assert (again.messages, again.known, again.deleted) == (0, 6, 3)


async def test_what_is_being_deleted_is_not_called_here(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    ours, _ = people
    contact_id = await fill(ours, 1, [line(number, f"글 {number}") for number in range(9)])
    await ours.messenger.export_history(tmp_path / "out", nothing)
    await interrupted(ours, Deletion(What.CONVERSATION, contact_id, 1, 9))
    imported = await ours.messenger.import_history(tmp_path / "out", nothing)
    assert (imported.messages, imported.known) == (9, 0)
    (archive,) = await archives(ours)
    await interrupted(ours, Deletion(What.CONTACT, archive.id, 1, 9))
    with pytest.raises(UsageError, match="being deleted"):
        await ours.messenger.import_history(tmp_path / "out", nothing)


async def test_an_archive_that_goes_while_it_is_filled(
    people: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = people
    monkeypatch.setattr(importing, "BATCH", 3)
    await fill(ours, 1, [line(number, "글") for number in range(9)])
    await ours.messenger.export_history(tmp_path / "out", nothing)
    append = importing._append

    async def and_removed(
        context: Context, target: importing._Target | None, imported: importing.Imported
    ) -> None:
        await append(context, target, imported)
        for archive in await archives(theirs):
            await theirs.messenger.remove_contact(archive.id)

    monkeypatch.setattr(importing, "_append", and_removed)
    with pytest.raises(UsageError, match="being deleted"):
        await theirs.messenger.import_history(tmp_path / "out", nothing)


@given(
    st.lists(st.tuples(st.integers(-2, 12), st.integers(-2, 14)), max_size=4),
    st.sets(st.integers(1, 10)),
)
def test_what_is_left_is_what_no_deletion_takes(
    ranges: list[tuple[int, int]], deleted: set[int]
) -> None:
    going = [Deletion(What.MESSAGES, 1, *each) for each in ranges]
    gaps = [Deletion(What.MESSAGES, 1, seq, seq) for seq in deleted]
    extent = without(without(Extent(10), 1, gaps), 1, going)
    assert without(extent, 1, [Deletion(What.CONTACT, 2, 1, 10)]) == extent
    left = [seq for first, last in exporting.seqs(extent) for seq in range(first, last + 1)]
    taken = deleted | {seq for first, last in ranges for seq in range(first, last + 1)}
    assert left == [seq for seq in range(1, 11) if seq not in taken]
    assert all(before[1] + 1 < after[0] for before, after in pairwise(extent.gaps))


async def test_nobody_can_be_called_what_a_number_means(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    """A peer that called itself `#1` got what was meant for the first contact."""
    person, _ = people
    first = await fill(person, 1, [], name="김하늘")
    forger = await fill(person, 2, [], name=f"#{first}")
    other = await fill(person, 3, [], name=str(first))
    find = person.messenger.find_contact
    assert (await find(f"#{first}")).id == first
    with pytest.raises(NoSuchContact, match="Several"):
        await find(str(first))
    assert (await find(f"#{other}")).id == other
    assert (await find(str(forger))).id == forger
    for gone in ("#99", "99", "#"):
        await person.messenger.remove_contact(forger)
        forger = await fill(person, 4, [], name="#99 bottles")
        if gone == "#":
            assert (await find(gone)).id == forger
            continue
        with pytest.raises(NoSuchContact):
            await find(gone)


async def test_an_import_takes_no_contact_s_name(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    """Who moves to a new profile has everybody twice: once imported, once invited anew."""
    person, _ = people
    lines = (HEADER, PERSON, TEXT, END)
    (tmp_path / "in").write_text("".join(f"{each}\n" for each in lines))
    await person.messenger.import_history(tmp_path / "in", nothing)
    (archive,) = await archives(person)
    find = person.messenger.find_contact
    assert await find("김하늘") == archive
    contact_id = await fill(person, 1, [], name="김하늘")
    assert (await find("김하늘")).id == (await find("김")).id == contact_id
    assert await find(f"#{archive.id}") == archive
    await fill(person, 2, [], name="김하늘")
    with pytest.raises(NoSuchContact, match="Several"):
        await find("김하늘")
