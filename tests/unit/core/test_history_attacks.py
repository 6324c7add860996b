"""What was tried against exporting and importing, and broke something once."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from exile_tui.core import exporting
from exile_tui.errors import UsageError
from tests.unit.core.conftest import MakePerson
from tests.unit.core.test_history import files_in, fill, line, nothing


async def test_force_replaces_files_alone(make_person: MakePerson, tmp_path: Path) -> None:
    """Run by root, an export over a device once took the device's place."""
    person = await make_person("가람")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target in (pipe, tmp_path, Path("."), Path("..")):
        with pytest.raises(UsageError, match="already"):
            await person.messenger.export_history(target, nothing, replace=True)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert files_in(tmp_path) == []


async def test_an_export_that_can_t_begin_leaves_nothing(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person("가람")
    chmod = os.chmod

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    with pytest.raises(UsageError, match="can't be written"):
        await person.messenger.export_history(tmp_path / "out", nothing)
    assert files_in(tmp_path) == []
    monkeypatch.setattr(os, "chmod", chmod)
    await person.messenger.export_history(tmp_path / "out", nothing)  # no lock is left either


@pytest.mark.parametrize("before", [True, False])
async def test_an_export_stopped_while_it_begins_leaves_nothing(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """The thread that makes the file goes on when its task is cancelled."""
    person = await make_person("가람")
    stopped, ended = threading.Event(), threading.Event()
    loop, reached = asyncio.get_running_loop(), asyncio.Event()
    begin = exporting._Part.begin

    def slowly(part: exporting._Part) -> None:
        if not before:
            begin(part)
        loop.call_soon_threadsafe(reached.set)
        stopped.wait(10)
        if before:
            begin(part)
        ended.set()

    monkeypatch.setattr(exporting._Part, "begin", slowly)
    task = asyncio.create_task(person.messenger.export_history(tmp_path / "out", nothing))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stopped.set()
    await asyncio.to_thread(ended.wait, 10)
    assert files_in(tmp_path) == []


async def test_an_export_stopped_at_its_end_leaves_nothing(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person("가람")
    await fill(person, 1, [line(1, "글")])
    to_thread = asyncio.to_thread

    async def stopped_after(work: Callable[..., object], *arguments: object) -> object:
        result = await to_thread(work, *arguments)
        if getattr(work, "__name__", "") in ("sync", "finish"):
            task.cancel()
            await asyncio.sleep(0)
        return result

    monkeypatch.setattr(asyncio, "to_thread", stopped_after)
    task = asyncio.create_task(person.messenger.export_history(tmp_path / "out", nothing))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_in(tmp_path) == []


async def test_an_export_is_durable_with_its_name(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that a power loss takes away is a history that is lost with the old profile."""
    person = await make_person("가람")
    synced: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((directory, (tmp_path / "out").exists()))
        fsync(descriptor)

    await exporting.own_salt(person.context)
    monkeypatch.setattr(os, "fsync", noted)
    await person.messenger.export_history(tmp_path / "out", nothing)
    assert (True, True) in synced


async def test_a_window_of_long_texts_is_encoded_line_by_line(
    make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person("가람")
    await fill(person, 1, [line(number, "글" * 100) for number in range(50)])
    sizes: list[int] = []
    fdopen = os.fdopen

    def watched(descriptor: int, mode: str) -> object:
        stream = fdopen(descriptor, mode)
        write = stream.write

        class Watched:
            def __getattr__(self, name: str) -> object:
                return getattr(stream, name)

            def write(self, data: bytes) -> int:
                sizes.append(len(data))
                return int(write(data))

        return Watched()

    monkeypatch.setattr(os, "fdopen", watched)
    await person.messenger.export_history(tmp_path / "out", nothing)
    assert max(sizes) < 1_000
