"""Settings: which source wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from exile_tui.config import Settings, load
from exile_tui.errors import UsageError


def test_a_flag_wins_over_a_variable_over_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    assert load({}, {}, file) == Settings()
    file.write_text('profile = "file"\ntheme = "paper"\nenter_sends = false\n')
    assert load({}, {}, file) == Settings(profile="file", theme="paper", enter_sends=False)
    environment = {"EXILE_PROFILE": "variable", "EXILE_ENTER_SENDS": "yes", "EXILE_OTHER": "x"}
    settings = load({}, environment, file)
    assert settings == Settings(profile="variable", theme="paper")
    settings = load({"profile": "flag", "theme": None}, environment, file)
    assert settings == Settings(profile="flag", theme="paper")


def test_the_data_directory_may_be_in_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert load({}, {"EXILE_DATA_DIR": "~/data"}).data_dir == Path("/home/somebody/data")


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9050", "socks5h://name:1080/"])
def test_a_socks5_proxy_is_taken(proxy: str) -> None:
    assert load({"proxy": proxy}, {}).proxy == proxy


@pytest.mark.parametrize(
    "flags",
    [
        {"proxy": "http://127.0.0.1:8080"},
        {"proxy": "socks5://127.0.0.1"},
        {"proxy": ""},
        {"lang": "fr"},
        {"enter_sends": "perhaps"},
    ],
)
def test_a_value_that_does_not_fit_is_refused(flags: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        load(flags, {})
    assert f"--{next(iter(flags)).replace('_', '-')}" in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"lang = ", b"\xff", b"colour = 'red'", b"lang = 3", b"enter_sends = 'perhaps'"]
)
def test_a_bad_file_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load({}, {}, file)
    assert "config.toml" in str(caught.value)


def test_a_directory_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load({}, {}, tmp_path)
