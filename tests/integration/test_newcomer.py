"""Two newcomers come from the README's first command to a first message by the screens alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.terminal import TMUX
from tests.newcomer import (
    README,
    Newcomer,
    NotNamedError,
    cleaned,
    command,
    names_key,
    places,
    walk,
)

PICTURES = README.parent / "docs" / "newcomer"
tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


@tmux
def test_the_screens_lead_to_a_verified_contact_and_a_first_message(tmp_path: Path) -> None:
    seen: list[str] = []
    walk(tmp_path, lambda person, name: seen.append(name))
    assert [name for name in seen if name in ("verified", "friend-verified", "first-message")] == [
        "verified",
        "friend-verified",
        "first-message",
    ]


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    people: list[Newcomer] = []
    home = tmp_path / "home"
    home.mkdir()
    with cleaned(tmp_path, people):
        people.append(Newcomer("김하늘", home, f"exile-refusing-{os.getpid()}"))
        yield people[0]


@tmux
def test_what_the_screen_does_not_name_is_refused(newcomer: Newcomer) -> None:
    before = newcomer.sees("도움말")
    newcomer.patience_s = 0.0
    with pytest.raises(NotNamedError):
        newcomer.press("Ctrl+N")
    with pytest.raises(NotNamedError):
        newcomer.press("Tab")
    with pytest.raises(NotNamedError):
        newcomer.press_for("수락")
    with pytest.raises(NotNamedError):
        newcomer.click("같아요")
    with pytest.raises(NotNamedError):
        newcomer.press_button("다음")  # it has no focus, and nothing named Tab so far
    with pytest.raises(NotNamedError):
        newcomer.type("느린 고래", asked="암호문구를")
    assert newcomer.screen.split() == before.split()


def test_a_key_is_named_only_by_its_whole_label() -> None:
    screen = "F12 표시   Ctrl+Nx\nC-C exile:abCde-C\n F3 안전 번호   C 복사   Enter로"
    assert [key for key in ("F3", "C", "Enter") if names_key(screen, key)] == ["F3", "C", "Enter"]
    assert not any(names_key(screen, key) for key in ("F1", "F2", "Ctrl+N", "N", "F"))
    assert not names_key("C 복사\nF1 도움말", "C")


def test_a_label_stands_on_its_own() -> None:
    captured = "초대하거나 초대  열기\n\x1b[1m 초대 열기 \x1b[0m"
    assert [(row, cells[0].column) for row, cells in places(captured, "초대")] == [(0, 11), (1, 1)]
    ((row, cells),) = places(captured, "초대 열기")
    assert row == 1
    assert all(cell.style.bold for cell in cells)


def test_the_first_command_opens_the_program_with_nothing_to_choose() -> None:
    program, *arguments = command()
    assert Path(program).name == "exile-tui"
    assert not arguments


def test_the_kept_pictures_are_those_that_the_page_tells_of() -> None:
    told = re.findall(r"\((\d\d-[a-z-]+\.png)\)", (PICTURES / "README.md").read_text())
    assert sorted(told) == sorted(file.name for file in PICTURES.glob("*.png"))
    assert all(file.stat().st_size < 150_000 for file in PICTURES.glob("*.png"))
