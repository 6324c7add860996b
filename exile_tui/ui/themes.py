"""Read themes: data files with a schema, no code and no CSS in them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from textual.theme import Theme

from exile_tui.errors import N_, UsageError

DEFAULT = "exile-dark"
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
"""Our own colours; a theme that leaves one out gets the default theme's."""

_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
_HERE = Path(__file__).resolve().parent.parent


def theme_directory() -> Path:
    """Return where the shipped themes are: in the wheel inside the package, else beside it."""
    inside = _HERE / "themes"
    return inside if inside.is_dir() else _HERE.parent / "themes"


def load_theme(file: Path) -> Theme:
    """Read one theme.

    Raises:
        UsageError: It is not a theme; the sentence says what is wrong with it.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            N_("The theme {file} can't be read: {problem}."), file=file.name, problem=error
        ) from error
    return _theme(data, file.name)


def _theme(data: dict[str, Any], file: str) -> Theme:
    name, dark = data.pop("name", None), data.pop("dark", None)
    meta, variables = data.pop("meta", {}), data.pop("variables", {})
    if not (isinstance(name, str) and _NAME.match(name) and isinstance(dark, bool)):
        raise _wrong(file, "name, dark")
    if not (isinstance(meta, dict) and set(meta) <= {"author", "description"}):
        raise _wrong(file, "[meta]")
    if not isinstance(variables, dict):
        raise _wrong(file, "[variables]")
    for key, value in [*data.items(), *variables.items()]:
        known = COLORS if key in data else VARIABLES
        if key not in known or not (isinstance(value, str) and _COLOR.match(value)):
            raise _wrong(file, key)
    if "primary" not in data:
        raise _wrong(file, "primary")
    return Theme(name=name, dark=dark, variables=variables, **data)


def _wrong(file: str, key: str) -> UsageError:
    return UsageError(
        N_(
            "The theme {file} is not one: '{key}' is missing, unknown or not a colour like #7fc7b9."
        ),
        file=file,
        key=key,
    )


def load_themes(directory: Path) -> tuple[list[Theme], list[UsageError]]:
    """Read every theme of a directory; return the good ones and what is wrong with the others."""
    themes, problems = [], []
    for file in sorted(directory.glob("*.toml")):
        try:
            themes.append(load_theme(file))
        except UsageError as error:
            problems.append(error)
    return themes, problems
