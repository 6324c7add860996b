"""What keys are called."""

from __future__ import annotations

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
