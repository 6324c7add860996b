"""XMPP over direct TLS as far as load needs it: SASL PLAIN, stanzas made once, ends counted."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from functools import cache
from ssl import SSLContext

from benchmarks.relay.connection import Broken, Connection, Lost, client_context
from benchmarks.relay.peers import DOMAIN, PASSWORD

_STREAM = (
    f"<?xml version='1.0'?><stream:stream to='{DOMAIN}' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
)
_BIND = (
    "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<resource>load</resource></bind></iq>"
)
_MANAGE = "<enable xmlns='urn:xmpp:sm:3'/>"
_REQUEST = b"<r xmlns='urn:xmpp:sm:3'/>"


@cache
def _context() -> SSLContext:
    return client_context()


class XmppClient:
    """One account, logged in."""

    def __init__(
        self,
        name: str,
        arrived: Callable[[int], None],
        lost: Lost,
        answered: Callable[[int], None] | None = None,
    ) -> None:
        """Make a client that is not connected.

        Args:
            arrived: Told how many messages came.
            answered: Told how many requests of stream management (XEP-0198) the server answered:
                each message is followed by one then.
        """
        self._name = name
        self._arrived = arrived
        self._answered = answered
        self._connection = Connection(self._received, self._fail)
        self._lost = lost
        self._out: list[bytes] = []
        self._rest = b""
        self._awaited: tuple[bytes, asyncio.Future[None]] | None = None

    async def open(
        self, address: tuple[str, int], *, available: bool = True, greeted: bool = True
    ) -> None:
        """Connect and log in; only who is available gets messages.

        Args:
            greeted: Whether to wait for one's own presence, and for nothing that came before it.
        """
        await self._connection.open(address, _context())
        await self._ask(_STREAM, b"</stream:features>")
        secret = base64.b64encode(f"\0{self._name}\0{PASSWORD}".encode()).decode()
        sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
        await self._ask(f"<auth xmlns='{sasl}' mechanism='PLAIN'>{secret}</auth>", b"<success")
        await self._ask(_STREAM, b"</stream:features>")
        await self._ask(_BIND, b"</iq>")
        if self._answered is not None:
            await self._ask(_MANAGE, b"<enabled")
        if available and greeted:
            await self._ask("<presence/>", b"<presence")
        elif available:
            self._connection.write(b"<presence/>")

    async def _ask(self, text: str, answer: bytes) -> None:
        ready = asyncio.get_running_loop().create_future()
        self._rest = b""
        self._awaited = answer, ready
        self._connection.write(text.encode())
        await ready

    def send(self, to: str, text: bytes) -> None:
        """Send a message to an account; it leaves with the next `flush`."""
        head = b"<message to='%s@%s' type='chat'><body>" % (to.encode(), DOMAIN.encode())
        self._out += (head, text, b"</body></message>")
        if self._answered is not None:
            self._out.append(_REQUEST)

    def flush(self) -> None:
        """Let go of what was sent."""
        if self._out:
            out, self._out = b"".join(self._out), []
            self._connection.write(out)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _fail(self, error: Exception) -> None:
        if self._awaited is None:
            self._lost(error)
        else:
            (_, ready), self._awaited = self._awaited, None
            ready.set_exception(error)

    def _received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if self._awaited is not None:
            self._rest = data
            answer, ready = self._awaited
            if answer in data:
                self._awaited = None
                self._rest = b""
                ready.set_result(None)
            elif b"<failure" in data or b"<stream:error" in data:
                raise Broken(f"not logged in: {data[-300:]!r}")
            return
        # Everything that is looked for ends with this sign, and no text has it.
        end = data.rfind(b">") + 1
        data, self._rest = data[:end], data[end:]
        if b"type='error'" in data or b"<stream:error" in data:
            raise Broken(f"the server refuses: {data[-300:]!r}")
        if count := data.count(b"</message>"):
            self._arrived(count)
        if self._answered is not None and (count := data.count(b"<a ")):
            self._answered(count)
        self.flush()
