"""How much of the journal is moved at once, and how large it may get."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exile_tui.relay import memory as module
from exile_tui.relay.settling import SETTLE, Settling, room_for_bursts


class Steps:
    """Settling whose steps are only measured."""

    def __init__(self, files: int) -> None:
        self.arrivals = SimpleNamespace(came=0, closed=[None] * files)
        connection: Any = SimpleNamespace(execute=None)
        arrivals: Any = self.arrivals
        envelopes: Any = None
        self._settling = Settling(connection, arrivals, envelopes, lambda: True)

    def hurry(self) -> None:
        self._settling.hurried = True

    def next(self, came: int) -> int:
        self.arrivals.came += came
        return self._settling._how_many()


def test_more_is_moved_than_came_but_never_so_much_that_a_batch_waits_long() -> None:
    steps = Steps(files=1)
    assert [steps.next(came) for came in (0, 1, 31, 64, 200, 5000, 0)] == [
        SETTLE,
        SETTLE,
        SETTLE,
        128,
        400,
        8 * SETTLE,
        SETTLE,
    ]


def test_what_hurries_moves_as_much_as_it_can() -> None:
    steps = Steps(files=1)
    steps.hurry()
    assert steps.next(1) == 8 * SETTLE


def test_while_nothing_comes_as_much_is_moved_as_is_behind() -> None:
    assert [Steps(files).next(0) for files in (1, 3, 8, 100)] == [
        SETTLE,
        3 * SETTLE,
        8 * SETTLE,
        8 * SETTLE,
    ]


@pytest.mark.parametrize(
    ("memory", "room"),
    [(1 << 28, 64 << 20), (3 << 30, 512 << 20), (12 << 30, 2 << 30), (1 << 40, 4 << 30)],
)
def test_a_small_computer_keeps_a_small_index(
    memory: int, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": memory // 4096}
    monkeypatch.setattr(module.os, "sysconf", sizes.__getitem__, raising=False)
    monkeypatch.setattr(module, "_allowed", lambda: sys.maxsize)
    assert room_for_bursts() == room


def test_a_container_keeps_to_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/self/cgroup": "1:cpu:/\n0::/system.slice/relay.service\n",
        "/sys/fs/cgroup/system.slice/relay.service/memory.max": f"{3 << 28}\n",
    }
    monkeypatch.setattr(Path, "read_text", lambda path, _: files[str(path)])
    assert room_for_bursts() == 128 << 20
    files["/sys/fs/cgroup/system.slice/relay.service/memory.max"] = "max\n"
    assert room_for_bursts() >= 64 << 20


def test_where_the_system_does_not_tell_there_is_some_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(os, "sysconf", fails, raising=False)
    assert room_for_bursts() == 1 << 30
