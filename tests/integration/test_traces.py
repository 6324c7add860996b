"""What a real terminal still holds of a conversation after locking and after every kind of end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.integration.headless import Profile, introduce, start_relay
from tests.integration.terminal import TMUX, Terminal

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")

SECRET = "아무도 몰라야 하는 문장"
MORE = "더 늦게 온 문장"
NAMES = ("박서준", "김하늘")
PASSPHRASE = "말 수레 배터리 집게"


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[tuple[Profile, Profile]]:
    """Two contacts, a message between them."""
    relay, address = await start_relay(tmp_path / "relay")
    haneul, seojun = (Profile(tmp_path / name, name, PASSPHRASE) for name in ("haneul", "seojun"))
    for profile, name in ((haneul, "김하늘"), (seojun, "박서준")):
        await profile.run("init", "--name", name, "--relay", address)
    await introduce(haneul, seojun, "박서준")
    await seojun.run("send", "김하늘", SECRET)
    yield haneul, seojun
    await relay.end()


Open = Callable[..., Terminal]


@pytest.fixture
async def open_terminal() -> AsyncIterator[Open]:
    opened: list[Terminal] = []

    def start(profile: Profile) -> Terminal:
        terminal = Terminal(
            f"exile-traces-{os.getpid()}-{len(opened)}", 100, 26,
            "--lang", "ko", "--data-dir", str(profile.home), "--profile", profile.profile,
            shell=True,
        )  # fmt: skip
        opened.append(terminal)
        terminal.wait_for("암호문구")
        unlock(terminal)
        terminal.wait_for("박서준")
        terminal.press("Enter")
        terminal.wait_for(lambda screen: screen.count(SECRET) >= 2)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def unlock(terminal: Terminal) -> None:
    terminal.type(PASSPHRASE)
    terminal.wait_for(lambda screen: screen.count("•") >= len(PASSPHRASE))
    terminal.press("Enter")


def assert_nothing_left(terminal: Terminal) -> None:
    left = terminal.everything
    for secret in (SECRET, MORE, *NAMES):
        assert secret not in left, left


async def test_locking_and_leaving_leave_nothing(
    people: tuple[Profile, Profile], open_terminal: Open
) -> None:
    terminal = await asyncio.to_thread(open_terminal, people[0])
    assert SECRET in terminal.everything
    terminal.wait_for(lambda _: terminal.title == "exile-tui")
    terminal.press("C-l")
    terminal.wait_for("암호문구")
    assert_nothing_left(terminal)

    await people[1].run("send", "김하늘", MORE)
    unlock(terminal)
    terminal.wait_for(lambda _: terminal.title == "exile-tui (1)")
    terminal.wait_for("박서준")
    terminal.press("C-q")
    terminal.wait_for("ended with 0")
    assert_nothing_left(terminal)
    assert "exile-tui" not in terminal.title


async def test_a_terminal_without_an_alternate_screen_keeps_nothing(
    people: tuple[Profile, Profile], open_terminal: Open
) -> None:
    without = ("-w", "alternate-screen", "off")
    terminal = await asyncio.to_thread(open_terminal, people[0])
    terminal.tmux("set-option", *without)
    terminal.press("C-q")
    terminal.wait_for("ended with 0")
    assert_nothing_left(terminal)


async def test_a_terminated_program_leaves_nothing(
    people: tuple[Profile, Profile], open_terminal: Open
) -> None:
    terminal = await asyncio.to_thread(open_terminal, people[0])
    os.kill(child_of(terminal.process), signal.SIGTERM)
    terminal.wait_for("ended with 0")
    assert_nothing_left(terminal)
    assert "exile-tui" not in terminal.title


async def test_tmux_marks_the_window_when_a_message_comes_to_another(
    people: tuple[Profile, Profile], open_terminal: Open
) -> None:
    terminal = await asyncio.to_thread(open_terminal, people[0])
    terminal.wait_for(lambda _: terminal.title == "exile-tui")
    terminal.tmux("set-option", "-g", "focus-events", "on")
    terminal.tmux("set-option", "-g", "monitor-bell", "on")
    first = terminal.tmux("display", "-p", "#{window_id}").strip()
    terminal.tmux("new-window", "-d", "cat")
    # The program hears of focus once it went: back to it and away again.
    for window in ("+1", "-1", "+1"):
        terminal.tmux("select-window", "-t", f":{window}")
    await people[1].run("send", "김하늘", MORE)

    def state() -> str:
        return terminal.tmux("display", "-p", "-t", first, "#{window_bell_flag} #{pane_title}")

    terminal.wait_for(lambda _: state() == "1 exile-tui (1)\n")


def child_of(shell: int) -> int:
    (child,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[:1]
    return int(child)
