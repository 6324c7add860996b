"""Other keys for bindings, by their ids, as `[keys]` in config.toml gives them."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import product
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.dom import DOMNode
from textual.keys import _normalize_key_list
from textual.screen import ModalScreen, Screen

from exile_tui.errors import N_, UsageError
from exile_tui.ui.keys import key_name

if TYPE_CHECKING:
    from textual.binding import Binding

FIXED = ("composer.send", "composer.newline")
"""Which of Enter and Ctrl+J does what is a setting of its own."""

UNKNOWN = N_("[keys] in config.toml: there is nothing called '{id}'. Nothing was changed by it.")
NOT_A_KEY = N_("[keys] in config.toml: '{key}' for '{id}' is no key that every terminal sends.")
TYPES_TEXT = N_("[keys] in config.toml: '{key}' for '{id}' is needed for writing and moving.")
TAKEN = N_("[keys] in config.toml: '{key}' for '{id}' belongs to '{other}' in the same place.")
BY_SETTING = N_("[keys] in config.toml: '{id}' has no key of its own; enter_sends decides it.")

_NAVIGATION = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown")
_EDITING = ("enter", "tab", "shift+tab", "space", "backspace", "delete", "escape", *_NAVIGATION)
_SAME_BYTE = ("ctrl+h", "ctrl+i", "ctrl+m", "ctrl+c")
"""Backspace, Tab, Enter to a terminal; and the key that tells how to leave."""
_MOVING_ON = ("tab", "shift+tab")
_FUNCTION = re.compile(r"f([1-9]|1[0-9]|2[0-4])")


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of widget, screen or the app, and the keys that it has by itself."""

    kind: type[DOMNode]
    bindings: Mapping[str, Sequence[Binding]]

    def ids(self) -> Iterator[tuple[str, Binding]]:
        """Yield each binding with its key."""
        for key, bindings in self.bindings.items():
            for binding in bindings:
                yield key, binding


async def run_remapped(app: App[Any], key: str) -> bool:
    """Do what a person put on this key, before a text field takes it for its own.

    Textual's fields hold Ctrl+E and many more; whoever chose such a key for something wants that.
    """
    if not app._keymap:
        return False
    for node, bindings in app.screen._modal_binding_chain:
        for binding in bindings.key_to_bindings.get(key, ()):
            if binding.id in app._keymap and _own(app._keymap, binding, key):
                return await app.run_action(binding.action, node)
    return False


def _own(keymap: Mapping[str, str], binding: Binding, key: str) -> bool:
    """Tell a key for doing from one for writing, which the focused field has first."""
    return binding.id is not None and not _is_plain(key) and key in keymap[binding.id].split(",")


@cache
def places() -> tuple[Place, ...]:
    """Return every place of ours that has keys; loads every screen."""
    found: dict[type[DOMNode], None] = {}
    for package in ("exile_tui.ui", "exile_tui.ui.screens", "exile_tui.ui.widgets"):
        for info in iter_modules(import_module(package).__path__, f"{package}."):
            for each in vars(import_module(info.name)).values():
                if (
                    isinstance(each, type)
                    and issubclass(each, DOMNode)
                    and each.__module__.startswith("exile_tui.")
                ):
                    found[each] = None
    return tuple(Place(kind, kind._merge_bindings().key_to_bindings) for kind in found)


def check(keys: Mapping[str, str]) -> tuple[dict[str, str], list[UsageError]]:
    """Return the keymap for Textual, and what is wrong with the rest.

    Args:
        keys: Keys by binding ids, several keys with commas between.
    """
    everywhere = places()
    usual = usual_keys(everywhere)
    problems: list[UsageError] = []
    wanted: dict[str, tuple[str, ...]] = {}
    for name, value in keys.items():
        chosen = tuple(_normalize_key_list(value.strip().lower()).split(","))
        problem = _problem(name, chosen, usual)
        if problem is None:
            wanted[name] = chosen
        else:
            problems.append(problem)
    for name in list(wanted):
        problem = _clash(name, wanted, everywhere)
        if problem is not None:
            problems.append(problem)
            del wanted[name]
    return _with_neighbours(wanted, everywhere, usual), problems


def usual_keys(everywhere: Sequence[Place]) -> dict[str, tuple[str, ...]]:
    """Return the keys that bindings have by themselves, by their ids."""
    found: dict[str, dict[str, None]] = {}
    for place in everywhere:
        for key, binding in place.ids():
            if binding.id:
                found.setdefault(binding.id, {})[key] = None
    return {name: tuple(keys) for name, keys in found.items()}


def _problem(
    name: str, keys: tuple[str, ...], usual: Mapping[str, tuple[str, ...]]
) -> UsageError | None:
    """Return what is wrong with keys by themselves."""
    if name not in usual:
        return UsageError(UNKNOWN, id=name)
    if name in FIXED:
        return UsageError(BY_SETTING, id=name)
    for key in keys:
        if not _can_be_typed(key):
            return UsageError(NOT_A_KEY, id=name, key=key)
        plain = _is_plain(key) and not any(map(_is_plain, usual[name]))
        if plain or key in _MOVING_ON:
            return UsageError(TYPES_TEXT, id=name, key=key_name(key))
    return None


def _can_be_typed(key: str) -> bool:
    """Tell whether every terminal sends this key as a key of its own."""
    if key in _SAME_BYTE or key.startswith("alt+"):
        return False
    modifiers, plus, name = key.rpartition("+")
    if not plus:
        return bool(_FUNCTION.fullmatch(name)) or name in _EDITING or _is_character(name)
    if modifiers == "ctrl" and len(name) == 1:
        return name in string.ascii_lowercase
    if modifiers in ("ctrl", "shift"):
        return name in (*_NAVIGATION, "delete") or key == "shift+tab"
    return False


def _is_character(key: str) -> bool:
    return (len(key) == 1 and key.isascii() and key.isprintable()) or key in _PUNCTUATION


_PUNCTUATION = {_normalize_key_list(mark) for mark in string.punctuation if mark != ","}


def _is_plain(key: str) -> bool:
    """Tell whether a key writes or moves where text is written."""
    return key in _EDITING or _is_character(key)


def _clash(
    name: str, wanted: Mapping[str, tuple[str, ...]], everywhere: Sequence[Place]
) -> UsageError | None:
    """Return an error if something else has one of the keys where this binding works too."""
    homes = [place for place in everywhere if any(each.id == name for _, each in place.ids())]
    for home, place in product(homes, everywhere):
        for key, binding in place.ids():
            # Textual's own have no id: what a person chose goes before them, see `run_remapped`.
            if binding.id in (None, name) or not _meet(home, name, place, binding):
                continue
            for shared in wanted[name]:
                if shared in wanted.get(binding.id, (key,)):
                    return UsageError(TAKEN, id=name, key=key_name(shared), other=binding.id)
    return None


def _meet(home: Place, name: str, other: Place, binding: Binding) -> bool:
    """Tell whether two bindings can work at the same moment."""
    one, two = home.kind, other.kind
    if issubclass(one, two) or issubclass(two, one):
        return True
    for first, second in ((one, two), (two, one)):
        if issubclass(first, App):
            if not issubclass(second, ModalScreen):
                return True
            # Only what has priority reaches the app through a panel.
            mine = binding if first is two else _binding(home, name)
            return mine.priority
    return issubclass(one, Screen) != issubclass(two, Screen)


def _binding(place: Place, name: str) -> Binding:
    return next(each for _, each in place.ids() if each.id == name)


def _with_neighbours(
    wanted: Mapping[str, tuple[str, ...]],
    everywhere: Sequence[Place],
    usual: Mapping[str, tuple[str, ...]],
) -> dict[str, str]:
    """Add bindings that share a key with a remapped one, each with the key that it has.

    Textual takes the whole key away from a place when one of several bindings on it moves.
    """
    keymap = dict(wanted)
    grown = True
    while grown:
        grown = False
        for place in everywhere:
            for bindings in place.bindings.values():
                names = {each.id for each in bindings if each.id}
                if names & keymap.keys() and not names <= keymap.keys():
                    keymap |= {each: usual[each] for each in names - keymap.keys()}
                    grown = True
    return {name: ",".join(keys) for name, keys in keymap.items()}
