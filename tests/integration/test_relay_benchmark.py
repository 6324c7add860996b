"""The benchmark's generator against a real relay: what it counts has really happened."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any

import pytest

from benchmarks.relay import path
from benchmarks.relay.__main__ import MEASURES
from benchmarks.relay.http import Http1, Http2
from benchmarks.relay.ledger import STEPS
from benchmarks.relay.mailboxes import Appends, create, keys_of
from benchmarks.relay.pairs import RelayPair
from exile_tui.relay.service import RelaySettings
from tests.integration.relay_support import PATIENCE, serving


class Counted:
    """Waits until so many are counted, or something fails."""

    def __init__(self, expected: int) -> None:
        self.count = 0
        self._expected = expected
        self._all: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, count: int) -> None:
        self.count += count
        if self.count == self._expected:
            self._all.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self._all.done():
            self._all.set_exception(error)

    async def wait(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._all


async def test_messages_arrive_and_are_acknowledged(tmp_path: Path) -> None:
    await create(tmp_path, 1)
    async with serving(RelaySettings(directory=tmp_path)) as (address, _):
        arrived, done = Counted(100), Counted(100)
        pair = RelayPair(0, arrived.add, done.add, done.fail)
        await pair.open((address.host, address.port))
        for _ in range(100):
            pair.send()
        pair.flush()
        await done.wait()
        assert arrived.count == 100
        pair.close()


@pytest.mark.parametrize("version", [Http1, Http2])
async def test_envelopes_are_stored_until_the_mailboxes_are_full(
    version: type[Http1] | type[Http2], tmp_path: Path
) -> None:
    await create(tmp_path, 1)
    async with serving(RelaySettings(directory=tmp_path)) as (address, _):
        answers: list[tuple[int, bytes]] = []
        all_answered = Counted(5)

        def answered(status: int, body: bytes, tag: Any) -> None:
            answers.append((status, body))
            all_answered.add(1)
            if len(answers) < 5:
                client.post(b"/v1/append", bodies.next(), answered)

        # A fifth batch of 32 finds the mailbox full: every envelope before was another one.
        bodies = Appends([keys_of(0)], batch=32, capacity=160)
        client = version(all_answered.fail)
        await client.open((address.host, address.port))
        client.post(b"/v1/append", bodies.next(), answered)
        client.flush()
        await all_answered.wait()
        client.close()
        assert answers == [(200, bytes(32))] * 4 + [(200, b"\1" + b"\4" * 31)]


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_can_be_loaded(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.relay.{name}").measure)


async def test_the_path_of_an_envelope_is_told_step_by_step() -> None:
    report = await path.measure(1, 0.5)
    (found,) = report.rounds
    for title in ("decode requests", "tell the streams"):
        assert found[title]["delivered"] > 0
    assert found["decode requests"]["posted"] > 0
    assert found["tell the streams"]["posted"] < found["tell the streams"]["delivered"]
    for way in ("posted", "delivered"):
        steps = sum(found[title][way] for title in {title for *_, title in STEPS})
        rest = found["coroutines, turns of the loop, granian's objects"][way]
        assert steps + rest == pytest.approx(found["the event loop's thread"][way])
        threads = sum(us[way] for title, us in found.items() if "thread" in title)
        assert threads == pytest.approx(found["all"][way])
