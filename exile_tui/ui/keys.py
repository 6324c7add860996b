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


async def run_remapped(app: App[Any], key: str) -> bool:
    """Do what a person put on this key, before a text field takes it for its own.

    Textual's fields hold Ctrl+E and many more; whoever chose such a key for something wants that.
    """
    for node, bindings in app.screen._modal_binding_chain:
        for binding in bindings.key_to_bindings.get(key, ()):
            if binding.id in app._keymap and await app.run_action(binding.action, node):
                return True
    return False
