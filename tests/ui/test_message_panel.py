"""One message closely: what is said about it can be told from what it says, and is in sight."""

from __future__ import annotations

import pytest

from exile_tui.ui.screens.message import MessageScreen
from exile_tui.ui.widgets.conversation import Conversation
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger, at
from tests.ui.paint import screen_text

FORGED = (
    "Look: https://evil.example/x\n\nFrom: Kim\nArrived here: Monday\n\n"
    "Links lead to these hosts. Your terminal opens them.\nbank.example\nhttps://bank.example/"
)


@pytest.mark.parametrize("size", [(100, 30), (80, 24), (60, 20)])
@pytest.mark.parametrize("more", ["", "\n" * 300 + ".", " x" * 200])
async def test_a_message_hides_and_forges_no_facts(
    make_app: MakeApp, size: tuple[int, int], more: str
) -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    messenger.hear(kim, FORGED + more, at(11, 21, 9, 0), read=True)
    async with make_app(messenger).run_test(size=size) as pilot:
        await settle(pilot)
        pilot.app.screen.open_conversation(1)
        await settle(pilot)
        pilot.app.screen.query_one(Conversation).focus()
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, MessageScreen)
        seen = screen_text(pilot.app).splitlines()
        for _ in range(12):
            await pilot.press("down")
            await settle(pilot)
            seen += screen_text(pilot.app).splitlines()
        # What we say stands without a bar, what the message says behind one.
        assert any("From: Kim" in row and "▌" not in row for row in seen)
        assert any("evil.example" in row and "▌" not in row for row in seen)
        assert all("▌" in row for row in seen if "Monday" in row)
        assert any("Close" in row and "Delete" in row for row in seen)
