"""The one place where what the disk and SQLCipher say becomes an error of this program.

Numbers are SQLite's primary result codes (sqlite.org/rescode.html).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from exile_tui.errors import N_, ProfileError

DISK_FULL = N_(
    "The disk is full. Nothing was lost; what was just written was not kept. "
    "Delete something or make room, then try again."
)
NOT_WRITABLE = N_(
    "The profile's directory can't be written to: {path}. Nothing was changed; "
    "check who owns it and whether the disk is read-only."
)
INPUT_OUTPUT = N_(
    "The disk could not be read or written ({reason}). What was written before is kept; "
    "check the disk, then start again."
)
BUSY = N_(
    "Another program keeps the profile's database open. Nothing was lost; close it, then try again."
)
DAMAGED = N_(
    "The profile's database is damaged or cut short. Nothing was changed; put back a copy of the "
    "whole profile directory if you have one."
)
FOREIGN = N_(
    "The profile's database can't be opened with the key of its vault: it is damaged or belongs "
    "to another profile. Nothing was changed; put back the file that belongs here."
)
NOT_TOGETHER = N_(
    "The vault and the database of this profile don't belong together. Nothing was changed; "
    "put back the file that belongs here."
)
NO_DATABASE = N_(
    "The profile's database is missing or empty. Nothing was changed; "
    "put back the file {path} if you have a copy."
)
NO_VAULT = N_(
    "The profile's vault is missing, without which its database can't be opened. "
    "Nothing was changed; put back the file {path} if you have a copy."
)
NO_PROFILE = N_("There is no profile here yet: {path}. Start the program to make one.")
VAULT_DAMAGED = N_(
    "The profile's vault is damaged. Nothing was changed; "
    "put back the file {path} if you have a copy."
)
NEWER = N_(
    "This profile was written by a newer version of the program. Nothing was changed; "
    "update the program."
)
ROLLED_BACK = N_(
    "The database took back what was just written, because the disk failed or is full. "
    "What was written before is kept; try again."
)
DISCONNECTED = N_(
    "The profile was closed because the disk failed. What was written before is kept; "
    "check the disk, then start again."
)
NO_MEMORY = N_(
    "Checking the passphrase takes {megabytes} MB of memory, which this computer does not have "
    "now. Nothing was changed; close something and try again."
)
PASSPHRASE = N_("This can't be a passphrase: it is empty or no proper text. Choose another.")
PROFILE_EXISTS = N_("There is a profile here already: {path}. Nothing was changed.")

_CANT_OPEN = 14
_FULL = 13
_INPUT_OUTPUT = 10
_READ_ONLY = 8
_PERMISSION = 3
_BUSY = (5, 6)
_CORRUPT = 11
_NOT_A_DATABASE = 26
_FULL_ERRNO = (errno.ENOSPC, errno.EDQUOT)
_DENIED_ERRNO = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR)


class DiskFull(ProfileError):
    """The disk has no room; the transaction was rolled back."""

    sentence = DISK_FULL


class ForeignDatabase(ProfileError):
    """The key does not open the database."""

    sentence = FOREIGN


class DatabaseBusy(ProfileError):
    """Another program reads or writes the database."""

    sentence = BUSY


def from_os_error(error: OSError) -> ProfileError:
    """Say what a file operation's failure means."""
    if error.errno in _FULL_ERRNO:
        return DiskFull()
    if error.errno in _DENIED_ERRNO:
        return ProfileError(NOT_WRITABLE, path=error.filename or "")
    return ProfileError(INPUT_OUTPUT, reason=error.strerror or type(error).__name__)


def from_database_error(error: Exception, path: str) -> Exception:
    """Say what an error of sqlcipher3.dbapi2 means.

    Args:
        error: What was raised.
        path: The directory of the database, for the user.

    Returns:
        A ProfileError for what can happen to a user; RuntimeError for a mistake of the program
        (a broken constraint, writing in a snapshot), which must not pass as anything else.
    """
    code = getattr(error, "sqlite_errorcode", 0) or 0
    primary = code & 0xFF
    if primary == _FULL:
        return DiskFull()
    if primary == _NOT_A_DATABASE:
        return ForeignDatabase()
    if primary in _BUSY:
        return DatabaseBusy()
    if primary == _CORRUPT:
        return ProfileError(DAMAGED)
    if primary in (_CANT_OPEN, _PERMISSION) or (primary == _READ_ONLY and code != _READ_ONLY):
        return ProfileError(NOT_WRITABLE, path=path)
    if primary == _INPUT_OUTPUT:
        name = getattr(error, "sqlite_errorname", None) or type(error).__name__
        return ProfileError(INPUT_OUTPUT, reason=name)
    return RuntimeError(f"the database refused: {error}")


@contextmanager
def file_errors() -> Iterator[None]:
    """Turn OSError inside into ProfileError."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error) from error
