"""Everything can be read, in every theme and without colours, and shows where the focus is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.style import Style
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Button

from exile_tui.ui.app import ExileApp
from exile_tui.ui.colors import _nearest_style
from exile_tui.ui.screens import SCREENS
from exile_tui.ui.screens.base import ExileModal, ExileScreen
from exile_tui.ui.themes import (
    COLORS,
    DEFAULT,
    SIXTEEN,
    VARIABLES,
    Themes,
    load_themes,
    theme_directory,
)
from tests.ui.conftest import NO_CONFIGURATION, MakeApp, settle
from tests.ui.paint import screen_text, strips
from tests.ui.scenes import SCENES, scene

SHIPPED, _ = load_themes(theme_directory())
COLORED = [each.name for each in SHIPPED if not each.theme.ansi]
HIGH_CONTRAST = "exile-contrast"
LEAST = 4.5
LEAST_IN_HIGH_CONTRAST = 7.0
NO_TEXT = set("▀▁▂▃▄▅▆▇")
"""A QR code's half blocks and the ends of scroll bars."""

every_scene = pytest.mark.parametrize("name", SCENES)


def test_every_screen_is_looked_at() -> None:
    assert {name.partition("-")[0] for name in SCENES} >= set(SCREENS)


# Contrast


def luminance(color: RichColor) -> float:
    """Return WCAG's relative luminance."""
    parts = [part / 255 for part in color.get_truecolor()]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(style: Style) -> float:
    """Return WCAG's contrast ratio of a text's colour and its ground."""
    assert style.color is not None
    assert style.bgcolor is not None
    light, dark = sorted((luminance(style.color), luminance(style.bgcolor)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def visible(app: ExileApp) -> Iterator[Strip]:
    """Return what is meant to be read: under a panel, only the panel and what lies above it."""
    rows = strips(app)
    if not isinstance(app.screen, ExileModal):
        yield from rows
        return
    regions: list[Region] = [child.region for child in app.screen.children]
    for y, row in enumerate(rows):
        for region in regions:
            if region.contains_point((region.x, y)) and region.width:
                yield row.crop(region.x, region.right)


def as_it_is(style: Style) -> Style:
    """Return a style as a terminal of all colours shows it."""
    return style


def faint(
    app: ExileApp, least: float, shown: Callable[[Style], Style] = as_it_is
) -> dict[str, float]:
    """Return every text whose contrast is under the least, with its ratio.

    Args:
        app: A running app.
        least: What is enough.
        shown: Makes of a style what the terminal shows of it.
    """
    found: dict[str, float] = {}
    for row in visible(app):
        for segment in row:
            if segment.text.strip() and not set(segment.text) <= NO_TEXT | {" "}:
                assert segment.style is not None
                ratio = contrast(shown(segment.style))
                if ratio < least:
                    found[segment.text.strip()] = round(ratio, 2)
    return found


async def assert_can_be_read(app: ExileApp, pilot: Pilot[int]) -> None:
    """Check every cell that is drawn.

    The theme that keeps the terminal's own colours is left out: what its sixteen names look like
    is the terminal's to say, and whoever uses it has chosen them there.
    """
    for theme in COLORED:
        assert app.themes.use(theme) == ""
        await pilot.pause()
        least = LEAST_IN_HIGH_CONTRAST if theme == HIGH_CONTRAST else LEAST
        assert faint(app, least) == {}, theme
        assert faint(app, least, _nearest_style) == {}, f"{theme} in 256 colours"


GROUNDS = ("background", "surface", "panel")
TEXTS = tuple(name for name in (*COLORS, *VARIABLES) if name not in GROUNDS)


@pytest.mark.parametrize("shown", [as_it_is, _nearest_style], ids=["all", "256"])
@pytest.mark.parametrize("theme", COLORED)
def test_every_colour_can_be_read_on_every_ground(
    theme: str, shown: Callable[[Style], Style]
) -> None:
    (loaded,) = (each.theme for each in SHIPPED if each.name == theme)
    least = LEAST_IN_HIGH_CONTRAST if theme == HIGH_CONTRAST else LEAST
    colors = {name: getattr(loaded, name) for name in COLORS} | loaded.variables
    found = {
        (text, ground): round(ratio, 2)
        for text in TEXTS
        for ground in GROUNDS
        if (ratio := contrast(shown(Style(color=colors[text], bgcolor=colors[ground])))) < least
    }
    assert found == {}


BAD = """name = "bad"
dark = true
primary = "#7fc7b9"
foreground = "#d6dbe1"
background = "#12151a"
surface = "#181c22"
panel = "#222831"
[variables]
muted = "#5a626b"
"""


async def test_a_faint_theme_is_caught(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "bad.toml").write_text(BAD)
    async with scene(make_app, "chats-talk", theme="bad", configuration=tmp_path) as (app, _):
        assert app.theme == "bad"
        found = faint(app, LEAST)
        assert any("오후 3:02" in text for text in found)
        assert all(1 < ratio < LEAST for ratio in found.values())


GOOD_BUT_IN_256 = """name = "near"
dark = false
primary = "#0f6b5f"
foreground = "#20252b"
background = "#e5dac4"
surface = "#e5dac4"
panel = "#e5dac4"
[variables]
muted = "#82350f"
"""


async def test_a_theme_that_is_faint_in_256_colours_is_caught(
    make_app: MakeApp, tmp_path: Path
) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "near.toml").write_text(GOOD_BUT_IN_256)
    async with scene(make_app, "chats-talk", theme="near", configuration=tmp_path) as (app, _):
        assert app.theme == "near"
        assert not any("오후 3:02" in text for text in faint(app, LEAST))
        assert any("오후 3:02" in text for text in faint(app, LEAST, _nearest_style))


# Focus


Looks = list[tuple[str, bool, bool, bool]]


def looks(rows: list[Strip], region: Region) -> Looks:
    """Return what a region shows without its colours: each cell's text and text style."""
    cells: Looks = []
    for row in rows[region.y : region.bottom]:
        for segment in row.crop(region.x, region.right):
            style = segment.style or Style.null()
            shape = (bool(style.bold), bool(style.underline), bool(style.reverse))
            cells += [(character, *shape) for character in segment.text]
    return cells


async def focus_marks(app: ExileApp, pilot: Pilot[int]) -> list[str]:
    """Return the places of the screen in front that look the same with the focus and without."""
    chain: list[Widget] = list(app.screen.focus_chain)
    if len(chain) < 2:
        return []
    same = []
    chain[-1].focus()
    await pilot.pause()
    rows = strips(app)
    for widget in chain:
        if widget not in app.screen.focus_chain:
            continue
        if app.screen.find_widget(widget).visible_region != widget.region:
            widget.scroll_visible(animate=False, immediate=True)
            await pilot.pause()
            rows = strips(app)
        without = looks(rows, app.screen.find_widget(widget).visible_region)
        widget.focus()
        await pilot.pause()
        assert app.focused is widget
        rows = strips(app)
        if looks(rows, app.screen.find_widget(widget).visible_region) == without:
            same.append(f"{type(widget).__name__}#{widget.id}")
    return same


def colors(app: ExileApp) -> set[RichColor]:
    """Return the colours that are drawn, but for a QR code's."""
    styles = [
        each.style for row in strips(app) for each in row
        if each.style and not set(each.text) <= NO_TEXT
    ]  # fmt: skip
    found = {color for style in styles for color in (style.color, style.bgcolor) if color}
    return {color for color in found if not color.is_default}


async def test_a_focus_that_shows_by_colour_alone_is_caught(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with scene(make_app, "join") as (app, pilot):
        app.remove_class("-plain")
        assert "OneLineInput#code-text" in await focus_marks(app, pilot)


# The smallest window, without a mouse

SMALLEST = (60, 20)


async def assert_tab_reaches_everything(app: ExileApp, pilot: Pilot[int]) -> None:
    """Check that the focus reaches all, and that what has it is seen whole."""
    reached = set()
    for _ in app.screen.focus_chain:
        await pilot.press("tab")
        focused = app.focused
        assert focused is not None
        reached.add(focused)
        seen, whole = app.screen.find_widget(focused).visible_region, focused.region
        assert seen.height >= min(whole.height, 1) > 0, focused
        cut = whole.right - seen.right
        room_after_label = 2 if isinstance(focused, Button) else 0
        assert cut <= room_after_label, focused
        assert seen.x == whole.x, focused
    assert reached == set(app.screen.focus_chain)


@every_scene
async def test_tab_reaches_everything_in_the_smallest_window(make_app: MakeApp, name: str) -> None:
    async with scene(make_app, name, SMALLEST, "en") as (app, pilot):
        await assert_tab_reaches_everything(app, pilot)


@every_scene
async def test_all_is_read_and_reached(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Check contrast, focus and Tab, in Korean, in one run: to start an app takes the longest."""
    async with scene(make_app, name) as (app, pilot):
        await assert_can_be_read(app, pilot)
        assert app.themes.use(SIXTEEN) == ""
        await pilot.pause()
        assert await focus_marks(app, pilot) == []

        monkeypatch.setenv("NO_COLOR", "1")
        app.themes = Themes(app, NO_CONFIGURATION)
        assert app.themes.load() == []
        assert app.themes.use(DEFAULT) == ""
        await pilot.pause()
        assert colors(app) == set()
        assert await focus_marks(app, pilot) == []

        await pilot.resize_terminal(*SMALLEST)
        await settle(pilot)
        await assert_tab_reaches_everything(app, pilot)


@pytest.mark.parametrize(
    ("key", "place"),
    [("f2", "contacts"), ("f4", "relay"), ("f9", "settings"), ("ctrl+n", "invite"),
     ("ctrl+o", "join"), ("f3", "verify")],
)  # fmt: skip
async def test_keys_reach_every_place(make_app: MakeApp, key: str, place: str) -> None:
    async with scene(make_app, "chats-talk", SMALLEST) as (app, pilot):
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, ExileScreen)
        assert app.screen.place == place
        await pilot.press("escape")
        await settle(pilot)
        assert len(app.screen_stack) == 1


# Never by colour alone


@pytest.mark.parametrize("ascii_marks", [False, True])
@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_trust_and_sender_are_told_in_words(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, lang: str, ascii_marks: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with scene(make_app, "chats-talk", (100, 26), lang, ascii_marks=ascii_marks) as (app, _):
        text = screen_text(app)
        words = {"ko": ("검증됨", "검증 안 됨", "안전 번호가 바뀌었어요"),
                 "en": ("verified", "not verified", "safety number changed")}[lang]  # fmt: skip
        marks = ("v", "-", "!") if ascii_marks else ("✔", "·", "!")
        for mark, word in zip(marks, words, strict=True):
            assert f"{mark} {word}" in text
        bar = "|" if ascii_marks else "▎"
        mine = {"ko": "나", "en": "Me"}[lang]
        peer = {"ko": "김하늘", "en": "Haneul Kim"}[lang]
        assert f"{bar} {peer}" in text
        assert f"{bar} {mine}" in text
