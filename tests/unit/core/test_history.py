"""One's own history out into a file and in again: nothing lost, nothing twice, nothing believed."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exile_tui.core import exporting, history, importing
from exile_tui.core.events import ContactChanged
from exile_tui.core.model import (
    Contact,
    ContactState,
    Delivery,
    Direction,
    Message,
    MessageKind,
    Trust,
)
from exile_tui.errors import NoSuchContact, UsageError
from tests.unit.core.conftest import MakePerson, Person, introduce
from tests.unit.store.samples import contact as sample

TEXTS = st.one_of(
    st.sampled_from(
        ("안녕하세요", "한글".encode().decode(), "한글", "끝\0뒤", "줄\r\n바꿈", "\u202e뒤집기",
         "\x1b]52;c;x\x07", "\x9b2J", "\u2028", '"\\/', "👨‍👩‍👧‍👦", "\ufeff", "\U0010ffff")
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)  # fmt: skip


def nothing(done: int, total: int) -> None:
    assert 0 <= done <= total


def line(number: int, text: str, **changes: object) -> Message:
    mine = number % 2 == 0
    values: dict[str, object] = {
        "id": 0,
        "contact_id": 0,
        "seq": 0,
        "direction": Direction.OUT if mine else Direction.IN,
        "kind": MessageKind.TEXT,
        "content_id": number.to_bytes(16, "big"),
        "text": text,
        "sent_ms": number,
        "stored_ms": 1_700_000_000_000 + number,
        "delivery": Delivery.DELIVERED if mine else None,
    }
    return Message(**{**values, **changes})  # type: ignore[arg-type]


async def fill(person: Person, number: int, lines: list[Message], name: str = "김하늘") -> int:
    async with person.context.store.transaction() as tx:
        contact = await tx.contacts.insert(sample(number, name=name))
        await tx.messages.append_many(contact.id, lines)
    return contact.id


def plain(lines: list[Message]) -> list[Message]:
    """What a file keeps of lines."""
    return [replace(each, id=0, contact_id=0, seq=0, content_id=b"", read=True) for each in lines]


async def everything(person: Person, contact_id: int) -> list[Message]:
    return list((await person.messenger.excerpt(contact_id, lambda _: (1, 10**6))).lines)


def files_in(directory: Path) -> list[str]:
    """The files of a directory that also holds profiles."""
    return [each.name for each in directory.iterdir() if each.is_file()]


async def hits(person: Person, query: str) -> list[Message]:
    return list((await person.messenger.search(query)).hits)


async def archives(person: Person) -> list[Contact]:
    found = await person.messenger.contacts()
    return [each for each in found if each.state is ContactState.ARCHIVED]


@pytest.fixture
async def people(make_person: MakePerson) -> tuple[Person, Person]:
    return await make_person("가람"), await make_person("나루")


def broken(lines: list[str], number: int, text: str) -> str:
    changed = list(lines)
    changed[number - 1 : number] = [text] if text else []
    return "".join(f"{each}\n" for each in changed)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(TEXTS, max_size=12), st.sets(st.integers(1, 12)))
async def test_every_text_comes_back(
    people: tuple[Person, Person], tmp_path: Path, texts: list[str], deleted: set[int]
) -> None:
    ours, theirs = people
    file = tmp_path / "history.jsonl"
    contact_id = await fill(ours, 1, [line(*each) for each in enumerate(texts)])
    async with ours.context.store.transaction() as tx:
        for seq in deleted:
            await tx.messages.delete(contact_id, seq, seq)
    kept = await everything(ours, contact_id)
    exported = await ours.messenger.export_history(file, nothing, replace=True)
    assert (exported.conversations, exported.messages) == (1, len(kept))
    assert len(file.read_text().splitlines()) == len(kept) + 3  # and no other line breaks
    assert not set("\x1b\x9b\u202e\0\u2028") & set(file.read_text())

    imported = await theirs.messenger.import_history(file, nothing)
    assert (imported.messages, imported.known) == (len(kept), 0)
    for archive in await archives(theirs):
        assert plain(await everything(theirs, archive.id)) == plain(kept)
    again = await theirs.messenger.import_history(file, nothing)
    assert (again.messages, again.known) == (0, len(kept))

    await ours.messenger.remove_contact(contact_id)
    for archive in await archives(theirs):
        await theirs.messenger.remove_contact(archive.id)


async def test_imported_lines_are_nobody_s(make_person: MakePerson, tmp_path: Path) -> None:
    ours, theirs = await make_person("가람"), await make_person("나루")
    await introduce(ours, theirs)
    sent = await ours.messenger.send((await ours.contact()).id, "기다리는 메시지")
    assert sent.delivery is Delivery.QUEUED
    file = tmp_path / "history.jsonl"
    await ours.messenger.export_history(file, nothing)
    stranger = await make_person("다솜")
    imported = await stranger.messenger.import_history(file, nothing)
    (archive,) = await archives(stranger)
    assert imported.contact_ids == [archive.id]
    assert archive.trust is Trust.UNVERIFIED
    with pytest.raises(UsageError, match="nobody receives"):
        await stranger.messenger.send(archive.id, "거기 있어요?")
    with pytest.raises(UsageError, match="no safety number"):
        await stranger.messenger.safety_number(archive.id)
    (found,) = await hits(stranger, "기다리는")
    assert found.delivery is Delivery.FAILED
    assert found.read
    async with stranger.context.store.snapshot() as tx:
        assert await tx.contacts.all() == []  # what the network works on
        assert await tx.messages.count_waiting() == 0
        assert await tx.messages.queued(archive.id) == []
    stranger.events.clear()
    await stranger.messenger.rename("다솜이")
    await stranger.messenger.synchronize()
    assert await hits(stranger, "기다리는") == [found]
    assert (await stranger.messenger.overview()).conversations[0].contact == archive
    await stranger.messenger.remove_contact(archive.id)
    assert await hits(stranger, "기다리는") == []


async def test_what_was_deleted_comes_back_beside_the_conversation(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    ours, _ = people
    contact_id = await fill(ours, 1, [line(number, f"글 {number}") for number in range(9)])
    file = tmp_path / "history.jsonl"
    await ours.messenger.export_history(file, nothing)
    untouched = await ours.messenger.import_history(file, nothing)
    assert (untouched.messages, untouched.known) == (0, 9)
    async with ours.context.store.transaction() as tx:
        await tx.messages.delete(contact_id, 3, 5)
        await tx.messages.delete(contact_id, 9, 9)
    restored = await ours.messenger.import_history(file, nothing)
    assert (restored.messages, restored.known) == (4, 5)
    (archive,) = await archives(ours)
    texts = [each.text for each in await everything(ours, archive.id)]
    assert texts == ["글 2", "글 3", "글 4", "글 8"]
    assert len(await everything(ours, contact_id)) == 5


async def test_a_longer_export_adds_what_is_new(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    ours, theirs = people
    contact_id = await fill(ours, 1, [line(number, f"글 {number}") for number in range(3)])
    await ours.messenger.export_history(tmp_path / "one", nothing)
    async with ours.context.store.transaction() as tx:
        await tx.messages.append_many(contact_id, [line(7, "나중 글")])
    await ours.messenger.export_history(tmp_path / "two", nothing, contact_id=contact_id)
    await theirs.messenger.import_history(tmp_path / "one", nothing)
    more = await theirs.messenger.import_history(tmp_path / "two", nothing)
    assert (more.messages, more.known) == (1, 3)
    (archive,) = await archives(theirs)
    assert [each.text for each in await everything(theirs, archive.id)][-1] == "나중 글"


async def test_two_who_talk_can_t_be_matched_by_their_files(
    make_person: MakePerson, tmp_path: Path
) -> None:
    ours, theirs = await make_person("가람"), await make_person("나루")
    await introduce(ours, theirs)
    ids = []
    for number, person in enumerate((ours, theirs)):
        file = tmp_path / f"{number}.jsonl"
        await person.messenger.export_history(file, nothing)
        ids.append(json.loads(file.read_text().splitlines()[1])["id"])
        assert (await person.contact()).bundle_hash.hex() not in file.read_text()
    assert ids[0] != ids[1]


async def test_a_waiting_request_stays_hidden(make_person: MakePerson, tmp_path: Path) -> None:
    ours, theirs = await make_person("가람"), await make_person("나루")
    invite = await ours.messenger.create_invite()
    await ours.messenger.synchronize()
    await theirs.messenger.join(invite.link)
    await theirs.messenger.send((await theirs.contact()).id, "들어 있으면 안 됨")
    await theirs.messenger.synchronize()
    await ours.messenger.synchronize()
    file = tmp_path / "all"
    await ours.messenger.export_history(file, nothing)
    assert len(file.read_text().splitlines()) == 2
    with pytest.raises(UsageError, match="Accept"):
        await ours.messenger.export_history(
            tmp_path / "one", nothing, contact_id=(await ours.contact()).id
        )
    with pytest.raises(NoSuchContact):
        await ours.messenger.export_history(tmp_path / "one", nothing, contact_id=99)
    assert files_in(tmp_path) == ["all"]


async def test_an_export_is_private_whole_and_replaces_nothing(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    ours, _ = people
    await fill(ours, 1, [line(1, "글")])
    file = tmp_path / "history.jsonl"
    (tmp_path / "history.jsonl.part").write_text("what a killed export left")
    (tmp_path / "history.jsonl.part").chmod(0o644)
    await ours.messenger.export_history(file, nothing)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not (tmp_path / "history.jsonl.part").exists()
    whole = file.read_bytes()
    with pytest.raises(UsageError, match="already"):
        await ours.messenger.export_history(file, nothing)
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(UsageError, match="already"):
        await ours.messenger.export_history(tmp_path / "link", nothing)
    assert file.read_bytes() == whole
    await ours.messenger.export_history(tmp_path / "link", nothing, replace=True)
    assert not (tmp_path / "link").is_symlink()
    (tmp_path / "directory").mkdir()
    for target in (tmp_path / "directory", tmp_path / "nowhere" / "file"):
        with pytest.raises(UsageError):
            await ours.messenger.export_history(target, nothing, replace=True)
    (tmp_path / "trap.part").symlink_to(tmp_path / "link")
    with pytest.raises(UsageError):
        await ours.messenger.export_history(tmp_path / "trap", nothing)
    assert (tmp_path / "link").read_bytes().startswith(b'{"type"')


async def test_a_cancelled_export_leaves_nothing(
    people: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, _ = people
    await fill(ours, 1, [line(number, "글") for number in range(2_500)])
    file = tmp_path / "history.jsonl"
    begun = asyncio.Event()
    task = asyncio.create_task(
        ours.messenger.export_history(file, lambda done, _: begun.set() if done else None)
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_in(tmp_path) == []


async def test_a_full_disk_leaves_nothing(people: tuple[Person, Person]) -> None:
    ours, _ = people
    await fill(ours, 1, [line(number, "글" * 100) for number in range(500)])
    full = Path("/dev/shm") / f"exile-tui-{os.getpid()}"
    full.mkdir()
    try:
        # A limit on the file's size fails as a full disk does: in the middle of a write.
        import resource
        import signal

        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        async with ours.context.store.snapshot() as tx:
            await tx.settings.get(exporting.SALT)
        await exporting.own_salt(ours.context)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        try:
            with pytest.raises(UsageError, match="can't be written"):
                await ours.messenger.export_history(full / "history", nothing)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        assert list(full.iterdir()) == []
    finally:
        full.rmdir()


async def test_two_exports_to_one_file(people: tuple[Person, Person], tmp_path: Path) -> None:
    ours, theirs = people
    await fill(ours, 1, [line(number, "글") for number in range(1_500)])
    await fill(theirs, 1, [line(1, "다른 글")])
    file = tmp_path / "history.jsonl"
    refused: list[UsageError] = []
    tasks: list[asyncio.Task[None]] = []

    async def other() -> None:
        try:
            await theirs.messenger.export_history(file, nothing)
        except UsageError as error:
            refused.append(error)

    def progress(done: int, total: int) -> None:
        if not tasks:
            tasks.append(asyncio.get_running_loop().create_task(other()))

    exported = asyncio.create_task(ours.messenger.export_history(file, progress))
    await exported
    await tasks[0]
    assert len(refused) == 1
    assert len(file.read_text().splitlines()) == 1_503


async def test_progress_goes_from_nothing_to_all(
    people: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = people
    await fill(ours, 1, [line(number, "글" * 30) for number in range(2_500)])
    file = tmp_path / "history.jsonl"
    seen: list[tuple[int, int]] = []
    await ours.messenger.export_history(file, lambda *each: seen.append(each))
    assert seen == [(0, 2_500), (1_000, 2_500), (2_000, 2_500), (2_500, 2_500)]
    monkeypatch.setattr(importing, "BLOCK_BYTES", 50_000)
    seen.clear()
    await theirs.messenger.import_history(file, lambda *each: seen.append(each))
    assert len(seen) > 10
    assert seen == sorted(seen)
    assert seen[-1] == (2 * file.stat().st_size, 2 * file.stat().st_size)


async def test_others_get_their_turn(
    people: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a history comes in, a transaction of someone else waits for one batch at most."""
    ours, theirs = people
    await fill(ours, 1, [line(number, "글") for number in range(1_000)])
    file = tmp_path / "history.jsonl"
    await ours.messenger.export_history(file, nothing)
    monkeypatch.setattr(importing, "BATCH", 100)
    other = await fill(theirs, 2, [])
    counts: list[int] = []

    async def receive() -> None:
        while not counts or counts[-1] < 1_000:
            async with theirs.context.store.transaction() as tx:
                await tx.messages.append_many(other, [line(2 * len(counts) + 1, "도착")])
                found = await tx.contacts.archived()
                extent = await tx.messages.extent(found[0].id) if found else None
            counts.append(extent.last_seq if extent else 0)

    receiving = asyncio.create_task(receive())
    await theirs.messenger.import_history(file, nothing)
    await receiving
    assert set(range(100, 1_001, 100)) <= set(counts)


def test_documented_limits_hold_every_message() -> None:
    longest = "\u0001" * 63_087
    text = history.message_line(line(1, longest, seq=2**53 - 1))
    assert len(text.encode()) < history.MOST_LINE_BYTES
    for message in (line(1, "글", stored_ms=2**60), line(1, "글", stored_ms=-5)):
        assert 0 <= json.loads(history.message_line(message))["stored_ms"] <= history.LATEST_MS


HEADER = '{"type": "exile-tui history", "version": 1, "exported_ms": 1}'
PERSON = '{"type": "conversation", "id": "00112233445566778899aabbccddeeff", "name": "김하늘"}'
TEXT = (
    '{"type": "message", "seq": 1, "from": "them", "kind": "text", "text": "안녕",'
    ' "sent_ms": 1, "stored_ms": 2, "delivery": null}'
)
END = '{"type": "end", "messages": 1}'
GOOD = [HEADER, PERSON, TEXT, END]


@pytest.mark.parametrize(
    ("content", "sentence", "number"),
    [
        ("", history.NOT_A_HISTORY, 0),
        ("\n", history.NOT_A_HISTORY, 1),
        ("%PDF-1.7\n", history.NOT_A_HISTORY, 1),
        ("[]\n", history.NOT_A_HISTORY, 1),
        ("[" * 300_000, history.NOT_A_HISTORY, 1),
        (broken(GOOD, 1, "\ufeff" + HEADER), history.NOT_A_HISTORY, 1),
        (broken(GOOD, 1, HEADER.replace("1,", "2,")), history.NEWER, 1),
        (broken(GOOD, 1, HEADER.replace("1,", '"1",')), history.NOT_ALLOWED, 1),
        (broken(GOOD, 1, HEADER.replace("1,", "0,")), history.NOT_ALLOWED, 1),
        (broken(GOOD, 1, PERSON), history.NOT_A_HISTORY, 1),
        (broken(GOOD, 2, HEADER), history.OUT_OF_ORDER, 2),
        (broken(GOOD, 2, ""), history.OUT_OF_ORDER, 2),
        (broken(GOOD, 2, PERSON.replace("00", "zz")), history.NOT_ALLOWED, 2),
        (broken(GOOD, 2, PERSON.replace("aabb", "AABB")), history.NOT_ALLOWED, 2),
        (broken(GOOD, 2, PERSON.replace("김하늘", "가" * 1_400)), history.NOT_ALLOWED, 2),
        (broken(GOOD, 2, PERSON + PERSON), history.NOT_JSON, 2),
        (broken(GOOD, 3, ""), history.OUT_OF_ORDER, 3),
        (broken(GOOD, 3, " "), history.NOT_JSON, 3),
        (broken(GOOD, 3, TEXT[:-1]), history.NOT_JSON, 3),
        (broken(GOOD, 3, TEXT.replace("안녕", "\\ud800")), history.NOT_JSON, 3),
        (broken(GOOD, 3, TEXT.replace("안녕", "\\udc00\\ud800")), history.NOT_JSON, 3),
        (broken(GOOD, 3, TEXT.replace("안녕", "x" * 196_609)), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace("안녕", "x" * 1_400_000)), history.TOO_LONG, 3),
        (broken(GOOD, 3, TEXT.replace('"안녕"', "1")), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"안녕"', "null")), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"안녕"', "[" * 10_000)), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, '{"a": ' + "[" * 10_000), history.NOT_JSON, 3),
        (broken(GOOD, 3, TEXT.replace('"text": "안녕",', "")), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"them"', '"root"')), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"them"', '"me"')), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace("null", '"delivered"')), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace("null", '"verified"')), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"kind": "text"', '"kind": "safety"')), history.NOT_ALLOWED,
         3),
        (broken(GOOD, 3, TEXT.replace('"kind": "text"', '"kind": "newer"')), history.NOT_ALLOWED,
         3),
        (broken(GOOD, 3, TEXT.replace('"kind": "text"', '"kind": "missing"')),
         history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"seq": 1', '"seq": 0')), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"seq": 1', '"seq": 1.5')), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"seq": 1', '"seq": true')), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"seq": 1', f'"seq": {2**53}')), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"stored_ms": 2', f'"stored_ms": {2**53}')),
         history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"sent_ms": 1', '"sent_ms": -1')), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, TEXT.replace('"sent_ms": 1', '"sent_ms": NaN')), history.NOT_JSON, 3),
        (broken(GOOD, 3, TEXT.replace("message", "receipt")), history.NOT_ALLOWED, 3),
        (broken(GOOD, 3, f"{TEXT}\n{TEXT}"), history.OUT_OF_ORDER, 4),
        (broken(GOOD, 4, PERSON), history.OUT_OF_ORDER, 4),
        (broken(GOOD, 4, ""), history.CUT_SHORT, 3),
        (broken(GOOD, 4, END.replace("1", "2")), history.OUT_OF_ORDER, 4),
        (broken(GOOD, 4, f"{END}\n{END}"), history.TOO_MUCH, 5),
        (broken(GOOD, 4, f"{END}\n"), history.TOO_MUCH, 5),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, int) else "",
)  # fmt: skip
async def test_hostile_files_change_nothing(
    make_person: MakePerson, tmp_path: Path, content: str, sentence: str, number: int
) -> None:
    person = await make_person("가람")
    file = tmp_path / "file"
    file.write_bytes(content.encode())
    with pytest.raises(UsageError) as refused:
        await person.messenger.import_history(file, nothing)
    assert refused.value.sentence == sentence
    assert refused.value.parameters["line"] == number
    assert await person.messenger.contacts() == []


async def test_what_is_good_in_the_hostile_cases_is_good(
    make_person: MakePerson, tmp_path: Path
) -> None:
    person = await make_person("가람")
    file = tmp_path / "file"
    missing = TEXT.replace('"kind": "text"', '"kind": "missing"').replace("안녕", "12")
    extra = missing.replace('"seq": 1', '"seq": 9, "from a later version": [1, {}]')
    end = END.replace("1", "2")
    # Without the last line break, with Windows' ones: nothing is lost by either.
    file.write_bytes("\r\n".join([HEADER, PERSON, TEXT, extra, end]).encode())
    imported = await person.messenger.import_history(file, nothing)
    assert imported.messages == 2
    assert isinstance(person.events[-1], ContactChanged)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
async def test_a_damaged_file_is_refused_or_whole(
    people: tuple[Person, Person], tmp_path: Path, data: st.DataObject
) -> None:
    """Whatever happens to its bytes: all of it is stored, or one sentence and nothing is."""
    person, _ = people
    raw = bytearray("".join(f"{each}\n" for each in GOOD).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from((b"\n", b'"', b"{"))))
        raw[at : at + data.draw(st.integers(0, 20))] = piece
    file = tmp_path / "file"
    file.write_bytes(bytes(raw))
    before = await person.messenger.contacts()
    try:
        imported = await person.messenger.import_history(file, nothing)
    except UsageError:
        assert await person.messenger.contacts() == before
        return
    assert imported.messages + imported.known in (0, 1)
    for archive in await archives(person):
        assert len(await everything(person, archive.id)) == 1
        await person.messenger.remove_contact(archive.id)


async def test_what_is_no_file_is_refused(make_person: MakePerson, tmp_path: Path) -> None:
    person = await make_person("가람")
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "pipe", tmp_path, tmp_path / "nowhere", Path("/dev/zero")):
        with pytest.raises(UsageError, match="Nothing was imported"):
            await person.messenger.import_history(file, nothing)


async def test_a_file_that_changes_meanwhile(
    people: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = people
    monkeypatch.setattr(importing, "BATCH", 2)
    monkeypatch.setattr(importing, "BLOCK_BYTES", 1)
    texts = [f"{number} " + "글" * 5_000 for number in range(9)]
    await fill(ours, 1, [line(number, texts[number]) for number in range(9)])
    file = tmp_path / "history.jsonl"
    await ours.messenger.export_history(file, nothing)
    whole = file.read_bytes()

    def cut(done: int, total: int) -> None:
        if done * 2 > total * 1.5:
            os.truncate(file, len(whole) * 3 // 4)

    with pytest.raises(UsageError, match="changed while"):
        await theirs.messenger.import_history(file, cut)
    (archive,) = await archives(theirs)
    part = await everything(theirs, archive.id)
    assert 0 < len(part) < 9
    file.write_bytes(whole)
    rest = await theirs.messenger.import_history(file, nothing)
    assert (rest.known, rest.messages) == (len(part), 9 - len(part))
    assert [each.text for each in await everything(theirs, archive.id)] == texts
