"""config.toml: read what a person wrote, and change a line of it without touching the others."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from exile_tui.errors import N_, UsageError

LARGEST = 256 * 1024
"""Bytes; a file with every setting and every key has some thousand."""
TRIES = 5
"""How often a file is looked at again that changed while it was being written."""

UNREADABLE = N_("The settings in {file} can't be read: {problem}.")
BAD_LINE = N_("The settings in {file} can't be read: line {line} is not as TOML wants it.")
NOT_SAVED = N_("The settings could not be written to {file}: {problem}.")
BY_HAND = N_(
    "The settings in {file} can't be changed here without touching what was written there by "
    "hand. Change '{name}' in the file."
)

KEEPS_CHANGING = N_("The settings could not be written: the file {file} keeps changing.")

Stamp = tuple[int, ...]

_LINE = re.compile(r"at line (\d+)")
_TABLE = re.compile(r"\s*\[")
_VALUE = r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s#\"']+"
_MODE = 0o600


class _NotAFile(OSError):
    """A directory, a pipe or a device lies where the file should."""


def stamp(file: Path) -> Stamp:
    """Return what changes when the file does; nothing of it is read."""
    try:
        found = file.stat()
    except OSError as error:
        return (error.errno or 0,)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def read(file: Path) -> dict[str, Any]:
    """Read config.toml; an absent file is an empty one.

    Raises:
        UsageError: It can't be read or is not TOML.
    """
    try:
        return _parse(_content(file))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(file, error) from error


def may_set(file: Path, names: Sequence[str]) -> bool:
    """Tell whether a file that is not TOML might be meant to set one of these.

    True also when nobody can tell, because the system doesn't let us read it.
    """
    pattern = re.compile(rf"^[^#\n]*\b(?:{'|'.join(names)})\b".encode(), re.MULTILINE)
    try:
        return bool(names) and pattern.search(_content(file)) is not None
    except _NotAFile:
        return False
    except OSError:
        return bool(names)


def save(changes: Mapping[str, str | bool | int], file: Path) -> None:
    """Write some settings into config.toml; comments, order and all other lines stay.

    The file is replaced as a whole or not at all; a link to it stays a link.

    Args:
        changes: New values by name.
        file: config.toml; it and its directory are made if need be.

    Raises:
        UsageError: The file is not TOML, holds a value in a form that can't be replaced safely, or
            can't be written. It is as it was.
    """
    try:
        target = Path(os.path.realpath(file))
        for _ in range(TRIES):
            before = stamp(target)
            try:
                content = _content(target)
            except FileNotFoundError:
                content = b""
            edited = _edit(content, changes, file)
            if edited == content:
                return
            if _replace(target, edited, before):
                return
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise UsageError(NOT_SAVED, file=file, problem=problem) from error
    raise UsageError(KEEPS_CHANGING, file=file)


def _content(file: Path) -> bytes:
    # Without O_NONBLOCK a pipe that nobody writes to would hold the program for ever.
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _NotAFile(0, "not a file")
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            content = opened.read(LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise OSError(0, f"over {LARGEST} bytes")
    return content


def _parse(content: bytes) -> dict[str, Any]:
    # Editors of Windows put a byte order mark first, which TOML does not know.
    return tomllib.loads(content.decode("utf-8-sig"))


def _unreadable(file: Path, error: Exception) -> UsageError:
    if isinstance(error, tomllib.TOMLDecodeError) and (found := _LINE.search(str(error))):
        return UsageError(BAD_LINE, file=file, line=found[1])
    problem = error.strerror if isinstance(error, OSError) else str(error)
    return UsageError(UNREADABLE, file=file, problem=problem or type(error).__name__)


def _edit(content: bytes, changes: Mapping[str, Any], file: Path) -> bytes:
    """Return the content with the values changed.

    Raises:
        UsageError: It is not TOML, or the lines of a value are not ours to rewrite.
    """
    try:
        wanted = _parse(content)
        text = content.decode("utf-8-sig")
    except (ValueError, RecursionError) as error:
        raise _unreadable(file, error) from error
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").split("\n")
    for name, value in changes.items():
        if name in wanted and wanted[name] == value and type(wanted[name]) is type(value):
            continue
        wanted[name] = value
        _put(lines, name, _toml(value))
        edited = ending.join(lines).encode()
        # What the line means is for the TOML parser to say, not for the pattern that found it.
        try:
            same = _parse(edited) == wanted
        except (ValueError, RecursionError):
            same = False
        if not same:
            raise UsageError(BY_HAND, file=file, name=name)
        content = edited
    return content


def _put(lines: list[str], name: str, value: str) -> None:
    """Replace a setting's value in its line, or add a line behind the last of the settings."""
    pattern = re.compile(rf"(\s*[\"']?{re.escape(name)}[\"']?\s*=\s*)(?:{_VALUE})(\s*(?:#.*)?)")
    tables = [number for number, line in enumerate(lines) if _TABLE.match(line)]
    end = tables[0] if tables else len(lines)
    last = 0
    for number, line in enumerate(lines[:end]):
        if found := pattern.fullmatch(line):
            lines[number] = f"{found[1]}{value}{found[2]}"
            return
        if line.strip() and not line.lstrip().startswith("#"):
            last = number + 1
    if last == 0:
        last = _below_the_heading(lines[:end])
    new = [f"{name} = {value}"]
    if last < len(lines) and tables and lines[last].strip():
        new.append("")
    lines[last:last] = new


def _below_the_heading(lines: list[str]) -> int:
    """Return where the first setting goes: below a comment on the file, above one on a table."""
    for number, line in enumerate(lines):
        if not line.strip():
            return number + 1 if number and number + 1 < len(lines) else number
    return 0


def _toml(value: str | bool | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _replace(target: Path, content: bytes, before: Stamp) -> bool:
    """Put a new file in the place of the old one; not if that changed since it was read."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else _MODE
    descriptor, name = tempfile.mkstemp(prefix=".config-", suffix=".toml", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            if hasattr(os, "fchmod"):
                os.fchmod(opened.fileno(), mode)
            os.fsync(opened.fileno())
        if stamp(target) != before:
            return False
        Path(name).replace(target)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
    _sync_directory(target.parent)
    return True


def _sync_directory(directory: Path) -> None:
    with suppress(OSError):  # not every system lets a directory be opened
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
