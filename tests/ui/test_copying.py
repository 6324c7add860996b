"""What is copied out of a conversation: the messages as they were written."""

from __future__ import annotations

import pytest
from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection

from exile_tui.locale import set_language
from exile_tui.ui.timeline import Timeline
from exile_tui.ui.widgets.conversation import Conversation
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger, at

LONG = "첫 문단은 제법 길어서 좁은 화면에서는 여러 줄로 나뉘어요.\n\n\t둘째  문단: x = [1]\n끝"
NARROW = (40, 20)


async def copied(make_app: MakeApp, *texts: str, selection: Selection = SELECT_ALL) -> str:
    messenger = FakeMessenger()
    contact = messenger.add_contact("김하늘")
    for minute, text in enumerate(texts):
        messenger.hear(contact, text, at(11, 21, 15) + minute * 1000)
    async with make_app(messenger, lang="ko").run_test(size=NARROW) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        view = pilot.app.screen.query_one(Conversation)
        found = view.get_selection(selection)
        assert found is not None
        return found[0]


async def test_a_whole_message_is_copied_as_it_was_written(make_app: MakeApp) -> None:
    assert await copied(make_app, LONG) == LONG


async def test_several_messages_are_copied_without_names_and_times(make_app: MakeApp) -> None:
    assert await copied(make_app, "하나", LONG, "셋") == f"하나\n{LONG}\n셋"


async def test_what_a_terminal_would_act_on_is_not_copied(make_app: MakeApp) -> None:
    assert await copied(make_app, "가\x1b]52;c;eA==\x07나") == "가]52;c;eA==나"


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_some_rows_are_copied_as_one_text(make_app: MakeApp, count: int) -> None:
    """The breaks that only the window made are gone."""
    messenger = FakeMessenger()
    contact = messenger.add_contact("김하늘")
    messenger.hear(contact, LONG)
    timeline = Timeline(contact, 40, messenger.clock.now_ms(), "나")
    rows = [
        number
        for number, line in enumerate(timeline.lines(await messenger.messages(contact.id)))
        if any(span.style == "text" for span in line.spans)
    ]
    selection = Selection(Offset(0, rows[0]), Offset(40, rows[count - 1]))
    text = await copied(make_app, LONG, selection=selection)
    assert text in LONG
    assert text.startswith("첫 문단은")
    assert "\n" not in text


async def test_of_what_is_said_twice_the_selected_one_is_copied(make_app: MakeApp) -> None:
    text = "therapist: the rapist"
    set_language("ko")
    messenger = FakeMessenger()
    contact = messenger.add_contact("김하늘")
    messenger.hear(contact, text)
    timeline = Timeline(contact, 40, messenger.clock.now_ms(), "나")
    lines = timeline.lines(await messenger.messages(contact.id))
    row = next(number for number, line in enumerate(lines) if text in line.plain)
    start = lines[row].plain.index("the rapist")
    selection = Selection(Offset(start, row), Offset(start + 10, row))
    assert await copied(make_app, text, selection=selection) == "the rapist"


async def test_a_long_message_of_short_words_is_copied_from_its_middle(make_app: MakeApp) -> None:
    """Where its words stand was tried at each of them: ten seconds for 60 KB."""
    text = "a " * 6_000 + "b"
    selection = Selection(Offset(0, 100), None)
    found = await copied(make_app, text, selection=selection)
    assert found in text
    assert found.endswith("a b")


async def test_what_is_not_laid_out_is_not_left_out_in_silence(make_app: MakeApp) -> None:
    found = await copied(make_app, *(f"number {number}" for number in range(300)))
    first, *others = found.splitlines()
    assert first == "[...]"
    assert others[-1] == "number 299"
