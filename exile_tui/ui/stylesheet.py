"""Style sheets that are parsed once: Textual parses all of them again for every new screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.css.stylesheet import Stylesheet

if TYPE_CHECKING:
    from textual.css.model import RuleSet
    from textual.css.types import CSSLocation

Source = tuple[str, "CSSLocation", bool, int, str]
Variables = tuple[tuple[str, str], ...]

most_themes = 2
"""How many themes' rules are kept; one has some 900 of them."""

_parsed: dict[Variables, dict[Source, list[RuleSet]]] = {}
"""By theme, the one that was used last at the end. Nothing changes a rule once it is parsed."""


class ReusingStylesheet(Stylesheet):
    """Textual's style sheet, which parses no source twice for the same theme."""

    def parse(self) -> None:
        """Take what has been parsed with the same variables, and parse the rest."""
        variables = tuple(self._variables.items())
        self._known = _parsed[variables] = _parsed.pop(variables, {})
        while len(_parsed) > most_themes:
            del _parsed[next(iter(_parsed))]
        super().parse()

    def reparse(self) -> None:
        """Parse again with the variables of now; keep the rules there are if a source is wrong."""
        self._invalid_css = set()
        self.parse()

    def _parse_rules(
        self,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        source = (css, read_from, is_default_rules, tie_breaker, scope)
        if source not in self._known:
            self._known[source] = super()._parse_rules(*source)
        return self._known[source]
