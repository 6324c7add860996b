"""Settings: a flag wins over an EXILE_* variable, that over config.toml, that over the default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from exile_tui import config_file
from exile_tui.errors import N_, UsageError
from exile_tui.paths import config_home

LONGEST_AUTO_LOCK_MINUTES = 24 * 60
MOST_KEYS = 200
LONGEST_KEY = 64
"""Characters of a binding's id, and of the keys for it."""


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
    notifications: str = "some"
    """What is said of a message while nobody looks: "none", "some" (that it came), or "who"."""
    bell: bool = True
    """Ring the terminal's bell with a notification."""
    auto_lock_minutes: int = 15
    """Lock after so long without a key, mouse or paste; 0 never does. Who has to type a long
    passphrase every few minutes takes a weak one or turns the lock off, so not less; who went to
    lunch should find it locked, so not more."""
    keys: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Other keys for bindings, by their ids: `"app.invite" = "f12"`, several with commas."""


FIELDS: Mapping[str, str] = {each.name: str(each.type) for each in fields(Settings)}
"""The settings' names, and the types of their values."""
AT_START = ("profile", "data_dir", "proxy")
"""What decides who one is and which way one's bytes go: read once, and never guessed."""
_CHOICES = {"lang": ("ko", "en"), "notifications": ("none", "some", "who")}
_PATTERNS = {"proxy": re.compile(r"socks5h?://[^\s/?#]+:[0-9]{1,5}/?")}


def default_file() -> Path:
    """Return where config.toml is, if there is one."""
    return config_home() / "config.toml"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the settings come from, to read them again when the file changed."""

    flags: Mapping[str, Any]
    """What the command line gave; None values are absent."""
    environment: Mapping[str, str]
    """Variables; `EXILE_DATA_DIR` for `data_dir` and so on."""
    file: Path | None
    """config.toml, if there is one."""

    def load(self) -> Settings:
        """Merge the four sources.

        Raises:
            UsageError: A value is not what its setting takes, or the file is not TOML.
        """
        settings = Settings()
        if self.file is not None:
            settings = _apply(settings, config_file.read(self.file), str(self.file))
        return self._above(settings)

    def begin(self) -> Settings:
        """Merge the four sources; what is wrong in the file has its default.

        `load` says later what was wrong. But a file that may name a proxy, a profile or its place
        must be right: the default of a proxy is none.

        Raises:
            UsageError: As `load`, if the file is wrong about one of these.
        """
        if self.file is None:
            return self.load()
        settings = Settings()
        needed = [name for name in AT_START if not self.override(name)]
        try:
            found = config_file.read(self.file)
        except UsageError:
            if config_file.may_set(self.file, needed):
                raise
            found = {}
        for name, value in found.items():
            try:
                settings = _apply(settings, {name: value}, str(self.file))
            except UsageError:
                if name in needed:
                    raise
        return self._above(settings)

    def _above(self, settings: Settings) -> Settings:
        """Put variables and flags above what the file says."""
        for name in FIELDS:
            if value := self.environment.get(_variable(name)):
                settings = _apply(settings, {name: value}, _variable(name))
        for name, value in self.flags.items():
            if value is not None:
                settings = _apply(settings, {name: value}, _flag(name))
        return settings

    def override(self, name: str) -> str:
        """Return the flag or the variable that stands above the file's value, or nothing."""
        if self.flags.get(name) is not None:
            return _flag(name)
        return _variable(name) if self.environment.get(_variable(name)) else ""


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str] = os.environ, file: Path | None = None
) -> Settings:
    """Merge the four sources; see `Source`.

    Raises:
        UsageError: A value is not what its setting takes, or the file is not TOML.
    """
    return Source(flags, environment, file).load()


def _variable(name: str) -> str:
    return f"EXILE_{name.upper()}"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _apply(settings: Settings, values: Mapping[str, Any], source: str) -> Settings:
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name not in FIELDS:
            raise UsageError(
                N_("The setting {name} in {source} is not known."), name=name, source=source
            )
        changes[name] = _convert(name, value, source)
    return replace(settings, **changes)


def _convert(name: str, value: Any, source: str) -> Any:
    kind = FIELDS[name]
    if name == "data_dir" and isinstance(value, (str, Path)):
        return _directory(value, source)
    if name == "keys" and isinstance(value, dict):
        return _keys(value, source)
    if kind == "bool":
        if isinstance(value, bool):
            return value
        if value in ("1", "true", "yes", "on"):
            return True
        if value in ("0", "false", "no", "off"):
            return False
    elif kind == "int":
        number = int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
        if type(number) is int and 0 <= number <= LONGEST_AUTO_LOCK_MINUTES:
            return number
    elif name not in ("data_dir", "keys") and isinstance(value, str) and _takes(name, value):
        return value
    raise _refused(name, value, source)


_NUMBER = re.compile(r"[0-9]{1,6}")


def _directory(value: str | Path, source: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError:  # ~somebody who is not there
        raise _refused("data_dir", value, source) from None


def _keys(table: Mapping[str, Any], source: str, prefix: str = "") -> dict[str, str]:
    """Return keys by binding; `app.invite` without quotes is a table in a table to TOML."""
    found: dict[str, str] = {}
    for part, value in table.items():
        name = prefix + part
        if isinstance(value, dict) and len(name) <= LONGEST_KEY:
            found |= _keys(value, source, f"{name}.")
        elif isinstance(value, str) and 0 < len(value) <= LONGEST_KEY and len(name) <= LONGEST_KEY:
            found[name] = value
        else:
            raise _refused(f"keys.{name}", value, source)
    if len(found) > MOST_KEYS:
        raise _refused("keys", len(found), source)
    return found


def _refused(name: str, value: object, source: str) -> UsageError:
    return UsageError(
        N_("The setting {name} in {source} does not take the value {value}."),
        name=name,
        source=source,
        value=value,
    )


def _takes(name: str, value: str) -> bool:
    pattern = _PATTERNS.get(name)
    return value in _CHOICES.get(name, (value,)) and (not pattern or bool(pattern.fullmatch(value)))
