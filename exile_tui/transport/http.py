"""HTTP to one relay: pinned, bounded in time and size, without memory of earlier visits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from exile_tui.errors import WireError
from exile_tui.transport.failures import WorkAsked, refusal, relay_errors
from exile_tui.transport.network import RelayTransport
from exile_tui.transport.pin import pinned_context
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import CONTENT_TYPE, MAX_REASON, Path

_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "exile-tui"}
"""The same from every client and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds."""

    connect: float = 20.0
    transfer: float = 30.0
    """For the next bytes of a request or its answer."""

    answer: float = 60.0
    """For a whole answer, from connecting on; larger requests get more."""

    slowest: int = 4096
    """Bytes a second that a connection must carry: each so many of a request give a second more."""

    silence: float = 50.0
    """For the next bytes of a stream; the relay's heartbeat comes every 20 s."""


class RelayHttp:
    """Makes requests to one relay, each over the client that it is given."""

    def __init__(self, address: RelayAddress, proxy: str | None, timeouts: Timeouts) -> None:
        self.address = address
        self.timeouts = timeouts
        self._proxy = proxy
        self._tls = pinned_context(address.pin)

    def client(self, *, connections: int, silence: float | None = None) -> httpx.AsyncClient:
        """Make a client; it connects when it is first used.

        Args:
            connections: How many it may hold at once.
            silence: Seconds to wait for the next bytes; `Timeouts.transfer` when not given.
        """
        waits = self.timeouts
        with relay_errors(self.address):
            return httpx.AsyncClient(
                base_url=f"https://{self.address.authority}",
                transport=RelayTransport(self._tls, self._proxy, connections),
                trust_env=False,
                follow_redirects=False,
                headers=_HEADERS,
                # A cookie would let a relay link what is sent over different connections.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                timeout=httpx.Timeout(
                    waits.transfer,
                    connect=waits.connect,
                    read=waits.transfer if silence is None else silence,
                ),
            )

    async def start(
        self, client: httpx.AsyncClient, method: str, path: Path, body: bytes | None
    ) -> httpx.Response:
        """Send a request and return once its answer's head is there and a success.

        Raises:
            WorkAsked: Something is to be solved first.
            RelayError: Out of reach, another key, or not a success; a redirect is none.
        """
        allowed = self.timeouts.answer + len(body or b"") / self.timeouts.slowest
        with relay_errors(self.address):
            async with asyncio.timeout(allowed):
                headers = None if body is None else {"content-type": CONTENT_TYPE}
                request = client.build_request(method, path.value, content=body, headers=headers)
                response = await client.send(request, stream=True)
                if response.status_code in (200, 204):
                    return response
                reason = await _read_whole(response, MAX_REASON)
        if response.status_code == 503 and response.headers.get("content-type") == CONTENT_TYPE:
            raise WorkAsked(reason, self.address)
        said = response.headers.get("retry-after", "")
        raise refusal(response.status_code, self.address, said)

    async def ask(
        self, client: httpx.AsyncClient, method: str, path: Path, body: bytes | None, limit: int
    ) -> bytes:
        """Send a request and return its whole answer.

        Args:
            limit: The most bytes that the answer can have.

        Raises:
            RelayError: Out of reach, another key, not a success, or longer than that.
        """
        allowed = self.timeouts.answer + (len(body or b"") + limit) / self.timeouts.slowest
        with relay_errors(self.address):
            async with asyncio.timeout(allowed):
                response = await self.start(client, method, path, body)
                return await _read_whole(response, limit)


async def _read_whole(response: httpx.Response, limit: int) -> bytes:
    """Read at most `limit` bytes as they come, undecoded, and give the connection back."""
    data = bytearray()
    try:
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > limit:
                raise WireError
    finally:
        await response.aclose()
    return bytes(data)
