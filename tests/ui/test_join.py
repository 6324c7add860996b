"""Opening an invite: pasted, from a picture, from a camera; errors lose nothing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher, Input

from exile_tui.core.model import Contact, ContactState
from exile_tui.errors import Refused, RelayUnreachable, WireError
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.verify import VerifyScreen
from exile_tui.ui.widgets.code_source import looks_like_path
from exile_tui.ui.widgets.one_line import joined
from exile_tui.ui.widgets.qr import save_png
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger
from tests.ui.paint import screen_text

LINK = "exile:" + "A" * 106


class Joining(FakeMessenger):
    """Remembers what was opened."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.opened: list[str | bytes] = []

    async def join(self, link: str | bytes) -> Contact:
        self.opened.append(link)
        if isinstance(link, bytes) and not link.startswith(b"X1"):
            raise WireError
        return await super().join(link)


async def give(app: ExileApp, pilot: Pilot[int], text: str) -> None:
    if app.screen.place != "join":
        app.open_screen("join")
        await settle(pilot)
    app.screen.query_one("#code-text", Input).value = text
    await pilot.press("enter")
    await settle(pilot)


def step(app: ExileApp) -> str | None:
    return app.screen.query_one("#steps", ContentSwitcher).current


async def test_a_pasted_link_waits_for_the_other(make_app: MakeApp) -> None:
    messenger = Joining()
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_screen("join")
        await settle(pilot)
        wrapped = f"  {LINK[:40]}\n {LINK[40:80]}\n{LINK[80:]}\n"
        app.screen.query_one("#code-text").post_message(events.Paste(wrapped))
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert messenger.opened == [LINK]
        assert "Waiting for the other to accept" in screen_text(app)
        (contact,) = await messenger.contacts()
        accepted = replace(contact, name="김하늘", state=ContactState.ACTIVE)
        messenger.replace_contact(accepted)
        await settle(pilot)
        assert "김하늘 accepted" in screen_text(app)
        await pilot.press("enter")
        await settle(pilot)
        assert app.screen.place == "chats"


async def test_the_safety_number_is_there_at_once(make_app: MakeApp) -> None:
    app = make_app(Joining())
    async with app.run_test(size=(80, 24)) as pilot:
        await give(app, pilot, LINK)
        await pilot.click("#verify")
        await settle(pilot)
        assert isinstance(app.screen, VerifyScreen)
        assert "Unknown" in screen_text(app)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Refused(), "This invite is expired, already used or damaged"),
        (RelayUnreachable(address="\x1b[2Jrelay:1"), "The relay [2Jrelay:1 is out of reach"),
        (WireError(), "not in a form that this program understands"),
    ],
)
async def test_errors_are_sentences_and_keep_the_link(
    make_app: MakeApp, error: Exception, sentence: str
) -> None:
    messenger = Joining()
    messenger.refuse = error  # type: ignore[assignment]
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        await give(app, pilot, LINK)
        assert sentence in " ".join(screen_text(app).split())
        assert step(app) == "ask"
        assert app.screen.query_one("#code-text", Input).value == LINK
        await pilot.press("enter")
        await settle(pilot)
        assert step(app) == "done"


async def test_a_picture_hands_over_its_bytes(make_app: MakeApp, tmp_path: Path) -> None:
    save_png(b"X1\x01secret", tmp_path / "초대 코드.png")
    messenger = Joining()
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        await give(app, pilot, f"'{tmp_path / '초대 코드.png'}'")
        assert messenger.opened == [b"X1\x01secret"]
        assert step(app) == "done"


async def test_other_codes_in_the_picture_are_passed_over(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "exile_tui.ui.widgets.code_source.read_image", lambda path: [b"https://a.b", b"X1", b"?"]
    )
    messenger = Joining()
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        await give(app, pilot, "codes.png")
        assert messenger.opened == [b"https://a.b", b"X1"]
        assert step(app) == "done"


async def test_the_camera(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "exile_tui.ui.widgets.code_source.read_camera", lambda stop: [b"X1 from the camera"]
    )
    messenger = Joining()
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_screen("join")
        await settle(pilot)
        await pilot.click("#code-camera")
        await settle(pilot)
        assert messenger.opened == [b"X1 from the camera"]


async def test_no_camera_is_a_sentence(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    app = make_app(Joining())
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_screen("join")
        await settle(pilot)
        await pilot.click("#code-camera")
        await settle(pilot)
        assert "pip install 'exile-tui[camera]'" in " ".join(screen_text(app).split())


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("exile:AAAA", False),
        ("EXILE:AAAA.png", False),
        ("12345 67890", False),
        ("하나 둘 셋", False),
        ("/tmp/x", True),
        ("~/x", True),
        ("'a b'", True),
        ("file:///x", True),
        ("code.PNG", True),
        ("code.txt", False),
    ],
)
def test_what_is_a_path(text: str, path: bool) -> None:
    assert looks_like_path(text) is path


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" exile:AB\n  CD\n", "exile:ABCD"),
        ("https://h:1/#AB\nCD", "https://h:1/#ABCD"),
        ("12345 67890\n12345 67890", "12345 67890 12345 67890"),
        ("\n", ""),
    ],
)
def test_pasted_lines_are_joined(text: str, line: str) -> None:
    assert joined(text) == line
