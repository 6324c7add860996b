"""A safety number as twelve words, for reading aloud (docs/protocol.md, section 7).

The words are those of BIP-39, but they are not a BIP-39 mnemonic. The lists are data files beside
this module; one is read when its language is first asked for.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources
from typing import Final, Literal

from exile_tui.crypto.kdf import sha256
from exile_tui.errors import CryptoError

Language = Literal["ko", "en"]

WORDS: Final = 12
_BITS_A_WORD: Final = 11
_FILES: Final = {"ko": "korean.txt", "en": "english.txt"}


def words(digits: str, language: Language) -> tuple[str, ...]:
    """Return the twelve words of a safety number, in NFC.

    Args:
        digits: The 60 ASCII digits.
        language: The list that both sides chose.

    Raises:
        CryptoError: Not 60 ASCII digits, or a language without a list.
    """
    if len(digits) != 60 or not (digits.isascii() and digits.isdigit()) or language not in _FILES:
        raise CryptoError
    wordlist = _wordlist(language)
    number = int.from_bytes(sha256(digits.encode("ascii")), "big") >> (256 - WORDS * _BITS_A_WORD)
    shifts = range((WORDS - 1) * _BITS_A_WORD, -1, -_BITS_A_WORD)
    return tuple(wordlist[(number >> shift) % len(wordlist)] for shift in shifts)


@cache
def _wordlist(language: Language) -> tuple[str, ...]:
    source = resources.files("exile_tui.crypto").joinpath("wordlists", _FILES[language])
    return tuple(unicodedata.normalize("NFC", source.read_text(encoding="utf-8")).split())
