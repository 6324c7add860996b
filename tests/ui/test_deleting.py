"""Deleting from the screen: asked first, in the background, in sight, and never by mistake."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from exile_tui.core.deleting import Deletion, What
from exile_tui.core.model import Connection, Link
from exile_tui.errors import ProfileError
from exile_tui.store.problems import DISK_FULL
from exile_tui.ui.screens.chats import ChatsScreen
from exile_tui.ui.screens.deleting import DeletingScreen, ask_to_delete, ask_to_remove
from exile_tui.ui.widgets.composer import Composer
from exile_tui.ui.widgets.status_line import StatusLine
from tests.ui import worlds
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import RELAY, FakeMessenger
from tests.ui.paint import screen_text

SIZE = (100, 26)


def long_world(lines: int = 3000) -> FakeMessenger:
    messenger = FakeMessenger()
    kim = messenger.add_contact("김하늘")
    messenger.add_contact("박서준")
    for number in range(lines):
        messenger.hear(kim, f"줄 {number}")
    return messenger


async def open_first(pilot: Any) -> None:
    await settle(pilot)
    pilot.app.show_chats(1)
    await settle(pilot)


@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_enter_changes_nothing_and_delete_deletes(make_app: MakeApp, lang: str) -> None:
    messenger = worlds.korean() if lang == "ko" else worlds.english()
    app = make_app(messenger, lang=lang)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await open_first(pilot)
        await pilot.press("shift+delete")
        await settle(pilot)
        assert isinstance(app.screen, DeletingScreen)
        assert ("지울까요?" if lang == "ko" else "Delete the conversation with") in screen_text(app)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, ChatsScreen)
        assert len(await messenger.messages(1)) == 8
        await pilot.press("shift+delete")
        await settle(pilot)
        await pilot.press("right", "enter")
        await settle(pilot)
        assert await messenger.messages(1) == []
        assert isinstance(app.screen, ChatsScreen)
        assert app.screen.contact is not None, "the contact stays"
        assert len(messenger._contacts) == 5


@pytest.mark.parametrize("typed", ["/delete", "/지우기", "/wldnrl"])
async def test_it_is_a_command_too(make_app: MakeApp, typed: str) -> None:
    app = make_app(worlds.korean(), lang="ko")
    async with app.run_test(size=SIZE) as pilot:
        await open_first(pilot)
        app.screen.query_one(Composer).load_text(typed)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, DeletingScreen)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, ChatsScreen)


async def test_what_is_typed_goes_with_the_conversation(make_app: MakeApp) -> None:
    messenger = worlds.korean()
    app = make_app(messenger, lang="ko")
    async with app.run_test(size=SIZE) as pilot:
        await open_first(pilot)
        app.screen.query_one(Composer).load_text("비밀 이야기를 쓰는 중")
        await settle(pilot)
        await pilot.press("shift+delete")
        await settle(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        assert app.screen.query_one(Composer).text == ""
        app.show_chats(2)
        await settle(pilot)
        assert "비밀" not in "".join(messenger.drafts.values())


async def test_a_long_one_goes_on_while_others_write(make_app: MakeApp) -> None:
    messenger = long_world()
    messenger.deletions.at = 1350, 3000
    app = make_app(messenger, lang="ko")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await open_first(pilot)
        await pilot.press("shift+delete")
        await settle(pilot)
        app.screen.query_one("#yes").focus()
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, DeletingScreen)
        assert "45%" in screen_text(app)
        assert "1,350 / 3,000" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, ChatsScreen)
        assert "45%" in str(app.screen.query_one(StatusLine).render())
        park = messenger._contacts[2]
        messenger.arrive(park, "그동안에도 와요")
        app.show_chats(2)
        await pilot.pause()
        await pilot.pause()
        await pilot.press("shift+delete")  # of another conversation: asked as always
        await pilot.pause()
        await pilot.press("escape")
        app.show_chats(1)
        await pilot.pause()
        await pilot.pause()
        await pilot.press("shift+delete")  # of the same: how far it is
        await pilot.pause()
        assert "45%" in screen_text(app)
        messenger.deletions.go_on.set()
        await settle(pilot)
        assert isinstance(app.screen, ChatsScreen)
        assert "%" not in str(app.screen.query_one(StatusLine).render())
        assert await messenger.messages(1) == []
        assert len(await messenger.messages(2)) == 1


async def test_one_message_or_a_range(make_app: MakeApp) -> None:
    messenger = worlds.english()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await open_first(pilot)
        contact = messenger._contacts[1]
        for first, last, count in ((2, 2, "Delete 1 message?"), (3, 5, "Delete 3 messages?")):
            ask_to_delete(app, contact, first, last)
            await settle(pilot)
            assert count in screen_text(app)
            await pilot.click("#yes")
            await settle(pilot)
        assert [each.seq for each in await messenger.messages(1)] == [1, 6, 7, 8]
        ask_to_delete(app, contact, 2, 2)
        await settle(pilot)
        assert isinstance(app.screen, ChatsScreen)


async def test_the_next_is_asked_for_before_the_first_is_done(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is noted then, and goes on after a restart; what the screen keeps back is forgotten."""
    messenger = worlds.english()
    app = make_app(messenger)
    asked: list[int] = []
    done = asyncio.Event()

    async def delete(contact_id: int, first_seq: int, last_seq: int) -> None:
        asked.append(first_seq)
        await done.wait()

    monkeypatch.setattr(messenger.deletions, "messages", delete)
    async with app.run_test(size=SIZE) as pilot:
        await open_first(pilot)
        async with asyncio.timeout(20):
            for seq in (2, 3):
                ask_to_delete(app, messenger._contacts[1], seq, seq)
                while not app.screen.query("#yes"):
                    await pilot.pause()
                await pilot.click("#yes")
                while seq not in asked:
                    await pilot.pause()
        done.set()
        await settle(pilot)


async def test_a_contact_from_the_contacts(make_app: MakeApp) -> None:
    messenger = worlds.english()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("f2")
        await settle(pilot)
        await pilot.press("down")  # past the request
        for key in ("shift+delete", "delete"):
            await pilot.press(key)
            await settle(pilot)
            assert isinstance(app.screen, DeletingScreen)
            await pilot.press("escape")
            await settle(pilot)
        ask_to_remove(app, messenger._contacts[2])
        await settle(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        assert 2 not in messenger._contacts


async def test_what_fails_is_said_and_nothing_hangs(make_app: MakeApp) -> None:
    messenger = worlds.english()
    messenger.refuse = ProfileError(DISK_FULL)
    app = make_app(messenger)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await open_first(pilot)
        await pilot.press("shift+delete")
        await settle(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        assert "The disk is full" in str([each.message for each in app._notifications])
        assert messenger.deletions.running == ()


SnapSizes = Callable[..., Awaitable[None]]


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("what", ["message", "conversation", "bar"])
async def test_pictures(make_app: MakeApp, snap_sizes: SnapSizes, lang: str, what: str) -> None:
    messenger = worlds.korean() if lang == "ko" else worlds.english()
    messenger.connection = Connection(Link.ONLINE, RELAY, waiting=2)
    app = make_app(messenger, lang=lang)
    contact = messenger._contacts[1]

    async def prepare(pilot: Any) -> None:
        await open_first(pilot)
        if what == "message":
            ask_to_delete(app, contact, 5, 5)
            return
        if what == "bar":
            messenger.deletions.tell(
                Deletion(What.CONVERSATION, 1, 1, 10_000, done=3_400, total=10_000)
            )
        await pilot.press("shift+delete")

    await snap_sizes(app, before=prepare)
