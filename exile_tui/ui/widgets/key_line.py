"""The last line: at most six keys of the focused place, made from its bindings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import ActiveBinding
from textual.content import Content
from textual.widget import Widget

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

    key: str
    description: str
    english: str
    """The description's catalog key: commands are found in both languages."""
    tooltip: str
    action: str
    node: DOMNode
    show: bool


def shown_keys(screen: Screen[Any]) -> list[ShownKey]:
    """Return our bindings that work now, the focused widget's first, one for each action.

    Only bindings with an id are ours; Textual's own have none and are not in our words.
    """
    found: dict[tuple[int, str], ShownKey] = {}
    active: list[ActiveBinding] = list(screen.active_bindings.values())
    chain = [node for node, _ in screen._modal_binding_chain]
    for node, binding, enabled, _ in sorted(active, key=lambda each: chain.index(each.node)):
        if binding.id and binding.description and enabled:
            found.setdefault(
                (id(node), binding.action),
                ShownKey(
                    binding.key_display or key_name(binding.key),
                    tr(binding.description),
                    binding.description,
                    tr(binding.tooltip),
                    binding.action,
                    node,
                    binding.show,
                ),
            )
    return list(found.values())


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

    def on_mount(self) -> None:
        """Follow the focus."""
        self._spots = []
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> Content:
        """Lay the keys out, the help key last, as many as fit."""
        keys = [each for each in shown_keys(self.screen) if each.show]
        final = [each for each in keys if each.action.endswith("help")]
        others = [each for each in keys if not each.action.endswith("help")]
        room = self.content_size.width - sum(_width(each) for each in final)
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
