"""The relay's client. Importing this loads no HTTP library: the first relay that is made does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exile_tui.core.ports import Relay
    from exile_tui.wire.address import RelayAddress


class HttpRelays:
    """Makes clients of relays, all through the same proxy; implements core's `RelayFactory`."""

    def __init__(self, proxy: str | None = None) -> None:
        """Take a proxy for all relays: `socks5://[USER:PASSWORD@]HOST:PORT`, or none.

        Raises:
            UsageError: It is no such URL.
        """
        if proxy is not None:
            from exile_tui.transport.proxy import require_proxy

            require_proxy(proxy)
        self._proxy = proxy

    def __call__(self, address: RelayAddress) -> Relay:
        """Make the client of a relay; it connects when it is first asked something."""
        from exile_tui.transport.client import HttpRelay

        return HttpRelay(address, proxy=self._proxy)
