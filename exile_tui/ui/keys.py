"""Keys: what they are called, and what they mean while a Hangul input method is on."""

from __future__ import annotations

import unicodedata

_JAMO = "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ"
_LETTERS = "qwertyuiopasdfghjklzxcvbnm"
_SHIFTED = dict(zip("ㅃㅉㄸㄲㅆㅒㅖ", "QWERTOP", strict=True))


def _layout() -> dict[str, str]:
    layout = dict(zip(_JAMO, _LETTERS, strict=True)) | _SHIFTED
    # Some input methods commit the conjoining form of a lone letter.
    return layout | {unicodedata.normalize("NFKC", jamo): key for jamo, key in layout.items()}


QWERTY = _layout()
"""The key that a two-set jamo lies on."""

_NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "backspace": "Backspace",
    "delete": "Delete",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "question_mark": "?",
    "slash": "/",
    "shift": "Shift",
    "ctrl": "Ctrl",
}


def key_name(key: str) -> str:
    """Return a key as it is printed on keyboards: `ctrl+j` is Ctrl+J."""
    return "+".join(
        _NAMES.get(part, part.upper() if len(part) == 1 or part[1:].isdigit() else part.title())
        for part in key.split("+")
    )
