"""Hangul as it is typed: the keys of the two-set layout, initials, and the wrong input mode."""

from __future__ import annotations

import unicodedata

from exile_tui.text import nfc

INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = (
    *("ㅏ", "ㅐ", "ㅑ", "ㅒ", "ㅓ", "ㅔ", "ㅕ", "ㅖ", "ㅗ", "ㅗㅏ", "ㅗㅐ", "ㅗㅣ", "ㅛ"),
    *("ㅜ", "ㅜㅓ", "ㅜㅔ", "ㅜㅣ", "ㅠ", "ㅡ", "ㅡㅣ", "ㅣ"),
)
_FINALS = (
    *("", "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ"),
    *("ㄹㅌ", "ㄹㅍ", "ㄹㅎ", "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ"),
    *("ㅍ", "ㅎ"),
)
_LONE_VOWELS = dict(zip(_VOWELS, "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ", strict=True))
_PAIRS = {lone: pair for pair, lone in _LONE_VOWELS.items() if len(pair) == 2} | dict(
    zip(
        "ㄳㄵㄶㄺㄻㄼㄽㄾㄿㅀㅄ",
        (final for final in _FINALS if len(final) == 2),
        strict=True,
    )
)
"""Jamo that take two keys. Input methods make ㄳ of ㄱ and ㅅ even where no vowel is near."""

_JAMO = "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ"
_LETTERS = "qwertyuiopasdfghjklzxcvbnm"
_SHIFTED = dict(zip("ㅃㅉㄸㄲㅆㅒㅖ", "QWERTOP", strict=True))
_KEYS = dict(zip(_JAMO, _LETTERS, strict=True)) | _SHIFTED

QWERTY = _KEYS | {unicodedata.normalize("NFKC", jamo): key for jamo, key in _KEYS.items()}
"""The key that a two-set jamo lies on; some input methods commit a lone one as conjoining."""

_ON_KEY = {letter.upper(): jamo for jamo, letter in _KEYS.items() if letter.islower()} | {
    letter: jamo for jamo, letter in _KEYS.items()
}
_FIRST = ord("가")


def is_syllable(character: str) -> bool:
    """Return whether a character is a composed syllable."""
    return "가" <= character <= "힣"


def initials(text: str) -> str:
    """Return the text with each Hangul syllable as its initial consonant."""
    return "".join(
        INITIALS[(ord(character) - _FIRST) // 588] if is_syllable(character) else character
        for character in text
    )


def jamo(text: str) -> str:
    """Spell Hangul in the jamo that are typed for it, one for each key; the rest stays.

    값 is ㄱㅏㅂㅅ, 과 is ㄱㅗㅏ, 까 is ㄲㅏ.
    """
    return "".join(_spell(character) for character in nfc(text))


def keys(text: str) -> str:
    """Return what a keyboard in English mode makes of the keys that type a text."""
    return "".join(QWERTY.get(character, character) for character in jamo(text))


def compose(text: str) -> str:
    """Return what a keyboard in Hangul mode makes of keys: of `dkssud` it makes 안녕.

    Args:
        text: Letters of an English keyboard, two-set jamo, or both; the rest stays.
    """
    done: list[str] = []
    lead = vowel = final = ""
    for typed in text:
        character = _ON_KEY.get(typed, typed)
        if character in _LONE_VOWELS:
            if final:  # its last consonant begins the next syllable
                done.append(_syllable(lead, vowel, final[:-1]))
                lead, vowel, final = final[-1], character, ""
            elif vowel + character in _LONE_VOWELS:
                vowel += character
            else:
                done.append(_syllable(lead, vowel, final))
                lead, vowel = "", character
        elif character in INITIALS and lead and vowel and final + character in _FINALS:
            final += character
        else:
            done.append(_syllable(lead, vowel, final))
            lead = vowel = final = ""
            if character in INITIALS:
                lead = character
            else:
                done.append(character)
    done.append(_syllable(lead, vowel, final))
    return "".join(done)


def _spell(character: str) -> str:
    if not is_syllable(character):
        return _PAIRS.get(character, character)
    lead, rest = divmod(ord(character) - _FIRST, 588)
    vowel, final = divmod(rest, 28)
    return INITIALS[lead] + _VOWELS[vowel] + _FINALS[final]


def _syllable(lead: str, vowel: str, final: str) -> str:
    if not (lead and vowel):
        return lead or _LONE_VOWELS.get(vowel, "")
    place = (INITIALS.index(lead) * 21 + _VOWELS.index(vowel)) * 28 + _FINALS.index(final)
    return chr(_FIRST + place)
