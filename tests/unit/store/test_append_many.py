"""Many lines appended at once are the lines that were appended one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exile_tui.core.model import Delivery, Direction, Message, MessageKind, Reason
from exile_tui.core.searching import SearchFilter
from exile_tui.store import ProfileVault
from exile_tui.store.store import ProfileStore
from tests.unit.store.samples import CHEAP, contact, content_id, hits

TEXTS = st.one_of(
    st.sampled_from(
        ("학교에서 만나요", "어제학교갔다", "zoom 링크 https://a.example", "", "끝\0뒤")
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


@st.composite
def batches(draw: st.DrawFn) -> list[list[Message]]:
    """Draw batches of lines; ids differ, as the database wants."""
    numbers = iter(range(1000))

    def line(direction: Direction, kind: MessageKind, text: str, read: bool) -> Message:
        number = next(numbers)
        mine = direction is Direction.OUT
        return Message(
            id=0,
            contact_id=0,
            seq=0,
            direction=direction,
            kind=kind,
            content_id=content_id(number) if number % 5 else b"",
            text=text,
            sent_ms=number,
            stored_ms=1_700_000_000_000 + number,
            delivery=list(Delivery)[number % 5] if mine else None,
            reason=Reason.OFFLINE if number % 7 == 0 else Reason.NONE,
            read=read,
        )

    lines = st.builds(
        line, st.sampled_from(Direction), st.sampled_from(MessageKind), TEXTS, st.booleans()
    )
    return draw(st.lists(st.lists(lines, max_size=6), max_size=5))


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[list[ProfileStore]]:
    stores = [
        await ProfileVault(tmp_path / name, argon2=CHEAP).create("pass") for name in ("one", "many")
    ]
    yield stores
    for store in stores:
        await store.close()


async def written(store: ProfileStore, contact_id: int) -> list[object]:
    async with store.snapshot() as tx:
        lines = await tx.messages.window(contact_id, 1, 10_000)
        found = [
            [hit.seq for hit in await hits(tx.messages, query, SearchFilter(contact_id))]
            for query in ("학교", "ㅎㄱ", "zoom", "끝", "https://")
        ]
        return [
            [replace(line, id=0, contact_id=0) for line in lines],
            await tx.messages.extent(contact_id),
            [line.seq for line in await tx.messages.queued(contact_id)],
            [each.unread for each in await tx.messages.conversations()],
            await tx.messages.count_waiting(),
            found,
        ]


async def remove(stores: list[ProfileStore], contact_ids: list[int]) -> None:
    for store, contact_id in zip(stores, contact_ids, strict=True):
        async with store.transaction() as tx:
            await tx.contacts.delete(contact_id)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(batches())
async def test_the_same_as_one_by_one(
    pair: list[ProfileStore], groups: list[list[Message]]
) -> None:
    one, many = pair
    contacts = []
    for store in pair:
        async with store.transaction() as tx:
            contacts.append((await tx.contacts.insert(contact(1))).id)
    for group in groups:
        async with one.transaction() as tx:
            for line in group:
                await tx.messages.append(
                    contacts[0],
                    direction=line.direction,
                    kind=line.kind,
                    content_id=line.content_id,
                    text=line.text,
                    sent_ms=line.sent_ms,
                    stored_ms=line.stored_ms,
                    delivery=line.delivery,
                    reason=line.reason,
                    read=line.read,
                )
        async with many.transaction() as tx:
            before = (await tx.messages.extent(contacts[1])).last_seq
            assert await tx.messages.append_many(contacts[1], group) == before + 1
    assert await written(one, contacts[0]) == await written(many, contacts[1])
    await remove(pair, contacts)


async def test_nobody_to_append_to(store: ProfileStore) -> None:
    async with store.transaction() as tx:
        with pytest.raises(KeyError):
            await tx.messages.append_many(9, [])


async def test_an_id_twice_appends_nothing(store: ProfileStore) -> None:
    async with store.transaction() as tx:
        person = await tx.contacts.insert(contact(1))
    line = Message(
        id=0,
        contact_id=0,
        seq=0,
        direction=Direction.IN,
        kind=MessageKind.TEXT,
        content_id=content_id(1),
        text="하나",
        sent_ms=1,
        stored_ms=1,
    )
    with pytest.raises(RuntimeError, match="UNIQUE"):
        async with store.transaction() as tx:
            await tx.messages.append_many(person.id, [line, replace(line, text="둘")])
    async with store.snapshot() as tx:
        assert (await tx.messages.extent(person.id)).last_seq == 0
