"""Bodies over lines of all speeds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from exile_tui.relay.bodies import Body
from exile_tui.relay.clients import Clients
from exile_tui.relay.limits import Limits
from exile_tui.relay.patience import Patience
from exile_tui.relay.shares import Shares

PIECE = 1024


class SlowLine:
    """A request whose body comes piece by piece, and as a whole when `ready` is set."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.ready = asyncio.Event()

    async def __call__(self) -> bytes:
        await self.ready.wait()
        return bytes(self._left)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._left:
            size = min(PIECE, self._left)
            self._left -= size
            yield bytes(size)


@pytest.mark.parametrize("envelopes", [2, 15, 17])
async def test_a_batch_over_a_slow_line_may_come_piece_by_piece(envelopes: int) -> None:
    size = 66 + envelopes * 4101
    scope: Any = SimpleNamespace(headers={"content-length": str(size)}, method="POST")
    clients = Clients(Shares(held=4 * size - 1), lambda: 0.0)  # no room to wait for it as a whole
    connection = clients.enter("203.0.113.7:1")
    line: Any = SlowLine(size)
    body = Body(line, connection, clients, Limits(patience=0.1), Patience(0.1))
    assert len(await body.whole(scope, 1 << 20)) == size
    assert connection.held == connection.sent == size
    body.release()
    assert not connection.held


def batch(size: int, limits: Limits) -> tuple[Body, Any, Any, Any]:
    scope: Any = SimpleNamespace(headers={"content-length": str(size)}, method="POST")
    clients = Clients(Shares(), lambda: 0.0)
    connection, line = clients.enter("203.0.113.7:1"), SlowLine(size)
    protocol: Any = line
    body = Body(protocol, connection, clients, limits, Patience(limits.patience))
    return body, line, scope, connection


class Clock:
    """The time of the loop that is running, which stands still."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._now = loop.time()
        patched.setattr(loop, "time", lambda: self._now)

    async def advance(self, seconds: float) -> None:
        """Let time pass, and what is due be done."""
        self._now += seconds
        for _ in range(10):
            await asyncio.sleep(0)


async def test_while_there_is_room_a_batch_is_waited_for_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size, clock = 66 + 32 * 4101, Clock(monkeypatch)
    body, line, scope, connection = batch(size, Limits(patience=1.0, slowest=size))
    reading = asyncio.create_task(body.whole(scope, 1 << 20))
    await clock.advance(0)
    await clock.advance(2.9)  # longer than any piece may take
    assert connection.held == connection.sent == size
    line.ready.set()
    await clock.advance(0)
    assert len(reading.result()) == size
    body.release()
    assert not connection.held


async def test_as_a_whole_it_has_no_more_time_than_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size, clock = 200_000, Clock(monkeypatch)
    body, _, scope, connection = batch(size, Limits(patience=1.0, slowest=size))
    reading = asyncio.create_task(body.whole(scope, 1 << 20))
    await clock.advance(0)
    await clock.advance(2.9)
    assert not reading.done()
    await clock.advance(0.2)
    with pytest.raises(TimeoutError):
        reading.result()
    body.release()
    assert not connection.held


async def test_who_reads_a_batch_when_the_relay_ends_is_told_so() -> None:
    body, _, scope, _ = batch(200_000, Limits())
    reading = asyncio.create_task(body.whole(scope, 1 << 20))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize("stated", [True, False])
async def test_what_a_body_asks_for_counts_whether_it_states_its_length_or_not(
    stated: bool,
) -> None:
    size = 1024 * 16
    headers = {"content-length": str(size)} if stated else {}
    scope: Any = SimpleNamespace(headers=headers, method="POST")
    clients = Clients(Shares(), lambda: 0.0)
    connection = clients.enter("203.0.113.7:1")
    line: Any = SlowLine(size)
    line.ready.set()
    await Body(line, connection, clients, Limits(patience=0.1), Patience(0.1)).whole(
        scope, size, item=16
    )
    assert connection.origin is not None
    assert connection.origin.requests.tokens == Shares().requests_burst - 1024 / 32
