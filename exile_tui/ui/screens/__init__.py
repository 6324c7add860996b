"""Screens by name; each module is imported when its screen is first shown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exile_tui.ui.screens.base import ExileScreen

SCREENS = {
    "first_run": "first_run:FirstRunScreen",
    "unlock": "unlock:UnlockScreen",
    "chats": "chats:ChatsScreen",
    "contacts": "contacts:ContactsScreen",
    "invite": "invite:InviteScreen",
    "join": "join:JoinScreen",
    "verify": "verify:VerifyScreen",
    "relay": "relay:RelayScreen",
    "settings": "settings:SettingsScreen",
    "passphrase": "passphrase:PassphraseScreen",
}


def load_screen(name: str) -> Any:
    """Return a screen's class, loaded."""
    module, _, attribute = SCREENS[name].partition(":")
    return getattr(import_module(f"{__name__}.{module}"), attribute)


def make_screen(name: str, **arguments: object) -> ExileScreen:
    """Make a screen.

    Args:
        name: One of `SCREENS`.
        arguments: What its constructor takes.
    """
    screen: ExileScreen = load_screen(name)(**arguments)
    screen.place = name
    return screen
