"""Large batches are written past the system's cache, and are read like all others."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from exile_tui.relay import bulk
from exile_tui.relay.bulk import BLOCK, BulkWriter
from exile_tui.relay.journal import Segment
from exile_tui.relay.records import Kind, records

SMALL, LARGE = 1, 20
"""Envelopes of 64 KiB in a batch."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "one"


def fill(segment: Segment, counts: list[int]) -> list[bytes]:
    bodies: list[bytes] = []
    for count in counts:
        for _ in range(count):
            bodies.append(os.urandom(65536))
            segment.append(Kind.STORED, 7, len(bodies), 3, bodies[-1])
        segment.write()
        segment.keep()
    return bodies


def bodies_in(path: Path) -> list[bytes | None]:
    with path.open("rb") as file:
        return [record.body for record in records(file)]


@pytest.mark.parametrize(
    "counts", [[LARGE], [SMALL, LARGE, SMALL], [LARGE, LARGE], [LARGE, SMALL, 70, 64, SMALL]]
)
def test_what_was_written_is_read(path: Path, counts: list[int]) -> None:
    segment = Segment.create(path, BulkWriter())
    bodies = fill(segment, counts)
    segment.close()
    assert bodies_in(path) == bodies


def test_only_what_is_large_goes_past_the_cache(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    write = BulkWriter.write

    def note(self: BulkWriter, to: Path, before: bytes, data: bytes, start: int) -> int | None:
        sizes.append(len(data))
        assert (start - len(before)) % BLOCK == 0
        return write(self, to, before, data, start)

    monkeypatch.setattr(BulkWriter, "write", note)
    segment = Segment.create(path, BulkWriter())
    bodies = fill(segment, [SMALL, LARGE, SMALL])
    segment.close()
    assert len(sizes) == 1
    assert sizes[0] >= bulk.LEAST
    assert bodies_in(path) == bodies


@pytest.mark.parametrize("call", ["open", "pwrite"])
def test_a_file_system_that_can_not_is_asked_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    real, asked = getattr(os, call), []

    def can_not(*arguments: Any) -> Any:
        if call == "open" and not arguments[1] & bulk._DIRECT:
            return real(*arguments)
        asked.append(arguments)
        raise OSError(errno.EINVAL, "Invalid argument")

    segment = Segment.create(path, BulkWriter())
    with monkeypatch.context() as patch:
        patch.setattr(bulk.os, call, can_not)
        bodies = fill(segment, [LARGE, SMALL, LARGE])
    segment.close()
    assert len(asked) == bool(bulk._DIRECT)
    assert bodies_in(path) == bodies


def test_what_failed_half_way_is_written_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segment.create(path, BulkWriter())
    kept = fill(segment, [SMALL, LARGE])
    real, done = os.pwrite, []

    def full(file: int, data: memoryview, at: int) -> int:
        if done:
            raise OSError(errno.ENOSPC, "No space left on device")
        done.append(at)
        return real(file, data, at)

    with monkeypatch.context() as patch:
        patch.setattr(bulk.os, "pwrite", full)
        with pytest.raises(OSError, match="space"):
            fill(segment, [70])
    segment.undo()
    assert bodies_in(path) == kept
    kept += fill(segment, [LARGE, SMALL])
    segment.close()
    assert bodies_in(path) == kept


def test_a_part_that_was_written_is_a_failure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    segment = Segment.create(path, BulkWriter())
    with monkeypatch.context() as patch:
        patch.setattr(bulk.os, "pwrite", lambda file, data, at: real(file, data[:BLOCK], at))
        with pytest.raises(OSError, match="in part"):
            fill(segment, [LARGE])
    segment.undo()
    assert bodies_in(path) == []
    segment.close()
