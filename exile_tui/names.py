"""Names that others chose, as they may be shown: nobody's is mistaken for what the program says."""

from __future__ import annotations

import unicodedata
from typing import Final

from exile_tui.locale import tr
from exile_tui.text import sanitize_name

_OURS: Final = frozenset({"me", "you", "나"})
"""What we ourselves are called, on the screen and on the command line."""
_ALIKE: Final = str.maketrans("\u043c\u0435\u03bc\u03b5\u043e\u03bf\u0443\u03c5", "memeooyu")
"""Cyrillic and Greek letters that look like those."""
_VERIFIED: Final = str.maketrans("", "", "✔✓☑✅")


def display_name(name: str) -> str:
    """Return a contact's name, safe to show; it may not be known yet.

    Without the marks of who is verified; and nobody's is the word that we stand under ourselves.
    """
    shown = sanitize_name(name.translate(_VERIFIED), tr("Unknown"))
    plain = unicodedata.normalize("NFKC", shown).casefold().translate(_ALIKE)
    if "".join(filter(str.isalnum, plain)) in _OURS:
        return tr("{name} (the other person)", name=shown)
    return shown
