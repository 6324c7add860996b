"""Tells whether what somebody pasted is a safety number, and whether it is this one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from exile_tui.text import nfc

_DIGITS = 60
_WORDS = 12
_WORD = re.compile(r"[^\W\d_]+")


def same_number(text: str, digits: str, words: Iterable[Sequence[str]]) -> bool | None:
    """Compare pasted digits or words with a safety number.

    Args:
        text: What was pasted: sixty digits in any grouping, or twelve words, numbered or not.
        digits: The sixty digits that this side computed.
        words: The same number as twelve words, in each language.

    Returns:
        Whether it is the same; None when the text is no safety number at all.
    """
    folded = nfc(text).casefold()
    pasted = _WORD.findall(folded)
    if not pasted:
        found = "".join(character for character in folded if character in "0123456789")
        return found == digits if len(found) == _DIGITS else None
    if len(pasted) != _WORDS:
        return None
    return any(all(map(_same_word, pasted, shown)) for shown in words)


def _same_word(pasted: str, shown: str) -> bool:
    """Take a Korean word's first two syllables too: they are unique in the list."""
    return pasted == shown or (pasted == shown[:2] and "가" <= pasted[0] <= "힣")
