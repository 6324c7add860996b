"""The demo as processes: first words, a verified contact, and nothing left however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exile_tui.assembly import make_application, make_embedded
from exile_tui.config import Settings
from exile_tui.core.application import FirstRun, RelayChoice, RelayChoiceKind
from exile_tui.core.events import Event, MessageStored
from exile_tui.demo import place
from exile_tui.demo.main import Session
from exile_tui.demo.place import PREFIX
from exile_tui.demo.script import GREETING
from exile_tui.ui.scan import read_image
from tests.integration.terminal import TMUX, Terminal
from tests.integration.test_terminal import digits_on, write

PATIENCE_S = 60.0
linux = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="looks at processes as on Linux")

# The demo without its window: it tells its processes' directory and waits.
HEADLESS = """
import json, sys, threading
from exile_tui.demo import place
from exile_tui.demo.main import Session
directory, held = place.make()
session = Session(directory, "en", 0)
session.link.result()
print(json.dumps({"directory": str(directory)}), flush=True)
sys.stdin.readline()
print(json.dumps({"gone": session.end()}), flush=True)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where demos are made."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return directory


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    opened = Terminal(f"exile-demo-{os.getpid()}", 120, 40, "--lang", "ko", "demo", shell=True)
    yield opened
    opened.close()


def processes(home: Path) -> dict[int, str]:
    """Return the demo's children by their ids, and which each is."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.startswith(f"{home}/{PREFIX}".encode()) for word in words):
            found[int(entry.name)] = words[2].decode()
    return found


class Watched:
    """Processes that are waited for, whoever's children they are."""

    def __init__(self, pids: list[int]) -> None:
        self._ends = [os.pidfd_open(pid) for pid in pids]

    def all_ended(self) -> bool:
        for end in self._ends:
            poll = select.poll()
            poll.register(end, select.POLLIN)
            if not poll.poll(PATIENCE_S * 1000):
                return False
            os.close(end)
        return True


@linux
@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_a_newcomer_is_greeted_and_shown_the_other_screen(terminal: Terminal, home: Path) -> None:
    terminal.wait_for("진짜와 똑같은 데모")
    terminal.wait_for("어서 와요, 망명을 환영합니다!")
    assert "데모: 끝나면 다 지워져요" in terminal.screen
    write(terminal, "안녕하세요")
    terminal.wait_for("반가워요!")
    terminal.wait_for("전달됨")

    terminal.press("F3")
    own = digits_on(terminal.wait_for(lambda screen: len(digits_on(screen)) == 12))
    terminal.press("C-g")
    place = f"{home.resolve()}/{PREFIX}"
    # The panel may be drawn in more than one frame: wait for the whole of it.
    both = terminal.wait_for(
        lambda screen: len(digits_on(screen)) == 24 and place in "".join(panel(screen))
    )
    assert "길동무 님의 화면" in both
    assert sorted(digits_on(both)) == sorted(own * 2)


def panel(screen: str) -> list[str]:
    """Return the lines at the left, where the contact's screen is shown."""
    return [line[:36].strip() for line in screen.splitlines()]


async def test_the_contact_can_be_verified_by_what_its_own_screen_shows(home: Path) -> None:
    directory, held = place.make()
    session = Session(directory, "en", 0)
    settings = Settings(profile="demo", data_dir=directory / "you")
    application = make_application(settings, make_embedded(settings, start=False))
    try:
        async with asyncio.timeout(PATIENCE_S):
            link = await asyncio.wrap_future(session.link)
            choice = RelayChoice(RelayChoiceKind.INVITE, link)
            messenger = await application.create(FirstRun("Guest", session.passphrase, choice))
            heard = asyncio.Event()
            texts: list[str] = []

            def notice(event: Event) -> None:
                if isinstance(event, MessageStored):
                    texts.append(event.message.text)
                    if len(texts) == len(GREETING):
                        heard.set()

            messenger.events.subscribe(notice)
            await messenger.start()
            await heard.wait()
        (contact,) = await messenger.contacts()
        screen = session.other_screen()
        assert screen is not None
        assert screen.digits == (await messenger.safety_number(contact.id)).digits
        (payload,) = read_image(screen.code)
        assert await messenger.compare_scanned(contact.id, payload)
        # The number proves something only because it came by another way.
        assert not any(re.search(r"\d{5}", text) for text in texts)
    finally:
        await application.close()
        assert session.end()
        held.release()
    assert not os.listdir(home)


@linux
@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_quitting_leaves_neither_files_nor_processes(terminal: Terminal, home: Path) -> None:
    terminal.wait_for("어서 와요, 망명을 환영합니다!")
    children = processes(home)
    assert sorted(children.values()) == ["exile_tui.demo.contact", "exile_tui.demo.relay"]
    watched = Watched(list(children))
    terminal.press("C-q")
    screen = terminal.wait_for("ended with 0")
    assert "데모가 끝났어요. 아무것도 남지 않았어요." in screen
    assert not os.listdir(home)
    assert watched.all_ended()


@linux
@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_killing_the_window_leaves_neither_files_nor_processes(
    terminal: Terminal, home: Path
) -> None:
    terminal.wait_for("어서 와요, 망명을 환영합니다!")
    watched = Watched(list(processes(home)))
    (window,) = children_of(terminal.process)
    os.kill(window, signal.SIGKILL)
    terminal.wait_for("ended with 137")
    assert watched.all_ended()
    assert not os.listdir(home)


@linux
@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_leaving_before_it_is_ready_is_quick_and_clean(terminal: Terminal, home: Path) -> None:
    terminal.wait_for("진짜와 똑같은 데모")
    terminal.press("C-q")
    terminal.wait_for("ended with 0")
    assert not os.listdir(home)
    assert not processes(home)


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


@pytest.fixture
def headless(home: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HEADLESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    json.loads(process.stdout.readline())
    yield process
    process.kill()
    process.communicate()


@linux
@pytest.mark.parametrize("killed", ["exile_tui.demo.contact", "exile_tui.demo.relay"])
def test_a_killed_child_is_cleaned_up_behind(
    headless: subprocess.Popen[str], home: Path, killed: str
) -> None:
    children = processes(home)
    watched = Watched(list(children))
    for pid, name in children.items():
        if name == killed:
            os.kill(pid, signal.SIGKILL)
    text, _ = headless.communicate("\n")
    assert json.loads(text) == {"gone": True}
    assert watched.all_ended()
    assert not os.listdir(home)


@linux
@pytest.mark.parametrize("survivor", ["exile_tui.demo.contact", "exile_tui.demo.relay"])
def test_whoever_survives_takes_everything_along(
    headless: subprocess.Popen[str], home: Path, survivor: str
) -> None:
    children = processes(home)
    watched = Watched(list(children))
    for pid, name in children.items():
        if name != survivor:
            os.kill(pid, signal.SIGKILL)
    headless.kill()
    assert watched.all_ended()
    assert not os.listdir(home)


@linux
def test_all_killed_at_once_is_swept_by_the_next(
    headless: subprocess.Popen[str], home: Path
) -> None:
    children = processes(home)
    watched = Watched(list(children))
    os.kill(headless.pid, signal.SIGSTOP)  # its pipe stays open until all of them are dead
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    headless.kill()
    headless.communicate()
    assert watched.all_ended()
    assert os.listdir(home)
    place.sweep()
    assert not os.listdir(home)
