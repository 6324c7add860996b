"""Themes are data with a schema; a person's own are never code, and never take a shipped name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.errors import UsageError
from exile_tui.locale import set_language
from exile_tui.ui.themes import (
    COLORS,
    DEFAULT,
    LARGEST_FILE,
    MOST_NOTICES,
    SIXTEEN,
    VARIABLES,
    LoadedTheme,
    load_theme,
    load_themes,
    theme_directory,
)
from tests.ui.conftest import MakeApp, settle

SHIPPED, _ = load_themes(theme_directory())
GOOD = 'name = "good"\ndark = true\nprimary = "#7fc7b9"\n'


def notices(app: Any) -> list[str]:
    """Return the notices on the screen."""
    return [notice.message for notice in app._notifications]


def test_what_is_shipped() -> None:
    assert {theme.name: theme.dark for theme in SHIPPED} == {
        "exile-dark": True,
        "exile-light": False,
        "exile-contrast": True,
        "hanji": False,
        "dancheong": True,
        "dusk": True,
        "terminal": True,
    }
    assert load_themes(theme_directory())[1] == []
    assert [theme.name for theme in SHIPPED if theme.theme.ansi] == [SIXTEEN]


@pytest.mark.parametrize("theme", SHIPPED, ids=lambda theme: theme.name)
def test_a_shipped_theme_is_whole(theme: LoadedTheme) -> None:
    assert set(theme.theme.variables) >= set(VARIABLES)
    assert all(getattr(theme.theme, name) for name in COLORS)
    assert theme.description
    assert theme.description_ko
    assert not theme.own


def test_a_theme_is_described_in_the_language_of_the_screen(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(GOOD + '[meta]\ndescription = "Blue\\u001b]0;x\\u0007"\n')
    (theme,) = load_themes(tmp_path)[0]
    set_language("ko")
    assert theme.words == "Blue]0;x"
    file.write_text(GOOD + '[meta]\ndescription = "Blue"\ndescription-ko = "파랑"\n')
    (theme,) = load_themes(tmp_path)[0]
    assert theme.words == "파랑"
    set_language("en")
    assert theme.words == "Blue"


BAD = {
    "not toml": "not toml [",
    "empty": "",
    "no colour": 'name = "x"\ndark = true',
    "css": 'name = "x"\ndark = true\nprimary = "red; } Screen { display: none"',
    "bad name": 'name = "X Y"\ndark = true\nprimary = "#7fc7b9"',
    "dark in words": 'name = "x"\ndark = "yes"\nprimary = "#7fc7b9"',
    "unknown key": 'name = "x"\ndark = true\nprimary = "#7fc7b9"\ncss = "#7fc7b9"',
    "unknown variable": GOOD + '[variables]\nother = "#7fc7b9"',
    "colour as variable": GOOD + '[variables]\nprimary = "#7fc7b9"',
    "variable as colour": GOOD + 'muted = "#7fc7b9"',
    "unknown meta": GOOD + '[meta]\nrun = "x"',
    "meta not text": GOOD + "[meta]\nauthor = 3",
    "meta not a table": GOOD + "meta = 3",
    "variables not a table": GOOD + "variables = 3",
    "colour with an end": 'name = "x"\ndark = true\nprimary = "#7fc7b9\\n"',
    "colour with alpha": 'name = "x"\ndark = true\nprimary = "#7fc7b980"',
    "colour as number": 'name = "x"\ndark = true\nprimary = 8374201',
    "colour as list": 'name = "x"\ndark = true\nprimary = ["#7fc7b9"]',
    "terminal colour": 'name = "x"\ndark = true\nprimary = "ansi_red"',
    "mixed colours": 'name = "x"\ndark = true\nansi = true\nprimary = "#7fc7b9"',
    "ansi in words": GOOD + 'ansi = "yes"',
    "unknown terminal colour": 'name = "x"\ndark = true\nansi = true\nprimary = "ansi_teal"',
    "deep": "a = " + "[" * 5000,
    "endless number": "a = " + "9" * 5000,
    "not UTF-8": b"name = '\xff'",
    "huge": GOOD + "#" * LARGEST_FILE,
    "null": "name = \0",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_theme_is_one_notice(text: str | bytes, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    (tmp_path / "b.toml").write_text(GOOD)
    themes, problems = load_themes(tmp_path)
    assert [theme.name for theme in themes] == ["good"]
    assert len(problems) == 1
    assert isinstance(problems[0], UsageError)
    assert "a.toml" in str(problems[0])


def test_what_is_no_file_is_one_notice(tmp_path: Path) -> None:
    (tmp_path / "directory.toml").mkdir()
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    (tmp_path / "dangling.toml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "device.toml").symlink_to("/dev/zero")
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff.toml", os.O_CREAT, 0o600))
    (tmp_path / "unreadable.txt").write_text("nobody looks at it")
    themes, problems = load_themes(tmp_path)
    assert themes == []
    assert len(problems) == 6


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to(path), lambda _: None])
def test_no_directory_is_no_themes(make: Any, tmp_path: Path) -> None:
    make(tmp_path / "themes")
    assert load_themes(tmp_path / "themes") == ([], [])


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reading(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    file = tmp_path_factory.mktemp("fuzz") / "a.toml"
    for before in (b"", GOOD.encode(), GOOD.encode() + b"[variables]\n"):
        file.write_bytes(before + text)
        try:
            theme = load_theme(file)
        except UsageError:
            continue
        assert set(theme.theme.variables) <= set(VARIABLES)
        theme.theme.to_color_system().generate()


# In the app


async def test_own_themes_come_after_the_shipped_ones(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "mine.toml").write_text(GOOD)
    app = make_app(theme="good", configuration=tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.theme == "good"
        assert app.themes.names[0] == DEFAULT
        assert app.themes.names[-1] == "good"
        assert [theme.own for theme in app.themes.loaded] == [False] * len(SHIPPED) + [True]
        (default,) = (each for each in SHIPPED if each.name == DEFAULT)
        assert app.get_css_variables()["muted"] == default.theme.variables["muted"]
        assert notices(app) == []


async def test_an_own_theme_takes_no_shipped_name(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "a.toml").write_text(GOOD.replace("good", "hanji"))
    app = make_app(theme="hanji", configuration=tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.current_theme.primary == "#334a73"
        assert notices(app) == ["The theme a.toml is not used: there is a theme hanji already."]


@pytest.mark.parametrize("name", ["nothing", "textual-dark", "\x1b[31mred"])
async def test_an_unknown_theme_is_one_notice(make_app: MakeApp, name: str) -> None:
    app = make_app(theme=name)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.theme == DEFAULT
        (notice,) = notices(app)
        assert "the default is used" in notice
        assert "\x1b" not in notice


async def test_many_bad_themes_are_few_notices(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    for number in range(20):
        (tmp_path / "themes" / f"{number:02}.toml").write_text("bad")
    app = make_app(configuration=tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        said = notices(app)
        assert len(said) == MOST_NOTICES + 1
        assert said[-1] == "17 more themes can't be used."


async def test_themes_read_again(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    file = tmp_path / "themes" / "mine.toml"
    file.write_text(GOOD)
    app = make_app(theme="good", configuration=tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        file.write_text(GOOD.replace("#7fc7b9", "#ff8000"))
        assert app.themes.load() == []
        await settle(pilot)
        style = app.screen.query_one("StatusLine").get_component_styles("status-line--product")
        assert style.color.hex == "#FE8000"  # Textual rounds down
        assert app.themes.use("dusk") == ""
        assert app.themes.use("good") == ""
        file.write_text("broken [")
        (notice,) = app.themes.load()
        assert "mine.toml" in notice
        await settle(pilot)
        assert app.theme == DEFAULT
        assert "good" not in app.themes.names
        assert "the default is used" in app.themes.use("good")
