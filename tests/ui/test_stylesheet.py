"""Rules that are kept are those that parsing anew makes, for each theme its own."""

from __future__ import annotations

import pytest
from textual.css.errors import UnresolvedVariableError
from textual.css.stylesheet import Stylesheet

from exile_tui.ui import stylesheet
from exile_tui.ui.stylesheet import ReusingStylesheet
from tests.ui.conftest import MakeApp, settle

ONE = "Button { color: $ink; }"
TWO = "Label { background: $ground; &:focus { text-style: bold; } }"
LIGHT = {"ink": "#112233", "ground": "white"}
DARK = {"ink": "#ddeeff", "ground": "black"}


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stylesheet, "_parsed", {})
    monkeypatch.setattr(stylesheet, "most_themes", 2)


def sheet(variables: dict[str, str], kind: type[Stylesheet] = ReusingStylesheet) -> Stylesheet:
    made = kind(variables=variables)
    made.add_source(ONE, ("one", ""), is_default_css=True)
    made.add_source(TWO, ("two", ""), tie_breaker=3, scope="Panel")
    made.parse()
    return made


def test_rules_are_those_of_textual() -> None:
    for variables in (LIGHT, DARK, LIGHT):
        assert sheet(variables).css == sheet(variables, Stylesheet).css
    assert sheet(LIGHT).css != sheet(DARK).css


def test_what_was_parsed_is_taken_again() -> None:
    first = sheet(LIGHT)
    assert all(a is b for a, b in zip(first.rules, sheet(LIGHT).rules, strict=True))
    first.set_variables(DARK)
    first.reparse()
    assert first.css == sheet(DARK, Stylesheet).css
    first.set_variables(LIGHT)
    first.reparse()
    assert all(a is b for a, b in zip(first.rules, sheet(LIGHT).rules, strict=True))


def test_the_same_source_elsewhere_has_its_own_rules() -> None:
    made = ReusingStylesheet(variables=LIGHT)
    made.add_source(ONE, ("one", ""), is_default_css=True)
    made.add_source(ONE, ("mine", ""), tie_breaker=1)
    defaults, mine = made.rules
    assert (defaults.is_default_rules, mine.is_default_rules) == (True, False)


def test_few_themes_are_kept() -> None:
    for number in range(5):
        sheet({"ink": f"#00000{number}", "ground": "white"})
        sheet(LIGHT)  # used all the time
    assert len(stylesheet._parsed) == 2
    assert tuple(LIGHT.items()) in stylesheet._parsed


def test_a_wrong_source_leaves_the_rules_there_are() -> None:
    made = sheet(LIGHT)
    rules = made.rules
    made.add_source("Button { color: $nothing; }", ("wrong", ""))
    for _ in range(2):  # no more silent the second time
        with pytest.raises(UnresolvedVariableError):
            made.reparse()
        assert made._rules is rules


async def test_the_app_shows_each_theme_in_its_colours(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        assert isinstance(app.stylesheet, ReusingStylesheet)
        seen = []
        for theme in ("hanji", "exile-light", "hanji"):
            assert app.themes.use(theme) == ""
            await settle(pilot)
            seen.append(app.screen.styles.background)
        assert seen[0] == seen[2] != seen[1]
