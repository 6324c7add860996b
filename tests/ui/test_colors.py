"""What terminals with few colours or none are given, down to the bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from rich.color import Color as RichColor
from textual.color import Color

from exile_tui.config import Settings
from exile_tui.ui.themes import DEFAULT, SIXTEEN
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeApplication
from tests.ui.paint import strips
from tests.ui.qr_reading import read_screen
from tests.ui.recording import RecordedApp
from tests.ui.scenes import SCENES
from tests.ui.worlds import korean

SGR = re.compile(r"\x1b\[([0-9;]*)m([^\x1b]*)")
NO_COLOR_CODES = {"", "0", "1", "2", "3", "4", "7", "22", "23", "24", "27", "39", "49"}
SIXTEEN_CODES = {str(code) for start in (30, 40, 90, 100) for code in range(start, start + 8)}
BLACK_OR_WHITE = re.compile(r"(?:[0-9;]*;)?38;2;(0;0;0|255;255;255);48;2;(0;0;0|255;255;255)")
PLACES = ["chats-talk", "contacts", "relay", "settings", "palette", "help", "confirm"]
CODES = ["verify", "invite"]


def recorded(**settings: Any) -> RecordedApp:
    """Return an app that remembers its bytes."""
    messenger = korean()
    application: Any = FakeApplication(messenger)
    settings = {"lang": "ko"} | settings
    return RecordedApp(application, Settings(**settings), messenger.clock, Path("/nonexistent"))


async def written(app: RecordedApp, name: str) -> list[tuple[str, str]]:
    """Return every style that reached the terminal on the way to a screen, with its text."""
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await settle(pilot)
        await SCENES[name](pilot)
        await settle(pilot)
        assert app.unexpected == []
    return SGR.findall(app.output)


@pytest.mark.parametrize("theme", [DEFAULT, "hanji", SIXTEEN])
@pytest.mark.parametrize("name", PLACES)
async def test_no_color_writes_no_colour(
    monkeypatch: pytest.MonkeyPatch, name: str, theme: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    styles = await written(recorded(theme=theme), name)
    assert len(styles) > 50
    assert {code for codes, _ in styles for code in codes.split(";")} <= NO_COLOR_CODES


async def test_an_empty_no_color_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    styles = await written(recorded(), "chats-talk")
    assert any("38;2;" in codes for codes, _ in styles)


@pytest.mark.parametrize("name", CODES)
async def test_no_color_keeps_the_code_black_on_white(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    styles = await written(recorded(), name)
    assert sum("▀" in text for _, text in styles) > 20
    for codes, text in styles:
        if "▀" in text:
            assert BLACK_OR_WHITE.fullmatch(codes)
            assert set(text) == {"▀"}
        else:
            assert set(codes.split(";")) <= NO_COLOR_CODES


@pytest.mark.parametrize("term", ["xterm-16color", "linux", "screen", "vt100"])
async def test_sixteen_colours_are_the_terminals_own(
    monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("COLORTERM")
    app = recorded()
    styles = await written(app, "chats-talk")
    assert app.theme == SIXTEEN
    assert {code for codes, _ in styles for code in codes.split(";")} <= (
        NO_COLOR_CODES | SIXTEEN_CODES
    )


async def test_another_theme_on_sixteen_colours_is_one_notice(
    monkeypatch: pytest.MonkeyPatch, make_app: MakeApp
) -> None:
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.delenv("COLORTERM")
    app = make_app(theme="hanji")
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.theme == SIXTEEN
        (notice,) = app._notifications
        assert "sixteen" in notice.message


@pytest.mark.parametrize("theme", ["exile-dark", "dusk", "hanji"])
async def test_of_256_the_nearest_is_taken(monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    """Rich's own choice for a dark slate is dark blue."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLORTERM")
    app = recorded(theme=theme)
    styles = await written(app, "chats-talk")
    assert not any("38;2;" in codes or "48;2;" in codes for codes, _ in styles)
    grounds = {int(number) for codes, _ in styles for number in re.findall("48;5;([0-9]+)", codes)}
    for number in grounds - {16}:
        wanted = [app.get_css_variables()[name] for name in ("background", "surface", "panel",
                  "panel-lighten-1", "foreground", "primary")]  # fmt: skip
        red, green, blue = RichColor.from_ansi(number).get_truecolor()
        away = min(
            max(abs(red - each.r), abs(green - each.g), abs(blue - each.b))
            for each in map(Color.parse, wanted)
        )
        assert away <= 40, number


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "linux"},
                                         {"TERM": "xterm-256color"}, {}])  # fmt: skip
@pytest.mark.parametrize("theme", [DEFAULT, "hanji", SIXTEEN])
@pytest.mark.parametrize("name", CODES)
async def test_the_code_is_read_in_all_of_them(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    theme: str,
    name: str,
) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    if "TERM" in environment:
        monkeypatch.delenv("COLORTERM")
    messenger = korean()
    app: Any = make_app(messenger, theme=theme)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await SCENES[name](pilot)
        await settle(pilot)
        seen = read_screen(app, app.screen.query_one("#code"))
        if name == "verify":
            assert seen.payload == (await messenger.safety_number(2)).scannable
        else:
            (invite,) = await messenger.invites()
            assert seen.payload == messenger.link_bytes(invite.link)
        assert min(seen.quiet) >= 3


async def test_reverse_in_a_component_reaches_the_screen(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual drops it; when that is mended, our own way in `colors` can go."""
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(korean())
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p")
        await settle(pilot)
        reversed_rows = [
            strip.text for strip in strips(app)
            if any(segment.style and segment.style.reverse and len(segment.text.strip()) > 3
                   for segment in strip)
        ]  # fmt: skip
        assert len(reversed_rows) == 1
