"""The panel that brings messages out into a file and in from one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Static

from exile_tui.core.exporting import NOT_WRITTEN
from exile_tui.core.model import ContactState
from exile_tui.errors import UsageError
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.history import HistoryPanel, open_history
from exile_tui.ui.screens.settings import GROUPS
from exile_tui.ui.widgets.slash import CommandComposer
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger
from tests.ui.paint import screen_text
from tests.ui.worlds import english, korean

LANGUAGES = pytest.mark.parametrize("lang", ["ko", "en"])
WORLDS = {"ko": korean, "en": english}


async def open_panel(pilot: Any, file: Path | None = None) -> HistoryPanel:
    await settle(pilot)
    await pilot.press("ctrl+b")
    await settle(pilot)
    panel = pilot.app.screen
    assert isinstance(panel, HistoryPanel)
    if file is not None:
        panel.query_one("#file", Input).value = str(file)
    return panel


@LANGUAGES
async def test_the_messages_go_into_a_file_after_a_warning(
    make_app: MakeApp, tmp_path: Path, lang: str
) -> None:
    app = make_app(WORLDS[lang](), lang=lang)
    async with app.run_test(size=(80, 24)) as pilot:
        panel = await open_panel(pilot)
        words = {"ko": "암호화되지 않아요", "en": "NOT encrypted"}[lang]
        assert words in str(panel.query_one(".warning", Static).render())
        assert panel.query_one("#file", Input).value == "~/exile-tui-2026-11-21.jsonl"
        panel.query_one("#file", Input).value = str(tmp_path / "out.jsonl")
        await pilot.press("f5")
        await settle(pilot)
        assert (tmp_path / "out.jsonl").read_text() == "conversation None\n"
        told = {"ko": "메시지 100개를 파일에 썼어요", "en": "100 messages are in the file"}[lang]
        assert told in screen_text(app)
        await pilot.press("escape")
        assert app.screen is not panel


async def test_a_file_that_is_there_is_replaced_only_after_asking(
    make_app: MakeApp, tmp_path: Path
) -> None:
    file = tmp_path / "out.jsonl"
    file.write_text("mine")
    app = make_app(english(), lang="en")
    async with app.run_test(size=(80, 24)) as pilot:
        panel = await open_panel(pilot, file)
        await pilot.press("f5")
        await settle(pilot)
        assert "Replace" in screen_text(app)
        await pilot.press("enter")  # the answer that changes nothing has the focus
        await settle(pilot)
        assert file.read_text() == "mine"
        assert app.screen is panel
        await pilot.press("f5")
        await settle(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        assert file.read_text() == "conversation None\n"
        panel.query_one("#file", Input).value = str(tmp_path)
        await pilot.press("f5")
        await settle(pilot)
        assert app.screen is panel  # a directory is nothing to replace


async def test_one_conversation_alone(make_app: MakeApp, tmp_path: Path) -> None:
    messenger = korean()
    app = make_app(messenger, lang="ko")
    async with app.run_test(size=(60, 20)) as pilot:
        await settle(pilot)
        contact = (await messenger.contacts())[0]
        open_history(app, contact)
        await settle(pilot)
        assert "김하늘 님과" in screen_text(app)
        app.screen.query_one("#file", Input).value = str(tmp_path / "one")
        await pilot.click("#export")
        await settle(pilot)
        assert (tmp_path / "one").read_text() == f"conversation {contact.id}\n"


@LANGUAGES
async def test_what_came_of_an_import_is_told(make_app: MakeApp, tmp_path: Path, lang: str) -> None:
    app = make_app(WORLDS[lang](), lang=lang)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_panel(pilot, tmp_path / "in.jsonl")
        await pilot.press("f6")
        await settle(pilot)
        words = {
            "ko": "메시지 98개를 가져왔어요, 2개는 이미 있었어요",
            "en": "98 messages imported, 2 were here already",
        }[lang]
        assert words in screen_text(app)


async def test_progress_and_stopping(make_app: MakeApp, tmp_path: Path) -> None:
    messenger = english()
    messenger.hold = asyncio.Event()
    app = make_app(messenger, lang="en")
    async with app.run_test(size=(80, 24)) as pilot:
        panel = await open_panel(pilot, tmp_path / "in.jsonl")
        await pilot.press("f6")
        await messenger.working.wait()
        await pilot.pause()
        assert "==========--------------  45 %" in screen_text(app)
        await pilot.press("f6", "f5")  # one thing at a time
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen is panel
        assert "Stopped." in screen_text(app)
        messenger.hold = None
        await pilot.press("f6")
        await settle(pilot)
        assert "98 messages imported" in screen_text(app)
        assert not (tmp_path / "in.jsonl").exists()


async def test_locking_stops_it(make_app: MakeApp, tmp_path: Path) -> None:
    messenger = english()
    messenger.hold = asyncio.Event()
    app = make_app(messenger, lang="en")
    async with app.run_test(size=(80, 24)) as pilot:
        await open_panel(pilot, tmp_path / "out.jsonl")
        await pilot.press("f5")
        await messenger.working.wait()
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert app.application.messenger is None
        assert not (tmp_path / "out.jsonl").exists()


async def test_a_problem_is_said_and_the_path_stays(make_app: MakeApp, tmp_path: Path) -> None:
    messenger = korean()
    app = make_app(messenger, lang="ko")
    async with app.run_test(size=(60, 20)) as pilot:
        panel = await open_panel(pilot, tmp_path / "a\x1b[2J")
        messenger.refuse = UsageError(NOT_WRITTEN, file="끝\x1b[2J", problem="No space left")
        await pilot.press("f5")
        await settle(pilot)
        assert "No space left" in screen_text(app)
        assert panel.query_one("#file").has_focus
        panel.query_one("#file", Input).value = "  "
        await pilot.press("f6")
        await settle(pilot)
        assert "전체 경로로" in screen_text(app)
        await app.choose_language("en")
        await settle(pilot)
        assert "Messages in a file" in screen_text(app)


@pytest.mark.parametrize("typed", ["~nobody-of-that-name/file", "a\0b"])
async def test_what_can_t_be_a_file_is_asked_for_again(make_app: MakeApp, typed: str) -> None:
    """The first ended the program, in the middle of whatever it did."""
    app = make_app(english(), lang="en")
    async with app.run_test(size=(80, 24)) as pilot:
        panel = await open_panel(pilot)
        panel.query_one("#file", Input).value = typed
        for key in ("f5", "f6"):
            await pilot.press(key)
            await settle(pilot)
            assert "with its whole path" in screen_text(app)


async def test_every_way_there(make_app: MakeApp) -> None:
    app = make_app(korean(), lang="ko")
    async with app.run_test(size=(100, 26)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        for command in ("/내보내기", "/import"):
            app.screen.query_one(CommandComposer).insert(command)
            await settle(pilot)
            await pilot.press("enter")
            await settle(pilot)
            assert isinstance(app.screen, HistoryPanel), command
            await pilot.press("escape")
            await settle(pilot)
        await pilot.press("ctrl+p")
        await settle(pilot)
        await pilot.press(*"export")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, HistoryPanel)
        await pilot.press("escape")
        await settle(pilot)
        await pilot.press("f9")
        await settle(pilot)
        lines = [setting.name for _, settings in GROUPS for setting in settings]
        await pilot.press(*["down"] * lines.index("history"), "enter")
        await settle(pilot)
        assert isinstance(app.screen, HistoryPanel)


@LANGUAGES
async def test_an_imported_conversation_never_looks_verified(make_app: MakeApp, lang: str) -> None:
    messenger = FakeMessenger()
    archive = messenger.add_contact("김하늘", ContactState.ARCHIVED)
    messenger.hear(archive, "예전에 한 말")
    app = make_app(messenger, lang=lang)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.show_chats(archive.id)
        await settle(pilot)
        shown = screen_text(app)
        assert {"ko": "가져온 기록", "en": "imported"}[lang] in shown
        for word in {"ko": ("검증됨", "검증 안 됨"), "en": ("verified",)}[lang]:
            assert word not in shown


@pytest.mark.parametrize("state", ["panel", "problem", "progress", "done"])
@LANGUAGES
async def test_pictures(
    make_app: MakeApp,
    snap_sizes: Callable[..., Awaitable[None]],
    tmp_path: Path,
    lang: str,
    state: str,
) -> None:
    messenger = WORLDS[lang]()
    app: ExileApp = make_app(messenger, lang=lang)

    async def before(pilot: Any) -> None:
        panel = await open_panel(pilot)
        if state == "problem":
            messenger.refuse = UsageError(
                NOT_WRITTEN, file="/media/usb/history.jsonl", problem="No space left on device"
            )
        if state == "progress":
            panel._progress(45, 100)
        elif state != "panel":
            await pilot.press("f6")

    await snap_sizes(app, before=before)
