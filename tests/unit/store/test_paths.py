from __future__ import annotations

import stat
import unicodedata
from pathlib import Path

import pytest

from exile_tui import paths
from exile_tui.errors import UsageError


def test_the_users_choice_wins(tmp_path: Path) -> None:
    assert paths.data_home(tmp_path) == tmp_path
    assert paths.config_home(tmp_path) == tmp_path
    assert paths.data_home(Path("here")).is_absolute()


def test_the_systems_place_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert paths.data_home().name == "exile-tui"
    assert paths.config_home().name == "exile-tui"


@pytest.mark.parametrize("name", ["default", "나", "A-1_b", "é", "x" * 32, "-", "조선글"])
def test_names_of_profiles(name: str, tmp_path: Path) -> None:
    assert paths.profile_directory(tmp_path, name) == tmp_path / "profiles" / name


def test_names_are_normalised(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "가나")
    assert paths.profile_directory(tmp_path, decomposed).name == "가나"


@pytest.mark.parametrize(
    "name",
    [
        "NUL",
        "com1",
        "\u202e",
        "a:b",
        "\u0301",
        "",
        "x" * 33,
        ".",
        "..",
        "a/b",
        "a\\b",
        "../x",
        "a b",
        "a\0",
        "a\n",
        "²",
        "😀",
        "a.b",
        "~",
    ],
)
def test_tricks_with_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        paths.profile_directory(tmp_path, name)
    assert "profile's name" in str(caught.value)


def test_the_relays_directory_belongs_to_no_profile(tmp_path: Path) -> None:
    assert paths.relay_directory(tmp_path) == tmp_path / "relay"


def test_directories_are_private(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    paths.make_private_directory(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(directory.parent.stat().st_mode) == 0o700
    directory.chmod(0o755)
    paths.make_private_directory(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
