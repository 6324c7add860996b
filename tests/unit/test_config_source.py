"""Settings and their sources: what begins although the file is bad, and what stands above it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exile_tui.config import Settings, Source
from exile_tui.errors import UsageError


def source(file: Path, text: str | bytes | None = None, **environment: str) -> Source:
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Source({}, environment, file)


def test_the_new_settings_have_quiet_defaults() -> None:
    settings = Settings()
    assert (settings.notifications, settings.bell) == ("some", True)
    assert settings.auto_lock_minutes == 15
    assert dict(settings.keys) == {}
    assert hash(settings) == hash(Settings())


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    text = (
        'notifications = "who"\nbell = false\nauto_lock_minutes = 5\n'
        '[keys]\n"app.invite" = "ctrl+e"\nchats.search = "f7"\n'
    )
    settings = source(tmp_path / "config.toml", text).load()
    assert settings.notifications == "who"
    assert settings.bell is False
    assert settings.auto_lock_minutes == 5
    assert settings.keys == {"app.invite": "ctrl+e", "chats.search": "f7"}


def test_a_variable_is_text_and_still_a_number(tmp_path: Path) -> None:
    found = source(tmp_path / "none", EXILE_AUTO_LOCK_MINUTES="60", EXILE_BELL="no").load()
    assert (found.auto_lock_minutes, found.bell) == (60, False)


@pytest.mark.parametrize(
    "text",
    [
        "auto_lock_minutes = -1",
        "auto_lock_minutes = 1441",
        "auto_lock_minutes = true",
        "auto_lock_minutes = 1.0",
        'auto_lock_minutes = "²"',
        'notifications = "all"',
        "bell = 1",
        'keys = "f7"',
        "keys = []",
        "[keys]\napp = 3",
        '[keys]\n"app.invite" = ""',
        f'[keys]\n"app.invite" = "{"x" * 65}"',
        f'[keys]\n"{"x" * 65}" = "f7"',
        "[keys]\n" + "\n".join(f'x{number} = "f7"' for number in range(201)),
        'data_dir = "~nobody-of-this-name/x"',
    ],
)
def test_what_does_not_fit_is_refused_by_name(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        source(tmp_path / "config.toml", text).load()
    name = str(caught.value.parameters["name"])
    assert name in ("auto_lock_minutes", "notifications", "bell", "data_dir") or "keys" in name


def test_a_bad_line_is_named_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        source(tmp_path / "config.toml", 'lang = "ko"\n\ntheme = \n').load()
    assert "line 3" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["lang = ", "\0", b"\xff\xfe", "x = [" * 5000, "x = " + "9" * 5000, "x = 1"],
    ids=range(6),
)
def test_the_program_begins_with_the_defaults(text: str | bytes, tmp_path: Path) -> None:
    """And says later what was wrong."""
    bad = source(tmp_path / "config.toml", text, EXILE_LANG="ko")
    assert bad.begin() == Settings(lang="ko")
    with pytest.raises(UsageError):
        bad.load()


def test_what_fits_is_taken_beside_what_does_not(tmp_path: Path) -> None:
    bad = source(tmp_path / "config.toml", 'theme = "hanji"\nbell = 7\nlang = "ko"\n')
    assert bad.begin() == Settings(theme="hanji", lang="ko")


@pytest.mark.parametrize(
    "text",
    [
        'proxy = "http://127.0.0.1:9050"',
        'proxy = "socks5://127.0.0.1:9050"\nlang = ',
        'lang = \n  "proxy" = "socks5://127.0.0.1:9050"',
        "profile = 3",
        b'\xff\ndata_dir = "/x"',
        "#" * 300_000,
    ],
    ids=range(6),
)
def test_nobody_goes_online_without_a_proxy_because_of_a_typing_mistake(
    text: str | bytes, tmp_path: Path
) -> None:
    bad = source(tmp_path / "config.toml", text)
    with pytest.raises(UsageError) as caught:
        bad.begin()
    assert "config.toml" in str(caught.value)


def test_a_proxy_that_was_given_otherwise_is_no_reason_to_stop(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('proxy = "nonsense"\n# profile\n')
    proxy = "socks5://127.0.0.1:9050"
    assert Source({"proxy": proxy}, {}, file).begin().proxy == proxy


def test_a_directory_or_a_pipe_in_place_of_the_file_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path, tmp_path / "pipe"):
        assert source(file).begin() == Settings()
        with pytest.raises(UsageError):
            source(file).load()


def test_what_stands_above_the_file_is_named(tmp_path: Path) -> None:
    environment = {"EXILE_THEME": "hanji", "EXILE_LANG": ""}
    found = Source({"lang": None, "data_dir": tmp_path}, environment, None)
    assert found.override("theme") == "EXILE_THEME"
    assert found.override("lang") == ""
    assert found.override("data_dir") == "--data-dir"
    assert found.override("bell") == ""
