"""Add the Korean particle that fits the sound a word ends in.

People always take 님, whose particles never change; this is for the rest.
"""

from __future__ import annotations

import re

PARTICLES = {
    "은/는": ("은", "는", "은(는)"),
    "이/가": ("이", "가", "이(가)"),
    "을/를": ("을", "를", "을(를)"),
    "과/와": ("과", "와", "과(와)"),
    "으로/로": ("으로", "로", "(으)로"),
    "이에요/예요": ("이에요", "예요", "이에요(예요)"),
}
"""For each pair: after a consonant, after a vowel, when the sound isn't known."""

_RIEUL = 8
_LAST_CAPITALS = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,5}\Z")
_LAST_NUMBER = re.compile(r"(?<![A-Za-z])\d[\d,]*(?:\.\d+)?\Z", re.ASCII)
_PARENTHESIS = re.compile(r"(?<=\S)\s*[(（][^()（）]*[)）]\Z")
_DIGIT_FINALS = {"0": 21, "1": _RIEUL, "3": 16, "6": 1, "7": _RIEUL, "8": _RIEUL}
_LETTER_FINALS = {"L": _RIEUL, "M": 16, "N": 4, "R": _RIEUL}
_PLACE_FINALS = {1: 17, 2: 1, 3: 4}
_MYRIAD_FINALS = {1: 4, 2: 1, 3: 0, 4: 21}


def josa(word: str, pair: str) -> str:
    """Return the word followed by its particle.

    Args:
        word: What the particle follows; it stays as it is.
        pair: One of `PARTICLES`, the form after a consonant first.

    Raises:
        KeyError: The pair is not known.
    """
    consonant, vowel, unknown = PARTICLES[pair]
    final = _final(word)
    if final is None:
        return word + unknown
    if final == 0 or (final == _RIEUL and pair == "으로/로"):
        return word + vowel
    return word + consonant


def _final(word: str) -> int | None:
    """Return the number of the final consonant (0: none), or None where the sound isn't known."""
    spoken = _strip(word)
    if not spoken:
        return None
    last = spoken[-1]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28
    if number := _LAST_NUMBER.search(spoken):
        return _number_final(number[0])
    if _LAST_CAPITALS.search(spoken):
        return _LETTER_FINALS.get(last, 0)
    return None


def _strip(word: str) -> str:
    """Drop what isn't spoken from the end: punctuation, emoji, a parenthesis."""
    while True:
        shorter = _PARENTHESIS.sub("", word)
        while shorter and not shorter[-1].isalnum() and shorter[-1] not in ")）":
            shorter = shorter[:-1]
        if shorter and shorter[-1] in ")）" and not _PARENTHESIS.search(shorter):
            shorter = shorter[:-1]
        if shorter == word:
            return word
        word = shorter


def _number_final(number: str) -> int:
    """Return the final consonant of a number's Sino-Korean reading: 십, 백, 천, 만, 억, 조, 경."""
    whole, _, fraction = number.replace(",", "").partition(".")
    if fraction:
        return _DIGIT_FINALS.get(fraction[-1], 0)
    digits = whole.lstrip("0")
    zeros = len(digits) - len(digits.rstrip("0"))
    if zeros == 0:
        return _DIGIT_FINALS.get(digits[-1:] or "0", 0)
    return _PLACE_FINALS.get(zeros % 4) or _MYRIAD_FINALS.get(zeros // 4, 0)
