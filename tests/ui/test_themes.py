"""Themes are data with a schema, and what is written in them can be read."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

from exile_tui.errors import UsageError
from exile_tui.ui.themes import VARIABLES, load_theme, load_themes, theme_directory

SHIPPED = [load_theme(file) for file in sorted(theme_directory().glob("*.toml"))]
LEAST_CONTRAST = 4.5


def test_a_dark_and_a_light_theme_are_shipped() -> None:
    assert {theme.name: theme.dark for theme in SHIPPED} == {
        "exile-dark": True,
        "exile-light": False,
    }


def contrast(one: Color, other: Color) -> float:
    """Return WCAG's contrast ratio."""

    def luminance(color: Color) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                 for part in color.normalized]  # fmt: skip
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", SHIPPED, ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_surface(theme: Theme) -> None:
    colors = {name: theme.variables[name] for name in VARIABLES}
    for name in ("foreground", "primary", "secondary", "success", "warning", "error"):
        colors[name] = getattr(theme, name)
    grounds = {name: getattr(theme, name) for name in ("background", "surface", "panel")}
    for (name, front), (ground, back) in product(colors.items(), grounds.items()):
        ratio = contrast(Color.parse(front), Color.parse(back))
        assert ratio >= LEAST_CONTRAST, (name, ground, round(ratio, 2))


@pytest.mark.parametrize(
    "text",
    [
        "not toml [",
        'name = "x"\ndark = true',
        'name = "x"\ndark = true\nprimary = "red; } Screen { display: none"',
        'name = "X Y"\ndark = true\nprimary = "#7fc7b9"',
        'name = "x"\ndark = "yes"\nprimary = "#7fc7b9"',
        'name = "x"\ndark = true\nprimary = "#7fc7b9"\ncss = "#7fc7b9"',
        'name = "x"\ndark = true\nprimary = "#7fc7b9"\n[variables]\nother = "#7fc7b9"',
        'name = "x"\ndark = true\nprimary = "#7fc7b9"\n[meta]\nrun = "x"',
        'name = "x"\ndark = true\nprimary = "#7fc7b9"\nvariables = 3',
    ],
)
def test_a_bad_theme_is_one_notice(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(text)
    (tmp_path / "b.toml").write_text('name = "good"\ndark = true\nprimary = "#7fc7b9"')
    themes, problems = load_themes(tmp_path)
    assert [theme.name for theme in themes] == ["good"]
    assert len(problems) == 1
    assert isinstance(problems[0], UsageError)
    assert "a.toml" in str(problems[0])
