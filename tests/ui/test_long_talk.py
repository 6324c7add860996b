"""A conversation of thousands: opened at its place, scrolled, changed under the reader."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from textual import events
from textual.geometry import Offset
from textual.selection import Selection

from exile_tui.clock import DAY_MS
from exile_tui.ui.blocks import KEPT
from exile_tui.ui.widgets.conversation import Conversation
from exile_tui.ui.widgets.talk import Talk
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger, at
from tests.ui.paint import screen_text

MANY = 5_000
SIZE = (100, 30)


def thousands(count: int = MANY, unread: int = 0) -> FakeMessenger:
    """Make a conversation of messages that say their number, ten a day, some of several rows."""
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    first = at(11, 21, 9, 0) - count // 10 * DAY_MS
    for number in range(1, count + 1):
        text = f"<{number}>" + " word" * (number * 7 % 40)
        moment = first + number // 10 * DAY_MS + number % 10 * 60_000
        messenger.hear(kim, text, moment, read=number <= count - unread)
    return messenger


async def open_talk(pilot: Any, seq: int = 0) -> Conversation:
    await settle(pilot)
    pilot.app.screen.open_conversation(1, seq)
    await settle(pilot)
    view = pilot.app.screen.query_one(Conversation)
    view.focus()
    await settle(pilot)
    return view


def numbers(view: Conversation) -> list[int]:
    """Return the numbers of the messages of which the first row is on the screen."""
    top = view.scroll_offset.y
    rows = range(top, min(top + view.size.height, view.virtual_size.height))
    lines = [view._blocks.line(row) for row in rows]
    assert None not in lines, "something on the screen is not laid out"
    found = [line.plain.split("<")[1].split(">")[0] for line in lines if "<" in line.plain]
    return [int(each) for each in found]


def pointed(app: Any) -> str:
    """Return what stands behind the mark of the chosen message."""
    (row,) = (row for row in screen_text(app).splitlines() if "›▎" in row)
    return row.split("›▎")[1].strip()


def in_order(found: list[int]) -> bool:
    return all(after == before + 1 for before, after in pairwise(found))


async def test_it_opens_at_the_end_and_reads_only_what_is_near(make_app: MakeApp) -> None:
    messenger = thousands()
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot)
        shown = numbers(view)
        assert shown[-1] == MANY
        assert in_order(shown)
        assert messenger.read_lines < 400


@pytest.mark.parametrize("key", ["pageup", "ctrl+u", "up"])
async def test_every_message_is_passed_on_the_way_up_and_down(make_app: MakeApp, key: str) -> None:
    back = {"pageup": "pagedown", "ctrl+u": "ctrl+d", "up": "down"}[key]
    async with make_app(thousands()).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot)
        before = numbers(view)
        for way in (key, back):
            for _ in range(25):
                await pilot.press(way)
                await settle(pilot)
                after = numbers(view)
                assert in_order(sorted({*before, *after}))
                before = after
        assert before[-1] == MANY
        assert sum(1 for _ in view._blocks.laid_out()) <= KEPT


async def test_home_and_end_lead_to_both_ends(make_app: MakeApp) -> None:
    async with make_app(thousands()).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot)
        await pilot.press("home")
        await settle(pilot)
        assert numbers(view)[0] == 1
        assert view.scroll_offset.y == 0
        assert "messages below: End" in screen_text(pilot.app)
        await pilot.press("end")
        await settle(pilot)
        assert numbers(view)[-1] == MANY
        assert view.scroll_offset.y == view.max_scroll_y


@pytest.mark.parametrize("seq", [1, 31, 32, 33, 64, 2_500, MANY - 40, MANY])
async def test_a_given_message_is_gone_to(make_app: MakeApp, seq: int) -> None:
    async with make_app(thousands()).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot, seq)
        shown = numbers(view)
        assert seq in shown
        assert in_order(shown)


async def test_the_place_stays_when_messages_come_and_when_the_window_changes(
    make_app: MakeApp,
) -> None:
    messenger = thousands()
    kim = await messenger.contact(1)
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot, 2_500)
        before = numbers(view)
        for number in range(40):
            messenger.arrive(kim, f"new {number}")
        await settle(pilot)
        assert numbers(view) == before
        first = before[1]
        for width in (60, 120, 100):
            await pilot.resize_terminal(width, 30)
            await settle(pilot)
            assert first in numbers(view)
            assert in_order(numbers(view))


async def test_days_are_walked_in_both_directions(make_app: MakeApp) -> None:
    async with make_app(thousands()).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot, 2_505)
        seen = []
        for key in ("left_square_bracket",) * 3 + ("right_square_bracket",) * 3:
            await pilot.press(key)
            await settle(pilot)
            seen.append(numbers(view)[0])
        firsts = [number for number in seen if number % 10 == 0]
        assert firsts == seen
        assert seen[0] > seen[1] > seen[2] < seen[3] < seen[4] < seen[5]
        assert seen[1] - seen[2] == 10
        assert seen[4] - seen[3] == 10


async def test_it_opens_at_the_first_unread_message(make_app: MakeApp) -> None:
    messenger = thousands(unread=300)
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot)
        assert MANY - 299 in numbers(view)
        assert "unread from here" in screen_text(pilot.app)
        read = [each.seq for each in await messenger.messages(1, 300) if each.read]
        assert read == [seq for seq in numbers(view) if seq > MANY - 300]


async def test_what_was_jumped_over_stays_unread(make_app: MakeApp) -> None:
    messenger = thousands(unread=300)
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot, MANY - 100)
        shown = view.seqs_in_sight()
        assert shown is not None
        unread = {each.seq for each in await messenger.messages(1, MANY) if not each.read}
        assert unread == {*range(MANY - 299, MANY + 1)} - {*range(shown[0], shown[1] + 1)}
        await pilot.press("u")
        await settle(pilot)
        assert MANY - 299 in numbers(view)
        await pilot.press("end")
        await settle(pilot)
        assert (await messenger.overview()).conversations[0].unread == 0


async def test_it_follows_no_further_than_the_first_new_message(make_app: MakeApp) -> None:
    messenger = thousands()
    kim = await messenger.contact(1)
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot)
        pilot.app.post_message(events.AppBlur())
        await settle(pilot)
        for number in range(1, 101):
            messenger.arrive(kim, f"<{MANY + number}>")
            await settle(pilot)
        assert MANY + 1 in numbers(view)
        pilot.app.post_message(events.AppFocus())
        await settle(pilot)
        assert (await messenger.overview()).conversations[0].unread == MANY + 100 - numbers(view)[
            -1
        ]


async def test_deleted_lines_leave_no_hole_in_sight(make_app: MakeApp) -> None:
    messenger = thousands(2_000)
    gone = {*range(500, 700), *range(1, 3), 1_000, *range(1_900, 2_000)}
    messenger._messages[1] = [each for each in messenger._messages[1] if each.seq not in gone]
    left = [each.seq for each in messenger._messages[1]]
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot)
        assert numbers(view)[-1] == 2_000
        view = await open_talk(pilot, 499)
        shown = numbers(view)
        start = left.index(shown[0])
        assert left[start : start + len(shown)] == shown
        assert {499, 700} <= set(shown)
        messenger._messages[1] = [each for each in messenger._messages[1] if each.seq != 499]
        view.update_lines()
        await settle(pilot)
        assert 499 not in numbers(view)
        assert {498, 700} <= set(numbers(view))


async def test_a_selection_stays_with_its_text(make_app: MakeApp) -> None:
    async with make_app(thousands()).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot, 2_500)
        row = next(
            row for row in range(view.scroll_offset.y, view.virtual_size.height)
            if "<2500>" in view._blocks.line(row).plain  # type: ignore[union-attr]  # laid out
        )  # fmt: skip
        pilot.app.screen.selections = {view: Selection(Offset(0, row), Offset(60, row))}
        before = view.get_selection(view.text_selection)
        for _ in range(6):
            await pilot.press("pageup")
            await settle(pilot)
        assert view.get_selection(view.text_selection) == before
        assert before is not None
        assert before[0].startswith("<2500>")


async def test_a_message_is_chosen_with_the_keyboard_and_looked_at(make_app: MakeApp) -> None:
    messenger = thousands(60)
    messenger.hear(
        await messenger.contact(1), "see https://bank.example@evil.example/x", at(11, 21, 15, 0)
    )
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        await open_talk(pilot)
        await pilot.press("k")
        await settle(pilot)
        assert pointed(pilot.app) == "Kim"
        await pilot.press("enter")
        await settle(pilot)
        text = screen_text(pilot.app)
        assert "evil.example" in text
        assert "Arrived here: Saturday, November 21, 2026" in text
        await pilot.press("enter")
        await settle(pilot)
        assert pilot.app.clipboard == "see https://bank.example@evil.example/x"
        await pilot.press("k", "k")
        await settle(pilot)
        assert pointed(pilot.app).startswith("<59>")


async def test_what_was_found_is_walked_through_and_marked(make_app: MakeApp) -> None:
    messenger = thousands(2_000)
    lee = messenger.add_contact("Lee")
    messenger.hear(lee, "needle in a haystack", at(11, 1, 9, 0))
    for seq in (100, 900, 1_500):
        old = messenger._messages[1][seq - 1]
        messenger._messages[1][seq - 1] = replace(old, text=f"<{seq}> a needle here")
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+f")
        await settle(pilot)
        await pilot.press(*"needle")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        view = pilot.app.screen.query_one(Conversation)
        assert view.has_focus
        assert "Search 'needle': 1 of 4" in screen_text(pilot.app)
        seen = []
        for key in ("", "n", "right", "n", "n", "N", "left", "N"):
            if key:
                await pilot.press(key)
                await settle(pilot)
            text = screen_text(pilot.app)
            assert "needle" in text
            place = [int(part.split(" of ")[0]) for part in text.split("Search 'needle': ")[1:]]
            seen.append(place[0])
        assert seen == [1, 2, 3, 4, 4, 3, 2, 1]
        (row,) = [row for row in range(view.size.height) if "needle" in view.render_line(row).text]
        (marked,) = [each for each in view.render_line(row) if each.text == "needle"]
        assert marked.style is not None
        assert marked.style.underline
        await pilot.press("escape")
        await settle(pilot)
        assert "Search 'needle'" not in screen_text(pilot.app)
        await pilot.press("n")
        await settle(pilot)
        assert not any(each.text == "needle" for each in view.render_line(row))


async def test_a_chosen_message_is_deleted_after_a_question(make_app: MakeApp) -> None:
    messenger = thousands(300)
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        view = await open_talk(pilot)
        await pilot.press("k", "k", "enter")
        await settle(pilot)
        await pilot.press("delete")
        await settle(pilot)
        assert 299 in numbers(view)
        await pilot.press("right", "enter")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert 299 not in numbers(view)
        assert {298, 300} <= set(numbers(view))
        assert all(each.seq != 299 for each in messenger._messages[1])


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_frame_that_shows_a_conversation_shows_its_messages(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    async with make_app(thousands()).run_test(size=size) as pilot:
        await settle(pilot)
        view = pilot.app.screen.query_one(Conversation)
        excerpt = await pilot.app.open_messenger.excerpt(1, view.beginning(0))
        pilot.app.screen.query_one(Talk).open(excerpt)
        # Nothing was drawn in between: all that the frame needs is there.
        assert numbers(view)[-1] == MANY
        assert view.vertical_scrollbar.position == view.scroll_y == view.max_scroll_y


async def test_the_conversation_stays_in_sight_when_the_window_gets_narrow(
    make_app: MakeApp,
) -> None:
    async with make_app(thousands(5)).run_test(size=(120, 40)) as pilot:
        await open_talk(pilot)
        for columns in (60, 120, 60):
            await pilot.resize_terminal(columns, 20)
            await settle(pilot)
            assert "<5>" in screen_text(pilot.app)
        await pilot.press("ctrl+p")
        await settle(pilot)
        await pilot.resize_terminal(120, 20)
        await pilot.resize_terminal(60, 20)
        await pilot.press("escape")
        await settle(pilot)
        assert "<5>" in screen_text(pilot.app)


async def test_a_walk_ends_with_the_conversation_that_it_stands_in(make_app: MakeApp) -> None:
    messenger = thousands(50)
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+f")
        await settle(pilot)
        await pilot.press(*"word", "enter")
        await settle(pilot)
        assert "Search 'word'" in screen_text(pilot.app)
        await messenger.deletions.contact(1)
        await settle(pilot)
        assert "Search 'word'" not in screen_text(pilot.app)
        assert pilot.app.screen.query_one(Talk).walk is None


async def test_a_hit_that_was_deleted_meanwhile_is_named(make_app: MakeApp) -> None:
    messenger = thousands(50)
    async with make_app(messenger).run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+f")
        await settle(pilot)
        await pilot.press(*"word")
        await settle(pilot)
        await messenger.delete_messages(1, 50, 50)
        await pilot.press("enter")
        await settle(pilot)
        assert "<49>" in screen_text(pilot.app)
        said = [notice.message for notice in pilot.app._notifications]
        assert said == ["This message is deleted already."]
