"""config.toml while the program runs: a change holds at once, a bad one changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from exile_tui.config import Source
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.join import JoinScreen
from exile_tui.ui.widgets.composer import Composer
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeApplication
from tests.ui.paint import screen_text
from tests.ui.worlds import english

SIZE = (100, 30)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what people are told from now on."""
    told: list[str] = []
    monkeypatch.setattr(ExileApp, "notify", lambda self, message, **_: told.append(message))
    return told


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


async def look(pilot: Any) -> None:
    """Let the app look at the file, as it does every other second."""
    pilot.app.preferences.look()
    await settle(pilot)


def source(file: Path, **environment: str) -> Source:
    return Source({}, environment, file)


async def test_a_changed_file_holds_at_once_and_what_was_typed_stays(
    make_app: MakeApp, file: Path
) -> None:
    app = make_app(english(), source=source(file))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press(*"half")
        write(file, 'lang = "ko"\ntheme = "hanji"\ntime_24h = true\nauto_lock_minutes = 0\n')
        await look(pilot)
        assert "15:28" in screen_text(app)
        assert "검증됨" in screen_text(app)
        assert app.screen.query_one(Composer).text == "half"
        assert app.theme == "hanji"
        assert app.settings.auto_lock_minutes == 0
        write(file, 'lang = "en"\n')
        await look(pilot)
        assert app.theme == "exile-dark"
        assert "verified" in screen_text(app)


async def test_a_field_keeps_its_text_and_its_cursor(make_app: MakeApp, file: Path) -> None:
    app = make_app(english(), source=source(file))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+o")
        await settle(pilot)
        assert isinstance(app.screen, JoinScreen)
        field = app.screen.query(Input).first()
        field.focus()
        await pilot.press(*"exile:abc", "left")
        write(file, 'lang = "ko"\n')
        await look(pilot)
        field = app.screen.query(Input).first()
        assert (field.value, field.cursor_position, field.has_focus) == ("exile:abc", 8, True)


async def test_a_bad_file_is_one_notice_and_changes_nothing(
    make_app: MakeApp, file: Path, notices: list[str]
) -> None:
    write(file, 'theme = "dusk"\n')
    app = make_app(english(), source=source(file, EXILE_LANG="en"), theme="dusk")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert notices == []
        write(file, 'theme = "hanji"\nbell = \n')
        await look(pilot)
        assert len(notices) == 1
        assert "line 2" in notices[0]
        assert "stay as they were" in notices[0]
        await look(pilot)
        assert len(notices) == 1
        assert app.theme == app.settings.theme == "dusk"
        write(file, 'theme = "hanji"\ncolour = "red"\n')
        await look(pilot)
        assert len(notices) == 2
        assert "colour" in notices[1]
        assert app.theme == "dusk"
        write(file, 'theme = "hanji"\n')
        await look(pilot)
        assert (app.theme, len(notices)) == ("hanji", 2)


async def test_a_bad_file_at_the_start_is_one_notice_and_the_defaults(
    make_app: MakeApp, file: Path, notices: list[str]
) -> None:
    write(file, "theme = 3\n")
    bad = source(file, EXILE_LANG="en")
    app = make_app(application=FakeApplication(english()), source=bad)
    app.settings = bad.begin()
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert len(notices) == 1
        assert "theme" in notices[0]
        assert app.theme == "exile-dark"


@pytest.mark.parametrize("name", ["proxy", "data_dir", "profile"])
async def test_what_only_counts_at_the_start_is_said_to_wait(
    make_app: MakeApp, file: Path, notices: list[str], name: str
) -> None:
    app = make_app(english(), source=source(file, EXILE_LANG="en"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        before = getattr(app.settings, name)
        value = {"proxy": "socks5://127.0.0.1:9050"}.get(name, "other")
        write(file, f'{name} = "{value}"\n')
        await look(pilot)
        assert len(notices) == 1
        assert f"'{name}'" in notices[0]
        assert "next start" in notices[0]
        assert getattr(app.settings, name) == before


async def test_a_theme_that_is_not_there_is_said(
    make_app: MakeApp, file: Path, notices: list[str]
) -> None:
    app = make_app(english(), source=source(file, EXILE_LANG="en"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        write(file, 'theme = "nonesuch"\n')
        await look(pilot)
        assert notices == ["There is no theme nonesuch; the default is used."]


async def test_other_keys_work_and_are_shown(make_app: MakeApp, file: Path) -> None:
    app = make_app(english(), source=source(file, EXILE_LANG="en"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        write(file, '[keys]\n"app.contacts" = "ctrl+y"\n')
        await look(pilot)
        assert "Ctrl+Y Contacts" in screen_text(app)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.focused, Composer)
        await pilot.press("ctrl+y")  # a key that text fields have for themselves
        await settle(pilot)
        assert app.screen.query("ContactsScreen") or type(app.screen).__name__ == "ContactsScreen"
        await pilot.press("escape", "f2")
        await settle(pilot)
        assert type(app.screen).__name__ == "ChatsScreen"
        write(file, "")
        await look(pilot)
        await pilot.press("f2")
        await settle(pilot)
        assert type(app.screen).__name__ == "ContactsScreen"


async def test_wrong_keys_are_one_notice_and_the_others_work(
    make_app: MakeApp, file: Path, notices: list[str]
) -> None:
    app = make_app(english(), source=source(file, EXILE_LANG="en"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        write(
            file,
            '[keys]\n"app.nonesuch" = "f12"\n"app.lock" = "alt+l"\n"app.relay" = "f2"\n'
            '"app.invite" = "f11"\n',
        )
        await look(pilot)
        assert len(notices) == 1
        for word in ("app.nonesuch", "alt+l", "'F2' for 'app.relay' belongs to 'app.contacts'"):
            assert word in notices[0]
        await pilot.press("f11")
        await settle(pilot)
        assert type(app.screen).__name__ == "InviteScreen"


def test_the_program_follows_the_file_that_it_was_started_with(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exile_tui.ui import run_ui

    followed: list[str] = []
    monkeypatch.setattr(ExileApp, "run", lambda app: followed.append(app.preferences.file))
    application = FakeApplication(english())
    settings = source(file, EXILE_LANG="en").begin()
    run_ui(application, settings, application.inside.clock, source(file))  # type: ignore[arg-type]  # the double has the same face
    assert followed == [str(file)]
