"""Who may create mailboxes, tickets and blobs at this relay."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from pathlib import Path

from exile_tui.errors import N_, UsageError
from exile_tui.wire.relay import MAX_PHRASE, Authorization, AuthorizationKind

_BAD_PHRASE = N_(
    "The file {path} has no access phrase in its first line: 1 to {bytes} bytes of UTF-8."
)


class Access:
    """Open to anyone, or to whoever shows the access phrase.

    The phrase is kept in memory only, as a keyed hash whose key ends with this process.
    """

    def __init__(self, phrase: str | None = None) -> None:
        self._key = secrets.token_bytes(32)
        self._phrase = None if phrase is None else self._hash(_normal(phrase))

    @property
    def is_open(self) -> bool:
        """Tell whether anyone is let in."""
        return self._phrase is None

    @property
    def kind(self) -> str:
        """How the facts name it: "open" or "phrase"."""
        return "open" if self.is_open else "phrase"

    def admits(self, authorization: Authorization) -> bool:
        """Tell whether an authorization lets its bearer in; tickets and mailboxes don't here."""
        if self._phrase is None:
            return True
        shown = self._hash(authorization.secret)
        same = hmac.compare_digest(shown, self._phrase)
        return same and authorization.kind is AuthorizationKind.PHRASE

    def _hash(self, phrase: bytes) -> bytes:
        return hmac.digest(self._key, phrase, "sha256")


def read_phrase(path: Path) -> str:
    """Read an access phrase from the first line of a file.

    Raises:
        UsageError: It can't be read, or the line is empty or too long.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    phrase = lines[0].strip() if lines else ""
    if not 1 <= len(_normal(phrase)) <= MAX_PHRASE:
        raise UsageError(_BAD_PHRASE, path=str(path), bytes=MAX_PHRASE)
    return phrase


def _normal(phrase: str) -> bytes:
    return unicodedata.normalize("NFC", phrase).encode()
