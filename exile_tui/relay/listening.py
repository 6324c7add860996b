"""Where the embedded relay listens: drawn once and kept in its directory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from exile_tui.errors import N_, ExileError, WireError
from exile_tui.relay.key import write_private
from exile_tui.wire.address import require_host

LOOPBACK = "127.0.0.1"
"""Where it always listens, others' address or not."""
LEASE_FILE = "lease"
LOCK_FILE = "lock"
"""Held by the relay that runs in a directory."""
LISTENING_FILE = "listen.json"

READY = "ready"
IN_USE = "in-use"
PORT_TAKEN = "port-taken"
CANT_LISTEN = "cant-listen"
FAILED = "failed"
"""What a detached relay says of itself to who started it, one word."""

_DAMAGED = N_(
    "The file {path} can't be read. It holds the port of this computer's relay, which contacts "
    "know; put it back from a copy, or remove it to get a new port."
)


class DamagedListening(ExileError):
    """The file is there and says nothing usable."""

    sentence = _DAMAGED


@dataclass(frozen=True, slots=True)
class Listening:
    """A host and a port; port 0 is not drawn yet."""

    host: str = LOOPBACK
    port: int = 0

    @classmethod
    def read(cls, directory: Path) -> Listening:
        """Read a directory's file; the default when there is none.

        Raises:
            DamagedListening: It is there and says nothing usable.
        """
        path = directory / LISTENING_FILE
        try:
            held = json.loads(path.read_text("utf-8"))
            host, port = held["host"], held["port"]
            if type(port) is not int or not 0 <= port <= 65_535:
                raise ValueError
            require_host(host)
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError, KeyError, RecursionError, WireError) as error:
            raise DamagedListening(path=str(path)) from error
        return cls(host, port)

    def write(self, directory: Path) -> None:
        """Write it as a whole or not at all.

        Raises:
            WireError: That is no host.
        """
        require_host(self.host)
        data = json.dumps({"host": self.host, "port": self.port}).encode()
        write_private(directory / LISTENING_FILE, data)
