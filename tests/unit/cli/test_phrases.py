"""Passphrases: from a file or a terminal, never from what is piped in."""

from __future__ import annotations

import getpass
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from exile_tui.cli import phrases
from exile_tui.errors import UsageError


@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        (b"correct horse\n", "correct horse"),
        (b"correct horse", "correct horse"),
        (b"correct horse\r\nsecond line\n", "correct horse"),
        ("\ufeff암호 문구\n".encode(), "암호 문구"),
        (b"  spaces stay \n", "  spaces stay "),
    ],
)
def test_the_first_line_of_a_file(content: bytes, phrase: str, tmp_path: Path) -> None:
    file = tmp_path / "phrase"
    file.write_bytes(content)
    assert phrases.read_passphrase(file, new=True) == phrase


@pytest.mark.parametrize("content", [b"", b"\nsecond", b"\xff\xfe", b"x" * 70_000])
def test_a_file_without_a_passphrase_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "phrase"
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        phrases.read_phrase(file)
    assert str(file) in str(caught.value)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    for file in (tmp_path / "missing", tmp_path):
        with pytest.raises(UsageError):
            phrases.read_phrase(file)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    answers: list[str] = []
    monkeypatch.setattr(phrases, "_require_terminal", lambda: None)
    monkeypatch.setattr(getpass, "getpass", lambda *_, **__: answers.pop(0))
    yield answers
    assert not answers


def test_a_new_passphrase_is_asked_for_twice(typed: list[str]) -> None:
    typed += ["one", "one"]
    assert phrases.read_passphrase(None, new=True) == "one"
    typed += ["one", "two"]
    with pytest.raises(UsageError):
        phrases.read_passphrase(None, new=True)
    typed += ["one"]
    assert phrases.read_passphrase(None, new=False) == "one"
    typed += [""]
    with pytest.raises(UsageError):
        phrases.read_passphrase(None, new=False)


def test_without_a_terminal_nothing_is_read_from_standard_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_terminal() -> None:
        raise OSError

    monkeypatch.setattr(phrases, "_require_terminal", no_terminal)
    monkeypatch.setattr("sys.stdin", io.StringIO("the message"))
    with pytest.raises(UsageError):
        phrases.read_passphrase(None, new=False)
