"""A setting on one line: what it is at the left, what it is set to at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.text import cell_len, cut

Value = str | bool | int
_BAR_CELLS = 2
_ARROW_CELLS = 2
_GAP_CELLS = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """What can be set, and what it says about itself; the texts are catalog keys."""

    name: str
    """The field of `Settings`, or what opens when it is nothing of these."""
    label: str
    hint: str
    opens: bool = False
    """Enter opens something of its own."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a row shows now."""

    text: str
    """Translated and safe."""
    above: str = ""
    """The flag or variable that stands above the file, if any."""
    turns: bool = False
    """Left and Right change it."""


class SettingRow(Widget, can_focus=True):
    """Shows one setting; left, right, Enter or a click change it."""

    DEFAULT_CSS = """
    SettingRow { height: 1; width: 1fr; color: $foreground; }
    SettingRow:hover { background: $surface; }
    SettingRow:focus { background: $panel; }
    SettingRow > .setting-row--fixed { color: $text-muted; }
    SettingRow > .setting-row--arrow { color: $primary; text-style: bold; }
    SettingRow > .setting-row--value { color: $primary; }
    SettingRow:focus > .setting-row--value { text-style: bold; }
    SettingRow:focus > .setting-row--label { text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "setting-row--label",
        "setting-row--value",
        "setting-row--fixed",
        "setting-row--arrow",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", N_("Change"), id="settings.change",
                tooltip=N_("Take the next value, or open what there is to choose")),
        Binding("left", "turn(-1)", N_("Value before"), id="settings.before", show=False,
                tooltip=N_("Take the value before this one")),
        Binding("right,space", "turn(1)", N_("Next value"), id="settings.after", show=False,
                tooltip=N_("Take the value after this one")),
    ]  # fmt: skip

    @dataclass
    class Turned(Message):
        """Another value is wanted."""

        row: SettingRow
        by: int

    @dataclass
    class Opened(Message):
        """What there is to choose is to be opened."""

        row: SettingRow

    def __init__(self, setting: Setting, shown: Callable[[Setting], Shown], bar: str) -> None:
        """Make a row.

        Args:
            setting: What it is about.
            shown: Tells what to show; asked again at every refresh.
            bar: What marks the row that has the focus, one cell.
        """
        super().__init__(id=setting.name)
        self.setting = setting
        self.bar = bar
        self._shown = shown

    def action_turn(self, by: int) -> None:
        """Ask for the next value."""
        if self._shown(self.setting).turns:
            self.post_message(self.Turned(self, by))

    def action_choose(self) -> None:
        """Open what there is to choose, else ask for the next value."""
        if self.setting.opens:
            self.post_message(self.Opened(self))
        else:
            self.action_turn(1)

    def on_click(self, event: events.Click) -> None:
        """Change what was clicked at its value; a click on its name only goes there."""
        left, _ = self._split(self._shown(self.setting))
        if event.x < cell_len(left):
            return
        back = event.x < cell_len(left) + _ARROW_CELLS and not self.setting.opens
        if back:
            self.action_turn(-1)
        else:
            self.action_choose()

    def _split(self, shown: Shown) -> tuple[str, str]:
        """Return the name with the room up to the value's arrow, and the value."""
        label = tr(self.setting.label)
        room = self.content_size.width - _BAR_CELLS - cell_len(label) - 2 * _ARROW_CELLS
        value = f"{shown.text}  {shown.above}" if shown.above else shown.text
        value = cut(value, max(1, room - _GAP_CELLS))
        return " " * _BAR_CELLS + label + " " * max(0, room - cell_len(value)), value

    def render(self) -> Content:
        """Draw the row; the one with the focus has a bar and arrows, not only another ground."""
        shown = self._shown(self.setting)
        left, value = self._split(shown)
        if self.has_focus:
            left = self.bar + left[1:]
        before = "< " if self.has_focus and shown.turns else "  "
        opens = self.setting.opens and not shown.above
        after = " >" if opens or (shown.turns and self.has_focus) else "  "
        parts = (
            (left, "label"),
            (before, "arrow"),
            (value, "fixed" if shown.above else "value"),
            (after, "arrow"),
        )
        return Content.assemble(
            *((text, self.get_visual_style(f"setting-row--{part}")) for text, part in parts)
        )


def turned(values: Sequence[Value], now: Value, by: int) -> Value:
    """Return the value before or after one; one that is not among them leads to the first."""
    if now not in values:
        return values[0]
    return values[(values.index(now) + by) % len(values)]
