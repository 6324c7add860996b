"""The files of a profile's directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = 4096
"""SQLCipher's page: a database file is a multiple of it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a profile keeps what; names say nothing about the content."""

    directory: Path

    @property
    def vault(self) -> Path:
        """The wrapped database key."""
        return self.directory / "vault"

    @property
    def vault_of_first_run(self) -> Path:
        """The vault while its database is being made: with it there, nothing is lost yet."""
        return self.directory / "vault.new"

    @property
    def vault_of_change(self) -> Path:
        """The next vault, until it is renamed into place."""
        return self.directory / "vault.change"

    @property
    def database(self) -> Path:
        """The SQLCipher file; where a link stands for it, what that leads to."""
        path = self.directory / "database"
        return path.resolve() if path.is_symlink() else path

    @property
    def database_files(self) -> tuple[Path, ...]:
        """The SQLCipher file, its write-ahead log and the log's index."""
        database = self.database
        log, log_index = (database.with_name(database.name + end) for end in ("-wal", "-shm"))
        return database, log, log_index

    @property
    def rewritten(self) -> Path:
        """The next SQLCipher file, without what was deleted, until it is renamed into place."""
        database = self.database
        return database.with_name(database.name + ".next")

    @property
    def rewritten_log(self) -> Path:
        """What SQLite keeps beside it meanwhile."""
        return self.rewritten.with_name(self.rewritten.name + "-journal")

    @property
    def lock(self) -> Path:
        """Held by the process that has the profile open."""
        return self.directory / "lock"

    @property
    def reserve(self) -> Path:
        """Room that is given back when the disk is full."""
        return self.directory / "reserve"

    def holds_profile(self) -> bool:
        """Tell whether there is a profile: cheap, reads no database.

        A database without its vault counts, so that nothing is made in its place; what an
        interrupted first run left does not.
        """
        if self.vault.exists():
            return True
        return self.database.exists() and not self.vault_of_first_run.exists()
