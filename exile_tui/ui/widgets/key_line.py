"""The last line: at most six keys of the focused place, made from its bindings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button

from exile_tui.errors import ExileError
from exile_tui.locale import tr
from exile_tui.text import cell_len
from exile_tui.ui.keys import key_name

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.screen import Screen

MOST_KEYS = 6
_GAP = 3


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A binding as people see it."""

    keys: tuple[str, ...]
    """All keys that do it, as they are printed on keyboards."""
    binding: Binding
    node: DOMNode

    @property
    def key(self) -> str:
        """The key to name where there is room for one."""
        return self.keys[0]

    @property
    def id(self) -> str:
        """The name by which config.toml gives it another key."""
        return self.binding.id or ""

    @property
    def action(self) -> str:
        """What to run on the node."""
        return self.binding.action

    @property
    def show(self) -> bool:
        """Whether it is worth a place in the key line."""
        return self.binding.show

    @property
    def description(self) -> str:
        """A word or two, translated."""
        return tr(self.binding.description)

    @property
    def tooltip(self) -> str:
        """A sentence, translated."""
        return tr(self.binding.tooltip)


def shown_keys(screen: Screen[Any]) -> list[ShownKey]:
    """Return our bindings that work now, the focused widget's first, one for each action.

    Only bindings with an id are ours; Textual's own have none and are not in our words.
    """
    found: dict[tuple[int, str], ShownKey] = {}
    active = screen.active_bindings
    for node, bindings in screen._modal_binding_chain:
        for key, listed in bindings.key_to_bindings.items():
            binding = _acting(screen, active, node, key, listed)
            if binding is None or not (binding.id and binding.description):
                continue
            name = binding.key_display or key_name(key)
            before = found.get((id(node), binding.action))
            shown = ShownKey((*before.keys, name), before.binding, node) if before else None
            found[id(node), binding.action] = shown or ShownKey((name,), binding, node)
    return list(found.values())


def _acting(
    screen: Screen[Any],
    active: Mapping[str, ActiveBinding],
    node: DOMNode,
    key: str,
    listed: Sequence[Binding],
) -> Binding | None:
    """Return the binding of a node that a key leads to, if it does."""
    first = active.get(key)
    if first is None:
        return None
    if first.node is node:
        return first.binding if first.enabled else None
    if first.node is not screen.focused or not _hands_on(first, key):
        return None
    works = screen.app._check_action_state
    return next((each for each in listed if each.id and works(each.action, node)), None)


def _hands_on(first: ActiveBinding, key: str) -> bool:
    """Tell whether the focused widget has a key only on paper.

    A field or a list takes Enter for itself and tells the screen, which does what its own Enter
    does; a field of one line has keys for scrolling that it has no use for.
    """
    if first.binding.show or isinstance(first.node, Button):
        return False
    scrolls = first.binding.action.startswith(("scroll_", "page_"))
    return key == "enter" or (scrolls and not first.binding.id)


class KeyLine(Widget):
    """Show keys with what they do; a click does it too."""

    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $surface;
        color: $text-muted;
    }
    KeyLine > .key-line--key { color: $primary; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key"}

    _spots: list[tuple[int, int, ShownKey]]
    _drawn: list[ShownKey]

    def on_mount(self) -> None:
        """Follow the focus."""
        self._spots, self._drawn = [], []
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._follow())

    def _follow(self) -> None:
        """Draw keys that changed; if others do as well, Textual draws all rows between them."""
        try:
            same = self.screen.is_current and self._keys() == self._drawn
        except ExileError:  # just locked: what the screen offers can't be told, and it goes
            same = False
        if not same:
            self.refresh()

    def _keys(self) -> list[ShownKey]:
        return [each for each in shown_keys(self.screen) if each.show]

    def render(self) -> Content:
        """Lay the keys out, the way back and the help last, as many as fit."""
        keys = self._drawn = self._keys()
        back = [each for each in keys if each.binding.key == "escape"][:1]
        final = [*back, *(each for each in keys if each.id == "app.help")]
        others = [each for each in keys if each not in final]
        room = self.content_size.width - sum(_width(each) + _GAP for each in final) + _GAP
        chosen: list[ShownKey] = []
        for each in others[: MOST_KEYS - len(final)]:
            room -= _width(each) + _GAP
            if room < 0:
                break
            chosen.append(each)
        return self._line([*chosen, *final])

    def _line(self, keys: list[ShownKey]) -> Content:
        style = self.get_visual_style("key-line--key")
        self._spots, column, parts = [], 0, []
        for each in keys:
            parts.append(Content.assemble((each.key, style), " ", each.description))
            self._spots.append((column, column + _width(each), each))
            column += _width(each) + _GAP
        return Content(" " * _GAP).join(parts)

    async def on_click(self, event: events.Click) -> None:
        """Do what the clicked key does."""
        column = event.x - self.gutter.left
        for start, end, each in self._spots:
            if start <= column < end:
                await self.app.run_action(each.action, each.node)


def _width(each: ShownKey) -> int:
    return cell_len(each.key) + 1 + cell_len(each.description)
