"""Chats: opening, reading, writing, searching, and what is shown while things change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual import events
from textual.geometry import Region

from exile_tui.core.events import ClockJumped, RequestArrived
from exile_tui.core.model import Connection, ContactState, Delivery, Excerpt, Link
from exile_tui.errors import UsageError
from exile_tui.text import one_line
from exile_tui.ui import typeahead
from exile_tui.ui.screens.chats import ChatsScreen
from exile_tui.ui.typeahead import ROUNDS
from exile_tui.ui.widgets.composer import Composer
from exile_tui.ui.widgets.conversation import Conversation
from exile_tui.ui.widgets.conversation_list import LOOKED_AT, ConversationList
from exile_tui.ui.widgets.overview_pane import OverviewPane
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import DAY, RELAY, FakeMessenger, at
from tests.ui.paint import screen_lines, screen_text
from tests.ui.worlds import english, korean

WIDE = (120, 40)


def chats(app: Any) -> ChatsScreen:
    assert isinstance(app.screen, ChatsScreen)
    return app.screen


async def open_first(pilot: Any) -> None:
    await settle(pilot)
    chats(pilot.app).open_conversation(1)
    await settle(pilot)


def visible(view: Conversation) -> list[str]:
    top = view.scroll_offset.y
    return view.plain_lines[top : top + view.size.height]


def long_talk(messages: int = 60) -> FakeMessenger:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    for number in range(1, messages + 1):
        messenger.hear(kim, f"message {number}", at(11, 21, 9, 0) + number * 60_000)
    return messenger


async def test_an_empty_place_says_what_to_do(make_app: MakeApp) -> None:
    async with make_app(FakeMessenger()).run_test() as pilot:
        await settle(pilot)
        assert "Ctrl+N  Invite someone by link or QR code" in screen_text(pilot.app)
        assert "Ctrl+O  Open an invite that you were given" in screen_text(pilot.app)
        assert "Enter" not in screen_text(pilot.app), "there is nothing to open"


async def test_the_list_shows_trust_in_words_unread_and_requests(make_app: MakeApp) -> None:
    async with make_app(english()).run_test(size=WIDE) as pilot:
        await settle(pilot)
        text = screen_text(pilot.app)
        for words in (
            "1 contact request: F2",
            "✔ verified",
            "· not verified",
            "! safety number changed",
            "2 unread",
            "waiting for an answer",
            "Yesterday",
        ):
            assert words in text


async def test_letters_behind_enter_wait_for_the_conversation_to_be_read(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They went to the list, where letters do nothing, whenever the disk was slower than they."""
    messenger = english()
    read, excerpt = asyncio.Event(), messenger.excerpt

    async def slow(*arguments: Any) -> Excerpt:
        await read.wait()
        return await excerpt(*arguments)

    monkeypatch.setattr(messenger, "excerpt", slow)
    monkeypatch.setattr(typeahead, "MOST_LOOKS", 1000)
    app = make_app(messenger)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for key in ("enter", "h", "i"):
            app.post_message(events.Key(key, "\r" if key == "enter" else key))
        for _ in range(2 * ROUNDS):
            await pilot.pause()  # what is read is still under way
        assert isinstance(app.focused, ConversationList)
        read.set()
        async with asyncio.timeout(30):
            while app.screen.query_one(Composer).text != "hi":
                await settle(pilot)
        assert isinstance(app.focused, Composer)


async def test_letters_behind_enter_follow_though_the_conversation_can_not_be_read(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    messenger = english()

    async def broken(*arguments: Any) -> Excerpt:
        raise UsageError("cannot be read")

    monkeypatch.setattr(messenger, "excerpt", broken)
    monkeypatch.setattr(typeahead, "MOST_LOOKS", 1_000_000)
    app = make_app(messenger)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        for key in ("enter", "ctrl+n"):
            app.post_message(events.Key(key, "\r" if key == "enter" else None))
        async with asyncio.timeout(30):
            while isinstance(app.screen, ChatsScreen):
                await settle(pilot)


@pytest.mark.parametrize("kind", [ConversationList, Conversation])
async def test_what_is_removed_under_a_panel_is_drawn_blank(
    make_app: MakeApp, kind: type[ConversationList | Conversation]
) -> None:
    """A panel shows the screen under it through, also while that is made anew in a language."""
    app = make_app(english())
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        if kind is Conversation:
            await open_first(pilot)
        widget = app.screen.query_one(kind)
        assert any(row.text.strip() for row in widget.render_lines(Region(0, 0, 30, 9)))
        await widget.remove()
        rows = widget.render_lines(Region(0, 0, 10, 3))
        assert [row.text for row in rows] == [" " * 10] * 3


async def test_the_list_looks_at_the_beginning_of_a_text(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each long last line took up to a tenth of a second, whenever the list changed."""
    looked_at: list[int] = []

    def counted(text: str) -> str:
        looked_at.append(len(text))
        return one_line(text)

    monkeypatch.setattr("exile_tui.ui.widgets.conversation_list.one_line", counted)
    messenger = FakeMessenger()
    archive = messenger.add_contact("김하늘", ContactState.ARCHIVED)
    messenger.hear(archive, "처음 " + "가\u0301" * 30_000)
    await messenger.keep_draft(messenger.add_contact("민준").id, "쓰던 글 " * 10_000)
    async with make_app(messenger, lang="ko").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "처음 가" in screen_text(pilot.app)
        assert "쓰던 글" in screen_text(pilot.app)
    assert max(looked_at) <= LOOKED_AT


async def test_enter_opens_marks_read_what_was_shown_and_esc_leads_back(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert isinstance(pilot.app.focused, ConversationList)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(pilot.app.focused, Composer)
        assert "unread from here" in screen_text(pilot.app)
        assert (await messenger.overview()).conversations[0].unread == 0
        await pilot.press("escape")
        assert isinstance(pilot.app.focused, ConversationList)


async def test_only_what_was_on_the_screen_is_marked_read(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    for number in range(1, 61):
        messenger.hear(kim, f"m{number}", at(11, 21, 9, 0) + number * 60_000, read=False)
    async with make_app(messenger).run_test(size=(80, 24)) as pilot:
        await open_first(pilot)
        view = pilot.app.query_one(Conversation)
        shown = max(int(line.split("▎ m")[1]) for line in visible(view) if "▎ m" in line)
        assert (await messenger.overview()).conversations[0].unread == 60 - shown > 0
        assert f"{60 - shown} messages below: End" in screen_text(pilot.app)
        view.action_newest()
        await settle(pilot)
        assert (await messenger.overview()).conversations[0].unread == 0
        assert "below: End" not in screen_text(pilot.app)


async def test_nothing_is_marked_read_while_nobody_looks(make_app: MakeApp) -> None:
    messenger = english()
    kim = await messenger.contact(1)
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await open_first(pilot)
        pilot.app.post_message(events.AppBlur())
        await settle(pilot)
        messenger.arrive(kim, "psst")
        await settle(pilot)
        assert (await messenger.overview()).conversations[0].unread == 1
        pilot.app.post_message(events.AppFocus())
        await settle(pilot)
        assert (await messenger.overview()).conversations[0].unread == 0
        await pilot.press("f1")
        messenger.arrive(kim, "psst again")
        await settle(pilot)
        assert (await messenger.overview()).conversations[0].unread == 1
        await pilot.press("escape")
        await settle(pilot)
        assert (await messenger.overview()).conversations[0].unread == 0


async def test_the_view_follows_the_end_and_keeps_its_place_above_it(make_app: MakeApp) -> None:
    messenger = long_talk()
    kim = await messenger.contact(1)
    async with make_app(messenger).run_test(size=(80, 24)) as pilot:
        await open_first(pilot)
        messenger.arrive(kim, "at the end")
        await settle(pilot)
        assert "at the end" in screen_text(pilot.app)
        view = pilot.app.query_one(Conversation)
        view.action_scroll_pages(-2)
        await settle(pilot)
        before = visible(view)
        messenger.arrive(kim, "further down")
        await settle(pilot)
        assert visible(view) == before[: len(visible(view))]
        assert len(visible(view)) > 10
        assert "messages below: End" in screen_text(pilot.app)


async def test_the_place_is_kept_when_the_window_of_messages_moves_on(make_app: MakeApp) -> None:
    messenger = long_talk(260)
    kim = await messenger.contact(1)
    async with make_app(messenger).run_test(size=(80, 24)) as pilot:
        await open_first(pilot)
        view = pilot.app.query_one(Conversation)
        view.action_scroll_pages(-3)
        await settle(pilot)
        first = next(line for line in visible(view) if "▎ message" in line)
        for number in range(5):
            messenger.arrive(kim, f"new {number}")
        await settle(pilot)
        assert next(line for line in visible(view) if "▎ message" in line) == first


async def test_the_place_is_kept_when_the_terminal_is_resized(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    for number in range(40):
        messenger.hear(kim, f"<{number}> " + "word " * 40, at(11, 21, 9, 0) + number * 60_000)
    async with make_app(messenger).run_test(size=(120, 30)) as pilot:
        await open_first(pilot)
        view = pilot.app.query_one(Conversation)
        view.go_to(20)
        await settle(pilot)
        anchor = view._anchor()
        await pilot.resize_terminal(80, 30)
        await settle(pilot)
        assert view._anchor() is not None
        assert view._anchor()[0] == anchor[0]


async def test_sending_shows_how_far_it_came(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await open_first(pilot)
        await pilot.press(*"hi", "enter")
        await settle(pilot)
        message = (await messenger.messages(1))[-1]
        assert message.text == "hi"
        assert any("sending" in line and "hi" in line for line in screen_lines(pilot.app))
        messenger.set_delivery(message, Delivery.DELIVERED)
        await settle(pilot)
        assert any("delivered" in line and "hi" in line for line in screen_lines(pilot.app))


async def test_messages_sent_quickly_keep_their_order(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await open_first(pilot)
        for number in range(10):
            await pilot.press(str(number), "enter")
        await settle(pilot)
        assert [each.text for each in (await messenger.messages(1))[-10:]] == list("0123456789")


async def test_what_can_not_be_sent_is_not_lost(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=WIDE, notifications=True) as pilot:
        await open_first(pilot)
        messenger.refuse = UsageError("This message is too long.")
        await pilot.press(*"hello", "enter")
        await settle(pilot)
        assert pilot.app.query_one(Composer).text == "hello"
        assert "This message is too long." in screen_text(pilot.app)


async def test_waiting_and_changed_have_a_bar(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await settle(pilot)
        chats(pilot.app).open_conversation(4)
        await settle(pilot)
        assert "Waiting for the other person to accept." in screen_text(pilot.app)
        assert "waits" in screen_text(pilot.app)
        chats(pilot.app).open_conversation(3)
        await settle(pilot)
        assert "The safety number changed. Compare it again" in screen_text(pilot.app)
        assert "Up to 2 messages never arrived." in screen_text(pilot.app)
        await messenger.mark_verified(3, (await messenger.contact(3)).verification.how)
        await settle(pilot)
        assert "The safety number changed." not in screen_text(pilot.app)


async def test_a_removed_contact_closes_its_conversation(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await open_first(pilot)
        await messenger.remove_contact(1)
        await settle(pilot)
        assert chats(pilot.app).contact is None
        assert "Choose a chat" in screen_text(pilot.app)


async def test_a_narrow_window_shows_one_pane_at_a_time(make_app: MakeApp) -> None:
    async with make_app(english()).run_test(size=(60, 20)) as pilot:
        await settle(pilot)
        assert "Seojun Park" in screen_text(pilot.app)
        await pilot.press("enter")
        await settle(pilot)
        assert "Seojun Park" not in screen_text(pilot.app)
        assert "We start at three" in screen_text(pilot.app)
        await pilot.press("escape")
        await settle(pilot)
        assert "Seojun Park" in screen_text(pilot.app)
        assert isinstance(pilot.app.focused, ConversationList)


async def test_search_finds_and_goes_there(make_app: MakeApp) -> None:
    messenger = long_talk(150)
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await open_first(pilot)
        await pilot.press("ctrl+f", *"message 17", "enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ChatsScreen)
        assert any("▎ message 17" in line for line in screen_lines(pilot.app))


async def test_the_next_chat_is_one_key_away(make_app: MakeApp) -> None:
    async with make_app(english()).run_test(size=WIDE) as pilot:
        await open_first(pilot)
        await pilot.press("ctrl+down")
        await settle(pilot)
        assert chats(pilot.app).contact.id == 4
        await pilot.press("ctrl+up")
        await settle(pilot)
        assert chats(pilot.app).contact.id == 1


async def test_a_request_is_announced(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    async with make_app(messenger).run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        who = messenger.add_contact("Jo", ContactState.REQUESTED)
        messenger.emit(RequestArrived(who.id))
        await settle(pilot)
        assert "1 contact request: F2" in screen_text(pilot.app)
        assert "Somebody asks to talk with you." in screen_text(pilot.app)


async def test_a_clock_that_jumped_is_told_until_it_is_confirmed(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await settle(pilot)
        messenger.clock_jump_ms = -3 * DAY
        messenger.emit(ClockJumped(-3 * DAY))
        await settle(pilot)
        text = " ".join(screen_text(pilot.app).split())
        assert "jumped by 3 days" in text
        assert "F8 The clock is right" in text
        await pilot.press("f8")
        await settle(pilot)
        assert messenger.clock_jump_ms is None
        assert "jumped" not in screen_text(pilot.app)


async def test_the_status_line_follows_the_connection(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "● connected" in screen_lines(pilot.app)[0]
        messenger.set_connection(
            Connection(Link.OFFLINE, RELAY, retry_at_ms=at(11, 21, 15, 31), waiting=3)
        )
        await settle(pilot)
        line = screen_lines(pilot.app)[0]
        assert "○ offline, trying again at 3:31 PM" in line
        assert "3 messages waiting" in line
        assert "end-to-end encrypted" in line


async def test_everything_changes_its_language_and_nothing_typed_is_lost(make_app: MakeApp) -> None:
    async with make_app(korean(), lang="ko").run_test(size=WIDE) as pilot:
        await open_first(pilot)
        await pilot.press(*"abc")
        assert "여기부터 안 읽음" in screen_text(pilot.app)
        await pilot.app.choose_language("en")
        await settle(pilot)
        text = screen_text(pilot.app)
        assert "verified" in text
        assert "여기부터" not in text
        assert pilot.app.query_one(Composer).text == "abc"


@pytest.mark.parametrize("ascii_marks", [True, False])
async def test_marks_can_be_ascii_only(make_app: MakeApp, ascii_marks: bool) -> None:
    async with make_app(english(), ascii_marks=ascii_marks).run_test(size=WIDE) as pilot:
        await open_first(pilot)
        found = {mark for mark in "✔●▎─·" if mark in screen_text(pilot.app)}
        assert found == (set() if ascii_marks else set("✔●▎─·"))


async def test_a_selected_message_is_copied(make_app: MakeApp) -> None:
    async with make_app(english()).run_test(size=WIDE) as pilot:
        await open_first(pilot)
        view = pilot.app.query_one(Conversation)
        row = next(n for n, line in enumerate(view.plain_lines) if "Yes, I read them" in line)
        start = view.plain_lines[row].index("Yes")
        await pilot.mouse_down(view, offset=(start, row - view.scroll_offset.y))
        await pilot.hover(view, offset=(start + 5, row - view.scroll_offset.y))
        await pilot.mouse_up(view, offset=(start + 6, row - view.scroll_offset.y))
        await pilot.pause()
        assert (pilot.app.screen.get_selected_text() or "").startswith("Yes, I")


async def test_only_what_changed_of_the_list_is_drawn_anew(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    messenger = FakeMessenger()
    people = [messenger.add_contact(name) for name in ("Kim", "Lee", "Park")]
    for number, person in enumerate(people):
        messenger.hear(person, f"first {number}", at(11, 21, 9, number))
    drawn: list[int] = []
    entry = ConversationList.entry

    def counted(self: ConversationList, index: int, width: int) -> Any:
        drawn.append(index)
        return entry(self, index, width)

    monkeypatch.setattr(ConversationList, "entry", counted)
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "9:00 AM" in screen_text(pilot.app)
        drawn.clear()
        messenger.arrive(people[2], "second 2", at(11, 21, 9, 30))
        await settle(pilot)
        assert "second 2" in screen_text(pilot.app)
        assert drawn == [0], "the newest stands first, and alone has changed"
        drawn.clear()
        chats(pilot.app).open_conversation(people[1].id)
        await settle(pilot)
        listed = pilot.app.query_one(ConversationList)
        assert listed.highlighted == 1
        assert 2 not in drawn
        messenger.clock.now += DAY
        messenger.arrive(people[2], "third 2")
        await settle(pilot)
        assert "Yesterday" in screen_text(pilot.app), "the others' times are told anew"


@pytest.mark.parametrize("again", [False, True])
async def test_the_list_is_as_high_as_its_rows_whenever_textual_measures_it(
    make_app: MakeApp, again: bool
) -> None:
    """It measures the list between emptying and filling it, and may keep what it found: nothing."""
    messenger = FakeMessenger()
    async with make_app(messenger).run_test(size=WIDE) as pilot:
        await settle(pilot)
        screen = chats(pilot.app)
        kim = messenger.add_contact("Kim")
        if again:
            messenger.hear(kim, "first", at(11, 21, 9, 0))
            screen.query_one(OverviewPane).show(await messenger.overview(), None, None)
            messenger.hear(messenger.add_contact("Lee"), "second", at(11, 21, 9, 1))
        # So it is after a change of what is hidden, which no key brings about at a set time.
        screen._compositor._full_map_invalidated = True
        screen.query_one(OverviewPane).show(await messenger.overview(), None, None)
        await settle(pilot)
        assert screen.query_one(ConversationList).size.height == (8 if again else 4)
        assert "Kim" in screen_text(pilot.app)
