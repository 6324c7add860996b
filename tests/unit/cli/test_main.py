"""The entry point: what it loads, what it refuses, in which language, with which exit code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from exile_tui import errors, locale
from exile_tui.cli import main as entry
from exile_tui.cli.headless import COMMANDS


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("EXILE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(locale, "_language", "en")


def python(code: str) -> str:
    """Run code in a fresh interpreter and return what it printed."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("arguments", [["--help"], ["send", "--help"], ["--lang", "ko", "--help"]])
def test_help_loads_nothing_slow(arguments: list[str]) -> None:
    code = f"""
import contextlib, io, json, sys
from exile_tui.cli.main import main
try:
    with contextlib.redirect_stdout(io.StringIO()):
        main({arguments!r})
except SystemExit as end:
    assert end.code == 0
print(json.dumps(sorted(sys.modules)))
"""
    loaded = set(json.loads(python(code)))
    slow = {"textual", "rich", "httpx", "sqlcipher3", "aiosqlite", "cryptography", "granian"}
    slow |= {"asyncio", "msgspec", "segno", "PIL", "exile_tui.core", "exile_tui.crypto"}
    assert not loaded & slow


@pytest.mark.parametrize(
    "arguments",
    [
        ["unknown"],
        ["init", "--embedded"],
        ["init", "--name", "A"],
        ["init", "--name", "A", "--embedded", "--relay", "https://h:1/#x"],
        ["send"],
        ["history", "A", "--limit", "many"],
        ["--lang", "fr", "contacts"],
        ["--prof", "A", "contacts"],
        ["contacts", "--passphrase", "secret"],
        ["--proxy", "http://127.0.0.1:1", "contacts"],
        [],
    ],
)
def test_wrong_arguments_are_one_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert entry.main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("exile-tui: ")
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err


def test_help_and_errors_are_korean_by_flag_variable_or_locale(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_korean(arguments: list[str]) -> bool:
        with pytest.raises(SystemExit):
            entry.main([*arguments, "--help"])
        text = capsys.readouterr().out
        words = ("대화", "usage", "arguments", "options", "profile to open")
        return [word in text for word in words] == [True, False, False, False, False]

    assert is_korean(["--lang", "ko", "history"])
    assert is_korean(["history", "--lang=ko"])
    monkeypatch.setenv("EXILE_LANG", "ko")
    assert is_korean(["history"])
    assert not is_korean(["--lang", "en", "history"])
    monkeypatch.delenv("EXILE_LANG")
    assert not is_korean(["history"])
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert is_korean(["history"])
    assert entry.main(["history"]) == 2
    assert "필요해요" in capsys.readouterr().err


def test_the_settings_file_chooses_the_language_and_is_checked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "config" / "exile-tui" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('lang = "ko"\n')
    with pytest.raises(SystemExit):
        entry.main(["--help"])
    assert "초대" in capsys.readouterr().out
    file.write_text("lang = 7\n")
    with pytest.raises(SystemExit):
        entry.main(["--help"])
    capsys.readouterr()
    assert entry.main(["contacts"]) == 2
    assert "config.toml" in capsys.readouterr().err


def test_every_command_has_a_handler() -> None:
    assert set(COMMANDS) | {"init"} == entry.HEADLESS


@pytest.mark.parametrize("kind", [errors.WrongPassphrase, errors.Refused, errors.RelayUnreachable])
def test_an_error_becomes_its_exit_code_and_sentence(
    kind: type[errors.ExileError],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise kind(address="host\x1b]0;title\x07\n:1")

    monkeypatch.setattr("exile_tui.cli.headless.run", fail)
    assert entry.main(["contacts"]) == kind.exit_code
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "\x1b" not in message


def test_a_mistake_of_our_own_says_where_and_not_what(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("the secret text")

    monkeypatch.setattr("exile_tui.cli.headless.run", fail)
    assert entry.main(["contacts"]) == 1
    message = capsys.readouterr().err
    assert "KeyError at main.py:" in message
    assert "secret" not in message
    assert message.count("\n") == 1


def test_an_interrupt_is_quiet(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("exile_tui.cli.headless.run", interrupt)
    assert entry.main(["contacts"]) == 130
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_is_quiet() -> None:
    code = """
import os, sys
from exile_tui.cli import headless, main
def fill(*_):
    for _ in range(100_000):
        print("line")
headless.run = fill
sys.exit(main.main(["contacts"]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    complaint = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), complaint) == (1, b"")


def test_a_locale_that_is_not_utf8_is_refused_before_anything(tmp_path: Path) -> None:
    environment = {"PYTHONIOENCODING": "euc-kr", "XDG_CONFIG_HOME": str(tmp_path)}
    for language, word in (("ko_KR.EUC-KR", "로캘"), ("en_US.ISO-8859-1", "locale")):
        done = subprocess.run(
            [sys.executable, "-m", "exile_tui", "contacts"],
            capture_output=True,
            env=environment | {"LANG": language},
            check=False,
        )
        message = done.stderr.decode("euc-kr")
        assert done.returncode == 2
        assert word in message
        assert "LANG=ko_KR.UTF-8" in message


def test_an_argument_that_is_not_utf8_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["send", "A", "caf\udce9"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_parsing_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGUAGE", raising=False)
    assert entry.main(["unknown"]) == 2
    assert "LANGUAGE" not in entry.os.environ
