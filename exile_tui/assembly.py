"""Bind the use cases to disk, network and screen. Imports each part when it is first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exile_tui.clock import SystemClock

if TYPE_CHECKING:
    from exile_tui.config import Settings
    from exile_tui.core.application import Application
    from exile_tui.core.ports import EmbeddedRelay, Relay
    from exile_tui.wire.address import RelayAddress


def make_application(settings: Settings, *, start_relay: bool = True) -> Application:
    """Make the application of one profile, closed.

    Args:
        settings: Which profile, where, through which proxy.
        start_relay: Start this computer's relay when the profile needs it; otherwise its absence
            is a `RelayUnreachable`.
    """
    from exile_tui import paths
    from exile_tui.core.application import Application
    from exile_tui.crypto.entropy import SystemEntropy
    from exile_tui.relay.embedded import EmbeddedRelay
    from exile_tui.store import ProfileVault

    home = paths.data_home(settings.data_dir)
    embedded: EmbeddedRelay = EmbeddedRelay(paths.relay_directory(home))

    def relays(address: RelayAddress) -> Relay:
        from exile_tui.transport.client import HttpRelay

        return HttpRelay(address, proxy=settings.proxy)

    return Application(
        paths.profile_name(settings.profile),
        ProfileVault(paths.profile_directory(home, settings.profile)),
        relays,
        embedded,
        SystemEntropy(),
        SystemClock(),
    )


def run_screen(settings: Settings) -> int:
    """Open the messenger's screen and return its exit code."""
    from exile_tui.ui import run_ui

    return run_ui(make_application(settings), settings, SystemClock())
