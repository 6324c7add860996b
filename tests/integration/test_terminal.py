"""Two newcomers, two terminals, one relay: from the first screen to a verified conversation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.integration.terminal import TMUX, Terminal, end_embedded_relay, link_in

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")

PASSPHRASE = "낱말 여러 개로 된 암호문구"


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()
    end_embedded_relay(tmp_path / "data")


def newcomer(
    terminals: list[Terminal], tmp_path: Path, name: str, profile: str, size: tuple[int, int]
) -> Terminal:
    """Go through the first run, taking the defaults."""
    socket = f"exile-test-{os.getpid()}-{len(terminals)}"
    data = tmp_path / "data"
    terminal = Terminal(
        socket, *size, "--lang", "ko", "--data-dir", str(data), "--profile", profile
    )
    terminals.append(terminal)
    terminal.wait_for("어떤 언어로 쓸까요?")
    terminal.press("Enter")
    terminal.wait_for("암호문구를 정하세요")
    terminal.type(PASSPHRASE)
    terminal.wait_for(lambda screen: screen.count("•") == len(PASSPHRASE))
    terminal.press("Enter")
    terminal.type(PASSPHRASE)
    dots = "•" * len(PASSPHRASE)
    terminal.wait_for(lambda screen: screen.count(dots) == 2)
    terminal.wait_for(lambda screen: terminal.cursor == end_of(dots, screen))
    terminal.press("Enter")
    terminal.wait_for("연락처에 어떤 이름으로 보일까요?")
    terminal.type(name)
    terminal.wait_for(name)
    terminal.press("Enter")
    terminal.wait_for("이 컴퓨터에서 바로 시작")
    terminal.press("Enter")
    terminal.wait_for("망명을 환영합니다")
    terminal.press("Escape")
    screen = terminal.wait_for("아직 대화가 없어요")
    assert "Ctrl+N" in screen
    return terminal


def write(terminal: Terminal, text: str) -> None:
    """Type a message, see that the terminal's cursor stands behind it, send it."""
    terminal.wait_for("Enter 보내기")
    terminal.type(text)
    terminal.wait_for(lambda screen: terminal.cursor == end_of(text, screen))
    terminal.press("Enter")


def end_of(text: str, screen: str) -> tuple[int, int] | None:
    """Return the cell after the last place where a text stands, as column and row."""
    places = [
        (cell_len(line[: line.rindex(text)] + text), row)
        for row, line in enumerate(screen.splitlines())
        if text in line
    ]
    return places[-1] if places else None


def digits_on(screen: str) -> list[str]:
    return re.findall(r"(?<!\d)\d{5}(?!\d)", screen)


def test_two_newcomers_meet_verify_and_talk(terminals: list[Terminal], tmp_path: Path) -> None:
    haneul = newcomer(terminals, tmp_path, "김하늘", "haneul", (120, 40))
    haneul.press("C-n")
    haneul.wait_for("바로 열려요")
    link = link_in(haneul.screen)
    haneul.press("Escape")
    haneul.wait_for("아직 대화가 없어요")

    seojun = newcomer(terminals, tmp_path, "박서준", "seojun", (80, 24))
    seojun.press("C-o")
    seojun.wait_for("받은 초대를 여세요")
    seojun.paste(link)
    seojun.wait_for(lambda screen: seojun.cursor == end_of(link[-20:], screen))
    seojun.press("Enter")
    seojun.wait_for("상대의 수락을 기다리는 중이에요")
    seojun.press("Enter")
    seojun.wait_for("상대의 수락을 기다리고 있어요")
    write(seojun, "안녕하세요, 서준이에요")
    seojun.wait_for("보냄")

    haneul.press("F2")
    haneul.wait_for("박서준")
    haneul.press("F5")
    haneul.wait_for("검증 안 됨")
    haneul.press("Escape")
    haneul.wait_for("안녕하세요, 서준이에요")
    haneul.press("Enter")
    write(haneul, "반가워요")
    haneul.wait_for("전달됨")
    seojun.wait_for("반가워요")
    seojun.wait_for("전달됨")
    assert "김하늘" in seojun.screen

    for terminal in (haneul, seojun):
        terminal.press("F3")
        terminal.wait_for("상대의 화면에 있는 번호와 같나요?")
    numbers = [
        digits_on(terminal.wait_for(lambda screen: len(digits_on(screen)) == 12))
        for terminal in (haneul, seojun)
    ]
    assert numbers[0] == numbers[1]
