import unicodedata
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.crypto.words import words
from exile_tui.errors import CryptoError
from tests.reference import fingerprint
from tests.unit.crypto.support import EXAMPLES

LANGUAGES = {"ko": "korean.txt", "en": "english.txt"}


def wordlist(language: str) -> list[str]:
    path = resources.files("exile_tui.crypto") / "wordlists" / LANGUAGES[language]
    return path.read_text(encoding="utf-8").split()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_has_2048_words_in_nfc(language: str) -> None:
    listed = wordlist(language)
    assert len(listed) == len(set(listed)) == 2048
    assert all(unicodedata.is_normalized("NFC", word) for word in listed)
    assert not any(" " in word for word in listed)


def test_the_lists_are_those_of_bip_39() -> None:
    english, korean = wordlist("en"), wordlist("ko")
    assert (english[0], english[2047]) == ("abandon", "zoo")
    assert english == sorted(english)
    assert (korean[0], korean[2047]) == ("가격", "힘껏")
    assert all("가" <= letter <= "힣" for word in korean for letter in word)


@EXAMPLES
@given(
    digits=st.text("0123456789", min_size=60, max_size=60), language=st.sampled_from(["ko", "en"])
)
def test_words_are_the_references(digits: str, language: str) -> None:
    listed = wordlist(language)
    expected = tuple(listed[index] for index in fingerprint.word_indices(digits))
    assert words(digits, language) == expected  # type: ignore[arg-type]
    assert len(expected) == 12


@pytest.mark.parametrize("digits", ["", "1" * 59, "1" * 61, "x" * 60, "１" * 60, "²" * 60])
def test_anything_but_60_ascii_digits_is_refused(digits: str) -> None:
    with pytest.raises(CryptoError):
        words(digits, "ko")


def test_a_language_without_a_list_is_refused() -> None:
    with pytest.raises(CryptoError):
        words("1" * 60, "fr")  # type: ignore[arg-type]
