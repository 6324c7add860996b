"""Run the command line as its users do: a process a command, its exit code, what it printed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
"""A process that takes longer hangs; nothing is measured against it."""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    text: str
    error: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def record(self) -> dict[str, Any]:
        (record,) = self.records
        return record


class Running:
    """A process whose output is read as it comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def line(self) -> str:
        """Return its next line; an empty text when it ended."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            return (await self._process.stdout.readline()).decode().rstrip("\n")

    async def end(self, number: int = signal.SIGTERM) -> Done:
        """Send it a signal and return what it said since."""
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self.wait()

    async def wait(self, stdin: bytes | None = None) -> Done:
        """Let it come to its end."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                text, error = await self._process.communicate(stdin)
        except TimeoutError:
            self._process.kill()
            raise
        assert self._process.returncode is not None
        return Done(self._process.returncode, text.decode(), error.decode())


async def start(arguments: Sequence[str]) -> Running:
    """Start `exile-tui` with these arguments."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exile_tui", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"XDG_CONFIG_HOME": "/nonexistent"},
    )
    return Running(process)


async def start_relay(directory: Path, port: int = 0, *options: str) -> tuple[Running, str]:
    """Start a relay on the loopback; return it and its address."""
    where = ("--host", "127.0.0.1", "--port", str(port), "--data-dir", str(directory))
    running = await start(["relay", *where, *options])
    while line := await running.line():
        for word in line.split():
            if word.startswith("https://"):
                return running, word
    raise AssertionError((await running.wait()).error)


class Profile:
    """One profile and its passphrase."""

    def __init__(self, home: Path, profile: str, passphrase: str = "말 수레 배터리 집게") -> None:
        self.home = home
        self.profile = profile
        self.passphrase = home / f"{profile}.passphrase"
        home.mkdir(parents=True, exist_ok=True)
        self.passphrase.write_text(passphrase + "\n")

    def command(self, name: str, *arguments: str) -> list[str]:
        """Return the arguments of a command on this profile."""
        options = ["--data-dir", str(self.home), "--profile", self.profile, "--json"]
        return [name, *options, "--passphrase-file", str(self.passphrase), *arguments]

    async def start(self, name: str, *arguments: str) -> Running:
        """Start a command."""
        return await start(self.command(name, *arguments))

    async def run(self, name: str, *arguments: str, code: int = 0, stdin: str = "") -> Done:
        """Run a command that is to end with this exit code, failures in one sentence."""
        done = await (await self.start(name, *arguments)).wait(stdin.encode())
        assert done.code == code, (name, done)
        assert "Traceback" not in done.error
        assert done.error.count("\n") == (1 if code else 0), done.error
        return done


async def introduce(inviter: Profile, joiner: Profile, name: str) -> None:
    """Make two profiles contacts; `name` is the joiner's."""
    link = (await inviter.run("invite")).record["link"]
    await joiner.run("add", link)
    await inviter.run("accept", name)
    await joiner.run("receive")
