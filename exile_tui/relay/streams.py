"""The stream of one receive: what lies in its mailboxes, then what arrives, as it arrives."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from exile_tui.relay.engine import (
    CountBytes,
    Engine,
    EngineUnavailable,
    Fetch,
    News,
    OpenMailboxes,
    Wake,
)
from exile_tui.relay.limits import Limits
from exile_tui.wire.relay import (
    ENVELOPE_SIZES,
    GOODBYE_BYTES,
    HEARTBEAT_BYTES,
    CaughtUp,
    RefusedFrame,
    encode_frame,
    envelope_head,
)

Send = Callable[[bytes], Awaitable[None]]

_OPEN_AT_ONCE = 64
"""Mailboxes that one operation opens, so that no stream holds up a batch."""

_LOOK_AGAIN = 0.25
"""Seconds before the first look at what a slow client has acknowledged; each next waits longer."""

_LOOK_SLOWEST = 4.0


class Ahead:
    """Bytes that all streams sent and, as far as they know, nobody acknowledged."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total = 0


class _Mailbox:
    """One mailbox of a stream: what was sent of it so far, and what came since."""

    __slots__ = (
        "after",
        "caught_up",
        "current",
        "id",
        "index",
        "news",
        "queued",
        "receive_hash",
        "wake",
    )

    def __init__(self, index: int, mailbox_id: bytes, receive_hash: bytes) -> None:
        self.index = index
        self.id = mailbox_id
        self.receive_hash = receive_hash
        self.after = -1
        self.caught_up = False
        self.current = False
        """Whether nothing lies in it but what was sent, and the news."""
        self.news: News = ()
        self.queued = False
        self.wake: Wake

    def offer(self, news: News) -> bool:
        """Take news, to be sent as they are, unless they don't follow upon what was sent."""
        if self.current:
            self.news = (*self.news, *news)
        return self.current

    def drop_news(self) -> int:
        """Leave the news, and what comes from now on, to a fetch; return how many bytes."""
        dropped = sum(len(envelope) for _, envelope in self.news)
        self.news, self.current = (), False
        return dropped


class ReceiveStream:
    """Serves one receive until its client leaves or the relay stops.

    Mailboxes take turns, one fetch each, and a fetch is sent before the next begins: what a stream
    holds in memory is bounded, and a slow reader slows itself only. What was sent and not yet
    acknowledged is bounded too. What comes to a mailbox of which all was sent is sent as it comes,
    without a fetch.
    """

    def __init__(
        self,
        engine: Engine,
        mailboxes: Sequence[tuple[bytes, bytes]],
        limits: Limits,
        in_all: Ahead,
    ) -> None:
        self._engine = engine
        self._in_all = in_all
        self._limits = limits
        self._mailboxes = [
            _Mailbox(index, mailbox_id, hashlib.sha256(token).digest())
            for index, (mailbox_id, token) in enumerate(mailboxes)
        ]
        self._opened: list[_Mailbox] = []
        self._ready: deque[_Mailbox] = deque()
        self._event = asyncio.Event()
        self._stopping = False
        self._ahead = 0  # bytes sent since it was last known how many are not acknowledged
        self._holds_back = False
        self._news = 0
        """Bytes of all mailboxes' news."""
        self._loop = asyncio.get_running_loop()
        self._sent = self._loop.time()
        """When something was sent last."""
        self._silence: asyncio.TimerHandle | None = None
        self._silent = False

    def stop(self) -> None:
        """Say goodbye and end."""
        self._stopping = True
        self._event.set()

    async def run(self, send: Send) -> None:
        """Send frames until `stop`, or until cancelled because the client is gone."""
        try:
            await self._open(send)
            while not self._stopping:
                while self._ready and not self._stopping:
                    await self._serve(self._ready.popleft(), send)
                await self._wait(send)
        except EngineUnavailable:
            pass
        finally:
            if self._silence is not None:
                self._silence.cancel()
            for mailbox in self._opened:
                self._engine.unwatch(mailbox.id, mailbox.wake)
            self._note_ahead(0)
        await self._send(send, GOODBYE_BYTES)

    async def _open(self, send: Send) -> None:
        for start in range(0, len(self._mailboxes), _OPEN_AT_ONCE):
            some = self._mailboxes[start : start + _OPEN_AT_ONCE]
            opened = await self._engine.submit(
                OpenMailboxes([(mailbox.id, mailbox.receive_hash) for mailbox in some])
            )
            refused = b""
            still: list[_Mailbox] = []
            for mailbox, is_open in zip(some, opened, strict=True):
                if is_open:
                    still.append(mailbox)
                    mailbox.wake = partial(self._wake, mailbox)
                    self._engine.watch(mailbox.id, mailbox.wake)
                    mailbox.wake()
                else:
                    refused += encode_frame(RefusedFrame(mailbox.index))
            self._opened += still
            if refused:
                await self._send(send, refused)
        self._mailboxes = []  # who is refused costs nothing for as long as the stream is open

    def _wake(self, mailbox: _Mailbox, news: News = ()) -> bool:
        size = sum(len(envelope) for _, envelope in news)
        if not news or self._holds_back or self._news + size > self._limits.fetch_bytes:
            self._news -= mailbox.drop_news()  # it may be deleted, or no longer be sent in time
        if taken := mailbox.offer(news):
            self._news += size
        if not mailbox.queued:
            mailbox.queued = True
            self._ready.append(mailbox)
            self._event.set()
        return taken

    async def _serve(self, mailbox: _Mailbox, send: Send) -> None:
        mailbox.queued = False
        found: News | None = mailbox.news
        mailbox.news, is_new = (), bool(found)
        is_all = is_new
        if not found:
            limit = self._limits.fetch_bytes
            found = await self._engine.submit(
                Fetch(mailbox.id, mailbox.receive_hash, mailbox.after, limit)
            )
            if found is None:  # deleted or lapsed while the stream was open
                self._engine.unwatch(mailbox.id, mailbox.wake)
                await self._send(send, encode_frame(RefusedFrame(mailbox.index)))
                return
            fetched = sum(len(envelope) for _, envelope in found)
            is_all = not found or fetched + max(ENVELOPE_SIZES) <= limit
            # What came meanwhile was no news: it may be in this or not.
            mailbox.current = is_all and not mailbox.queued
        parts: list[bytes] = []
        size = 0
        for seq, envelope in found:
            parts += (envelope_head(mailbox.index, seq, len(envelope)), envelope)
            mailbox.after = seq
            size += len(envelope)
        if is_new:
            self._news -= size
        if not mailbox.current:  # something may lie there
            self._wake(mailbox)
        if is_all and not mailbox.caught_up:
            mailbox.caught_up = True
            parts.append(encode_frame(CaughtUp(mailbox.index)))
        if parts:
            await self._send(send, b"".join(parts))
        self._note_ahead(self._ahead + size)
        if self._ahead > self._allowed():
            await self._hold_back()

    def _note_ahead(self, size: int) -> None:
        self._in_all.total += size - self._ahead
        self._ahead = size

    def _allowed(self) -> int:
        """Return how many bytes may be sent ahead, fewer when all streams together are far."""
        crowded = self._in_all.total > self._limits.unacknowledged_in_all
        return self._limits.fetch_bytes if crowded else self._limits.unacknowledged_bytes

    async def _hold_back(self) -> None:
        """Wait until enough of what was sent is acknowledged; end the stream when nothing is.

        The server takes whatever it is given into memory, whether its client reads or not: only an
        acknowledgement shows that it does.
        """
        least, patience, pause = None, self._limits.patience, _LOOK_AGAIN
        self._holds_back = True
        for mailbox in self._ready:  # by then it may be deleted, or acknowledged
            self._news -= mailbox.drop_news()
        while not self._stopping:
            self._note_ahead(await self._unacknowledged())
            if self._ahead <= self._allowed():
                break
            if least is None or self._ahead < least:
                least, patience, pause = self._ahead, self._limits.patience, _LOOK_AGAIN
            elif patience <= 0:
                self._stopping = True
                break
            await asyncio.sleep(pause)
            patience -= pause
            pause = min(2 * pause, _LOOK_SLOWEST)
        self._holds_back = False

    async def _unacknowledged(self) -> int:
        sent = [mailbox for mailbox in self._opened if mailbox.after >= 0]
        total = 0
        for start in range(0, len(sent), _OPEN_AT_ONCE):
            some = sent[start : start + _OPEN_AT_ONCE]
            total += await self._engine.submit(
                CountBytes([(one.id, one.receive_hash, one.after) for one in some])
            )
        return total

    async def _wait(self, send: Send) -> None:
        """Wait until there is something to do; say that all is well after a silence."""
        self._event.clear()
        if self._ready or self._stopping:
            return
        if self._silence is None:
            self._expect_silence()
        await self._event.wait()
        if self._silent:
            await self._send(send, HEARTBEAT_BYTES)

    def _expect_silence(self) -> None:
        """Be woken when nothing has been sent for so long."""
        until = self._sent + self._limits.heartbeat
        self._silent = until <= self._loop.time()
        if self._silent:
            self._silence = None
            self._event.set()
        else:  # one timer for all that is sent until then
            self._silence = self._loop.call_at(until, self._expect_silence)

    async def _send(self, send: Send, data: bytes) -> None:
        await send(data)
        self._sent = self._loop.time()
        self._silent = False
