"""Translate what people read: the English text is the key, the catalog holds the Korean."""

from __future__ import annotations

import gettext
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

DOMAIN = "exile_tui"
LANGUAGES = ("ko", "en")
"""The languages that every string exists in."""

_HERE = Path(__file__).parent
_language = "en"


class _Formatter(string.Formatter):
    """Format like `str.format`, and add a Korean particle where a field asks for one.

    `{relay:을/를}` in a translation becomes the value with the particle that fits it.
    """

    def format_field(self, value: Any, format_spec: str) -> str:
        if "/" in format_spec:
            from exile_tui.locale.josa import josa

            return josa(str(value), format_spec)
        return str(super().format_field(value, format_spec))


_FORMATTER = _Formatter()


@cache
def _catalog(language: str) -> gettext.NullTranslations:
    file = _HERE / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    if not file.exists():
        return gettext.NullTranslations()
    with file.open("rb") as stream:
        return gettext.GNUTranslations(stream)


def set_language(language: str) -> None:
    """Choose the language of everything translated from now on.

    Raises:
        ValueError: There is no such language.
    """
    global _language
    if language not in LANGUAGES:
        raise ValueError(language)
    _language = language


def language() -> str:
    """Return the language in use, "ko" or "en"."""
    return _language


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Translate into another language for a while; not across an await.

    Raises:
        ValueError: There is no such language.
    """
    before = _language
    set_language(language)
    try:
        yield
    finally:
        set_language(before)


def detect_language(environ: Mapping[str, str]) -> str:
    """Guess the language from the locale variables, in the order that gettext reads them."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "")
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"


def tr(message: str, /, **params: object) -> str:
    """Translate a message, then fill its named placeholders."""
    return _fill(_catalog(_language).gettext(message) if message else "", params)


def tr_n(singular: str, plural: str, n: int, /, **params: object) -> str:
    """Translate a message that counts; `{n}` is filled with `n`."""
    text = _catalog(_language).ngettext(singular, plural, n)
    return _fill(text, {"n": n, **params})


def every_language(message: str) -> tuple[str, ...]:
    """Return a message in every language: commands are found by any of their names."""
    return tuple(_catalog(each).gettext(message) if message else "" for each in LANGUAGES)


def _fill(text: str, params: Mapping[str, object]) -> str:
    return _FORMATTER.vformat(text, (), params) if params else text
