"""Settings: a flag wins over an EXILE_* variable, that over config.toml, that over the default."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from exile_tui.errors import N_, UsageError
from exile_tui.paths import config_home


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person may choose without opening the profile."""

    profile: str = "default"
    """The profile's directory name."""
    data_dir: Path | None = None
    """Where profiles and the embedded relay live; None for the system's own place."""
    lang: str | None = None
    """"ko" or "en"; None follows the locale."""
    theme: str | None = None
    """A theme's name; None for the default."""
    proxy: str | None = None
    """A SOCKS5 proxy for everything that leaves this computer, `socks5://HOST:PORT`."""
    enter_sends: bool = True
    """Enter sends and Ctrl+J breaks the line; False swaps them."""
    time_24h: bool = False
    """15:05 in place of 3:05 PM."""
    ascii_marks: bool = False
    """Marks in ASCII only, for terminals that draw ambiguous widths as two cells."""


_CHOICES = {"lang": ("ko", "en")}
_PATTERNS = {"proxy": re.compile(r"socks5h?://[^\s/?#]+:[0-9]{1,5}/?")}


def default_file() -> Path:
    """Return where config.toml is, if there is one."""
    return config_home() / "config.toml"


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str] = os.environ, file: Path | None = None
) -> Settings:
    """Merge the four sources.

    Args:
        flags: What the command line gave; None values are absent.
        environment: Variables; `EXILE_DATA_DIR` for `data_dir` and so on.
        file: config.toml, if there is one.

    Raises:
        UsageError: A value is not what its setting takes, or the file is not TOML.
    """
    settings = Settings()
    if file is not None:
        settings = _apply(settings, read_file(file), str(file))
    for field in fields(Settings):
        variable = f"EXILE_{field.name.upper()}"
        if value := environment.get(variable):
            settings = _apply(settings, {field.name: value}, variable)
    for name, value in flags.items():
        if value is not None:
            settings = _apply(settings, {name: value}, f"--{name.replace('_', '-')}")
    return settings


def read_file(file: Path) -> dict[str, Any]:
    """Read config.toml; an absent file is an empty one.

    Raises:
        UsageError: It can't be read or is not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            N_("The settings in {file} can't be read: {problem}."), file=file, problem=error
        ) from error


def _apply(settings: Settings, values: Mapping[str, Any], source: str) -> Settings:
    known = {field.name: field.type for field in fields(Settings)}
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise UsageError(
                N_("The setting {name} in {source} is not known."), name=name, source=source
            )
        changes[name] = _convert(name, value, str(known[name]), source)
    return replace(settings, **changes)


def _convert(name: str, value: Any, kind: str, source: str) -> Any:
    if name == "data_dir" and isinstance(value, (str, Path)):
        return Path(value).expanduser()
    if kind == "bool":
        if isinstance(value, bool):
            return value
        if value in ("1", "true", "yes", "on"):
            return True
        if value in ("0", "false", "no", "off"):
            return False
    elif isinstance(value, str) and _takes(name, value):
        return value
    raise UsageError(
        N_("The setting {name} in {source} does not take the value {value}."),
        name=name,
        source=source,
        value=value,
    )


def _takes(name: str, value: str) -> bool:
    pattern = _PATTERNS.get(name)
    return value in _CHOICES.get(name, (value,)) and (not pattern or bool(pattern.fullmatch(value)))
