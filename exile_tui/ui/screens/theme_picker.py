"""Choose a theme by looking: the one under the highlight is shown everywhere at once."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.text import cell_len, cut
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.screens.settings import LOW_OR_HIGH
from exile_tui.ui.themes import DEFAULT, LoadedTheme


class Sample(Widget):
    """Two messages and the words of trust, in the theme's colours."""

    DEFAULT_CSS = """
    Sample { height: 5; margin-top: 1; padding: 0 1; background: $background; }
    Sample > .sample--mine { color: $bubble-mine; text-style: bold; }
    Sample > .sample--peer { color: $bubble-peer; }
    Sample > .sample--name { color: $name-1; text-style: bold; }
    Sample > .sample--text { color: $foreground; }
    Sample > .sample--verified { color: $verified; }
    Sample > .sample--aside { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"sample--{name}" for name in ("mine", "peer", "name", "text", "verified", "aside")
    }

    def __init__(self, bar: str, verified: str) -> None:
        """Make a sample.

        Args:
            bar: What stands before a line of a message, one cell.
            verified: The mark of a verified contact, one cell.
        """
        super().__init__()
        self._bar, self._verified = bar, verified

    def render(self) -> Content:
        """Draw the lines."""
        friend, me, verified = tr("A friend"), tr("Me"), tr("verified")
        question, answer = tr("How does this look?"), tr("Easy on the eyes.")
        lines = (
            (("peer", self._bar), ("name", f" {friend}  "),
             ("verified", f"{self._verified} {verified}")),
            (("peer", self._bar), ("text", f" {question}")),
            (),
            (("mine", f"{self._bar} {me}  "), ("aside", tr("delivered"))),
            (("mine", self._bar), ("text", f" {answer}")),
        )  # fmt: skip
        return Content("\n").join(
            Content.assemble(
                *((text, self.get_visual_style(f"sample--{style}")) for style, text in line)
            )
            for line in lines
        )


class ThemeList(OptionList):
    """The themes; Enter takes the highlighted one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", N_("Take it"), id="theme.take",
                tooltip=N_("Keep the theme that is shown")),
    ]  # fmt: skip


class ThemePicker(ExileModal[str]):
    """Gives back the chosen theme's name; Esc gives back the theme there was."""

    DEFAULT_CSS = """
    ThemePicker { background: $background 0%; }
    ThemePicker #panel { width: 64; max-width: 96%; height: auto; max-height: 92%; }
    ThemePicker.-low #panel { padding: 0 2; }
    ThemePicker ThemeList { height: auto; max-height: 8; margin-top: 1; }
    ThemePicker #description { height: 1; margin-top: 1; padding: 0 1; color: $text-muted; }
    """

    VERTICAL_BREAKPOINTS = LOW_OR_HIGH

    def compose_panel(self) -> ComposeResult:
        """Yield the list and a sample."""
        yield Static(tr("Choose a theme"), classes="heading", markup=False)
        yield ThemeList(markup=False)
        yield Static(id="description", markup=False)
        yield Sample(self.exile.marks.bar, self.exile.marks.verified)

    def on_mount(self) -> None:
        """List the themes; begin at the one in use."""
        self._before = self.exile.settings.theme or DEFAULT
        themes = self.exile.themes.loaded
        width = max(cell_len(each.name) for each in themes)
        listed = self.query_one(ThemeList)
        listed.add_options(Option(_line(each, width), id=each.name) for each in themes)
        names = [each.name for each in themes]
        listed.highlighted = names.index(self._before) if self._before in names else 0
        listed.focus()

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        self.on_mount()

    @on(OptionList.OptionHighlighted)
    def _try(self, event: OptionList.OptionHighlighted) -> None:
        theme = self.exile.themes.loaded[event.option_index]
        notice = self.exile.themes.use(theme.name)
        words = notice or cut(theme.words, self.query_one("#description").content_size.width or 60)
        self.query_one("#description", Static).update(Content(words))

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_cancel(self) -> None:
        """Show again what was there."""
        self.exile.themes.use(self._before)
        self.dismiss(None)


def _line(each: LoadedTheme, width: int) -> Content:
    kind = tr("dark") if each.dark else tr("light")
    own = tr("your own") if each.own else ""
    return Content(f" {each.name.ljust(width)}  {kind}  {own}".rstrip())
