"""Search in Korean: by syllable, half a syllable, initials; and what is deleted leaves no token."""

from __future__ import annotations

import random
import shutil
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.store import ProfileVault
from exile_tui.store.database import connect
from exile_tui.store.queries import LONGEST, steps
from exile_tui.store.search import folded, initials, syllables
from exile_tui.store.store import ProfileStore
from tests.unit.store.record_database import PASSPHRASE, RECORDED
from tests.unit.store.samples import CHEAP, contact, hits, write_text

STEMS = (
    "학교",
    "대학",
    "교수",
    "안녕",
    "어제",
    "회의",
    "자료",
    "가",
    "각",
    "값",
    "zoom",
    "Cafe",
    "🎉",
    "ㅋㅋㅋ",
)
ENDS = ("", "에서", "갔다", "하세요", "는", "!", "?", "님", "을")


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


async def test_exact_hits_come_before_those_that_only_begin_so(store: ProfileStore) -> None:
    await fill(store, ["가방", "각자", "가위", "갑시다"])
    assert await find(store, "가", typing=True) == ["가위", "가방", "갑시다", "각자"]


async def test_whole_syllables_find_what_a_plain_comparison_finds(store: ProfileStore) -> None:
    rng = random.Random(2014)

    def words() -> str:
        return "".join(rng.choice(STEMS) + rng.choice(ENDS) for _ in range(rng.randint(1, 2)))

    texts = [" ".join(words() for _ in range(rng.randint(1, 5))) for _ in range(1500)]
    await fill(store, texts)
    for _ in range(400):
        source = rng.choice(texts)
        start = rng.randrange(len(source))
        query = source[start : start + rng.randint(1, 4)]
        if not any("가" <= each <= "힣" for each in query):
            continue
        expected = [text for text in reversed(texts) if folded(query) in folded(text)]
        assert await find(store, query) == expected, query


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
