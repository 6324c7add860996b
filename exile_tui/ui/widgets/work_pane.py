"""What a busy relay asks of this computer: how far it is, and the way to put it off."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Static

from exile_tui.locale import tr
from exile_tui.ui.words import error_text

if TYPE_CHECKING:
    from exile_tui.core.events import Work
    from exile_tui.core.messenger import Messenger
    from exile_tui.ui.app import ExileApp

BAR_CELLS = 12


class WorkPane(Vertical):
    """Hidden unless work is under way, or is not done and something waits for it."""

    DEFAULT_CSS = """
    WorkPane { height: auto; margin-bottom: 1; display: none; }
    WorkPane Button { padding: 0; min-width: 0; }
    """

    def compose(self) -> ComposeResult:
        """Yield the sentence, and the button that stops it or goes on."""
        yield Static(id="work-words", markup=False)
        yield Button(tr("Not now"), id="work-toggle", compact=True)

    def show(self, messenger: Messenger) -> None:
        """Show where a profile's work stands."""
        work, problem = messenger.work, messenger.work_problem
        self.display = work is not None or problem is not None
        words, button = self.query_one("#work-words", Static), self.query_one(Button)
        if work is not None:
            words.update(work_words(work))
            button.label = tr("Not now")
        elif problem is not None:
            words.update(Content(error_text(problem)))
            button.label = tr("Do it now")

    @on(Button.Pressed, "#work-toggle")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        cast("ExileApp", self.app).action_work()


def work_sentence(seconds: float) -> str:
    """Return what a busy relay asks, and how long it will take."""
    return tr(
        "The relay is busy and asks this computer for some work, about {n} s.",
        n=max(1, math.ceil(seconds)),
    )


def work_words(work: Work) -> Content:
    """Return the sentence, a bar, and the percentage."""
    done = "=" * round(work.share * BAR_CELLS)
    return Content.assemble(
        work_sentence(work.seconds),
        ("\n" + done.ljust(BAR_CELLS, "-"), "$primary"),
        f"  {int(work.share * 100)}%",
    )
