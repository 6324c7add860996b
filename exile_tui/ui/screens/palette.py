"""The command palette: every binding by name, in both languages and by initial consonants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from exile_tui.locale import every_language, tr
from exile_tui.text import cell_len, cut, fit
from exile_tui.ui.find import best
from exile_tui.ui.screens.picker import Picker
from exile_tui.ui.widgets.key_line import ShownKey

_WIDEST_NAME = 24


class PaletteScreen(Picker[ShownKey]):
    """Narrow down what can be done here and give back what was chosen."""

    def __init__(self, keys: Sequence[ShownKey]) -> None:
        """Make the palette.

        Args:
            keys: What worked when the palette was asked for.
        """
        # What is worth a place in the key line first, then what works everywhere.
        ordered = sorted(keys, key=lambda each: not each.show and not each.id.startswith("app."))
        super().__init__(tr("What do you want to do?"), ordered)
        names = (cell_len(each.description) for each in keys)
        self._width = min(max(names, default=0), _WIDEST_NAME)

    def texts(self, item: ShownKey) -> Iterable[str]:
        """Return a command's names in every language."""
        return every_language(item.binding.description)

    def found(self, query: str) -> Sequence[ShownKey]:
        """Return commands by their names, then those whose explanation has the words."""
        by_name = super().found(query)
        if len(query.strip()) < 2:
            return by_name
        others = [each for each in self.items if each not in by_name]
        return [*by_name, *best(query, others, lambda each: every_language(each.binding.tooltip))]

    def line(self, item: ShownKey, width: int) -> Content:
        """Return name, explanation and, at the right, the key."""
        name = Content(fit(item.description, self._width))
        room = width - self._width - cell_len(item.key)
        about = cut(item.tooltip, max(0, room - 4)) if room >= 16 else ""
        gap = " " * max(1, room - cell_len(about) - 2)
        key = Content.styled(item.key, "$primary")
        return Content.assemble(name, "  ", Content.styled(about, "$text-muted"), gap, key)

    def nothing(self, query: str) -> str:
        """Return what is said when no command fits."""
        return tr("There is no such command here. Esc closes this.")
