"""Read themes: data files with a schema, no code and no CSS in them.

The shipped ones stand in the wheel; a person's own are `themes/*.toml` in the configuration
directory, in the same format (docs/guide). Nothing in a file reaches Textual but names from the
lists below and colours that match a pattern.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from textual.app import App
from textual.theme import Theme

from exile_tui.errors import N_, UsageError
from exile_tui.locale import language, tr, tr_n
from exile_tui.paths import config_home
from exile_tui.text import cut, one_line
from exile_tui.ui.colors import few_colors, line_filters, no_color
from exile_tui.ui.words import error_text

DEFAULT = "exile-dark"
SIXTEEN = "terminal"
"""The shipped theme that keeps the terminal's own colours."""
LARGEST_FILE = 64 * 1024
"""Bytes; a theme is about one thousand."""
MOST_FILES = 100
MOST_NOTICES = 3
LONGEST_DESCRIPTION = 80
"""Cells."""
COLORS = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
)
NAMES = tuple(f"name-{number}" for number in range(1, 9))
VARIABLES = (
    "bubble-mine",
    "bubble-peer",
    *NAMES,
    "verified",
    "unverified",
    "muted",
    "quote-bar",
    "mention",
    "day-separator",
)
"""Our own colours; a theme that leaves one out gets the default theme's of its kind."""
_ANSI_VARIABLES = {
    "ansi-background": "ansi_default",
    "ansi-foreground": "ansi_default",
    "screen-selection-background": "ansi_default",
    "screen-selection-foreground": "ansi_default",
    "input-selection-background": "ansi_default",
}
"""What Textual's own styles ask for when a theme keeps the terminal's colours."""
META = ("author", "description", "description-ko")

_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_ANSI_COLOR = re.compile(
    r"ansi_(?:default|(?:bright_)?(?:black|red|green|yellow|blue|magenta|cyan|white))\Z"
)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
_HERE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class LoadedTheme:
    """A theme and what is said about it."""

    theme: Theme
    description: str = ""
    """In English, as the file has it."""
    description_ko: str = ""
    """In Korean, as the file has it."""
    own: bool = False
    """Whether it is the person's own, not a shipped one."""

    @property
    def name(self) -> str:
        """The name that settings know it by."""
        return self.theme.name

    @property
    def dark(self) -> bool:
        """Whether its ground is dark."""
        return self.theme.dark

    @property
    def words(self) -> str:
        """The description in the language that is shown now, on one line and safe to show."""
        text = (self.description_ko if language() == "ko" else "") or self.description
        return cut(one_line(text), LONGEST_DESCRIPTION)


def next_of_kin(theme: Theme) -> str:
    """Return the shipped theme that lends a theme the colours which it leaves out."""
    if theme.ansi:
        return SIXTEEN
    return DEFAULT if theme.dark else "exile-light"


def theme_directory() -> Path:
    """Return where the shipped themes are: in the wheel inside the package, else beside it."""
    inside = _HERE / "themes"
    return inside if inside.is_dir() else _HERE.parent / "themes"


def own_theme_directory() -> Path:
    """Return where a person's own themes are; it need not exist."""
    return config_home() / "themes"


def load_theme(file: Path) -> LoadedTheme:
    """Read one theme.

    Raises:
        UsageError: It is not a theme; the sentence says what is wrong with it.
    """
    try:
        data = tomllib.loads(_read(file))
    except (OSError, ValueError, RecursionError) as error:
        # ValueError: not TOML, not UTF-8, or a number of thousands of digits.
        problem = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            N_("The theme {file} can't be read: {problem}."), file=file.name, problem=problem
        ) from error
    return _theme(data, file.name)


def _read(file: Path) -> str:
    # Without O_NONBLOCK a pipe that nobody writes to would hold the program for ever.
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a file")
        content = opened.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise OSError(0, f"over {LARGEST_FILE} bytes")
    return content.decode("utf-8")


def _theme(data: dict[str, Any], file: str) -> LoadedTheme:
    name, dark, ansi = data.pop("name", None), data.pop("dark", None), data.pop("ansi", False)
    meta, variables = data.pop("meta", {}), data.pop("variables", {})
    if not (isinstance(name, str) and _NAME.match(name) and isinstance(dark, bool)):
        raise _wrong(file, "name, dark")
    if not isinstance(ansi, bool):
        raise _wrong(file, "ansi")
    if not (
        isinstance(meta, dict)
        and set(meta) <= set(META)
        and all(isinstance(value, str) for value in meta.values())
    ):
        raise _wrong(file, "[meta]")
    if not isinstance(variables, dict):
        raise _wrong(file, "[variables]")
    color = _ANSI_COLOR if ansi else _COLOR
    for table, known in ((data, COLORS), (variables, VARIABLES)):
        for key, value in table.items():
            if key not in known or not (isinstance(value, str) and color.match(value)):
                raise _wrong(file, key)
    if "primary" not in data:
        raise _wrong(file, "primary")
    if ansi:
        variables = _ANSI_VARIABLES | variables
    theme = Theme(name=name, dark=dark, ansi=ansi, variables=variables, **data)
    return LoadedTheme(theme, meta.get("description", ""), meta.get("description-ko", ""))


def _wrong(file: str, key: str) -> UsageError:
    return UsageError(
        N_(
            "The theme {file} is not one: '{key}' is missing, unknown or not a colour like #7fc7b9."
        ),
        file=file,
        key=key,
    )


def load_themes(
    directory: Path, shipped: Sequence[LoadedTheme] = ()
) -> tuple[list[LoadedTheme], list[UsageError]]:
    """Read every theme of a directory; return the good ones and what is wrong with the others.

    Args:
        directory: It need not exist.
        shipped: Themes whose names are taken; the directory's are then a person's own.
    """
    themes = {each.name: each for each in shipped}
    problems: list[UsageError] = []
    for file in _files(directory):
        try:
            theme = load_theme(file)
            if theme.name in themes:
                raise UsageError(
                    N_("The theme {file} is not used: there is a theme {name} already."),
                    file=file.name,
                    name=theme.name,
                )
            themes[theme.name] = replace(theme, own=bool(shipped))
        except UsageError as error:
            problems.append(error)
    return list(themes.values())[len(shipped) :], problems


def _files(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            found = (entry.name for entry in entries if entry.name.endswith(".toml"))
            return [directory / name for name in sorted(islice(found, MOST_FILES))]
    except OSError:  # absent, not a directory, or not ours to read
        return []


class Themes:
    """The themes that an app can show: the shipped ones, then the person's own."""

    def __init__(self, app: App[Any], own_directory: Path | None = None) -> None:
        """Make an empty list; `load` fills it.

        Args:
            app: Where they are registered.
            own_directory: Where the person's own are; None for the usual place.
        """
        self._app = app
        self._few_colors = few_colors(app)
        app.no_color = no_color()
        app._filters = [*(() if app.no_color else app._filters), *line_filters(app)]
        self._own_directory = own_directory
        self.loaded: list[LoadedTheme] = []
        """In the order to show them: the default, the other shipped ones, the person's own."""

    def load(self) -> list[str]:
        """Read all themes, again if they were read before, and register them.

        The theme that is shown takes its new colours; if its file is gone or went bad, the
        default is shown.

        Returns:
            What is wrong with some of them, as translated sentences, few enough to show.
        """
        shipped, problems = load_themes(theme_directory())
        own, own_problems = load_themes(self._own_directory or own_theme_directory(), shipped)
        self.loaded = sorted(shipped, key=lambda each: each.name != DEFAULT) + own
        shown = self._app.current_theme
        for each in self.loaded:
            self._app.register_theme(each.theme)
        if self._app.theme not in self.names:
            self._show(DEFAULT)
        elif self._app.current_theme != shown:
            self._app.mutate_reactive(App.theme)  # the same name in other colours
        return _notices(problems + own_problems)

    @property
    def names(self) -> list[str]:
        """The names of all themes, in the order to show them."""
        return [each.name for each in self.loaded]

    def use(self, name: str | None) -> str:
        """Show a theme; the default if there is none of that name.

        A terminal of sixteen colours shows those: others would come out as whatever is nearest.

        Args:
            name: A theme's name; None for the default.

        Returns:
            A translated sentence if the theme is not shown; else nothing.
        """
        notice = ""
        shown = name or DEFAULT
        if shown not in self.names:
            notice = tr("There is no theme {name}; the default is used.", name=one_line(shown))
            shown = DEFAULT
        if self._few_colors and shown != SIXTEEN:
            if name in self.names:
                notice = tr("This terminal has sixteen colours; they are shown as they are.")
            shown = SIXTEEN
        self._show(shown)
        return notice

    def _show(self, name: str) -> None:
        self._app.theme = name
        self._app.set_class(self._app.no_color or self._app.current_theme.ansi, "-plain")


def _notices(problems: list[UsageError]) -> list[str]:
    """Return a sentence for each of the first problems, and one for all others."""
    notices = [error_text(problem) for problem in problems[:MOST_NOTICES]]
    if more := len(problems) - len(notices):
        notices.append(
            tr_n("{n} more theme can't be used.", "{n} more themes can't be used.", more)
        )
    return notices
