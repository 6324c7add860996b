"""The interface for people: Textual, loaded only when it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exile_tui.clock import Clock
    from exile_tui.config import Settings, Source
    from exile_tui.core.application import Application


def run_ui(
    application: Application, settings: Settings, clock: Clock, source: Source | None = None
) -> int:
    """Show the interface until it is closed; return the exit code."""
    from exile_tui.ui.app import ExileApp

    app = ExileApp(application, settings, clock, source=source)
    app.starting.begin()
    return app.run() or app.return_code or 0
