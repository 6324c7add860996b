"""Every command and every file of the documents, run or read by what they are meant for."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from exile_tui.config import Settings, Source
from exile_tui.relay.facts import read_facts
from exile_tui.ui import keymap
from exile_tui.ui.themes import DEFAULT, load_theme, theme_directory
from tests import keytable
from tests.integration.documents import (
    AS_ROOT,
    CTRL_C,
    CTRL_Q,
    ROOT,
    Block,
    Typed,
    blocks,
    documents,
    free_port,
    parses,
    type_line,
)
from tests.integration.headless import Profile
from tests.integration.terminal import TMUX

PASSPHRASE = "말 수레 배터리 집게"
SETUP = "python3 -m venv .venv && .venv/bin/pip install "
"""Both of the README's commands begin so. `.ci/run` runs the second in a fresh clone; what the
first adds to it is that it opens the screen, as the lines below do."""
PLACEHOLDERS = ("relay.example.org", "8443", "exile:...", "phrase.txt", "facts.toml", "MAILBOX-ID")
"""What a reader puts something of their own in place of; here a loopback relay, a real link, and
files beside the command."""
GUIDES = ("docs/guide/en.md", "docs/guide/ko.md")


def of(name: str, language: str = "sh") -> list[Block]:
    return [block for block in blocks(language) if block.document == name]


WITH_COMMANDS = sorted({block.document for block in blocks("sh")})


# Commands


@dataclass
class Reader:
    """Somebody who follows a document from its first command to its last."""

    home: Path
    text: str
    """The document."""
    relay: str = ""
    """The address of the relay of the reader's computer, once there is one."""
    link: str = ""
    """The invite that the reader made."""

    def line(self, command: str) -> None:
        """Do one command in the way that fits it."""
        for pattern, way in WAYS:
            if re.match(pattern, command):
                way(self, command)
                return
        raise AssertionError(f"no test knows how to run this: {command}")

    @property
    def friend(self) -> str:
        """Whom the document talks with."""
        found = re.search(r"^exile-tui accept (\S+)$", self.text, re.M)
        assert found is not None
        return found[1]

    def profile(self, name: str) -> Profile:
        return Profile(self.home / "others", name, PASSPHRASE)

    def parse(self, command: str) -> None:
        parses(command)

    def module(self, command: str) -> None:
        name = command.split()[2]
        assert importlib.util.find_spec(name) is not None, name

    def benchmark(self, command: str) -> None:
        """Look whether it knows these measures and options: an hour, and servers, are too much."""
        module, *words = command.split()[2:]
        names = itertools.takewhile(lambda word: not word.startswith("-"), words)
        names = [name for name in names if not name.startswith("/")]
        options = [word for word in words if word.startswith("-")]
        asked = [sys.executable, "-m", module, "--help"]
        told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        known = re.findall(r"[\w-]+", told)
        assert set(names) | set(options) <= set(known)

    def plain(self, command: str) -> None:
        type_line(command, self.home, PASSPHRASE)

    def init(self, command: str) -> None:
        output = type_line(command, self.home, PASSPHRASE)
        self.relay = re.findall(r"https://\S+", output)[0]

    def invite(self, command: str) -> None:
        self.link = re.findall(r"exile:\S+", type_line(command, self.home, PASSPHRASE))[0]

    def add(self, command: str) -> None:
        """Open a third person's invite; meanwhile the friend opens the reader's."""

        async def others() -> str:
            stranger, friend = self.profile("stranger"), self.profile("friend")
            await stranger.run("init", "--name", "Stranger", "--relay", self.relay)
            await friend.run("init", "--name", self.friend, "--relay", self.relay)
            await friend.run("add", self.link)
            return str((await stranger.run("invite")).record["link"])

        link = asyncio.run(others())
        type_line(command.replace("exile:...", link), self.home, PASSPHRASE)

    def requests(self, command: str) -> None:
        assert self.friend in type_line(command, self.home, PASSPHRASE)

    def history(self, command: str) -> None:
        wanted = re.findall(r'^exile-tui send \S+ "(.*)"$', self.text, re.M)
        assert any(text in type_line(command, self.home, PASSPHRASE) for text in wanted)

    def verify(self, command: str) -> None:
        output = type_line(command, self.home, PASSPHRASE)
        assert len(re.findall(r"(?<!\d)\d{5}(?!\d)", output)) == 12

    def follow(self, command: str) -> None:
        """Wait for a message, then end it."""
        running = Typed(f"exec {command}", self.home, PASSPHRASE)  # the keys are for it alone
        text = "a message to wait for"
        friend = self.profile("friend")
        # The name that the friend knows the reader by stands in the first command.
        name = re.findall(r"^exile-tui init --name (\S+)", self.text, re.M)[0]

        async def write() -> None:
            await friend.run("receive")
            await friend.run("send", name, text)

        asyncio.run(write())
        running.until(text)
        running.press(CTRL_C)
        assert running.end()[0] == 0

    def revoke(self, command: str) -> None:
        """Revoke an invite that is open; the first one of the document was used."""
        before = type_line("exile-tui invites", self.home, PASSPHRASE)
        type_line("exile-tui invite", self.home, PASSPHRASE)
        numbers = re.findall(
            r"^#(\d+) ", type_line("exile-tui invites", self.home, PASSPHRASE), re.M
        )
        (new,) = [number for number in numbers if f"#{number} " not in before]
        type_line(re.sub(r"\d+$", new, command), self.home, PASSPHRASE)

    def serve(self, command: str) -> None:
        port = free_port()
        (self.home / "phrase.txt").write_text("four quite random words\n")
        for block in of("docs/relay.md", "toml"):
            (self.home / block.file).write_text(block.text)
        command = command.replace("relay.example.org", "127.0.0.1").replace("8443", str(port))
        command = command.replace("9464", str(free_port()))
        running = Typed(f"exec {command}", self.home, PASSPHRASE)
        running.until(rf"https://127\.0\.0\.1:{port}/#\S{{43}}\s")
        running.press(CTRL_C)
        assert running.end()[0] == 0

    def observe(self, command: str) -> None:
        """Ask the operator's port of a relay that runs."""
        metrics = str(free_port())
        running = Typed(f"exec exile-tui relay --metrics {metrics}", self.home, PASSPHRASE)
        running.until(r"Ctrl\+C")
        if shutil.which("curl") is None:
            parses(command)
        else:
            shown = type_line(command.replace("9464", metrics), self.home, PASSPHRASE)
            assert re.search(r"^(# TYPE exile_relay_|it answers$|ready$)", shown, re.M)
        running.press(CTRL_C)
        assert running.end()[0] == 0

    def disclose(self, command: str) -> None:
        """Ask for a mailbox that the relay has, since somebody made an invite there."""
        running = Typed("exec exile-tui relay --port 0", self.home, PASSPHRASE)
        running.until(r"https://\S+#\S{43}\s")
        address = re.findall(r"https://\S+", running.output)[0]
        guest = self.profile("guest")

        async def invite() -> None:
            await guest.run("init", "--name", "Guest", "--relay", address)
            await guest.run("invite")

        asyncio.run(invite())
        running.press(CTRL_C)  # while it runs nobody else may open its database
        assert running.end()[0] == 0
        database = self.home / ".local/share/exile-tui/served-relay/relay.db"
        with closing(sqlite3.connect(database)) as connection:
            mailbox = connection.execute("SELECT id FROM mailboxes").fetchone()[0].hex()
        shown = type_line(command.replace("MAILBOX-ID", mailbox), self.home, PASSPHRASE)
        held, _ = json.JSONDecoder().raw_decode(shown[shown.index("{") :])
        assert held["mailboxes"]

    def screen(self, command: str) -> None:
        """Open the screen, see its first frame, leave."""
        running = Typed(command, self.home, PASSPHRASE)
        running.until(r"\x1b\[\?1049h")
        running.until(r"F1")  # the line of keys, the last that is drawn
        running.press(CTRL_Q)
        code, output = running.end()
        assert code == 0, output
        assert "Traceback" not in output


WAYS: tuple[tuple[str, Callable[[Reader, str], None]], ...] = (
    (re.escape(SETUP), Reader.parse),
    (r"(?:\.venv/bin/)?python3? -m tests(\.\w+)?", Reader.module),
    (r"\.venv/bin/python -m benchmarks\.\w+", Reader.benchmark),
    (r"exile-tui init ", Reader.init),
    (r"exile-tui invite\b(?!s)", Reader.invite),
    (r"exile-tui add ", Reader.add),
    (r"exile-tui requests$", Reader.requests),
    (r"exile-tui history ", Reader.history),
    (r"exile-tui verify ", Reader.verify),
    (r"exile-tui receive --follow$", Reader.follow),
    (r"exile-tui revoke ", Reader.revoke),
    (r"exile-tui relay --host ", Reader.serve),
    (r"curl --silent http://127\.0\.0\.1:9464/", Reader.observe),
    (r"exile-tui relay facts\b", Reader.plain),
    (r"exile-tui relay disclose MAILBOX-ID$", Reader.disclose),
    (r"exile-tui (?:--lang ko )?--help$", Reader.plain),
    (r"exile-tui(?: (?:demo|--(?:theme|profile|lang) \S+))*$", Reader.screen),
    (r"exile-tui (?:export|import) ", Reader.plain),
    (r"(?:echo .* \| )?exile-tui (?:accept|contacts|send|receive|search|invites)\b", Reader.plain),
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home directory, and nothing left running that belongs to it."""
    yield tmp_path
    for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if entry.name.isdigit() and os.fsencode(tmp_path) in words:
            os.kill(int(entry.name), signal.SIGTERM)


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_every_command_does_what_it_says(name: str, home: Path) -> None:
    reader = Reader(home, dict(documents())[name])
    for block in of(name):
        for command in block.commands:
            if block.text.startswith(AS_ROOT):
                parses(command)
            else:
                reader.line(command)


def test_the_guides_have_the_same_commands() -> None:
    shapes = [
        [
            re.sub(r'"[^"]*"|[^\x00-\x7f]+|Mina|Jun|hello|--lang ko ?', "", command).split()
            for block in of(name)
            for command in block.commands
        ]
        for name in GUIDES
    ]
    assert shapes[0] == shapes[1]


def test_every_placeholder_is_used() -> None:
    text = "".join(text for _, text in documents())
    assert all(placeholder in text for placeholder in PLACEHOLDERS)


# Files


@pytest.mark.parametrize(
    "block", blocks("toml"), ids=lambda block: f"{block.document}-{block.file}"
)
def test_every_toml_file_is_taken(block: Block, tmp_path: Path) -> None:
    file = tmp_path / Path(block.file).name
    file.write_text(block.text, encoding="utf-8")
    if block.file == "config.toml":
        keys = Source({}, {}, file).load().keys
        taken, problems = keymap.check(keys)
        assert (len(taken), problems) == (len(keys), [])
    elif block.file.startswith("themes/"):
        assert load_theme(file).name == file.stem
    else:
        assert block.file == "facts.toml"
        assert read_facts(file).jurisdiction


@pytest.mark.parametrize("name", GUIDES)
def test_the_guide_shows_every_setting_with_its_default(name: str, tmp_path: Path) -> None:
    (block,) = [each for each in of(name, "toml") if "auto_lock_minutes" in each.text]
    file = tmp_path / "config.toml"
    file.write_text(block.text, encoding="utf-8")
    shown, default = Source({}, {}, file).load(), Settings(theme=DEFAULT)
    for field in fields(Settings):
        if field.name in ("lang", "proxy"):
            assert f"\n{field.name} = " in block.text
        elif field.name in ("profile", "data_dir"):
            assert f"`{field.name}`" in dict(documents())[name]
        elif field.name != "keys":
            assert f"\n{field.name} = " in block.text
            assert getattr(shown, field.name) == getattr(default, field.name)


@pytest.mark.parametrize("name", GUIDES)
def test_the_guide_names_every_theme(name: str) -> None:
    text = dict(documents())[name]
    assert all(f"`{file.stem}`" in text for file in theme_directory().glob("*.toml"))


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_guide_has_the_keys_of_the_bindings(lang: str) -> None:
    text = keytable.GUIDES[lang].read_text(encoding="utf-8")
    assert text == keytable.with_table(text, lang), "run `python -m tests.keytable`"


@pytest.mark.parametrize("block", blocks("ini"), ids=lambda block: block.document)
def test_every_unit_is_one(block: Block, tmp_path: Path) -> None:
    unit = tmp_path / Path(block.file).name
    started = re.findall(r"^ExecStart=(\S+) (.*)$", block.text, re.M)
    assert [program for program, _ in started] == ["/opt/exile-tui/bin/exile-tui"]
    unit.write_text(block.text.replace(started[0][0], "/bin/true"))
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert re.fullmatch(r"(?:# .*\n|\[\w+\]\n|\w+=.*\n|\n)+", block.text)
        return
    done = subprocess.run(
        [analyze, "verify", str(unit)], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("block", "check"),
    [
        *((block, "haproxy -c -f {file}") for block in blocks("haproxy")),
        *((block, "tor --verify-config -f {file} --DataDirectory {home}/tor")
          for block in blocks("torrc")),
    ],
    ids=lambda value: value.file if isinstance(value, Block) else "",
)  # fmt: skip
def test_every_file_of_another_program_is_taken_by_it(
    block: Block, check: str, tmp_path: Path
) -> None:
    file = tmp_path / block.file
    file.write_text(block.text, encoding="utf-8")
    command = check.format(file=file, home=tmp_path).split()
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
@pytest.mark.parametrize("block", blocks("tmux"), ids=lambda block: block.document)
def test_every_tmux_option_is_one(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "tmux.conf"
    file.write_text(block.text, encoding="utf-8")
    base = ["tmux", "-L", f"exile-conf-{os.getpid()}-{Path(block.document).stem}", "-f", str(file)]
    names = [command.split()[2] for command in block.commands]
    try:
        subprocess.run([*base, "new-session", "-d", "cat"], check=True)
        for name in names:
            shown = subprocess.run(
                [*base, "show-options", "-gAv", name], check=True, capture_output=True, text=True
            )
            found = (
                shown.stdout
                or subprocess.run(
                    [*base, "show-options", "-sv", name], check=True, capture_output=True, text=True
                ).stdout
            )
            assert found.strip() == "on", name
    finally:
        subprocess.run([*base, "kill-server"], check=False, capture_output=True)
