"""Contacts and requests, by keyboard, by mouse, and found while typing."""

from __future__ import annotations

import re

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, OptionList

from exile_tui.core.events import RequestArrived
from exile_tui.core.model import ContactState
from exile_tui.errors import NoSuchContact
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.confirm import ConfirmScreen
from exile_tui.ui.screens.deleting import DeletingScreen
from exile_tui.ui.screens.verify import VerifyScreen
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger
from tests.ui.paint import screen_lines, screen_text

HOSTILE = "\x1b]52;c;aGk=\x07[b]Mallory[/b]\u202eevil\n둘째 줄"


def world() -> FakeMessenger:
    messenger = FakeMessenger()
    messenger.add_contact("Zoe", changed=True)
    messenger.add_contact("하나")
    messenger.add_contact("김하늘", verified=True)
    messenger.add_contact("anna")
    messenger.add_contact("", ContactState.JOINING)
    return messenger


async def opened(app: ExileApp, pilot: Pilot[int]) -> OptionList:
    app.open_screen("contacts")
    await settle(pilot)
    return app.screen.query_one("#people", OptionList)


def shown_ids(people: OptionList) -> list[int]:
    return [int(option.id) for option in people.options if option.id]


async def test_sorted_with_trust_in_words(make_app: MakeApp) -> None:
    app = make_app(world(), lang="ko")
    async with app.run_test(size=(80, 24)) as pilot:
        people = await opened(app, pilot)
        assert shown_ids(people) == [3, 5, 2, 4, 1]
        lines = [line.split() for line in screen_lines(app)]
        assert ["✔", "검증됨", "김하늘"] in lines
        assert ["·", "검증", "안", "됨", "이름", "모름", "수락", "기다리는", "중"] in lines
        assert ["!", "안전", "번호가", "바뀌었어요", "Zoe"] in lines


async def test_requests_are_on_top_and_can_be_accepted(make_app: MakeApp) -> None:
    messenger = world()
    request = messenger.add_contact("이도윤", ContactState.REQUESTED)
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        people = await opened(app, pilot)
        assert shown_ids(people)[0] == request.id
        await pilot.press("enter")
        await settle(pilot)
        assert (await messenger.contact(request.id)).state is ContactState.REQUESTED
        await pilot.press("f5")
        await settle(pilot)
        assert (await messenger.contact(request.id)).state is ContactState.ACTIVE
        assert people.highlighted_option is not None
        assert people.highlighted_option.id == str(request.id)


async def test_a_request_is_declined_only_after_a_yes(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    request = messenger.add_contact("이도윤", ContactState.REQUESTED)
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.click("#decline")
        await settle(pilot)
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("enter")
        await settle(pilot)
        assert (await messenger.contact(request.id)).state is ContactState.REQUESTED
        await pilot.press("delete")
        await settle(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        with pytest.raises(NoSuchContact):
            await messenger.contact(request.id)
        assert "Nobody here yet" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
@pytest.mark.parametrize(
    ("lang", "decline", "remove"), [("ko", "거절", "삭제"), ("en", "Decline", "Remove")]
)
async def test_delete_is_called_what_the_button_is_called(
    make_app: MakeApp, size: tuple[int, int], lang: str, decline: str, remove: str
) -> None:
    messenger = world()
    messenger.add_contact("이도윤", ContactState.REQUESTED)
    app = make_app(messenger, lang=lang)
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        keys = screen_lines(app)[-1]
        assert f"Delete {decline}" in keys
        assert remove not in keys
        assert str(app.screen.query_one("#decline", Button).label) == decline
        await pilot.press("f1")
        await settle(pilot)
        assert f"Delete   {decline}" in re.sub(" {4,}", "   ", screen_text(app))
        assert remove not in screen_text(app)
        await pilot.press("escape", "down")
        await settle(pilot)
        assert (f"Delete {remove}" in screen_lines(app)[-1]) is (size[0] >= 80)
        assert remove in screen_text(app)
        assert decline not in screen_text(app)


async def test_another_key_for_removing_leaves_declining_its_own(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    messenger.add_contact("이도윤", ContactState.REQUESTED)
    messenger.add_contact("하나")
    app = make_app(messenger, keys={"contacts.remove": "f6"})
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        for key, asks in (("f6", False), ("delete", True)):
            await pilot.press(key)
            await settle(pilot)
            assert isinstance(app.screen, ConfirmScreen) is asks
        await pilot.press("escape", "down", "delete")
        await settle(pilot)
        assert not isinstance(app.screen, ConfirmScreen)
        await pilot.press("f6")
        await settle(pilot)
        assert isinstance(app.screen, DeletingScreen)


async def test_a_contact_is_removed_only_after_a_yes(make_app: MakeApp) -> None:
    messenger = world()
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        people = await opened(app, pilot)
        await pilot.press("down", "delete")
        await settle(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        assert shown_ids(people) == [3, 4, 5, 1]


@pytest.mark.parametrize(
    ("typed", "found"),
    [("ㅎ", [3, 2]), ("ㄱㅎㄴ", [3]), ("하", [3, 2]), ("ZO", [1]), ("?", [])],
)
async def test_typing_narrows_the_list(make_app: MakeApp, typed: str, found: list[int]) -> None:
    app = make_app(world())
    async with app.run_test(size=(80, 24)) as pilot:
        people = await opened(app, pilot)
        await pilot.press(*typed)
        await settle(pilot)
        assert app.screen.query_one("#find", Input).value == typed
        assert shown_ids(people) == found
        await pilot.press("escape")
        await settle(pilot)
        assert len(shown_ids(people)) == 5


async def test_the_list_is_walked_and_opened_from_the_filter(make_app: MakeApp) -> None:
    messenger = world()
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        people = await opened(app, pilot)
        await pilot.press("slash", "ㅎ", "down")
        await settle(pilot)
        assert people.highlighted_option is not None
        assert people.highlighted_option.id == "2"
        await pilot.press("enter")
        await settle(pilot)
        assert app.screen.place == "chats"


async def test_the_safety_number_is_one_key_away(make_app: MakeApp) -> None:
    app = make_app(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("f3")
        await settle(pilot)
        assert isinstance(app.screen, VerifyScreen)
        assert app.screen.contact_id == 3


@pytest.mark.parametrize("letter", ["v", "ㅍ", "c", "q"])
async def test_every_letter_begins_a_name(make_app: MakeApp, letter: str) -> None:
    app = make_app(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press(letter)
        await settle(pilot)
        assert app.screen.query_one("#find", Input).value == letter


async def test_a_new_request_appears_and_the_place_is_kept(make_app: MakeApp) -> None:
    messenger = world()
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        people = await opened(app, pilot)
        await pilot.press("down", "down")
        request = messenger.add_contact("Bob", ContactState.REQUESTED)
        messenger.emit(RequestArrived(request.id))
        await settle(pilot)
        assert shown_ids(people) == [6, 3, 2, 4, 5, 1]
        assert people.highlighted_option is not None
        assert people.highlighted_option.id == "4"


async def test_names_are_made_safe(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    messenger.add_contact(HOSTILE, ContactState.REQUESTED)
    messenger.add_contact(HOSTILE)
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        for _ in range(2):
            text = screen_text(app)
            assert "]52;c;aGk=[b]Mallory[/b]evil 둘째 줄" in text
            assert not set("\x1b\x07\u202e") & set(text)
            await pilot.press("delete")
            await settle(pilot)
            text = screen_text(app)
            assert "[b]Mallory[/b]evil 둘째 줄" in text
            assert not set("\x1b\x07\u202e") & set(text)
            await pilot.press("escape", "down")
            await settle(pilot)
