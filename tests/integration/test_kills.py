"""`kill -9` of either client or the relay at random moments loses nothing and doubles nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.faults.harness import Battle

KILLS = 20
MESSAGES = 200


@pytest.fixture
async def battle(tmp_path: Path) -> AsyncIterator[Battle]:
    battle = Battle(tmp_path, seed=2014)
    yield battle
    await battle.close()


async def test_whatever_is_killed_every_message_arrives_once_and_in_order(battle: Battle) -> None:
    await battle.set_up()
    await battle.fight(KILLS, MESSAGES, lose_relay_at=KILLS * 3 // 4)
    await battle.settle(MESSAGES)
    await battle.check_books(MESSAGES)
    await battle.drain()
    assert await battle.relay.end(kill=False) == 0
    assert battle.leaks_at_relay() == []
    assert battle.leaks_at_clients() == []
    assert battle.odd_sizes() == set()
