"""Find names and commands while typing, by part, by initial consonants (ㄱㅎㄴ finds 김하늘)."""

from __future__ import annotations

from collections.abc import Iterable

from exile_tui.text import nfc

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_FIRST = ord("가")


def matches(query: str, *texts: str) -> bool:
    """Return whether any of the texts contains the query; an empty query is in everything."""
    wanted = _fold(query)
    return any(_contains(_fold(text), wanted) for text in texts)


def initials(text: str) -> str:
    """Return the text with each Hangul syllable as its initial consonant."""
    return "".join(
        _INITIALS[(ord(character) - _FIRST) // 588] if "가" <= character <= "힣" else character
        for character in text
    )


def name_order(name: str) -> tuple[int, str]:
    """Return a key that sorts 가나다 first, then Latin, then the rest."""
    folded = nfc(name).casefold()
    first = folded[:1]
    group = 0 if "가" <= first <= "힣" else 1 if first.isascii() and first.isalpha() else 2
    return group, folded


def _fold(text: str) -> str:
    return "".join(nfc(text).casefold().split())


def _contains(text: str, wanted: str) -> bool:
    if wanted in text:
        return True
    return any(
        _all_match(text[start : start + len(wanted)], wanted)
        for start in range(len(text) - len(wanted) + 1)
    )


def _all_match(part: Iterable[str], wanted: Iterable[str]) -> bool:
    return all(_matches(*pair) for pair in zip(part, wanted, strict=True))


def _matches(character: str, wanted: str) -> bool:
    """Match a syllable by itself, by its initial, or by its beginning (하 begins 한)."""
    if character == wanted:
        return True
    if not "가" <= character <= "힣":
        return False
    code = ord(character) - _FIRST
    if wanted in _INITIALS:
        return _INITIALS[code // 588] == wanted
    begins = "가" <= wanted <= "힣" and (ord(wanted) - _FIRST) % 28 == 0
    return begins and code // 28 == (ord(wanted) - _FIRST) // 28
