"""Where everything lives: the system's usual places, private to the user."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from exile_tui.errors import N_, UsageError

APPLICATION = "exile-tui"
DIRECTORY_MODE = 0o700
MAX_PROFILE_NAME = 32
"""Characters of a profile's name in NFC."""

_BAD_NAME = N_(
    "A profile's name is 1 to 32 letters, digits, '-' or '_'. {name} is not; choose another."
)
_DEVICES = {"con", "prn", "aux", "nul"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in range(10)
}
"""Names that Windows gives to devices in every directory."""


def data_home(override: Path | None = None) -> Path:
    """Return the directory of profiles and relay: the user's choice or the system's usual place."""
    if override is not None:
        return override.expanduser().absolute()
    from platformdirs import user_data_path  # only asked when nothing was chosen

    return user_data_path(APPLICATION, appauthor=False)


def config_home(override: Path | None = None) -> Path:
    """Return the directory of settings for looks and keys."""
    if override is not None:
        return override.expanduser().absolute()
    from platformdirs import user_config_path  # only asked when nothing was chosen

    return user_config_path(APPLICATION, appauthor=False)


def profile_name(text: str) -> str:
    """Return a profile's name in NFC.

    Raises:
        UsageError: Empty, over 32 characters, or with other characters than letters, digits,
            '-' and '_'; so no separators, dots or control characters.
    """
    name = unicodedata.normalize("NFC", text)
    fits = 1 <= len(name) <= MAX_PROFILE_NAME and all(map(_allowed, name))
    if not fits or name.casefold() in _DEVICES:
        raise UsageError(_BAD_NAME, name=text)
    return name


def profile_directory(home: Path, profile: str) -> Path:
    """Return a profile's directory; makes nothing.

    Raises:
        UsageError: That is no name for a profile.
    """
    return home / "profiles" / profile_name(profile)


def relay_directory(home: Path) -> Path:
    """Return the directory of this user's embedded relay; makes nothing."""
    return home / "relay"


def make_private_directory(path: Path) -> None:
    """Make a directory and its missing parents so that only their owner may enter.

    A directory that exists is narrowed to 0700 itself; its parents stay as they are.

    Raises:
        OSError: The system does not let us.
    """
    missing = [parent for parent in path.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    path.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(DIRECTORY_MODE)


def _allowed(character: str) -> bool:
    category = unicodedata.category(character)
    return character in "-_" or category == "Nd" or category.startswith("L")
