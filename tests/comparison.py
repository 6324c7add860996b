"""The same conversation in exile-tui, profanity and weechat, as pictures side by side.

`python -m tests.comparison DIRECTORY` runs the three real programs over servers on the loopback,
each with its default settings, two people typing in turn. It needs Debian packages that CI does
not have (`PACKAGES`), so it is no test.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.headless import PATIENCE_S, Profile, introduce
from tests.integration.terminal import Terminal
from tests.integration.terminal_picture import picture
from tests.painting import missing_packages

SIZE = (100, 30)
QUIET_S = 1.0
"""How long nothing may change before a picture is taken."""
PACKAGES = {
    "tmux": "tmux", "profanity": "profanity", "weechat-curses": "weechat-curses",
    "prosody": "prosody", "ngircd": "ngircd",
}  # fmt: skip
"""Debian's packages by the programs in them."""
PROGRAM = (sys.executable, "-m", "exile_tui")
PASSWORD = "loopback"

ME, FRIEND = 0, 1
TALK = (
    (FRIEND, "하늘 님, 토요일 모임 장소 정해졌어요?"),
    (ME, "네, 을지로에 있는 작은 책방이에요."),
    (ME, "두 시부터 빌려 두었어요."),
    (FRIEND, "좋네요! 몇 명쯤 와요?"),
    (ME, "지금까지 여덟 명이요. 민지 님은 조금 늦는대요."),
    (FRIEND, "그럼 발표는 두 시 반에 시작할까요?"),
    (
        ME,
        "그게 좋겠어요. 그리고 부탁이 하나 있어요. 지난번에 보여 주신 자료에서 세 번째 그림의 "
        "출처가 빠져 있던데, 이번에는 꼭 넣어 주세요. 누가 물어보면 바로 답할 수 있어야 "
        "하니까요. 원문 주소는 https://example.org/archive/2014/exile?page=3 예요.",
    ),
    (FRIEND, "앗, 맞아요. 오늘 저녁에 고쳐서 보낼게요 🙏"),
    (ME, "고마워요 👍"),
    (FRIEND, "커피는 제가 살게요 ☕"),
    (FRIEND, "참, 비 온다니까 우산 챙기세요."),
    (ME, "네, 토요일에 봐요!"),
)
"""Who says what; pictured is the screen of `ME`."""


@dataclass(frozen=True)
class Pair:
    """Two people in the same conversation, each at a terminal."""

    people: tuple[Terminal, Terminal]

    def talk(self) -> None:
        """Type every line, each after the one before has arrived."""
        for who, text in TALK:
            writer, reader = self.people[who], self.people[1 - who]
            writer.type(text)
            writer.press("Enter")
            start = " ".join(text.split()[:2])
            reader.wait_for(start)
            writer.wait_for(start)


def environment(home: Path, **more: str) -> Mapping[str, str]:
    """Return what a program gets: a home of its own, Korean time, nothing of ours.

    `C.UTF-8`, since Debian makes no Korean locale by itself.
    """
    home.mkdir(parents=True, exist_ok=True)
    kept = {key: os.environ[key] for key in ("PATH", "TMUX_TMPDIR") if key in os.environ}
    return {
        **kept, "HOME": str(home), "LANG": "C.UTF-8", "TZ": "Asia/Seoul",
        "COLORTERM": "truecolor", **more,
    }  # fmt: skip


@contextmanager
def terminals(name: str, directory: Path, *programs: list[str]) -> Iterator[list[Terminal]]:
    """Run programs in terminals of their own; end them with the block.

    Args:
        name: What to call their tmux servers.
        directory: Their homes are made in it.
        programs: Each with its arguments.
    """
    opened: list[Terminal] = []
    try:
        for number, program in enumerate(programs):
            own = f"exile-comparison-{os.getpid()}-{name}-{number}"
            home = environment(directory / f"home-{number}")
            opened.append(
                Terminal(own, *SIZE, program=program, environment=home, kind="tmux-256color")
            )
        yield opened
    finally:
        for terminal in opened:
            terminal.close()


@contextmanager
def server(directory: Path, ready: Callable[[], object], *command: str) -> Iterator[None]:
    """Run a server; end it with the block.

    Args:
        directory: Where it runs, and where its output goes.
        ready: Tells whether it has started; the block begins then.
        command: The program with its arguments.
    """
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=directory, stdout=output, stderr=output)
    try:
        while not ready():
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError((directory / "output").read_text(errors="replace"))
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port of the loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def enter(terminal: Terminal, line: str) -> None:
    """Type a line and press Enter."""
    terminal.type(line)
    terminal.press("Enter")


# exile-tui


@contextmanager
def exile(directory: Path) -> Iterator[Pair]:
    """Two verified contacts over `exile-tui relay`."""
    homes = [directory / "haneul", directory / "seojun"]
    people = [Profile(home, "default") for home in homes]
    relay = directory / "relay"
    relay.mkdir(parents=True)
    start = [*PROGRAM, "relay", "--host", "127.0.0.1", "--port", "0", "--data-dir"]
    programs = [[*PROGRAM, "--lang", "ko", "--data-dir", str(home)] for home in homes]
    with server(relay, lambda: address_of(relay), *start, str(relay / "data")):
        asyncio.run(acquaint(address_of(relay), people[0], people[1]))
        with terminals("exile", directory, *programs) as (me, friend):
            for terminal in (me, friend):
                terminal.wait_for("암호문구")
                enter(terminal, people[0].passphrase.read_text().strip())
                terminal.wait_for("연결됨")
                terminal.wait_for("왼쪽에서 대화를 골라")
                terminal.press("Enter")
                terminal.wait_for("메시지를 쓰세요")
            yield Pair((me, friend))


def address_of(relay: Path) -> str:
    """Return the address that a relay printed, empty if it did not yet."""
    address = re.search(r"https://\S+/#\S+", (relay / "output").read_text())
    return address[0] if address else ""


async def acquaint(address: str, me: Profile, friend: Profile) -> None:
    """Make two people on a relay contacts who verified each other."""
    for profile, name in ((me, "김하늘"), (friend, "박서준")):
        await profile.run("init", "--name", name, "--relay", address)
    await introduce(me, friend, "박서준")
    for profile, name in ((me, "박서준"), (friend, "김하늘")):
        await profile.run("verify", name, "--mark")


# profanity

PROSODY = """
daemonize = false
run_as_root = true
data_path = "{directory}"
certificates = "{directory}"
log = {{ error = "*console" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{ }}
modules_enabled = {{ "disco", "roster", "saslauth", "carbons", "pep", "ping" }}
modules_disabled = {{ "s2s", "tls" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
VirtualHost "localhost"
"""


@contextmanager
def profanity(directory: Path) -> Iterator[Pair]:
    """Two accounts on prosody that are on each other's roster; TLS off, since it is loopback."""
    directory.mkdir()
    port = free_port()
    file = directory / "prosody.cfg.lua"
    file.write_text(PROSODY.format(directory=directory, port=port))
    for name in ("haneul", "seojun"):
        register = ["prosodyctl", "--config", str(file), "register", name, "localhost", PASSWORD]
        subprocess.run(register, check=True, capture_output=True, timeout=PATIENCE_S)
    with (
        server(directory, lambda: listens(port), "prosody", "--config", str(file)),
        terminals("profanity", directory, ["profanity"], ["profanity"]) as (me, friend),
    ):
        for terminal, own in ((me, "haneul"), (friend, "seojun")):
            terminal.wait_for("Profanity")
            enter(terminal, f"/connect {own}@localhost server 127.0.0.1 port {port} tls disable")
            terminal.wait_for("Enter password")
            enter(terminal, PASSWORD)
            terminal.wait_for("logged in successfully")
        enter(me, "/roster add seojun@localhost 박서준")
        enter(friend, "/roster add haneul@localhost 김하늘")
        for terminal, other in ((me, "seojun"), (friend, "haneul")):
            enter(terminal, f"/sub request {other}@localhost")
        for terminal, other in ((me, "seojun"), (friend, "haneul")):
            terminal.wait_for("subscription request")
            enter(terminal, f"/sub allow {other}@localhost")
            terminal.wait_for(lambda screen: screen.count("online") > 0)
        for terminal, other in ((me, "seojun"), (friend, "haneul")):
            enter(terminal, f"/msg {other}@localhost")
        yield Pair((me, friend))


# weechat

NGIRCD = """
[Global]
Name = irc.loopback.test
Info = Comparison
MotdPhrase = Hello
Listen = 127.0.0.1
Ports = {port}
[Options]
DNS = no
Ident = no
PAM = no
"""


@contextmanager
def weechat(directory: Path) -> Iterator[Pair]:
    """Two people on ngircd in a private conversation."""
    directory.mkdir()
    port = free_port()
    file = directory / "ngircd.conf"
    file.write_text(NGIRCD.format(port=port))
    people = ("haneul", "seojun")
    programs = [
        [
            *("weechat-curses", "-d", str(directory / name)),
            *("-r", f"/server add loopback 127.0.0.1/{port} -nicks={name}"),
            *("-r", "/connect loopback"),
        ]
        for name in people
    ]
    with (
        server(directory, lambda: listens(port), "ngircd", "-n", "-f", str(file)),
        terminals("weechat", directory, *programs) as (me, friend),
    ):
        for terminal, other in ((me, people[1]), (friend, people[0])):
            terminal.wait_for("End of MOTD")
            enter(terminal, f"/query {other}")
        yield Pair((me, friend))


PROGRAMS = {"exile-tui": exile, "profanity": profanity, "weechat": weechat}


def main(arguments: list[str]) -> int:
    """Paint the three screens into a directory."""
    if len(arguments) != 1:
        print("python -m tests.comparison DIRECTORY", file=sys.stderr)
        return 2
    # Servers live where only root's path leads.
    os.environ["PATH"] += os.pathsep + os.pathsep.join(("/usr/sbin", "/sbin"))
    absent = [package for name, package in PACKAGES.items() if shutil.which(name) is None]
    absent += missing_packages()
    if absent:
        print(f"Needed and absent: the Debian packages {', '.join(absent)}.", file=sys.stderr)
        return 1
    target = Path(arguments[0])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="exile-comparison-") as temporary:
        for name, program in PROGRAMS.items():
            with program(Path(temporary, name)) as pair:
                pair.talk()
                pair.people[ME].wait_for_quiet(QUIET_S)
                picture(pair.people[ME]).save(target / f"{name}.png")
                print(f"{name}.png")
    return 0


if __name__ == "__main__":
    # Whoever ends this ends what it started, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    raise SystemExit(main(sys.argv[1:]))
