"""Search in Korean: by syllable, half a syllable, initials; and what is deleted leaves no token."""

from __future__ import annotations

import random
import shutil
import sqlite3
import unicodedata
from bisect import bisect
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exile_tui.core.model import Direction, Message
from exile_tui.core.searching import EVERYWHERE, SearchFilter
from exile_tui.hangul import is_syllable
from exile_tui.store import ProfileVault, finder
from exile_tui.store.database import Row, connect
from exile_tui.store.finder import Finder
from exile_tui.store.queries import LONGEST, Step, steps
from exile_tui.store.search import MOST_MARKS, folded, initials, syllables
from exile_tui.store.store import ProfileStore
from tests.unit.store.record_database import PASSPHRASE, RECORDED
from tests.unit.store.samples import CHEAP, contact, hits, write_text


async def fill(store: ProfileStore, texts: list[str]) -> int:
    async with store.transaction() as tx:
        person = await tx.contacts.insert(contact(1))
        for number, text in enumerate(texts):
            await write_text(tx, person.id, number, text)
    return person.id


async def find(store: ProfileStore, query: str, *, typing: bool = False) -> list[str]:
    async with store.snapshot() as tx:
        found = await hits(tx.messages, query, limit=100, typing=typing)
    return [message.text for message in found]


@pytest.mark.parametrize("before", range(0, 64, 7))
@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0316\u0345", "\u0f73"])
def test_a_long_row_of_marks_is_cut_before_it_is_sorted(
    monkeypatch: pytest.MonkeyPatch, before: int, marks: str
) -> None:
    """Sorting 30,000 of them takes seconds, for each of an imported file's lines."""
    normalize = unicodedata.normalize
    longest = 0

    def watched(form: str, text: str) -> str:
        nonlocal longest
        row = 0
        for character in text:
            row = row + 1 if unicodedata.category(character)[0] == "M" else 0
            longest = max(longest, row)
        return normalize(form, text)  # type: ignore[arg-type]

    monkeypatch.setattr(unicodedata, "normalize", watched)
    text = "가" * before + marks * (2_000 // len(marks))
    assert folded(f"{text} 끝").endswith(" 끝")
    assert longest <= 3 * MOST_MARKS
    short = "가" * before + (marks * 30)[:30] + "나"
    monkeypatch.undo()
    expected = unicodedata.normalize("NFC", unicodedata.normalize("NFC", short).casefold())
    assert folded(short) == expected


def test_tokens_are_the_jamo_that_are_typed() -> None:
    assert syllables("안녕 zoom").split() == ["ㅇㅏㄴ", "ㄴㅕㅇ", "zoom"]
    assert syllables("값 과 까").split() == ["ㄱㅏㅂㅅ", "ㄱㅗㅏ", "ㄲㅏ"]
    assert syllables(unicodedata.normalize("NFD", "안녕")) == syllables("안녕")
    assert initials("안녕 zoom 학교에서") == "ㅇㄴ ㅎㄱㅇ"


@pytest.mark.parametrize(
    ("query", "typing", "expected"),
    [
        ("학교", False, ["어제학교갔다", "학교에서"]),
        ("ㅎㄱ", False, ["학교에서"]),
        ("안ㄴ", True, ["안녕하세요"]),
        ("안녀", True, ["안녕하세요"]),
        ("안녀", False, []),
        ("하세ㅇ", True, ["안녕하세요"]),
        ("대학교", False, []),
        ("대학 교", False, ["대학 교수님"]),
        ("ㅋㅋ", False, ["ㅋㅋㅋ 그래요"]),
        ("oo", False, ["ZOOM 링크"]),
        ("zoom 링", False, ["ZOOM 링크"]),
        ("m 링", False, ["ZOOM 링크"]),
        ("🎉", False, ["축하해요🎉"]),
        ("50%", False, ["할인 50%"]),
        ("%", False, ["할인 50%"]),
        ("_", False, []),
        ('"', False, []),
        ("NEAR(안녕", False, []),
        ("école", False, ["ÉCOLE"]),
        ("!!", False, []),
        (" ", False, []),
        ("\0", False, []),
    ],
)
async def test_what_is_found(
    store: ProfileStore, query: str, typing: bool, expected: list[str]
) -> None:
    texts = ["학교에서", "어제학교갔다", "안녕하세요", "대학 교수님", "ㅋㅋㅋ 그래요", "ZOOM 링크"]
    await fill(store, [*texts, "축하해요🎉", "할인 50%", "ÉCOLE"])
    assert await find(store, query, typing=typing) == expected
    decomposed = unicodedata.normalize("NFD", query)
    if not typing and "ㅋ" not in query:
        assert await find(store, decomposed) == expected


@pytest.mark.parametrize("query", ["가 İ", "가 m\u0300", "👍🏽ok 각", "ok\u0300 가"])
async def test_a_letter_with_a_mark_of_its_own_is_found(store: ProfileStore, query: str) -> None:
    await fill(store, [f"{query}방", "가나"])
    assert await find(store, query) == [f"{query}방"]


def test_a_pasted_page_asks_the_index_for_its_beginning() -> None:
    """For 255 syllables and half a one it was asked for 112 phrases of 256: seconds."""
    for query in ("다" * 255 + "호", "다" * 254 + " 하", "가나 다라 " * 25 + "호"):
        ways = steps(query, typing=True)
        assert len(ways) == 2
        assert all(len(step.match) < 100 for step in ways)


@pytest.mark.parametrize("length", [15, 16, 17, 40])
async def test_a_long_query_finds_what_it_is_in(store: ProfileStore, length: int) -> None:
    text = ("다람쥐 헌 쳇바퀴에 타고파 zoom. " * 4)[:length].strip()
    await fill(store, [f"{text}각", f"{text[:-1]}", f"그 {text}합"])
    assert set(await find(store, f"{text}가", typing=True)) == {f"{text}각"}
    assert set(await find(store, text)) >= {f"{text}각", f"그 {text}합"}


async def test_exact_hits_come_before_those_that_only_begin_so(store: ProfileStore) -> None:
    await fill(store, ["가방", "각자", "가위", "갑시다"])
    assert await find(store, "가", typing=True) == ["가위", "가방", "갑시다", "각자"]


SYLLABLES = "이다는에하고가기지어은을요안녕학교"
ORACLE_MESSAGES, ORACLE_QUERIES = 100_000, 2_000


def chatter(rng: random.Random, count: int) -> list[str]:
    """Return texts in which every run of a few syllables is frequent, rare or absent."""

    def word() -> str:
        if rng.random() < 0.1:
            return rng.choice(("zoom", "Straße", "ㅋㅋ", "🎉", "a.b", "!", "그래ㅋㅋ"))
        length = rng.randint(1, 3)
        common = "".join(rng.choice(SYLLABLES) for _ in range(length))
        return common + (chr(rng.randrange(0xAC00, 0xD7A4)) if rng.random() < 0.1 else "")

    texts = [" ".join(word() for _ in range(rng.randint(1, 3))) for _ in range(count)]
    return [unicodedata.normalize("NFD", each) if rng.random() < 0.1 else each for each in texts]


async def write_lines(store: ProfileStore, texts: list[str]) -> None:
    async with store.transaction() as tx:
        person = await tx.contacts.insert(contact(1))
        line = await write_text(tx, person.id, 0, "첫 줄")
        await tx.messages.append_many(
            person.id, [replace(line, content_id=b"", text=text) for text in texts]
        )


async def test_whole_syllables_find_what_like_finds(store: ProfileStore) -> None:
    """The oracle: 2,000 queries on 100,000 messages find what LIKE finds in their NFC."""
    rng = random.Random(2014)
    texts = chatter(rng, ORACLE_MESSAGES)
    await write_lines(store, texts)
    composed = ["", "", *(unicodedata.normalize("NFC", text) for text in texts)]
    book = "\n".join(composed)
    begins = [0, *accumulate(len(text) + 1 for text in composed)]
    plain = sqlite3.connect(":memory:")
    plain.execute("CREATE TABLE line (id INTEGER PRIMARY KEY, text TEXT)")
    plain.executemany("INSERT INTO line VALUES (?, ?)", enumerate(composed))
    compared = 0
    async with store.snapshot() as tx:
        while compared < ORACLE_QUERIES:
            if rng.random() < 0.7:
                source = rng.choice(composed[2:1000])
                start = rng.randrange(len(source))
                query = source[start : start + rng.choice((2, 2, 3, 3, 4))]
            else:
                query = "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 3, 3, 4))))
            if not all(is_syllable(each) for each in query):
                continue
            # As many as a screen shows, and one page more: the newest, in order.
            page = await tx.messages.search(query, EVERYWHERE, 50)
            found = [hit.id for hit in page.hits]
            if page.rest is not None:
                page = await tx.messages.search(query, EVERYWHERE, 50, after=page.rest)
                found += [hit.id for hit in page.hits]
            count = -1 if page.rest is None else len(found)
            assert found == newest_with(query, book, begins, count), query
            if compared % 100 == 0:
                like = plain.execute(
                    "SELECT id FROM line WHERE text LIKE ? ORDER BY id DESC LIMIT ?",
                    (f"%{query}%", count),
                )
                assert found == [number for (number,) in like], query
            compared += 1
    plain.close()


def newest_with(query: str, book: str, begins: list[int], count: int) -> list[int]:
    """Return what LIKE gives, in a hundredth of its time: the lines of a book, the last first."""
    found: list[int] = []
    at = book.rfind(query)
    while at >= 0 and len(found) != count:
        line = bisect(begins, at) - 1
        found.append(line)
        at = book.rfind(query, 0, begins[line])
    return found


async def test_any_query_with_a_syllable_finds_what_a_plain_comparison_finds(
    store: ProfileStore,
) -> None:
    rng = random.Random(2014)
    texts = chatter(rng, 1500)
    await write_lines(store, texts)
    folds = [folded(text) for text in texts]
    for _ in range(300):
        source = unicodedata.normalize("NFC", rng.choice(texts))
        start = rng.randrange(len(source))
        query = source[start : start + rng.randint(1, 5)]
        if not any(is_syllable(each) for each in query):
            continue
        pairs = zip(reversed(texts), reversed(folds), strict=True)
        expected = [text for text, plain in pairs if folded(query) in plain]
        assert await find(store, query) == expected, query


WRITTEN = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from(list(Direction)),
        st.sampled_from(["안녕", "안녕하세요 https://a.example", "다른 말", "x://y 안", "ㅇㄴ"]),
        # Months and years, the edges of the days, clocks that were wrong.
        st.sampled_from([-5, 0, 1, 10**15])
        | st.integers(1_262_304_000_000 - 2, 1_262_304_000_000 + 2)
        | st.integers(1_700_000_000_000, 1_800_000_000_000),
    ),
    max_size=12,
)
MOMENTS = st.none() | st.integers(1_690_000_000_000, 1_810_000_000_000) | st.just(0)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=WRITTEN,
    query=st.sampled_from(["안녕", "안", "ㅇㄴ", "x", "", "말"]),
    only=st.builds(
        SearchFilter,
        contact_id=st.sampled_from([None, 1, 2]),
        direction=st.sampled_from([None, *Direction]),
        since_ms=MOMENTS,
        until_ms=MOMENTS,
        has_link=st.booleans(),
    ),
    limit=st.integers(1, 4),
)
async def test_filters_keep_to_what_they_say(
    store: ProfileStore,
    lines: list[tuple[int, Direction, str, int]],
    query: str,
    only: SearchFilter,
    limit: int,
) -> None:
    async with store.transaction() as tx:
        for known in await tx.contacts.all():
            await tx.contacts.delete(known.id)
        people = {number: (await tx.contacts.insert(contact(number))).id for number in (1, 2)}
        only = replace(only, contact_id=people.get(only.contact_id or 0))
        written = []
        for number, (person, direction, text, stored_ms) in enumerate(lines):
            line = await write_text(tx, people[person], number, "?", direction=direction)
            await tx.messages.delete(line.contact_id, line.seq, line.seq)
            line = replace(line, text=text, stored_ms=stored_ms)
            await tx.messages.append_many(people[person], [line])
            written += await tx.messages.recent(people[person], 1)

    def wanted(line: Message) -> bool:
        says = query in line.text or (query == "ㅇㄴ" and "안녕" in line.text)
        return (
            (says if query else only.has_link)
            and only.contact_id in (None, line.contact_id)
            and only.direction in (None, line.direction)
            and (only.since_ms is None or line.stored_ms >= only.since_ms)
            and (only.until_ms is None or line.stored_ms < only.until_ms)
            and (not only.has_link or "://" in line.text)
        )

    async with store.snapshot() as tx:
        found = await hits(tx.messages, query, only, limit)
    expected = [line.id for line in reversed(written) if wanted(line)]
    assert sorted((hit.id for hit in found), reverse=True) == expected


async def test_what_is_not_looked_through_is_said_and_found_by_going_on(
    store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "AT_ONCE", 100)
    monkeypatch.setattr(finder, "AT_ONCE_SLOWLY", 100)
    await write_lines(store, ["dinosaur 🦖 안!", *["안 녕"] * 350])
    for query in ("🦖", "osaur", "안!"):
        pages, after = [], None
        async with store.snapshot() as tx:
            for _ in range(10):
                page = await tx.messages.search(query, EVERYWHERE, 5, after=after)
                pages.append([hit.text for hit in page.hits])
                after = page.rest
                if after is None:
                    break
                assert after.looked_ms > 0
        assert pages[:3] == [[], [], []]
        assert pages[-1] + pages[-2] == ["dinosaur 🦖 안!"], query


async def test_all_ways_of_looking_share_the_work_of_one_page(
    store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each had a page's work for itself: what two ways look for in vain took twice as long."""
    monkeypatch.setattr(finder, "AT_ONCE", 100)
    monkeypatch.setattr(finder, "AT_ONCE_SLOWLY", 100)
    await write_lines(store, ["안 녕", "안 녀"] * 90)
    looked: list[int] = []
    fulfilling = Finder._fulfilling

    async def counted(self: Finder, step: Step, ids: list[int], limit: int) -> list[Row]:
        looked.append(len(ids))
        return await fulfilling(self, step, ids, limit)

    monkeypatch.setattr(Finder, "_fulfilling", counted)
    async with store.snapshot() as tx:
        page = await tx.messages.search("안녀", EVERYWHERE, 5, typing=True)
        assert sum(looked) <= 100
        while page.rest is not None:
            looked.clear()
            page = await tx.messages.search("안녀", EVERYWHERE, 5, after=page.rest, typing=True)
            assert sum(looked) <= 100


async def test_plans_sort_nothing_and_read_no_more_than_they_need(store: ProfileStore) -> None:
    seen: list[tuple[str, tuple[object, ...]]] = []
    async with store.snapshot() as tx:
        statements = tx.messages._statements
        run = statements.all

        async def note(sql: str, parameters: tuple[object, ...] = ()) -> list[Row]:
            seen.append((sql, tuple(parameters)))
            return await run(sql, parameters)

        monkey = pytest.MonkeyPatch()
        monkey.setattr(statements, "all", note)
        only = SearchFilter(1, Direction.IN, 1, 1_800_000_000_000, has_link=True)
        for query in ("안녕", "안ㄴ", "ㅎㄱ", "ㅎ", "zoom", "🎉"):
            for each in (EVERYWHERE, only):
                await tx.messages.search(query, each, 50, typing=True)
        monkey.undo()
        for sql, parameters in seen:
            plan = [row[3] for row in await run(f"EXPLAIN QUERY PLAN {sql}", parameters)]
            assert not [step for step in plan if "TEMP B-TREE" in step], (sql, plan)
            assert not [step for step in plan if step == "SCAN message"] or "id < ?" in sql, plan


@given(st.text(max_size=20), st.booleans())
def test_any_query_makes_a_plan(query: str, typing: bool) -> None:
    """What a person types is never taken for the index's own grammar."""
    connection = connect(Path(":memory:"), None)
    connection.execute(
        "CREATE VIRTUAL TABLE message_fts USING fts5(syllables, initials, content='')"
    )
    for step in steps(query, typing=typing):
        if step.match:
            connection.execute(
                "SELECT rowid FROM message_fts WHERE message_fts MATCH ?", (step.match,)
            ).fetchall()
    connection.close()


async def test_a_deleted_contact_leaves_no_token(store: ProfileStore) -> None:
    person = await fill(store, ["비밀이에요", "둘째 비밀"])
    async with store.transaction() as tx:
        other = await tx.contacts.insert(contact(2))
        await write_text(tx, other.id, 9, "남는 말")
        await tx.contacts.delete(person)
    assert await find(store, "비밀") == []
    assert await find(store, "ㅂㅁ") == []
    assert await find(store, "남는") == ["남는 말"]


async def test_an_older_profile_is_indexed_when_it_is_opened(tmp_path: Path) -> None:
    shutil.copytree(RECORDED / "version-3", tmp_path / "profile")
    store = await ProfileVault(tmp_path / "profile", argon2=CHEAP).open(PASSPHRASE)
    async with store.snapshot() as tx:
        lines = [m for c in await tx.contacts.all() for m in await tx.messages.recent(c.id, 50)]
    words = [line.text for line in lines if any("가" <= each <= "힣" for each in line.text)]
    assert words
    for text in words:
        assert text in await find(store, text)
    await store.close()


@pytest.mark.parametrize(
    "part", ["안", "안녕 ", "ㄱㅎ ", "ㄱ", "a", "a ", "é ", "👍", '"* OR (NEAR ']
)
async def test_a_pasted_page_is_looked_for_by_its_beginning(store: ProfileStore, part: str) -> None:
    page = part * 60_000
    await fill(store, [page[:300], "이것은 아니에요"])
    assert await find(store, page, typing=True) == [page[:300]]
    for step in steps(page, typing=True):
        values = (len(value) for value in step.parameters if not isinstance(value, int))
        assert max([len(step.match) // 112, *values]) <= 16 * LONGEST
