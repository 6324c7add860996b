"""Deleting for good: in parts, with everybody else in between, again after a kill."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exile_tui.clock import DAY_MS, HOUR_MS
from exile_tui.core import deleting
from exile_tui.core.deleting import delete_conversation, delete_messages, remove_contact
from exile_tui.core.events import ContactChanged, DeletionChanged
from exile_tui.core.following import follow
from exile_tui.core.model import (
    Contact,
    Delivery,
    Direction,
    MailboxState,
    Message,
    MessageKind,
    Reason,
)
from exile_tui.errors import NoSuchContact, ProfileError
from exile_tui.hangul import initials, jamo
from exile_tui.store import database, removing, wiping
from exile_tui.store.files import Reserve
from exile_tui.store.problems import DiskFull
from exile_tui.store.store import ProfileStore
from tests.unit.core.conftest import MakePerson, ManualClock, Person, introduce

_NUMBERS = itertools.count(1)
LOG_LIMIT = 64 * 1024 * 1024


def line(number: int, text: str) -> Message:
    return Message(
        id=0,
        contact_id=0,
        seq=0,
        direction=Direction.IN,
        kind=MessageKind.TEXT,
        content_id=number.to_bytes(16, "big"),
        text=text,
        sent_ms=number,
        stored_ms=number,
        delivery=None,
        reason=Reason.NONE,
        read=True,
    )


async def fill(person: Person, contact_id: int, texts: list[str]) -> None:
    async with person.context.store.transaction() as tx:
        await tx.messages.append_many(contact_id, [line(next(_NUMBERS), text) for text in texts])


async def lines_of(person: Person, contact_id: int, first_seq: int = 1) -> list[Message]:
    excerpt = await person.messenger.excerpt(contact_id, lambda _: (first_seq, 10**9))
    return list(excerpt.lines)


async def draft_of(person: Person, contact_id: int) -> str:
    return (await person.messenger.excerpt(contact_id, lambda _: None)).draft


async def seqs(person: Person, contact_id: int) -> list[int]:
    return [each.seq for each in await lines_of(person, contact_id)]


async def pair(make_person: MakePerson) -> tuple[Person, Person, Contact]:
    haneul, seojun = await make_person("김하늘"), await make_person("박서준")
    await introduce(haneul, seojun)
    return haneul, seojun, await haneul.contact()


async def another(haneul: Person, make_person: MakePerson) -> Contact:
    """Make a second contact."""
    known = {each.id for each in await haneul.messenger.contacts()}
    yuna = await make_person("최유나")
    invite = await haneul.messenger.create_invite()
    await haneul.messenger.synchronize()
    await yuna.messenger.join(invite.link)
    await yuna.messenger.synchronize()
    await haneul.messenger.synchronize()
    (new,) = [each for each in await haneul.messenger.contacts() if each.id not in known]
    await haneul.messenger.accept(new.id)
    return new


async def test_a_range_goes_and_the_rest_stays(make_person: MakePerson) -> None:
    haneul, _, contact = await pair(make_person)
    await fill(haneul, contact.id, [f"줄 {number}" for number in range(50)])
    before = await seqs(haneul, contact.id)
    told: list[tuple[int, int]] = []
    await delete_messages(
        haneul.context, contact.id, 10, 19, lambda done, total: told.append((done, total))
    )
    assert await seqs(haneul, contact.id) == [seq for seq in before if not 10 <= seq <= 19]
    assert told == [(0, 10), (10, 10)]
    assert (await haneul.messenger.extent(contact.id)).gaps == ((10, 19),)
    with pytest.raises(NoSuchContact):
        await delete_messages(haneul.context, contact.id + 1, 1, 2)


async def test_a_conversation_goes_with_its_draft_and_the_contact_stays(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "LINES", 7)
    haneul, seojun, contact = await pair(make_person)
    await fill(haneul, contact.id, [f"줄 {number}" for number in range(50)])
    await haneul.messenger.keep_draft(contact.id, "아직 쓰는 중")
    told: list[tuple[int, int]] = []
    total = len(await seqs(haneul, contact.id))
    haneul.events.clear()
    await delete_conversation(
        haneul.context, contact.id, lambda done, all_: told.append((done, all_))
    )
    assert await seqs(haneul, contact.id) == []
    assert await draft_of(haneul, contact.id) == ""
    assert told == [(done, total) for done in range(0, total, 7)] + [(total, total)]
    assert haneul.events.count(ContactChanged(contact.id)) > total // 7
    await seojun.messenger.send((await seojun.contact()).id, "듣고 있어요?")
    await seojun.messenger.synchronize()
    await haneul.messenger.synchronize()
    assert [each.text for each in await haneul.messenger.messages(contact.id)] == ["듣고 있어요?"]


async def test_long_texts_go_in_smaller_parts(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "TEXT_BYTES", 10_000)
    haneul, _, contact = await pair(make_person)
    await fill(haneul, contact.id, ["가" * 1000] * 20)  # 3,000 bytes each
    told: list[int] = []
    await delete_conversation(haneul.context, contact.id, lambda done, _: told.append(done))
    assert told == [0, 4, 8, 12, 16, 20]


async def test_what_was_not_sealed_is_never_sent(make_person: MakePerson) -> None:
    haneul, seojun = await make_person("김하늘"), await make_person("박서준")
    invite = await haneul.messenger.create_invite()
    await haneul.messenger.synchronize()
    await seojun.messenger.join(invite.link)
    there = await seojun.contact()
    sent = [await seojun.messenger.send(there.id, f"{number}") for number in range(12)]
    queued = [
        each
        for each in await seojun.messenger.messages(there.id)
        if each.delivery is Delivery.QUEUED
    ]
    assert 0 < len(queued) < len(sent)
    await delete_messages(seojun.context, there.id, queued[0].seq, queued[-1].seq)
    await seojun.messenger.synchronize()
    await haneul.messenger.synchronize()
    here = await haneul.contact()
    await haneul.messenger.accept(here.id)
    for person in (haneul, seojun, haneul):
        await person.messenger.synchronize()
    heard = [each.text for each in await haneul.messenger.messages(here.id)]
    assert heard == [each.text for each in sent if each.seq < queued[0].seq]


async def test_others_write_and_receive_meanwhile(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two parts a whole round of receiving gets through, and it does not wait longer."""
    monkeypatch.setattr(deleting, "LINES", 5)
    haneul, _, contact = await pair(make_person)
    other = await another(haneul, make_person)
    await fill(haneul, contact.id, [f"줄 {number}" for number in range(100)])
    progress: list[int] = []
    written: list[int] = []
    begun = asyncio.Event()

    def note(done: int, _: int) -> None:
        progress.append(done)
        begun.set()

    async def write() -> None:
        await begun.wait()
        for _ in range(10):
            await haneul.messenger.send(other.id, "그동안에도")
            written.append(progress[-1])

    async with asyncio.timeout(60):
        await asyncio.gather(
            write(),
            delete_conversation(haneul.context, contact.id, note),
        )
    assert len(written) == 10
    assert written[-1] < 100, "all of it was written before the deletion ended"
    assert max(after - before for before, after in itertools.pairwise(written)) <= 10
    assert len(await haneul.messenger.messages(other.id)) == 10


@pytest.mark.parametrize("what", ["messages", "conversation", "contact"])
async def test_it_goes_on_after_the_profile_was_closed(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(deleting, "LINES", 10)
    haneul, _, contact = await pair(make_person)
    await fill(haneul, contact.id, [f"줄 {number}" for number in range(100)])
    total = len(await seqs(haneul, contact.id))
    deletions = haneul.messenger.deletions
    half = asyncio.Event()

    def heard(event: object) -> None:
        running = deletions.running if isinstance(event, DeletionChanged) else ()
        if running and running[0].done >= 50:
            half.set()

    haneul.messenger.events.subscribe(heard)
    ask = getattr(deletions, what)
    arguments = (1, 100) if what == "messages" else ()
    asked = asyncio.create_task(ask(contact.id, *arguments))
    async with asyncio.timeout(30):
        await half.wait()
    await deletions.stop()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert deletions.running == ()
    assert 0 < len(await seqs(haneul, contact.id)) < total
    await deletions.resume()
    assert len(deletions.running) == 1
    async with asyncio.timeout(30):
        await asyncio.gather(*deletions._tasks.values())
    left = {each.id for each in await haneul.messenger.contacts()}
    assert left == (set() if what == "contact" else {contact.id})
    if left:
        assert max(await seqs(haneul, contact.id), default=101) >= 101
    await deletions.resume()
    assert deletions.running == ()


async def test_what_failed_is_tried_again_by_the_upkeep(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    haneul, _, contact = await pair(make_person)
    await fill(haneul, contact.id, ["줄"] * 5)
    deletions = haneul.messenger.deletions

    async def full(*_: object) -> None:
        raise DiskFull

    with monkeypatch.context() as patched:
        patched.setattr(deleting, "_carry_out", full)
        with pytest.raises(DiskFull):
            await deletions.conversation(contact.id)
        with pytest.raises(DiskFull):
            await deletions.finish()
    assert deletions.running == ()
    assert len(await seqs(haneul, contact.id)) >= 5
    await haneul.messenger._network._upkeep.once()
    assert len(deletions.running) == 1
    async with asyncio.timeout(30):
        await deletions.finish()
    assert await seqs(haneul, contact.id) == []
    await deletions.finish()
    assert deletions.running == ()


async def stopped_in_the_middle(haneul: Person, contact_id: int, asked: str) -> None:
    """Ask for something while another deletion has its turn, then close."""
    deletions = haneul.messenger.deletions
    noted = asyncio.Event()
    unsubscribe = haneul.messenger.events.subscribe(
        lambda event: noted.set() if event == ContactChanged(contact_id) else None
    )
    async with deletions._turn:
        task = asyncio.create_task(getattr(deletions, asked)(contact_id))
        async with asyncio.timeout(30):
            await noted.wait()
        await deletions.stop()
    unsubscribe()
    with pytest.raises(asyncio.CancelledError):
        await task


async def all_done(haneul: Person) -> None:
    await haneul.messenger.deletions.resume()
    async with asyncio.timeout(30):
        await asyncio.gather(*haneul.messenger.deletions._tasks.values())


async def test_what_waits_for_its_turn_goes_on_too_after_the_profile_was_closed(
    make_person: MakePerson,
) -> None:
    haneul, _, contact = await pair(make_person)
    other = await another(haneul, make_person)
    await fill(haneul, contact.id, ["줄"] * 30)
    await stopped_in_the_middle(haneul, contact.id, "conversation")
    await stopped_in_the_middle(haneul, other.id, "contact")
    await all_done(haneul)
    assert await seqs(haneul, contact.id) == []
    assert [each.id for each in await haneul.messenger.contacts()] == [contact.id]


async def test_what_was_typed_after_asking_stays(make_person: MakePerson) -> None:
    haneul, _, contact = await pair(make_person)
    await haneul.messenger.keep_draft(contact.id, "아직 쓰는 중")
    await stopped_in_the_middle(haneul, contact.id, "conversation")
    assert await draft_of(haneul, contact.id) == ""
    await haneul.messenger.keep_draft(contact.id, "새로 쓰는 중")
    await all_done(haneul)
    assert await draft_of(haneul, contact.id) == "새로 쓰는 중"


async def test_nothing_is_sent_to_a_contact_that_is_being_removed(
    make_person: MakePerson,
) -> None:
    haneul, seojun, contact = await pair(make_person)
    there = await seojun.contact()
    await seojun.messenger.send(there.id, "답해 줘요")
    await haneul.messenger.synchronize()
    before = await seojun.lines()
    await haneul.messenger.send(contact.id, "보내지 마세요")
    await stopped_in_the_middle(haneul, contact.id, "contact")
    await haneul.messenger.synchronize()
    await seojun.messenger.synchronize()
    after = await seojun.lines()
    assert [line.text for line in after] == [line.text for line in before]
    async with haneul.context.store.snapshot() as tx:
        assert await tx.outbox.of(contact.id) == []


async def test_what_comes_while_a_contact_is_removed_goes_with_it(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A move makes a mailbox, an import adds lines."""
    monkeypatch.setattr(deleting, "LINES", 10)
    haneul, _, contact = await pair(make_person)
    await fill(haneul, contact.id, ["줄"] * 30)
    others: list[asyncio.Task[None]] = []

    async def move() -> None:
        async with haneul.context.store.transaction() as tx:
            await follow(haneul.context, tx, haneul.context.own)
        await fill(haneul, contact.id, ["줄"] * 30)

    told: list[int] = []

    def progress(done: int, total: int) -> None:
        told.append(done)
        if not others:
            others.append(asyncio.create_task(move()))

    await remove_contact(haneul.context, contact.id, progress)
    await asyncio.gather(*others)
    assert len(told) > 6, "in parts, what came later too"
    async with haneul.context.store.snapshot() as tx:
        assert {each.state for each in await tx.mailboxes.all()} == {MailboxState.DOOMED}


async def test_the_same_twice_is_done_once_and_two_take_turns(make_person: MakePerson) -> None:
    haneul, _, contact = await pair(make_person)
    other = await another(haneul, make_person)
    for each in (contact, other):
        await fill(haneul, each.id, ["줄"] * 30)
    deletions = haneul.messenger.deletions
    async with asyncio.timeout(30):
        await asyncio.gather(
            deletions.conversation(contact.id),
            deletions.conversation(contact.id),
            deletions.contact(other.id),
        )
    assert await seqs(haneul, contact.id) == []
    assert [each.id for each in await haneul.messenger.contacts()] == [contact.id]
    with pytest.raises(NoSuchContact):
        await deletions.contact(other.id)
    async with haneul.context.store.snapshot() as tx:
        assert await tx.settings.beginning_with("deleting/") == {}


async def test_a_removed_contact_is_left_at_the_relay_first(make_person: MakePerson) -> None:
    haneul, _, contact = await pair(make_person)
    await remove_contact(haneul.context, contact.id)
    async with haneul.context.store.snapshot() as tx:
        states = {each.state for each in await tx.mailboxes.all()}
    assert MailboxState.DOOMED in states
    assert await haneul.messenger.contacts() == []


WORDS = ("학교", "비밀", "회의", "kakao", "telegram", "가나다라", "점심", "zebra", "국수", "망명")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open every database without encryption: the same schema, and bytes that can be read."""
    encrypted = database.connect

    def connect(path: Path, key: bytes | None, **options: Any) -> sqlite3.Connection:
        return encrypted(path, None, **options)

    monkeypatch.setattr(database, "connect", connect)


def traces(word: str) -> list[bytes]:
    """Return how a word stands in the file: as text, and as tokens.

    The index shortens a token by what it has in common with the one before, so of the tokens only
    the ends are looked for, two letters at least.
    """
    tokens = [jamo(each) for each in word] if not word.isascii() else [word]
    return [word.encode(), *(token[1:].encode() for token in tokens if len(token) > 2)]


@pytest.mark.parametrize("seed", range(3))
async def test_no_byte_of_what_was_deleted_is_left(
    plain: None, make_person: MakePerson, tmp_path: Path, seed: int
) -> None:
    """Single messages, ranges, a conversation, a contact and drafts, in random order."""
    rng = random.Random(seed)
    haneul, _, contact = await pair(make_person)
    other = await another(haneul, make_person)
    dead: list[bytes] = []
    alive: list[bytes] = []
    unique = _unique_words(rng)
    for each in (contact, other):
        await fill(haneul, each.id, [f"{next(unique)} 이야기 {number}" for number in range(600)])
    lines = {each.seq: each.text for each in await lines_of(haneul, contact.id)}
    for _ in range(25):
        seq = rng.choice(sorted(lines))
        last = seq + rng.choice((0, 0, 0, 3, 20, 150))
        await haneul.messenger.deletions.messages(contact.id, seq, last)
        for gone in [key for key in lines if seq <= key <= last]:
            dead += _marks(lines.pop(gone))
        draft = next(unique)
        await haneul.messenger.keep_draft(contact.id, draft)
        await haneul.messenger.keep_draft(contact.id, "")
        dead.append(draft.encode())
        await fill(haneul, contact.id, [f"{next(unique)} 더" for _ in range(10)])
        found = await lines_of(haneul, contact.id, max(lines) + 1)
        lines |= {each.seq: each.text for each in found}
    await haneul.messenger.keep_draft(other.id, next(unique))
    dead.append((await draft_of(haneul, other.id)).encode())
    for said in await lines_of(haneul, other.id):
        dead += _marks(said.text)
    if seed == 0:
        await haneul.messenger.deletions.conversation(other.id)
    else:
        await haneul.messenger.remove_contact(other.id)
    await haneul.context.store.wipe(large=True)
    for text in lines.values():
        alive += _marks(text)
    content = b"".join(path.read_bytes() for path in _files(tmp_path / "0"))
    assert len(dead) > 1500
    assert [mark for mark in dead if mark in content] == []
    assert [mark for mark in alive if mark not in content] == []


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.name.startswith("database")]


def _unique_words(rng: random.Random) -> Any:
    """Yield words that occur once: eight digits, found as they are in texts and as a token."""
    used: set[int] = set()
    while True:
        number = rng.getrandbits(32)
        if number not in used:
            used.add(number)
            yield f"{number:08x}x{number ^ 0xFFFFFFFF:08x}"


def _marks(text: str) -> list[bytes]:
    """Return a text's own word, and its end as the index has it, which shortens beginnings."""
    word = text.split()[0].encode()
    return [word, word[-9:]]


async def test_no_token_of_korean_is_left(
    plain: None, make_person: MakePerson, tmp_path: Path
) -> None:
    """Syllables, initial consonants and Latin words that only the deleted lines had."""
    haneul, _, contact = await pair(make_person)
    other = await another(haneul, make_person)
    gone = [f"{word} {number}" for number in range(40) for word in WORDS]
    await fill(haneul, contact.id, gone)
    await fill(haneul, other.id, ["마을 이야기", "ordinary words"] * 40)
    await haneul.context.store.wipe(large=True)
    needles = [mark for word in WORDS for mark in traces(word)]
    needles += [initials(word).encode() for word in ("학교", "가나다라", "국수")]
    others = [mark for word in ("마을", "이야기", "ordinary") for mark in traces(word)]
    needles = [mark for mark in needles if not any(mark in each for each in others)]

    def present() -> list[bytes]:
        content = b"".join(path.read_bytes() for path in _files(tmp_path / "0"))
        return [mark for mark in needles if mark in content]

    assert len(present()) > len(needles) / 2, "the scan would find what is there"
    half = len(gone) // 2
    first = (await lines_of(haneul, contact.id))[0].seq
    for seq in range(first, first + 30):  # one by one, then many at once
        await haneul.messenger.deletions.messages(contact.id, seq, seq)
    await haneul.messenger.deletions.messages(contact.id, first + 30, first + half)
    await haneul.messenger.deletions.conversation(contact.id)
    assert present() == []
    assert len((await haneul.messenger.search("마을")).hits) > 0


async def test_no_page_of_the_index_is_named_after_a_deleted_word(
    plain: None, make_person: MakePerson, tmp_path: Path
) -> None:
    """The index keeps the beginning of each page's first word apart: so it does with few lines."""
    haneul, _, contact = await pair(make_person)
    await fill(haneul, contact.id, [f"{next(_NUMBERS):08x} 줄" for _ in range(2000)])
    end = (await haneul.messenger.extent(contact.id)).last_seq

    async def content() -> bytes:
        await haneul.context.store.truncate_wal()
        return b"".join(path.read_bytes() for path in _files(tmp_path / "0"))

    for first in (end + 1, end + 61):  # once among several segments, once in the only one
        words = [f"nachtigall{next(_NUMBERS):08}" for _ in range(60 * 40)]
        texts = [" ".join(words[start::60]) for start in range(60)]
        await fill(haneul, contact.id, texts)
        if first > end + 1:
            await merge(haneul.context.store)
        assert b"nachtigall" in await content()
        await haneul.messenger.deletions.messages(contact.id, first, first + 59)
        assert b"nachtigall" not in await content()
    assert len((await haneul.messenger.search("줄", limit=3000)).hits) == 2000


async def merge(store: Any) -> None:
    """Make one segment of the index."""
    async with store.transaction() as tx:
        await tx.statements.all(
            "INSERT INTO message_fts (message_fts, rank) VALUES ('optimize', NULL)"
        )


async def test_the_log_stays_small(make_person: MakePerson, tmp_path: Path) -> None:
    """30,000 lines, looked at after each transaction: far below the limit of 64 MB."""
    haneul, _, contact = await pair(make_person)
    for start in range(0, 30_000, 5_000):
        await fill(
            haneul, contact.id, [f"{WORDS[n % 10]} 줄 {n}" for n in range(start, start + 5_000)]
        )
        await haneul.context.store.truncate_wal()
    store = haneul.context.store
    assert isinstance(store, ProfileStore)
    log, sizes = tmp_path / "0" / "database-wal", []
    truncate = store.truncate_wal

    async def watch() -> None:
        sizes.append(log.stat().st_size)
        await truncate()
        assert log.stat().st_size == 0

    store.truncate_wal = watch  # type: ignore[method-assign]
    await haneul.messenger.deletions.messages(contact.id, 1, 29_000)
    assert len(sizes) > 15
    assert max(sizes) < LOG_LIMIT / 4
    assert len(await seqs(haneul, contact.id)) > 900
    database_size = (tmp_path / "0" / "database").stat().st_size
    assert database_size < 4 * 1024 * 1024, "the file is short again"


async def test_the_log_stays_small_where_nothing_is_left(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step of merging ends when it has written enough; of what is all deleted it writes none."""
    monkeypatch.setattr(removing, "_WORTH_MERGING", 128 * 1024)
    monkeypatch.setattr(removing, "MERGED_PAGES", 20)
    haneul, _, contact = await pair(make_person)
    store = haneul.context.store
    assert isinstance(store, ProfileStore)
    log = tmp_path / "0" / "database-wal"
    truncate, compact = store._truncate, store.compact_index
    sizes: list[int] = []

    async def watch() -> None:
        sizes.append(log.stat().st_size)
        await truncate()

    async def nothing() -> None:
        pass

    async def longest() -> int:
        """Fill the conversation, delete all of it; return how long the log got."""
        texts = [" ".join(f"{next(_NUMBERS):08x}" for _ in range(10)) for _ in range(12_000)]
        await fill(haneul, contact.id, texts)
        await store.truncate_wal()
        sizes.clear()
        await haneul.messenger.deletions.conversation(contact.id)
        assert await seqs(haneul, contact.id) == []
        return max(sizes)

    store._truncate = watch  # type: ignore[method-assign]
    store.compact_index = nothing  # type: ignore[method-assign]
    at_once = await longest()
    store.compact_index = compact  # type: ignore[method-assign]
    assert await longest() < at_once / 2


async def test_a_full_disk_does_not_keep_anybody_from_deleting(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index grows before it shrinks, by more than texts of different words give back."""
    rng = random.Random(1)
    haneul, _, contact = await pair(make_person)
    words = [[f"{rng.getrandbits(32):x}" for _ in range(6000)] for _ in range(8)]
    await fill(haneul, contact.id, [" ".join(each) for each in words])
    store = haneul.context.store
    assert isinstance(store, ProfileStore)
    monkeypatch.setattr(Reserve, "_ensure", lambda _: False)
    store._reserve.give()
    await haneul.messenger.deletions.conversation(contact.id)
    assert await seqs(haneul, contact.id) == []
    with pytest.raises(DiskFull):
        await fill(haneul, contact.id, [" ".join(each) for each in words])


async def test_a_contact_is_gone_from_the_file_though_it_can_t_be_written_anew(
    plain: None, make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    haneul, _, contact = await pair(make_person)

    async def fails(*_: Any) -> None:
        raise ProfileError

    def content() -> bytes:
        return b"".join(path.read_bytes() for path in _files(tmp_path / "0"))

    await haneul.context.store.truncate_wal()
    assert "박서준".encode() in content()
    monkeypatch.setattr(wiping, "copy", fails)
    with pytest.raises(ProfileError):
        await haneul.messenger.remove_contact(contact.id)
    assert "박서준".encode() not in content()


async def test_a_large_file_is_written_anew_within_the_hour_whatever_the_clock_says(
    make_person: MakePerson, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    haneul, _, contact = await pair(make_person)
    monkeypatch.setattr(wiping, "SMALL_BYTES", 0)
    clock.wall_ms += 3 * DAY_MS
    await haneul.messenger.synchronize()
    assert haneul.messenger.clock_jump_ms is not None
    await fill(haneul, contact.id, ["줄"] * 30)
    end = (await haneul.messenger.extent(contact.id)).last_seq
    await haneul.messenger.deletions.messages(contact.id, end, end)
    store = haneul.context.store
    assert isinstance(store, ProfileStore)
    assert (await store._scrub())[0] != wiping.CLEAN
    clock.advance(HOUR_MS)
    await haneul.messenger.synchronize()
    assert (await store._scrub())[0] == wiping.CLEAN


async def test_writing_during_the_copy_loses_nothing(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit while the file is written anew makes the copy worthless; the second one holds."""
    haneul, _, contact = await pair(make_person)
    await fill(haneul, contact.id, ["줄"] * 300)
    store = haneul.context.store
    assert isinstance(store, ProfileStore)
    copy, copies, blocked = wiping.copy, [], []

    async def slow(*arguments: Any) -> None:
        await copy(*arguments)
        copies.append(1)
        writing = asyncio.create_task(haneul.messenger.send(contact.id, f"{len(copies)}"))
        if len(copies) == 1:
            await writing
        else:
            blocked.append(writing)
            for _ in range(20):
                await asyncio.sleep(0)
            assert not writing.done()
            assert len(await haneul.messenger.messages(contact.id)) > 0, "reading goes on"

    monkeypatch.setattr(wiping, "copy", slow)
    async with asyncio.timeout(30):
        await haneul.messenger.deletions.messages(contact.id, 1, 200)
        await asyncio.gather(*blocked)
    assert len(copies) == 2
    texts = [each.text for each in await haneul.messenger.messages(contact.id)]
    assert texts[-2:] == ["1", "2"]


async def test_a_commit_that_was_cancelled_during_the_copy_stays(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a commit is done all the same: somebody may have acted on it already."""
    haneul, _, contact = await pair(make_person)
    await fill(haneul, contact.id, ["줄"] * 300)
    copy, commit, copies = wiping.copy, database.Database.commit, []

    async def cancelled(connection: database.Database) -> None:
        await commit(connection)
        raise asyncio.CancelledError

    async def slow(*arguments: Any) -> None:
        await copy(*arguments)
        copies.append(1)
        if len(copies) > 1:
            return
        with monkeypatch.context() as patch:
            patch.setattr(database.Database, "commit", cancelled)
            with pytest.raises(asyncio.CancelledError):
                await haneul.messenger.send(contact.id, "여기 있어요")
        assert (await haneul.messenger.messages(contact.id))[-1].text == "여기 있어요"

    monkeypatch.setattr(wiping, "copy", slow)
    async with asyncio.timeout(30):
        await haneul.messenger.deletions.messages(contact.id, 1, 200)
    assert (await haneul.messenger.messages(contact.id))[-1].text == "여기 있어요"


def test_what_is_noted_can_be_read_back() -> None:
    deletion = deleting.Deletion(deleting.What.CONTACT, 3, 1, 99)
    assert deleting.Deletion.from_note(deletion.note) == deletion
    assert replace(deletion, done=5, total=9).note == deletion.note
