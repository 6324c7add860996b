"""A few choices side by side or one below the other, taken with arrows, Enter or the mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.text import cell_len


@dataclass(frozen=True)
class Choice:
    """One of the choices; both texts are catalog keys."""

    label: str
    hint: str = ""
    """A line below the label; only in a column."""


class Choices(Widget, can_focus=True):
    """Holds which one of a few choices is taken."""

    DEFAULT_CSS = """
    Choices { width: auto; height: auto; }
    Choices.-column { width: 1fr; }
    Choices > .choices--other { color: $text-muted; }
    Choices.-column > .choices--other { color: $foreground; }
    Choices > .choices--taken { color: $primary; background: $panel; text-style: bold; }
    Choices:focus > .choices--taken { color: $background; background: $primary; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choices--other", "choices--taken"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "previous", N_("Previous"), tooltip=N_("Take the choice before"),
                id="choices.previous", show=False),
        Binding("right,down", "next", N_("Next"), tooltip=N_("Take the choice after"),
                id="choices.next", show=False),
        Binding("enter", "confirm", N_("Choose"), tooltip=N_("Go on with this choice"),
                id="choices.confirm", show=False),
        Binding("space", "next", N_("Next"), tooltip=N_("Take the choice after"),
                id="choices.turn", show=False),
    ]  # fmt: skip

    chosen: reactive[int] = reactive(0)

    @dataclass
    class Changed(Message):
        """Another choice was taken."""

        choices: Choices
        index: int

        @property
        def control(self) -> Choices:
            """The widget, for selectors in `@on`."""
            return self.choices

    @dataclass
    class Confirmed(Changed):
        """Enter was pressed on the choice that is taken."""

    def __init__(
        self,
        choices: Sequence[Choice],
        *,
        chosen: int = 0,
        column: bool = False,
        id: str | None = None,
        translate: Callable[[str], str] = tr,
    ) -> None:
        """Make the widget.

        Args:
            choices: What there is to choose from.
            chosen: Which one is taken at first.
            column: One below the other, with hints.
            id: The widget's id.
            translate: Turns a label into what is shown; language names stay as they are.
        """
        super().__init__(id=id, classes="-column" if column else None)
        self._choices = tuple(choices)
        self._column = column
        self._translate = translate
        self.set_reactive(Choices.chosen, chosen)

    def validate_chosen(self, chosen: int) -> int:
        """Stay within the choices."""
        return min(max(chosen, 0), len(self._choices) - 1)

    def watch_chosen(self, chosen: int) -> None:
        """Tell that another choice was taken."""
        self.post_message(self.Changed(self, chosen))

    def action_previous(self) -> None:
        """Take the one before; the first leads to the last."""
        self.chosen = (self.chosen - 1) % len(self._choices)

    def action_next(self) -> None:
        """Take the one after; the last leads to the first."""
        self.chosen = (self.chosen + 1) % len(self._choices)

    def action_confirm(self) -> None:
        """Confirm the one that is taken."""
        self.post_message(self.Confirmed(self, self.chosen))

    def on_click(self, event: events.Click) -> None:
        """Take the choice under the mouse."""
        place = event.get_content_offset(self)
        if place is not None:
            index = self._index_at(place.x, place.y)
            if index is not None:
                self.chosen = index

    def _index_at(self, x: int, y: int) -> int | None:
        if self._column:
            top = 0
            for index, choice in enumerate(self._choices):
                top += self._rows(choice, self.content_size.width)
                if y < top:
                    return index
            return None
        left = 0
        for index, choice in enumerate(self._choices):
            right = left + cell_len(self._label(choice))
            if left <= x < right:
                return index
            left = right + 1
        return None

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the width of the row, or of the widest label in a column."""
        widths = [cell_len(self._label(choice)) for choice in self._choices]
        return max(widths) if self._column else sum(widths) + len(widths) - 1

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of all choices."""
        if not self._column:
            return 1
        return sum(self._rows(choice, width) for choice in self._choices)

    def render(self) -> Content:
        """Draw the choices; the taken one differs by its background and, in a column, a mark."""
        if self._column:
            width = self.content_size.width
            return Content("\n").join(
                line
                for index, choice in enumerate(self._choices)
                for line in self._lines(index, choice, width)
            )
        return Content(" ").join(
            Content.styled(self._label(choice), self._style(index))
            for index, choice in enumerate(self._choices)
        )

    def _style(self, index: int) -> Style:
        return self.get_visual_style(f"choices--{'taken' if index == self.chosen else 'other'}")

    def _label(self, choice: Choice) -> str:
        return f" {self._translate(choice.label)} "

    def _hint(self, choice: Choice, width: int) -> list[str]:
        if not choice.hint:
            return []
        wrapped = Content(self._translate(choice.hint)).wrap(max(1, width - 4))
        return [line.plain for line in wrapped]

    def _rows(self, choice: Choice, width: int) -> int:
        return 1 + len(self._hint(choice, width))

    def _lines(self, index: int, choice: Choice, width: int) -> list[Content]:
        mark = ">" if index == self.chosen else " "
        label = Content.assemble(f"{mark} ", (self._label(choice), self._style(index)))
        hints = [Content.styled(f"   {line}", "$text-muted") for line in self._hint(choice, width)]
        return [label, *hints]
