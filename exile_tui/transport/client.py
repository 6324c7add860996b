"""One relay, as its client sees it (docs/protocol.md, section 8)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx
import msgspec

from exile_tui.errors import RelayError, RelayRefused, RelayUnreachable, WireError
from exile_tui.transport.failures import BadAnswer, WorkAsked, relay_errors
from exile_tui.transport.http import RelayHttp, Timeouts
from exile_tui.transport.proxy import require_proxy
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.mailbox import TOKEN_SIZE
from exile_tui.wire.relay import (
    MAX_ACKNOWLEDGE,
    MAX_BLOB,
    MAX_DISCLOSURE,
    MAX_FACTS,
    Acknowledge,
    Append,
    Authorization,
    BlobsDecoder,
    CaughtUp,
    CreateMailbox,
    DeleteBlob,
    EnvelopeFrame,
    Frame,
    FrameDecoder,
    GetBlobs,
    Goodbye,
    MailboxToken,
    Path,
    PutBlob,
    PutBlobs,
    PutTicket,
    Puzzle,
    Receive,
    RefusedFrame,
    SignedFacts,
    Solution,
    Verdict,
    decode_renewal,
    decode_verdicts,
)

_CONCURRENT = 32
"""Requests at once; HTTP/2 connections carry 100, and one more would wait until it times out."""
_DISCLOSURE = msgspec.json.Decoder(dict[str, Any])


class HttpRelay:
    """Talks to one relay; implements core's `Relay`. Makes no connection before the first call.

    Requests share a client; every `receive` has one of its own, because closing one HTTP/2 stream
    does not reach the relay: only closing its connection does.
    """

    def __init__(
        self,
        address: RelayAddress,
        *,
        proxy: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Take the relay's address and perhaps a proxy: `socks5://[USER:PASSWORD@]HOST:PORT`.

        Raises:
            UsageError: The proxy's URL is none.
        """
        if proxy is not None:
            require_proxy(proxy)
        self._address = address
        self._http = RelayHttp(address, proxy, timeouts or Timeouts())
        self._requests: httpx.AsyncClient | None = None
        self._streams: set[httpx.AsyncClient] = set()
        self._room = asyncio.Semaphore(_CONCURRENT)
        self._closed = False

    async def create_mailbox(
        self,
        mailbox_id: bytes,
        receive_hash: bytes,
        send_hash: bytes,
        authorization: bytes,
        solution: Solution | None = None,
    ) -> bytes | Puzzle:
        """Create a mailbox; again is a success. Return its renewal token, which may be empty.

        Returns a puzzle when that is to be solved first.
        """
        request = CreateMailbox(
            mailbox_id, receive_hash, send_hash, Authorization.decode(authorization), solution
        )
        try:
            answer = await self._ask(Path.CREATE, request.encode(), limit=TOKEN_SIZE)
        except WorkAsked as asked:
            try:
                return Puzzle.decode(asked.puzzle)
            except WireError:  # of a kind that came later than this program: as any other 503
                raise asked from None
        with relay_errors(self._address):
            return decode_renewal(answer)

    async def delete_mailbox(self, mailbox_id: bytes, receive_token: bytes) -> None:
        """Delete a mailbox and all in it; unknown is a success."""
        try:
            await self._ask(Path.DELETE, MailboxToken(mailbox_id, receive_token).encode())
        except RelayRefused as error:
            # An unknown mailbox answers like a wrong token, and this token is the right one.
            if error.parameters.get("status") != 403:
                raise

    async def append(
        self, mailbox_id: bytes, send_token: bytes, envelopes: Sequence[bytes]
    ) -> list[Verdict]:
        """Append 1 to 32 envelopes to one mailbox; one verdict each, in order."""
        request = Append(mailbox_id, send_token, envelopes)
        answer = await self._ask(Path.APPEND, request.encode(), limit=len(envelopes))
        with relay_errors(self._address):
            return decode_verdicts(answer, len(envelopes))

    async def acknowledge(
        self, mailbox_id: bytes, receive_token: bytes, seqs: Sequence[int]
    ) -> None:
        """Acknowledge envelopes of a mailbox, any number."""
        for start in range(0, len(seqs), MAX_ACKNOWLEDGE):
            some = seqs[start : start + MAX_ACKNOWLEDGE]
            await self._ask(Path.ACKNOWLEDGE, Acknowledge(mailbox_id, receive_token, some).encode())

    async def request_ticket(self, ticket_hash: bytes, expiry: int, authorization: bytes) -> None:
        """Allow one mailbox for whoever shows the ticket before `expiry` (unix seconds)."""
        request = PutTicket(Authorization.decode(authorization), ticket_hash, expiry)
        await self._ask(Path.TICKET, request.encode())

    async def put_blob(
        self,
        blob_id: bytes,
        delete_hash: bytes,
        expiry: int,
        blob: bytes,
        authorization: bytes,
    ) -> Verdict:
        """Store a blob until `expiry` (unix seconds); the same again is a success."""
        blobs = [PutBlob(blob_id, delete_hash, expiry, blob)]
        request = PutBlobs(Authorization.decode(authorization), blobs)
        answer = await self._ask(Path.BLOB_PUT, request.encode(), limit=1)
        with relay_errors(self._address):
            return decode_verdicts(answer, 1)[0]

    async def get_blob(self, blob_id: bytes) -> bytes | None:
        """Return a blob, None when the relay has none by this id."""
        answer = await self._ask(Path.BLOB_GET, GetBlobs([blob_id]).encode(), limit=5 + MAX_BLOB)
        with relay_errors(self._address):
            decoder = BlobsDecoder(1)
            blobs = decoder.feed(answer)
            decoder.finish()
            return blobs[0]

    async def delete_blob(self, blob_id: bytes, delete_token: bytes) -> None:
        """Delete a blob; unknown is a success."""
        await self._ask(Path.BLOB_DELETE, DeleteBlob(blob_id, delete_token).encode())

    async def facts(self) -> SignedFacts:
        """Return the relay's statement, its signature checked against the pin."""
        answer = await self._ask(Path.FACTS, None, limit=MAX_FACTS)
        with relay_errors(self._address):
            signed = SignedFacts.decode(answer)
            signed.verify(self._address.pin)
            _ = signed.facts
            return signed

    async def disclosure(self, mailbox_id: bytes, receive_token: bytes) -> dict[str, Any]:
        """Return what the relay holds about a mailbox, literally."""
        body = MailboxToken(mailbox_id, receive_token).encode()
        answer = await self._ask(Path.DISCLOSURE, body, limit=MAX_DISCLOSURE)
        try:
            return _DISCLOSURE.decode(answer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise BadAnswer(address=self._address.authority) from None

    async def receive(
        self, mailboxes: Sequence[tuple[bytes, bytes]]
    ) -> AsyncGenerator[Sequence[Frame], None]:
        """Stream frames for 1 to 1024 (id, receive token) pairs, as many at once as have arrived.

        Ends after a `Goodbye`, which may be lost with the connection. Whoever stops early closes
        the generator (`aclose`), or the connection stays until it is collected.

        Raises:
            RelayUnreachable: No connection, nothing for 50 s, or it ended without a `Goodbye`.
            RelayKeyMismatch, RelayRefused: As their names say.
            BadAnswer: Bytes that are no frames, or a frame for a mailbox that wasn't asked for.
        """
        body = Receive(mailboxes).encode()
        self._require_open()
        client = self._http.client(connections=1, silence=self._http.timeouts.silence)
        self._streams.add(client)
        try:
            response = await self._http.start(client, "POST", Path.RECEIVE, body)
            decoder = FrameDecoder()
            chunks = response.aiter_raw()
            while True:
                with relay_errors(self._address):
                    chunk = await anext(chunks, None)
                    frames = [] if chunk is None else decoder.feed(chunk)
                    _require_known(frames, len(mailboxes))
                if chunk is None:
                    raise RelayUnreachable(address=self._address.authority)
                if frames:
                    yield frames
                    if isinstance(frames[-1], Goodbye):
                        return
        finally:
            self._streams.discard(client)
            await _close(client)

    async def close(self) -> None:
        """Close every connection; whoever still waits gets RelayUnreachable."""
        self._closed = True
        await self._drop_requests()
        for client in list(self._streams):
            await _close(client)

    def _require_open(self) -> None:
        if self._closed:
            raise RelayUnreachable(address=self._address.authority)

    async def _ask(self, path: Path, body: bytes | None, limit: int = 0) -> bytes:
        async with self._room:
            self._require_open()
            if self._requests is None:
                self._requests = self._http.client(connections=2)
            client = self._requests
            method = "GET" if body is None else "POST"
            try:
                return await self._http.ask(client, method, path, body, limit)
            except RelayError as error:
                # An answer cut short leaves its HTTP/2 connection's flow control in disorder.
                if "status" not in error.parameters and client is self._requests:
                    await self._drop_requests()
                raise

    async def _drop_requests(self) -> None:
        client, self._requests = self._requests, None
        if client is not None:
            await _close(client)


async def _close(client: httpx.AsyncClient) -> None:
    """Close a client's connections; one that is broken already has nothing more to lose."""
    with contextlib.suppress(Exception):
        await client.aclose()


def _require_known(frames: Sequence[Frame], count: int) -> None:
    """Refuse frames for mailboxes beyond those of the request."""
    for frame in frames:
        if isinstance(frame, EnvelopeFrame | RefusedFrame | CaughtUp) and frame.index >= count:
            raise WireError
