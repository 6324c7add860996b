"""Which addresses this computer has: asked of its own system, nothing goes to the network."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # the module is absent, not another one

_ROUTES = (
    "192.0.2.1",
    "10.255.255.254",
    "172.31.255.254",
    "192.168.255.254",
    "100.127.255.254",
    "2001:db8::1",
    "fd00::1",
)
"""One address of each kind of network. Connecting a datagram socket sends nothing: the system looks
up its routes and says which own address it would use."""
_ANY_PORT = 9
_LINUX_GET_ADDRESS = 0x8915
_NAME = 16
"""Bytes of an interface's name in the request for its address; the answer follows it."""


def own_addresses() -> list[str]:
    """Return own addresses that others may reach: the usual route's first, no loopback."""
    found = [*_by_routes(), *_by_interfaces()]
    return list(dict.fromkeys(host for host in found if _fits(host)))


def _fits(host: str) -> bool:
    address = ipaddress.ip_address(host)
    return not (
        address.is_loopback
        or address.is_unspecified
        or address.is_multicast
        or address.is_link_local  # nobody can name one of these without an interface
    )


def _by_routes() -> list[str]:
    found = []
    for there in _ROUTES:
        family = socket.AF_INET6 if ":" in there else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((there, _ANY_PORT))
            found.append(str(probe.getsockname()[0]).partition("%")[0])
    return found


def _by_interfaces() -> list[str]:
    """Return the IPv4 address of each interface, where the system is Linux."""
    found: list[str] = []
    if fcntl is None:
        return found
    for _, name in socket.if_nameindex():
        request = struct.pack("256s", name.encode()[: _NAME - 1])
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
            answer = fcntl.ioctl(ask.fileno(), _LINUX_GET_ADDRESS, request)
            found.append(socket.inet_ntoa(answer[_NAME + 4 : _NAME + 8]))
    return found
