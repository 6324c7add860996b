"""What the endpoints do, free of any server: bytes in, an answer out."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from exile_tui.clock import Clock
from exile_tui.errors import WireError
from exile_tui.relay import engine
from exile_tui.relay.access import Access
from exile_tui.relay.engine import Engine, EngineUnavailable, NewBlob, QuotaReached
from exile_tui.relay.facts import FactSheet
from exile_tui.relay.limits import Limits, day_after, day_of
from exile_tui.relay.openapi import document
from exile_tui.relay.renewal import Renewals
from exile_tui.relay.streams import Ahead, ReceiveStream, Send
from exile_tui.relay.work import WorkGate
from exile_tui.wire import relay as wire
from exile_tui.wire.mailbox import mailbox_id
from exile_tui.wire.relay import AuthorizationKind, Path, Verdict, encode_verdicts

Chunks = AsyncIterator[bytes]
_Body = TypeVar("_Body", bytes, Chunks)

_FIRST_ERROR = 400
_STREAMS_S = 30.0
_QUOTA_S = 60.0
"""Seconds after which room for streams, and for what is stored, is asked for again."""

_CREATE_AT_ONCE = 64
"""Mailboxes that the engine of an open relay is asked to create at once.

So many more than are allowed may be made before work is asked for: it is the engine that counts
them, and a thousand that were sent together would all pass before the first was counted.
"""

_GET_AT_ONCE = 16
"""Blobs that one operation reads, 1 MiB with the usual limits.

A get's answer ends after the first such reading that has as many bytes: the server takes all of it
into memory, whether its client reads or not, and one blob can be asked for 1024 times.
"""


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    body: bytes = b""
    content_type: str = wire.CONTENT_TYPE
    retry_after: int = 0
    """Seconds after which to try again, 0 where nothing is said about it."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer of status 200 that `run` sends piece by piece."""

    run: Callable[[Send], Awaitable[None]]


NO_CONTENT = Answer(204)


def failure(status: int, reason: str) -> Answer:
    """Make the answer to a request that failed; the reason is short and ASCII."""
    return Answer(status, reason.encode("ascii"), "text/plain")


def try_later(seconds: float) -> Answer:
    """Make the answer to whoever is over its share: to be asked again after some seconds."""
    return Answer(429, b"too much", "text/plain", max(1, math.ceil(seconds)))


REFUSED = failure(403, "refused")
"""One answer for an unknown mailbox, a wrong token and a missing authorization."""


class Handlers:
    """One method per endpoint; `routes` says which."""

    def __init__(
        self,
        store: Engine,
        access: Access,
        renewals: Renewals,
        work: WorkGate,
        facts: FactSheet,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._engine = store
        self._access = access
        self._renewals = renewals
        self.work = work
        """What creations cost."""
        self._facts = facts
        self._limits = limits
        self._clock = clock
        self._blobs_put: Counter[bytes] = Counter()
        self._creating = asyncio.Semaphore(_CREATE_AT_ONCE)
        self._streams: set[ReceiveStream] = set()
        self._ahead = Ahead()
        self._stopping = False
        self.refused: Counter[int] = Counter()
        """Requests that a handler answered with an error since the start, by status."""
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.routes: dict[
            tuple[str, str], tuple[Callable[[bytes], Awaitable[Answer | Streamed]], int]
        ] = {
            (method, path.value): (handler, wire.REQUEST_LIMITS[path])
            for method, path, handler in (
                ("POST", Path.CREATE, self._create),
                ("POST", Path.DELETE, self._delete),
                ("POST", Path.APPEND, self._append),
                ("POST", Path.RECEIVE, self._receive),
                ("POST", Path.ACKNOWLEDGE, self._acknowledge),
                ("POST", Path.TICKET, self._ticket),
                ("POST", Path.BLOB_GET, self._get_blobs),
                ("POST", Path.BLOB_DELETE, self._delete_blob),
                ("POST", Path.DISCLOSURE, self._disclose),
                ("GET", Path.FACTS, self._tell_facts),
                ("GET", Path.OPENAPI, self._openapi),
            )
        }
        self.streaming_routes = {
            ("POST", Path.BLOB_PUT.value): (self._put_blobs, wire.REQUEST_LIMITS[Path.BLOB_PUT])
        }

    @property
    def limits(self) -> Limits:
        """What the relay allows."""
        return self._limits

    @property
    def stopping(self) -> bool:
        """Whether new work is refused."""
        return self._stopping

    def open_streams(self) -> int:
        """Count the receives that are open."""
        return len(self._streams)

    def stop(self) -> None:
        """Refuse new work and say goodbye on every stream."""
        self._stopping = True
        for stream in tuple(self._streams):
            stream.stop()

    async def answer(
        self, handle: Callable[[_Body], Awaitable[Answer | Streamed]], body: _Body
    ) -> Answer | Streamed:
        """Run a handler on a body and turn whatever it raises into an answer."""
        answer: Answer | Streamed
        if self._stopping:
            answer = failure(503, "stopping")
        else:
            try:
                answer = await handle(body)
            except WireError:
                answer = failure(400, "malformed")
            except QuotaReached:
                answer = try_later(_QUOTA_S)
            except EngineUnavailable:
                answer = failure(503, "try later")
        if isinstance(answer, Answer) and answer.status >= _FIRST_ERROR:
            self.refuse(answer)
        return answer

    def refuse(self, answer: Answer) -> Answer:
        """Count an answer that is an error."""
        self.refused[answer.status] += 1
        return answer

    def begin(self) -> None:
        """Count a request that must be finished before the relay ends."""
        self._under_way += 1
        self._idle.clear()

    def end(self) -> None:
        """Count it as finished."""
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()

    async def finished(self) -> None:
        """Wait until nothing is being answered any more, streams included."""
        await self._idle.wait()

    async def _create(self, body: bytes) -> Answer:
        request = wire.CreateMailbox.decode(body)
        named = mailbox_id(request.receive_hash, request.send_hash)
        if not hmac.compare_digest(named, request.mailbox_id):
            return failure(400, "malformed")
        if not self._access.is_open:  # who gets in was let in by the operator or by a friend
            return await self._let_in(request)
        async with self._creating:
            held, made = self._engine.mailboxes()
            puzzle = self.work.puzzle(request, held / max(1, self._limits.mailboxes), made)
            if puzzle is not None:
                return Answer(503, puzzle.encode())
            return await self._let_in(request)

    async def _let_in(self, request: wire.CreateMailbox) -> Answer:
        ticket = None
        if not self._access.admits(request.authorization):
            kind = request.authorization.kind
            if kind is AuthorizationKind.TICKET:
                ticket = request.authorization.secret
            elif kind is not AuthorizationKind.RENEWAL or not self._renewals.fits(request):
                return REFUSED
        created = await self._engine.submit(
            engine.CreateMailbox(
                request.mailbox_id, request.receive_hash, request.send_hash, ticket
            )
        )
        if not created:
            return REFUSED
        return NO_CONTENT if self._access.is_open else Answer(200, self._renewals.token(request))

    async def _delete(self, body: bytes) -> Answer:
        request = wire.MailboxToken.decode(body)
        deleted = await self._engine.submit(
            engine.DeleteMailbox(request.mailbox_id, _hash(request.receive_token))
        )
        return NO_CONTENT if deleted else REFUSED

    async def _append(self, body: bytes) -> Answer:
        request = wire.Append.decode(body)
        try:
            verdicts = await self._engine.submit(
                engine.Append(request.mailbox_id, _hash(request.send_token), request.envelopes)
            )
        except EngineUnavailable:
            verdicts = [Verdict.TRY_LATER] * len(request.envelopes)
        return Answer(200, encode_verdicts(verdicts))

    async def _receive(self, body: bytes) -> Answer | Streamed:
        request = wire.Receive.decode(body)
        if len(self._streams) >= self._limits.streams:
            return try_later(_STREAMS_S)
        stream = ReceiveStream(self._engine, request.mailboxes, self._limits, self._ahead)

        async def run(send: Send) -> None:
            self._streams.add(stream)
            if self._stopping:
                stream.stop()
            try:
                await stream.run(send)
            finally:
                self._streams.discard(stream)

        return Streamed(run)

    async def _acknowledge(self, body: bytes) -> Answer:
        request = wire.Acknowledge.decode(body)
        done = await self._engine.submit(
            engine.Acknowledge(request.mailbox_id, _hash(request.receive_token), request.seqs)
        )
        return NO_CONTENT if done else REFUSED

    async def _ticket(self, body: bytes) -> Answer:
        request = wire.PutTicket.decode(body)
        if not self._access.admits(request.authorization):
            return REFUSED
        await self._engine.submit(
            engine.PutTicket(request.ticket_hash, self._expires(request.expiry))
        )
        return NO_CONTENT

    async def _put_blobs(self, chunks: Chunks) -> Answer:
        decoder = wire.PutBlobsDecoder()
        verdicts: list[Verdict] = []
        admitted = False
        async for chunk in chunks:
            blobs = decoder.feed(chunk)
            if decoder.authorization is not None and not admitted:
                if not await self._admits_blobs(decoder.authorization):
                    return REFUSED
                admitted = True
            if blobs:
                verdicts += await self._store_blobs(blobs, decoder.authorization)
        decoder.finish()
        return Answer(200, encode_verdicts(verdicts))

    async def _store_blobs(
        self, blobs: list[wire.PutBlob], authorization: wire.Authorization | None
    ) -> list[Verdict]:
        if authorization is not None and authorization.kind is AuthorizationKind.MAILBOX:
            named, _ = authorization.mailbox_token
            if self._blobs_put[named] + len(blobs) > self._limits.blobs_per_mailbox:
                raise QuotaReached
            self._blobs_put[named] += len(blobs)
        new = [
            NewBlob(blob.blob_id, blob.delete_hash, self._expires(blob.expiry), blob.blob)
            for blob in blobs
        ]
        try:
            return await self._engine.submit(engine.PutBlobs(new))
        except EngineUnavailable:
            return [Verdict.TRY_LATER] * len(blobs)

    async def _admits_blobs(self, authorization: wire.Authorization) -> bool:
        if authorization.kind is not AuthorizationKind.MAILBOX:
            return self._access.admits(authorization)
        named, token = authorization.mailbox_token
        return await self._engine.submit(engine.CheckToken(named, _hash(token)))

    async def _get_blobs(self, body: bytes) -> Streamed:
        ids = wire.GetBlobs.decode(body).blob_ids

        async def run(send: Send) -> None:
            left = _GET_AT_ONCE * self._limits.blob_bytes
            for start in range(0, len(ids), _GET_AT_ONCE):
                some = ids[start : start + _GET_AT_ONCE]
                found = await self._engine.submit(engine.GetBlobs(some))
                await send(b"".join(map(wire.encode_blob_answer, found)))
                left -= sum(len(blob or b"") for blob in found)
                if left <= 0:
                    return

        return Streamed(run)

    async def _delete_blob(self, body: bytes) -> Answer:
        request = wire.DeleteBlob.decode(body)
        await self._engine.submit(engine.DeleteBlob(request.blob_id, _hash(request.delete_token)))
        return NO_CONTENT

    async def _disclose(self, body: bytes) -> Answer:
        request = wire.MailboxToken.decode(body)
        held = await self._engine.submit(
            engine.Disclose(request.mailbox_id, _hash(request.receive_token))
        )
        if held is None:
            return REFUSED
        return Answer(200, json.dumps(held, indent=1).encode(), "application/json")

    async def _tell_facts(self, body: bytes) -> Answer:
        return Answer(200, self._facts.answer())

    async def _openapi(self, body: bytes) -> Answer:
        return Answer(200, document(), "application/json")

    def _expires(self, expiry: int) -> int:
        """Round an expiry up to a day, no later than this relay keeps blobs and tickets."""
        return min(day_of(expiry), day_after(self._clock, self._limits.blob_days))


def _hash(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
