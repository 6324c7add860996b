"""The settings screen: every change holds at once, is written down, and loses nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual import events

from exile_tui.config import Settings, Source
from exile_tui.errors import UsageError
from exile_tui.ui.screens.settings import GROUPS, SettingsScreen
from exile_tui.ui.screens.theme_picker import ThemePicker
from exile_tui.ui.widgets.composer import Composer
from exile_tui.ui.widgets.setting_row import SettingRow
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeApplication, FakeMessenger
from tests.ui.paint import screen_lines, screen_text
from tests.ui.worlds import english, hostile, korean

SIZE = (80, 24)
NAMES = [setting.name for _, settings in GROUPS for setting in settings]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "config.toml"
    written.write_text("# mine\n")
    return written


async def open_settings(pilot: Any) -> SettingsScreen:
    await settle(pilot)
    await pilot.press("f9")
    await settle(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, SettingsScreen)
    return screen


async def go(pilot: Any, name: str) -> None:
    """Go to a line by its keys."""
    await pilot.press(*["down"] * NAMES.index(name))
    await settle(pilot)
    assert pilot.app.focused.id == name


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def line(app: Any, label: str) -> str:
    return next(each for each in screen_lines(app) if label in each)


async def test_the_language_changes_at_once_and_what_was_typed_stays(
    make_app: MakeApp, file: Path
) -> None:
    app = make_app(korean(), source=Source({}, {}, file))
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press(*"half a thought")
        await open_settings(pilot)
        await pilot.press("right")
        await settle(pilot)
        assert "언어" in screen_text(app)
        assert "자동 잠금" in screen_text(app)
        assert "Auto-lock" not in screen_text(app)
        assert app.focused is not None
        assert app.focused.id == "lang"
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen.query_one(Composer).text == "half a thought"
        assert "보내기" in screen_text(app)
    assert read(file) == '# mine\nlang = "ko"\n'


@pytest.mark.parametrize(
    ("name", "keys", "value"),
    [
        ("time_24h", ["right"], True),
        ("ascii_marks", ["space"], True),
        ("enter_sends", ["enter"], False),
        ("notifications", ["right"], "who"),
        ("notifications", ["left"], "none"),
        ("notifications", ["right", "right"], "none"),
        ("bell", ["enter"], False),
        ("auto_lock_minutes", ["right"], 60),
        ("auto_lock_minutes", ["right", "right"], 0),
        ("auto_lock_minutes", ["left"], 5),
        ("theme", ["left"], "terminal"),
    ],
)
async def test_a_value_holds_at_once_and_is_written_down(
    make_app: MakeApp, file: Path, name: str, keys: list[str], value: object
) -> None:
    source = Source({}, {"EXILE_LANG": "en"}, file)
    app = make_app(english(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await open_settings(pilot)
        await go(pilot, name)
        await pilot.press(*keys)
        await settle(pilot)
        assert getattr(app.settings, name) == value
        assert app.focused is not None
        assert app.focused.id == name
    assert getattr(source.load(), name) == value
    assert read(file).startswith("# mine\n")


async def test_minutes_that_somebody_wrote_into_the_file_are_one_of_the_values(
    make_app: MakeApp,
) -> None:
    app = make_app(english(), auto_lock_minutes=7)
    async with app.run_test(size=SIZE) as pilot:
        await open_settings(pilot)
        await go(pilot, "auto_lock_minutes")
        assert "after 7 minutes" in line(app, "Auto-lock")
        await pilot.press("right")
        await settle(pilot)
        assert app.settings.auto_lock_minutes == 15


async def test_marks_and_times_change_on_the_screens_below(make_app: MakeApp) -> None:
    app = make_app(korean(), lang="ko")
    async with app.run_test(size=(100, 30)) as pilot:
        await open_settings(pilot)
        await go(pilot, "time_24h")
        await pilot.press("right", "down", "right")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert "15:28" in screen_text(app)
        assert "오후" not in screen_text(app)
        assert "●" not in screen_text(app)


async def test_enter_and_the_other_key_change_places_in_the_composer(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await open_settings(pilot)
        await go(pilot, "enter_sends")
        await pilot.press("right")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        composer = app.screen.query_one(Composer)
        composer.focus()
        await settle(pilot)
        await pilot.press("a", "enter", "b")
        assert composer.text == "a\nb"


async def test_the_highlighted_theme_is_shown_and_esc_brings_the_old_one_back(
    make_app: MakeApp, file: Path
) -> None:
    app = make_app(english(), source=Source({}, {"EXILE_LANG": "en"}, file))
    async with app.run_test(size=SIZE) as pilot:
        await open_settings(pilot)
        await go(pilot, "theme")
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, ThemePicker)
        seen = [app.theme]
        for _ in app.themes.names[1:]:
            await pilot.press("down")
            await settle(pilot)
            seen.append(app.theme)
        assert seen == app.themes.names
        await pilot.press("escape")
        await settle(pilot)
        assert app.theme == "exile-dark"
        assert app.settings.theme is None
        assert read(file) == "# mine\n"
        await pilot.press("enter", "down", "enter")
        await settle(pilot)
        assert app.theme == app.settings.theme == app.themes.names[1]
        assert isinstance(app.screen, SettingsScreen)
        assert app.themes.names[1] in line(app, "Theme")
    assert f'theme = "{app.themes.names[1]}"' in read(file)


async def test_what_a_variable_sets_says_so_and_can_not_be_chosen(
    make_app: MakeApp, file: Path
) -> None:
    source = Source({"lang": "en"}, {"EXILE_THEME": "dusk"}, file)
    app = make_app(english(), source=source, theme="dusk")
    async with app.run_test(size=SIZE) as pilot:
        await open_settings(pilot)
        assert "--lang" in line(app, "Language")
        assert "Set by --lang" in screen_text(app)
        await pilot.press("right", "down")
        await settle(pilot)
        assert "EXILE_THEME" in line(app, "Theme")
        assert "Set by EXILE_THEME" in screen_text(app)
        await pilot.press("right", "enter")
        await settle(pilot)
        assert isinstance(app.screen, SettingsScreen)
        assert (app.theme, app.settings.lang) == ("dusk", "en")
    assert read(file) == "# mine\n"


async def test_a_file_that_can_not_be_written_is_said_and_the_value_holds_till_the_end(
    make_app: MakeApp, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").mkdir()
    source = Source({}, {"EXILE_LANG": "en"}, tmp_path / "config.toml")
    app = make_app(english(), source=source)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await open_settings(pilot)
        await go(pilot, "bell")
        await pilot.press("right")
        await settle(pilot)
        assert "could not be written" in screen_text(app)
        assert app.settings.bell is False


async def test_keys_that_come_together_each_count(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        await open_settings(pilot)
        for key in ("up", "up", "up", "up", "right", "up"):
            app.post_message(events.Key(key, None))
        await settle(pilot)
        assert app.settings.auto_lock_minutes == 60
        assert app.focused is not None
        assert app.focused.id == "keys"


async def test_the_mouse_changes_a_value(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        await open_settings(pilot)
        lines = screen_lines(app)
        row = next(number for number, text in enumerate(lines) if "Auto-lock" in text)
        column = lines[row].index("after 15")
        await pilot.click(offset=(lines[row].index("Auto-lock"), row))
        await settle(pilot)
        assert app.settings.auto_lock_minutes == 15
        await pilot.click(offset=(column, row))
        await settle(pilot)
        assert app.settings.auto_lock_minutes == 60
        column = screen_lines(app)[row].index("<")
        await pilot.click(offset=(column, row))
        await settle(pilot)
        assert app.settings.auto_lock_minutes == 15


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_every_line_is_on_the_screen_with_its_words(
    make_app: MakeApp, size: tuple[int, int], lang: str
) -> None:
    app = make_app(korean() if lang == "ko" else english(), lang=lang)
    async with app.run_test(size=size) as pilot:
        screen = await open_settings(pilot)
        for row in screen.query(SettingRow):
            assert app.focused is row
            region = row.region
            text = screen_lines(app)[region.y]
            assert text.strip().startswith(app.marks.bar)
            hint = screen.query_one("#hint")
            assert hint.region.height >= hint.virtual_size.height
            await pilot.press("down")
            await settle(pilot)
        assert app.focused is not None
        assert app.focused.id == "lang"


async def test_a_name_of_an_enemy_or_of_no_end_breaks_nothing(make_app: MakeApp) -> None:
    messenger = hostile()
    messenger.name += "한" * 300
    app = make_app(messenger, lang="ko")
    async with app.run_test(size=(60, 20)) as pilot:
        await open_settings(pilot)
        await go(pilot, "name")
        assert screen_lines(app)[-4].strip() == ""
        await pilot.press("enter")
        await settle(pilot)
        assert all("\x1b" not in text for text in screen_lines(app))


async def test_another_name(make_app: MakeApp) -> None:
    messenger = english()
    app = make_app(messenger)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await open_settings(pilot)
        await go(pilot, "name")
        await pilot.press("enter")
        await settle(pilot)
        messenger.refuse = UsageError("This name is too long. Choose a shorter one.")
        await pilot.press(*" Lee", "enter")
        await settle(pilot)
        assert "too long" in screen_text(app)
        assert messenger.name == "Seoyeon"
        await pilot.press("enter")
        await settle(pilot)
        assert messenger.name == "Seoyeon Lee"
        assert "Seoyeon Lee" in line(app, "Your name")


async def test_the_names_of_keys_are_listed(make_app: MakeApp) -> None:
    app = make_app(korean(), lang="ko")
    async with app.run_test(size=SIZE) as pilot:
        await open_settings(pilot)
        await go(pilot, "keys")
        await pilot.press("enter")
        await settle(pilot)
        assert "app.invite" in screen_text(app)
        assert "Ctrl+N" in screen_text(app)
        assert "[keys]" in screen_text(app)


async def test_the_language_of_the_first_run_is_kept(make_app: MakeApp, tmp_path: Path) -> None:
    source = Source({}, {}, tmp_path / "new" / "config.toml")
    app = make_app(
        application=FakeApplication(FakeMessenger(), exists=False, opened=False), source=source
    )
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("left")
        await settle(pilot)
        assert "어떤 언어" in screen_text(app) or "언어" in screen_text(app)
    assert source.load() == Settings(lang="ko")


async def test_the_first_key_down_leads_to_the_second_line(make_app: MakeApp) -> None:
    """It led to the first one if it came before a busy machine had given that the focus."""
    app = make_app(english())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        screen = SettingsScreen()
        await app.push_screen(screen)
        screen.action_move(1)
        await settle(pilot)
        assert app.focused is not None
        assert app.focused.id == NAMES[1]
