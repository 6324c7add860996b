"""Wipes that fail or are killed at any of their steps, against the model of `test_model`.

How much has to wait in a file for it to stay changes in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from exile_tui.relay import engine as ops
from exile_tui.relay import journal, settling, staying
from exile_tui.relay.sqlite import SqliteEngine
from tests.unit.relay.test_model import (
    DRAWS,
    EXAMPLES,
    MAIL,
    Draw,
    EngineMachine,
    make_quick,
    make_small,
)

_STATEMENTS = ["INSERT INTO bodies", "BEGIN", "COMMIT", "UPDATE", "INSERT", "VACUUM"]
_FAILURES = (OSError, sqlite3.Error)


class Connection:
    """A connection that tells of each statement before it is run."""

    def __init__(self, connection: sqlite3.Connection, hook: Callable[[str], None]) -> None:
        self._connection = connection
        self._hook = hook

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        self._hook(f"sql {statement}")
        return self._connection.execute(statement, *parameters)

    def executemany(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        self._hook(f"sql {statement}")
        return self._connection.executemany(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextlib.contextmanager
def hooked(engine: SqliteEngine, hook: Callable[[str], None]) -> Any:
    """Call a function before each step of a wipe that touches the disk."""

    def before(owner: Any, name: str, what: str) -> None:
        real = getattr(owner, name)

        def step(*arguments: Any, **options: Any) -> Any:
            hook(what)
            return real(*arguments, **options)

        patch.setattr(owner, name, step)

    with pytest.MonkeyPatch.context() as patch:
        before(journal, "_write", "write")
        before(journal, "_synchronise", "synchronise")
        before(os, "ftruncate", "ftruncate")
        before(Path, "unlink", "unlink")
        connection = Connection(engine._connection, hook)
        patch.setattr(engine._slots, "_connection", connection)
        patch.setattr(engine._settling, "_execute", connection.execute)
        patch.setattr(engine._envelopes, "_execute", connection.execute)
        patch.setattr(engine._wiping, "_connection", connection)
        yield


class WipingMachine(EngineMachine):
    """What the model does, and wipes in parts."""

    @rule(least=st.sampled_from([1, 4096, 8192, 16384, 1 << 30]))
    def stay_from(self, least: int) -> None:
        staying.LEAST = least

    @rule(
        draws=MAIL, at=st.integers(0, 60), more=st.booleans(), times=st.sampled_from([1, 2, 1000])
    )
    def failing_wipe(self, draws: list[Draw], at: int, more: bool, times: int) -> None:
        """Some of its steps fail; all is there still."""
        if more:
            self.exchange(draws)
        steps = 0

        def hook(what: str) -> None:
            nonlocal steps
            steps += 1
            if at < steps <= at + times and not what.startswith("sql SELECT"):
                if what.startswith("sql"):
                    raise sqlite3.OperationalError("database or disk is full")
                raise OSError(errno.ENOSPC, "No space left on device")

        with hooked(self.engine, hook), contextlib.suppress(*_FAILURES):
            self.loop.run_until_complete(self.engine.wipe())
        self._do(ops.CheckToken(bytes(16), bytes(32)))  # what could not be undone at once is now

    @rule(draws=DRAWS, at=st.integers(0, 80), more=st.booleans())
    def killed_wipe(self, draws: list[Draw], at: int, more: bool) -> None:
        """What lies in the files before any of its steps is enough."""
        if more:
            self.together(draws)
        copy, steps = self.directory.with_name(f"{self.directory.name}-copy"), 0

        def hook(_: str) -> None:
            nonlocal steps
            steps += 1
            if steps == at + 1:
                shutil.copytree(self.directory, copy)

        with hooked(self.engine, hook):
            self.loop.run_until_complete(self.engine.wipe())
        if copy.exists():
            self._go_on_with(copy)
            self._wipe()

    @rule(draws=DRAWS, at=st.integers(0, 12), statement=st.sampled_from(_STATEMENTS))
    def wipe_without_room_from_a_step_on(self, draws: list[Draw], at: int, statement: str) -> None:
        """What was deleted leaves the files all the same."""
        self.together(draws)
        steps = 0

        def hook(what: str) -> None:
            nonlocal steps
            if what.startswith(f"sql {statement}"):
                steps += 1
                if steps > at:
                    raise sqlite3.OperationalError("database or disk is full")

        with hooked(self.engine, hook), contextlib.suppress(*_FAILURES):
            self.loop.run_until_complete(self.engine.wipe())
        self._no_deleted_body_is_there()

    @rule(draws=DRAWS, turns=st.integers(0, 30))
    def wipe_meanwhile(self, draws: list[Draw], turns: int) -> None:
        """Batches come between its steps."""

        async def begin() -> asyncio.Task[None]:
            wiping = asyncio.ensure_future(self.engine.wipe())
            for _ in range(turns):
                await asyncio.sleep(0)
            return wiping

        wiping = self.loop.run_until_complete(begin())
        self.together(draws)
        self.loop.run_until_complete(wiping)

    def _do(self, operation: ops.Operation[Any]) -> None:
        async def submit() -> None:
            await self.engine.submit(operation)

        self.loop.run_until_complete(submit())


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)
    monkeypatch.setattr(settling, "_LIGHT", 1)
    monkeypatch.setattr(staying, "LEAST", 8192)
    monkeypatch.setattr(staying, "_AT_ONCE", 2)
    monkeypatch.setattr(staying, "_OPEN", 1)


class TestWiping(WipingMachine.TestCase):  # type: ignore[name-defined,misc]
    """A thread waits for the disk."""


class TestQuickWiping(WipingMachine.TestCase):  # type: ignore[name-defined,misc]
    """The loop does, settling is late from its first step on, and a little is a large batch."""

    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_quick(monkeypatch)
        monkeypatch.setattr(journal, "LEAST", 9000)


TestWiping.settings = TestQuickWiping.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize="RELAY_MODEL_EXAMPLES" not in os.environ,
)
