"""The interface for people: Textual, loaded only when it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exile_tui.clock import Clock
    from exile_tui.config import Settings
    from exile_tui.core.application import Application


def run_ui(application: Application, settings: Settings, clock: Clock) -> int:
    """Show the interface until it is closed; return the exit code."""
    from exile_tui.ui.app import ExileApp

    return ExileApp(application, settings, clock).run() or 0
