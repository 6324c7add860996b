"""The proxies that relays may be reached through."""

from __future__ import annotations

from urllib.parse import urlsplit

from exile_tui.errors import N_, UsageError

_NOT_A_PROXY = N_("The proxy must be given as socks5://HOST:PORT. Nothing was sent without it.")


def require_proxy(proxy: str) -> None:
    """Refuse what is not `socks5://[USER:PASSWORD@]HOST:PORT`; the proxy resolves host names.

    Raises:
        UsageError: Another scheme, no host or port, or more after them.
    """
    try:
        parts = urlsplit(proxy)
        complete = bool(parts.hostname and parts.port)
    except ValueError:
        raise UsageError(_NOT_A_PROXY) from None
    extra = parts.path not in ("", "/") or parts.query or parts.fragment
    if parts.scheme not in ("socks5", "socks5h") or not complete or extra or not proxy.isascii():
        raise UsageError(_NOT_A_PROXY)
