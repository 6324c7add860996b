"""Bind the use cases to disk, network and screen. Imports each part when it is first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exile_tui.clock import SystemClock
from exile_tui.errors import N_, RelayUnreachable

if TYPE_CHECKING:
    from pathlib import Path

    from exile_tui.config import Settings, Source
    from exile_tui.core.application import Application
    from exile_tui.core.ports import EmbeddedRelay, Relay
    from exile_tui.wire.address import RelayAddress


_NOT_RUNNING = N_(
    "The relay of this computer isn't running; --start-relay starts it, and so does the "
    "messenger's screen. Nothing was lost."
)
CONNECT_S = 5.0
"""How long this computer's own relay may take to answer a connection."""


class ThisComputersRelay:
    """The embedded relay: loaded when first used, and perhaps held but never started."""

    def __init__(self, directory: Path, *, start: bool) -> None:
        self._directory = directory
        self._start = start
        self._relay: EmbeddedRelay | None = None

    async def ensure(self) -> RelayAddress:
        """Hold it running and return its address.

        Raises:
            RelayUnreachable: It does not run, and is not to be started.
        """
        if not self._start:
            address = self.address()
            if address is None or not await _listens(address):
                raise RelayUnreachable(_NOT_RUNNING)
        return await self._loaded().ensure()

    def address(self) -> RelayAddress | None:
        """Return its address without starting it; None when it never ran."""
        return self._loaded().address()

    async def release(self) -> None:
        """Let go."""
        if self._relay is not None:
            await self._relay.release()

    async def listen_on(self, host: str) -> None:
        """Choose where others reach it."""
        await self._loaded().listen_on(host)

    def hosts(self) -> list[str]:
        """Return this computer's own addresses that others may reach."""
        return self._loaded().hosts()

    def _loaded(self) -> EmbeddedRelay:
        from exile_tui.relay.embedded import EmbeddedRelay

        if self._relay is None:
            self._relay = EmbeddedRelay(self._directory)
        return self._relay


async def _listens(address: RelayAddress) -> bool:
    import asyncio

    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def make_embedded(settings: Settings, *, start: bool = True) -> EmbeddedRelay:
    """Make the port to this computer's relay.

    Args:
        settings: Where the data lives.
        start: Start it when it is needed; otherwise its absence is a `RelayUnreachable`.
    """
    from exile_tui import paths

    directory = paths.relay_directory(paths.data_home(settings.data_dir))
    return ThisComputersRelay(directory, start=start)


def make_application(settings: Settings, embedded: EmbeddedRelay) -> Application:
    """Make the application of one profile, closed."""
    from exile_tui import paths
    from exile_tui.core.application import Application
    from exile_tui.crypto.entropy import SystemEntropy
    from exile_tui.store import ProfileVault

    def relays(address: RelayAddress) -> Relay:
        from exile_tui.transport.client import HttpRelay

        proxy = settings.proxy
        if proxy and address == embedded.address():
            proxy = None  # whatever others call it, it is on this computer
        return HttpRelay(address, proxy=proxy_for(address, proxy))

    profile = paths.profile_name(settings.profile)
    directory = paths.profile_directory(paths.data_home(settings.data_dir), profile)
    vault = ProfileVault(directory)
    return Application(
        profile, vault, relays, embedded, SystemEntropy(), SystemClock(), load=_load_parts
    )


def _load_parts() -> None:
    import exile_tui.store.opening
    import exile_tui.transport.client  # noqa: F401  # only loaded
    from exile_tui.transport.network import prepare

    prepare()


def proxy_for(address: RelayAddress, proxy: str | None) -> str | None:
    """Return the proxy for a relay; what never leaves this computer needs none.

    A proxy elsewhere would look for a relay on its own loopback.
    """
    import ipaddress

    try:
        return None if ipaddress.ip_address(address.host).is_loopback else proxy
    except ValueError:
        return proxy


def run_screen(settings: Settings, source: Source | None = None) -> int:
    """Open the messenger's screen and return its exit code.

    Args:
        settings: As they are now.
        source: Where they come from; None if they only hold until the screen is closed.
    """
    from exile_tui.ui import run_ui

    application = make_application(settings, make_embedded(settings))
    return run_ui(application, settings, SystemClock(), source)
