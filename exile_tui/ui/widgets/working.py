"""A sentence about what goes on, with a short bar that moves, for work of a few seconds."""

from __future__ import annotations

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

BAR_CELLS = 12
STEP_SECONDS = 0.15


class Working(Static):
    """Hidden until work begins; never changes its size, so nothing around it moves."""

    DEFAULT_CSS = "Working { height: 1; visibility: hidden; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._sentence = ""
        self._at = 0
        self._timer: Timer | None = None

    def begin(self, sentence: str) -> None:
        """Show a translated sentence and let the bar move, unless animations are off."""
        self._sentence, self._at = sentence, 0
        self.visible = True
        self._draw()
        if self._timer is None and self.app.animation_level != "none":
            self._timer = self.set_interval(STEP_SECONDS, self._step)

    def end(self) -> None:
        """Show nothing."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.visible = False

    def _step(self) -> None:
        self._at = (self._at + 1) % BAR_CELLS
        self._draw()

    def _draw(self) -> None:
        places = {(self._at + offset) % BAR_CELLS for offset in range(3)}
        bar = "".join("=" if cell in places else "-" for cell in range(BAR_CELLS))
        self.update(Content.assemble((bar, "$primary"), "  ", self._sentence), layout=False)
