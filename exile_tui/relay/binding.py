"""The sockets that a relay listens on."""

from __future__ import annotations

import errno
import socket
import sys

from exile_tui.errors import N_, ExileError
from exile_tui.relay.exhaustion import descriptors

_TAKEN = N_(
    "Port {port} of {host} is taken by another program. Contacts hold this address, so it is not "
    "changed: end that program and start again."
)
_CANT_LISTEN = N_("Can't listen on {host}, port {port}: {reason}.")


class CantListen(ExileError):
    """The address is no address of this machine, or not allowed."""

    sentence = _CANT_LISTEN


class PortTaken(CantListen):
    """Another program listens on this port."""

    sentence = _TAKEN


def listen(host: str, port: int) -> socket.socket:
    """Bind a listening socket; port 0 draws a free one.

    Raises:
        PortTaken: Another program listens there.
        CantListen: The address can't be listened on.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError, OverflowError) as error:
        raise CantListen(host=host, port=port, reason=_reason(error)) from error
    try:
        if sys.platform != "win32":  # there it would let two processes share a port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it; without it every push waits 44 ms for an acknowledgement.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound.bind(address)
        bound.listen(descriptors().backlog)
        bound.setblocking(False)
    except (OSError, OverflowError) as error:
        bound.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise PortTaken(host=host, port=port) from error
        raise CantListen(host=host, port=port, reason=_reason(error)) from error
    return bound


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
