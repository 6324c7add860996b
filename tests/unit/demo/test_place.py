"""Where a demo lives: private, with room, and nothing of it stays."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from exile_tui.demo import place


def test_a_place_that_was_chosen_is_obeyed(tmp_path: Path) -> None:
    assert place.parents({"TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": "/x"}) == [tmp_path]


def test_memory_comes_before_a_disk_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    runtime, memory, *others = place.parents({"XDG_RUNTIME_DIR": "/run/user/1"})
    assert (runtime, memory) == (Path("/run/user/1"), Path("/dev/shm"))
    assert others
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Path("/dev/shm") not in place.parents({})


def test_it_is_private_held_and_goes(tmp_path: Path) -> None:
    directory, held = place.make([tmp_path / "absent", tmp_path])
    assert directory.parent == tmp_path.resolve()
    assert directory.stat().st_mode & 0o777 == 0o700
    (directory / "deep").mkdir()
    (directory / "deep" / "file").write_text("x")
    place.remove(directory)
    held.release()
    assert not os.listdir(tmp_path)


def test_no_room_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "ROOM", 2**60)
    with pytest.raises(place.NoPlace) as raised:
        place.make([tmp_path])
    assert str(tmp_path) in str(raised.value)
    assert not os.listdir(tmp_path)


def test_leftovers_go_and_what_lives_stays(tmp_path: Path) -> None:
    living, held = place.make([tmp_path])
    dead, dead_lock = place.make([tmp_path])
    dead_lock.release()
    beginning = tmp_path / f"{place.PREFIX}new"
    beginning.mkdir()
    other = tmp_path / "precious"
    other.mkdir()
    (other / place.HOLD_FILE).touch()
    link = tmp_path / f"{place.PREFIX}link"
    link.symlink_to(other)
    place.sweep([tmp_path, tmp_path / "absent"])
    assert set(os.listdir(tmp_path)) == {living.name, beginning.name, other.name, link.name}
    assert (other / place.HOLD_FILE).exists()
    assert dead.name != living.name
    held.release()


def test_a_directory_that_was_swept_away_can_not_be_held(tmp_path: Path) -> None:
    directory, held = place.make([tmp_path])
    held.release()
    place.remove(directory)
    with pytest.raises(FileNotFoundError):
        place.hold(directory)
