"""Read passphrases and access phrases: from a file or a prompt, never from an argument."""

from __future__ import annotations

import getpass
import os
import sys
import warnings
from pathlib import Path

from exile_tui.errors import N_, UsageError
from exile_tui.locale import tr

MAX_FILE = 65536
"""Bytes of the largest file that is looked at."""


def read_passphrase(file: Path | None, *, new: bool) -> str:
    """Return the passphrase of a profile.

    Args:
        file: Where it is; None asks at the terminal.
        new: Ask twice: there is nothing yet to compare it with.

    Raises:
        UsageError: The file can't be read, there is no terminal, it is empty, the two differ.
    """
    if file is not None:
        return read_phrase(file)
    passphrase = _ask(tr("Passphrase: "))
    if not passphrase:
        raise UsageError(N_("The passphrase is empty. Nothing was changed; try again."))
    if new and _ask(tr("The same passphrase again: ")) != passphrase:
        raise UsageError(N_("The two passphrases differ. Nothing was changed; try again."))
    return passphrase


def read_phrase(file: Path) -> str:
    """Return the first line of a file, without its line break.

    Raises:
        UsageError: It can't be read, is not UTF-8, is too long, or its first line is empty.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise UsageError(N_("The file {file} is too long to hold a passphrase."), file=file)
        phrase = data.decode("utf-8-sig").partition("\n")[0].removesuffix("\r")
    except OSError as error:
        raise UsageError(
            N_("The file {file} can't be read: {problem}."),
            file=file,
            problem=error.strerror or error,
        ) from None
    except UnicodeDecodeError:
        raise UsageError(N_("The file {file} is not UTF-8 text."), file=file) from None
    if not phrase:
        raise UsageError(N_("The first line of the file {file} is empty."), file=file)
    return phrase


def _ask(prompt: str) -> str:
    """Ask without echo; standard input may be a message, so only a terminal counts."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            _require_terminal()
            return getpass.getpass(prompt, stream=sys.stderr)
    except (getpass.GetPassWarning, EOFError, OSError):
        raise UsageError(
            N_("There is no terminal to ask for the passphrase; use --passphrase-file.")
        ) from None
    except UnicodeDecodeError:
        raise UsageError(N_("The passphrase is not UTF-8 text.")) from None


def _require_terminal() -> None:
    """Raise OSError without a terminal, before getpass falls back to standard input."""
    if os.name == "posix":
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    elif not sys.stdin.isatty():
        raise OSError
