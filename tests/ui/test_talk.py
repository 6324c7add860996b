"""What is typed belongs to one conversation; what is known about its contact has a pane."""

from __future__ import annotations

from typing import Any

import pytest

from exile_tui.core.events import ContactChanged
from exile_tui.errors import RelayUnreachable
from exile_tui.ui.screens.chats import ChatsScreen
from exile_tui.ui.widgets.composer import Composer
from exile_tui.ui.widgets.conversation_list import ConversationList
from exile_tui.ui.widgets.details import Details
from exile_tui.ui.widgets.talk import Talk
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger, at
from tests.ui.paint import screen_text
from tests.ui.worlds import english, korean

SIZES = pytest.mark.parametrize(
    "size", [(120, 40), (100, 26), (80, 24), (60, 20)], ids=lambda size: f"{size[0]}x{size[1]}"
)


async def open_chat(pilot: Any, contact_id: int) -> None:
    screen = pilot.app.screen
    assert isinstance(screen, ChatsScreen)
    screen.open_conversation(contact_id)
    await settle(pilot)


async def test_what_is_typed_stays_with_whom_it_is_for(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        await open_chat(pilot, 1)
        await pilot.press(*"secret")
        await open_chat(pilot, 2)
        composer = pilot.app.screen.query_one(Composer)
        assert composer.text == ""
        await pilot.press(*"hello", "enter")
        await settle(pilot)
        assert (await messenger.messages(2))[-1].text == "hello"
        await open_chat(pilot, 1)
        assert composer.text == "secret"
        assert messenger.drafts[1] == "secret"
        assert all(each.text != "secret" for each in await messenger.messages(2))


async def test_the_list_shows_a_draft_and_a_new_window_has_it(make_app: MakeApp) -> None:
    messenger = korean()
    async with make_app(messenger, lang="ko").run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        await open_chat(pilot, 1)
        await pilot.press(*"그 문서")
        await open_chat(pilot, 2)
        messenger.events.emit(ContactChanged(1))
        await settle(pilot)
        assert "임시저장: 그 문서" in screen_text(pilot.app)
    async with make_app(messenger, lang="ko").run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        await open_chat(pilot, 1)
        assert pilot.app.screen.query_one(Composer).text == "그 문서"


@pytest.mark.parametrize("key", ["ctrl+l", "ctrl+q"])
async def test_locking_and_leaving_keep_what_is_typed(make_app: MakeApp, key: str) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        await open_chat(pilot, 1)
        await pilot.press(*"not yet", key)
        await settle(pilot)
    assert messenger.drafts[1] == "not yet"


async def test_a_text_that_fails_returns_to_whom_it_was_for(make_app: MakeApp) -> None:
    messenger = english()
    async with make_app(messenger).run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        await open_chat(pilot, 1)
        messenger.refuse = RelayUnreachable(address="127.0.0.1:1")
        await pilot.press(*"hello", "enter")
        await settle(pilot)
        await open_chat(pilot, 2)
        assert pilot.app.screen.query_one(Composer).text == ""
        await open_chat(pilot, 1)
        assert pilot.app.screen.query_one(Composer).text == "hello"


@SIZES
async def test_the_details_open_and_close(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with make_app(english()).run_test(size=size) as pilot:
        await settle(pilot)
        await open_chat(pilot, 1)
        await pilot.press("f5")
        await settle(pilot)
        details = pilot.app.screen.query_one(Details)
        assert details.display
        assert "Compared" in screen_text(pilot.app)
        wide = size[0] >= 100
        assert pilot.app.screen.query_one("#talk").display is wide
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "details-verify"
        await pilot.press("escape")
        await settle(pilot)
        assert not details.display
        assert isinstance(pilot.app.focused, Composer)
        await pilot.press("escape")
        assert isinstance(pilot.app.focused, ConversationList)


async def test_a_conversation_without_messages_says_what_to_do(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    contact = messenger.add_contact("Haneul")
    async with make_app(messenger).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await open_chat(pilot, contact.id)
        assert "Write below; Enter sends it." in screen_text(pilot.app)
        assert "F3 compares the safety number" in screen_text(pilot.app)
        messenger.hear(contact, "hello", at(11, 21, 15, 0))
        await settle(pilot)
        pilot.app.screen.query_one(Talk).reload()
        await settle(pilot)
        assert "Write below" not in screen_text(pilot.app)
        assert "hello" in screen_text(pilot.app)
