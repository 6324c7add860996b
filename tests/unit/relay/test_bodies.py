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
    """A request whose body comes piece by piece, and as a whole too late."""

    def __init__(self, size: int) -> None:
        self._left = size

    async def __call__(self) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._left:
            size = min(PIECE, self._left)
            self._left -= size
            yield bytes(size)


@pytest.mark.parametrize("envelopes", [2, 15, 17])
async def test_a_batch_over_a_slow_line_may_come_piece_by_piece(envelopes: int) -> None:
    size = 66 + envelopes * 4101
    scope: Any = SimpleNamespace(headers={"content-length": str(size)}, method="POST")
    clients = Clients(Shares(), lambda: 0.0)
    connection = clients.enter("203.0.113.7:1")
    line: Any = SlowLine(size)
    body = Body(line, connection, clients, Limits(patience=0.1), Patience(0.1))
    assert len(await body.whole(scope, 1 << 20)) == size
    assert connection.held == connection.sent == size
    body.release()
    assert not connection.held


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
    await Body(line, connection, clients, Limits(patience=0.1), Patience(0.1)).whole(
        scope, size, item=16
    )
    assert connection.origin is not None
    assert connection.origin.requests.tokens == Shares().requests_burst - 1024 / 32
