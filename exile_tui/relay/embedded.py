"""The relay of this computer's user: started by whoever needs it, ended after everyone let go.

Its directory holds, beside what every relay has, `listen.json` (host and port: drawn once, kept)
and `lease`, a file that every messenger holds a shared lock on while it needs the relay. The system
lets go of a killed messenger's lock, so that the relay sees by trying an exclusive one that nobody
is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import ssl
import subprocess
import sys
from pathlib import Path

from exile_tui.errors import N_, RelayError
from exile_tui.locks import FileLock
from exile_tui.relay.interfaces import own_addresses
from exile_tui.relay.key import load_key
from exile_tui.relay.listening import (
    CANT_LISTEN,
    IN_USE,
    LEASE_FILE,
    LOCK_FILE,
    LOOPBACK,
    PORT_TAKEN,
    READY,
    Listening,
)
from exile_tui.wire.address import RelayAddress

GRACE = 60.0
"""Seconds that the relay goes on after the last messenger let go."""

POLL = 1.0
"""Seconds between the relay's looks at the lease."""

_START = 15.0
"""Seconds that a start may take."""

_NOT_STARTED = N_(
    "The relay of this computer could not be started. Look whether {path} can be written, and "
    "try again; your messages are kept."
)
_TAKEN = N_(
    "The relay of this computer can't listen on port {port} of {host}: another program has it. "
    "Contacts hold this address, so it is not changed; end that program and try again."
)
_NOT_HERE = N_(
    "The relay of this computer can't listen at {host}: this computer does not have that address "
    "now. Go back to the network where it has it, or choose another address."
)


class EmbeddedRelayFailed(RelayError):
    """The relay of this computer did not start."""

    sentence = _NOT_STARTED


class EmbeddedPortTaken(EmbeddedRelayFailed):
    """Another program has the port that contacts hold."""

    sentence = _TAKEN


class EmbeddedCantListen(EmbeddedRelayFailed):
    """The address that contacts hold is none of this computer now."""

    sentence = _NOT_HERE


class EmbeddedRelay:
    """Starts, finds and holds the relay of a directory. Implements `core.ports.EmbeddedRelay`."""

    def __init__(self, directory: Path, *, grace: float = GRACE, poll: float = POLL) -> None:
        """Make a handle; nothing is started or written.

        Args:
            directory: The relay's own directory.
            grace: Seconds that a relay started here goes on after the last holder let go.
            poll: Seconds between that relay's looks at who holds it.
        """
        self._directory = directory
        self._grace = grace
        self._poll = poll
        self._lease = FileLock(directory / LEASE_FILE)

    def address(self) -> RelayAddress | None:
        """Return its address without starting it; None when it never ran."""
        listening = Listening.read(self._directory)
        key = load_key(self._directory)
        if key is None or not listening.port:
            return None
        return RelayAddress(listening.host, listening.port, key.pin)

    async def ensure(self) -> RelayAddress:
        """Start it unless it runs, hold it running, and return its address.

        Raises:
            EmbeddedPortTaken: Another program has its port.
            EmbeddedRelayFailed: It does not start.
            DamagedKey: Its key can't be read.
        """
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Waits only for a relay that is ending just now.
            await asyncio.to_thread(self._lease.acquire, shared=True, wait=True)
            async with asyncio.timeout(_START):
                return await self._reach()
        except (OSError, TimeoutError) as error:  # TimeoutError is an OSError
            await self.release()
            raise EmbeddedRelayFailed(path=str(self._directory)) from error
        except BaseException:
            await self.release()
            raise

    async def release(self) -> None:
        """Let go: it ends a while after the last holder did."""
        self._lease.release()

    async def listen_on(self, host: str) -> None:
        """Choose where others reach it; port and loopback stay, and a running one starts anew.

        Raises:
            WireError: That is no host.
            EmbeddedPortTaken, EmbeddedCantListen: It could not listen there; nothing was changed.
            EmbeddedRelayFailed: Its directory can't be written, or it did not let go of the other
                address.
        """
        before = self.address()
        listening = Listening.read(self._directory)
        if host not in (listening.host, LOOPBACK):
            # Loads the server's parts, which a messenger has no other use for.
            from exile_tui.relay.binding import CantListen, PortTaken, listen

            try:
                listen(host, listening.port).close()
            except PortTaken as error:
                raise EmbeddedPortTaken(host=host, port=listening.port) from error
            except CantListen as error:
                raise EmbeddedCantListen(host=host) from error
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            Listening(host, listening.port).write(self._directory)
            if before is not None and before.host not in (host, LOOPBACK):
                async with asyncio.timeout(_START):
                    await self._let_go(before)
        except OSError as error:  # TimeoutError is one
            raise EmbeddedRelayFailed(path=str(self._directory)) from error

    async def _let_go(self, address: RelayAddress) -> None:
        """Wait until nobody is let in at an address any more: closed has to mean closed."""
        while True:
            if not self._runs() or not await _answers(address):
                return
            await asyncio.sleep(min(self._poll, 0.05))

    def hosts(self) -> list[str]:
        """Return this computer's own addresses that others may reach, without any traffic."""
        return own_addresses()

    async def _reach(self) -> RelayAddress:
        while True:
            address = self.address()
            runs = self._runs()
            # Unless it runs, the address may be somebody else's by now.
            if runs and address is not None and await _answers(address):
                return address
            if runs:  # it starts, ends or moves just now
                await asyncio.sleep(min(self._poll, 0.05))
                continue
            said = await asyncio.to_thread(self._start)
            if said in (PORT_TAKEN, CANT_LISTEN):
                listening = Listening.read(self._directory)
                failure = EmbeddedPortTaken if said == PORT_TAKEN else EmbeddedCantListen
                raise failure(host=listening.host, port=listening.port)
            # In use: it was started by someone else, or someone else just looked whether it runs.
            if said not in (READY, IN_USE) and not self._runs():
                raise EmbeddedRelayFailed(path=str(self._directory))

    def _runs(self) -> bool:
        with FileLock(self._directory / LOCK_FILE) as lock:
            return not lock.acquire()

    def _start(self) -> str:
        """Start a process that outlives this one, and return the word that it says of itself."""
        command = [sys.executable, "-m", "exile_tui.relay.detached", str(self._directory)]
        with subprocess.Popen(  # noqa: S603 - this very program, no shell
            [*command, repr(self._grace), repr(self._poll)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=self._directory,
            env=_environment(),
        ) as process:
            assert process.stdout is not None
            return process.stdout.readline().decode("ascii", "replace").strip()


def _environment() -> dict[str, str]:
    """Let the new process find this program, wherever it was started from."""
    environment = dict(os.environ)
    root = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, (root, environment.get("PYTHONPATH", "")))
    )
    return environment


async def _answers(address: RelayAddress) -> bool:
    """Tell whether the relay with this key answers at this address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    except (OSError, TimeoutError):
        return False
    connection = writer.get_extra_info("ssl_object")
    certificate = connection.getpeercert(binary_form=True)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return certificate is not None and _pin_of(certificate) == address.pin


def _pin_of(certificate: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_der_x509_certificate

    key = load_der_x509_certificate(certificate).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()
