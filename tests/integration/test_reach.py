"""This computer's relay at an address that is not the loopback: two networks, a wire between.

Each person has a network namespace of their own, with a virtual cable between the two. What one
reaches of the other is what a computer in the same home reaches; each has its own loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from exile_tui.errors import WireError
from exile_tui.wire.link import InviteLink
from tests.integration.terminal import TMUX, Terminal, end_embedded_relay, link_in

HERE, THERE = "10.77.0.1", "10.77.0.2"
PASSPHRASE = "말 수레 배터리 집게"
ROOT = Path(__file__).resolve().parent.parent.parent


def leads_here(screen: str) -> bool:
    """Tell whether the whole of a link is shown that leads to the other address."""
    try:
        return InviteLink.parse(link_in(screen)).address.host == HERE
    except (StopIteration, ValueError, WireError):
        return False


def run(*command: str, entered: str = "", home: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if home is not None:
        environment |= {"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    done = subprocess.run(
        command, input=entered, capture_output=True, text=True, env=environment, timeout=90
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Network:
    """A network namespace, held by a process that only waits."""

    holder: subprocess.Popen[str]

    @property
    def inside(self) -> tuple[str, ...]:
        """What runs a command in it."""
        return "nsenter", "-t", str(self.holder.pid), "-n", "--"


@pytest.fixture
def networks() -> Iterator[tuple[Network, Network]]:
    """Join two namespaces by a cable; skip only where the kernel refuses one."""
    if shutil.which("ip") is None or shutil.which("unshare") is None or TMUX is None:
        pytest.skip("needs iproute2, util-linux and tmux")
    made: list[Network] = []
    try:
        for _ in range(2):
            waits = ("unshare", "-n", "sh", "-c", "echo ready; exec cat")
            holder = subprocess.Popen(
                waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            made.append(Network(holder))
            assert holder.stdout is not None
            if holder.stdout.readline() != "ready\n":
                pytest.skip("the kernel makes no network namespace for this user")
        one, two = made
        cable = ("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns")
        if subprocess.run((*one.inside, *cable, str(two.holder.pid)), check=False).returncode:
            pytest.skip("the kernel makes no virtual cable")
        for network, address in ((one, HERE), (two, THERE)):
            ip = (*network.inside, "ip")
            run(*ip, "address", "add", f"{address}/24", "dev", "wire")
            run(*ip, "link", "set", "lo", "up")
            run(*ip, "link", "set", "wire", "up")
        yield one, two
    finally:
        for network in made:
            assert network.holder.stdin is not None
            assert network.holder.stdout is not None
            network.holder.stdin.close()
            network.holder.wait(10)
            network.holder.stdout.close()


def test_a_friend_comes_in_from_another_computer(
    networks: tuple[Network, Network], tmp_path: Path
) -> None:
    """Open the relay by the screen, hand the link over, talk both ways; the screen names it all."""
    here, there = networks
    home, away = tmp_path / "here", tmp_path / "there"
    home.mkdir()
    away.mkdir()
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE)
    program = (sys.executable, "-m", "exile_tui", "--lang", "ko", "--data-dir")

    def friend(command: str, *arguments: str) -> str:
        options = ("--passphrase-file", str(secret))
        words = (*there.inside, *program, str(away), command, *options, *arguments)
        return run(*words, home=away)

    options = ("--passphrase-file", str(secret), "--name", "이서연", "--embedded")
    run(*here.inside, *program, str(home), "init", *options, home=home)
    terminal = Terminal(
        f"exile-reach-{os.getpid()}", 80, 24, program=(*here.inside, *program, str(home)),
        environment={**os.environ, "LANG": "C.UTF-8", "COLORTERM": "truecolor", "HOME": str(home),
                     "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(home)},
    )  # fmt: skip
    try:
        terminal.wait_for("암호문구")
        terminal.type(PASSPHRASE)
        terminal.press("Enter")
        terminal.wait_for("연결됨")
        terminal.press("C-n")
        terminal.wait_for("다른 컴퓨터에서는")
        terminal.press("C-e")
        terminal.wait_for(HERE)
        terminal.press("Enter")
        terminal.wait_for(lambda screen: "연결됨" in screen and f"https://{HERE}:" in screen)
        terminal.press("Escape")
        terminal.wait_for("종단간")
        terminal.press("F5")
        terminal.wait_for(lambda screen: "exile:" in screen and "다른 컴퓨터에서는" not in screen)
        terminal.wait_for("바로 열려요")
        # The invite made before the move has a link too: wait until the new one is shown.
        link = link_in(terminal.wait_for(leads_here))
        address = InviteLink.parse(link).address
        assert address.host == HERE
        friend("init", "--name", "김하늘", "--relay", address.url)
        friend("add", link)
        terminal.wait_for("김하늘 님이")
        terminal.press("F2")
        terminal.wait_for("F5 수락")
        terminal.press("F5")
        terminal.wait_for("Enter 열기")
        terminal.press("Enter")
        terminal.wait_for("메시지를 쓰세요")
        terminal.type("from here")
        terminal.press("Enter")
        terminal.wait_for(lambda screen: "from here" in screen and "보냄" in screen)
        assert "from here" in friend("receive")
        friend("send", "이서연", "저쪽에서")
        terminal.wait_for("저쪽에서")
    finally:
        terminal.close()
        end_embedded_relay(home)
