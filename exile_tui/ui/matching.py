"""Finds names the way Korean is typed: by initial consonants, and in unfinished syllables."""

from __future__ import annotations

from exile_tui.text import nfc

_FIRST, _LAST = 0xAC00, 0xD7A3
_MEDIALS_AND_FINALS, _FINALS = 588, 28
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_FINAL_JAMO = (
    "",
    *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ",
)


def is_syllable(character: str) -> bool:
    """Tell whether this is a whole Hangul syllable."""
    return _FIRST <= ord(character) <= _LAST


def initial(character: str) -> str:
    """Return a syllable's initial consonant; anything else is itself."""
    if not is_syllable(character):
        return character
    return _INITIALS[(ord(character) - _FIRST) // _MEDIALS_AND_FINALS]


def matches(query: str, name: str) -> bool:
    """Tell whether a name holds what was typed so far.

    Consonants alone stand for syllables that begin with them (ㄱㅎㄴ finds 김하늘), and the last
    syllable may still be growing (김하느, or 한 on the way to 하나).
    """
    wanted, given = nfc(query.strip()).casefold(), nfc(name).casefold()
    if not wanted:
        return True
    last = len(given) - len(wanted)
    return any(_matches_at(wanted, given, start) for start in range(last + 1)) or (
        is_syllable(wanted[-1]) and _matches_moved(wanted, given)
    )


def _matches_at(wanted: str, given: str, start: int) -> bool:
    end = len(wanted) - 1
    return all(
        _same(character, given[start + index], growing=index == end)
        for index, character in enumerate(wanted)
    )


def _same(typed: str, there: str, *, growing: bool) -> bool:
    if typed == there or (typed in _INITIALS and initial(there) == typed):
        return True
    if not (growing and is_syllable(typed) and is_syllable(there)):
        return False
    has_final = (ord(typed) - _FIRST) % _FINALS
    return not has_final and (ord(there) - _FIRST) // _FINALS == (ord(typed) - _FIRST) // _FINALS


def _matches_moved(wanted: str, given: str) -> bool:
    """Take the last final consonant as the next syllable's initial, as typing 하나 passes 한."""
    code = ord(wanted[-1]) - _FIRST
    final = _FINAL_JAMO[code % _FINALS]
    if final not in _INITIALS or not final:
        return False
    moved = wanted[:-1] + chr(_FIRST + code - code % _FINALS) + final
    return any(
        _matches_at(moved, given, start) and given[start + len(moved) - 2] == moved[-2]
        for start in range(len(given) - len(moved) + 1)
    )


def sort_key(name: str) -> tuple[int, str]:
    """Return a key that puts 가나다 first, then Latin, then the rest."""
    folded = nfc(name).casefold()
    first = folded[:1]
    if first and (is_syllable(first) or "ㄱ" <= first <= "ㆎ"):
        return 0, folded
    if first.isalpha():
        return 1, folded
    return 2, folded
