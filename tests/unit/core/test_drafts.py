"""What was typed and not sent stays with its conversation, until it is sent or the contact goes."""

from __future__ import annotations

import pytest

from exile_tui.core.drafts import LONGEST
from exile_tui.errors import NoSuchContact
from tests.unit.core.conftest import MakePerson, Person, introduce


async def drafts(person: Person) -> dict[int, str]:
    found = (await person.messenger.overview()).conversations
    return {entry.contact.id: entry.draft for entry in found if entry.draft}


async def test_a_draft_stays_until_its_message_is_sent(make_person: MakePerson) -> None:
    haneul, seojun = await make_person("김하늘"), await make_person("박서준")
    await introduce(haneul, seojun)
    contact = (await haneul.contact()).id
    await haneul.messenger.keep_draft(contact, "아직 쓰는 중")
    await haneul.messenger.keep_draft(contact, "아직 쓰는 중이에요")
    assert await drafts(haneul) == {contact: "아직 쓰는 중이에요"}
    assert (await haneul.messenger.excerpt(contact, lambda _: None)).draft == "아직 쓰는 중이에요"
    await haneul.messenger.send(contact, "다 썼어요")
    assert await drafts(haneul) == {}


async def test_white_space_is_no_draft_and_a_long_one_is_cut(make_person: MakePerson) -> None:
    haneul, seojun = await make_person("김하늘"), await make_person("박서준")
    await introduce(haneul, seojun)
    contact = (await haneul.contact()).id
    await haneul.messenger.keep_draft(contact, "가" * (LONGEST + 5) + "\ud800")
    assert await drafts(haneul) == {contact: "가" * LONGEST}
    await haneul.messenger.keep_draft(contact, " \n")
    assert await drafts(haneul) == {}


async def test_a_removed_contact_takes_its_draft_along(make_person: MakePerson) -> None:
    haneul, seojun = await make_person("김하늘"), await make_person("박서준")
    await introduce(haneul, seojun)
    contact = (await haneul.contact()).id
    await haneul.messenger.keep_draft(contact, "안녕")
    await haneul.messenger.remove_contact(contact)
    with pytest.raises(NoSuchContact):
        await haneul.messenger.keep_draft(contact, "안녕")
    assert await drafts(haneul) == {}
