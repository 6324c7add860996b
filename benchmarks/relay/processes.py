"""Servers as child processes in directories of their own, ended by their process ids."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.relay.connection import client_context

PACKAGES = {
    "nginx": "nginx-light",
    "ejabberdctl": "ejabberd",
    "erl": "erlang-base",
    "h2load": "nghttp2-client",
}
"""Debian's packages of programs that have another name."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGESIZE")
_STARTED_WITHIN_S = 60.0
_ENDED_WITHIN_S = 15.0


class Missing(Exception):
    """Programs are not installed; the text says how to get them."""


class NotStarted(Exception):
    """A server ended, or did not listen in time; the text has what it said."""


def find_program(name: str) -> str:
    """Return a program's path.

    Raises:
        Missing: It is not installed.
    """
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
    if path is None:
        raise Missing(f"not installed: {name}; apt-get install {PACKAGES.get(name, name)}")
    return path


def require_programs(names: Iterable[str]) -> str:
    """Return the versions of the packages that have these programs.

    Raises:
        Missing: Some are not installed.
    """
    missing, versions = [], []
    for name in names:
        package = PACKAGES.get(name, name)
        try:
            find_program(name)
        except Missing:
            missing.append(package)
            continue
        asked = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}", package]
        with contextlib.suppress(OSError):
            versions.append(subprocess.run(asked, capture_output=True, check=False).stdout.decode())
    if missing:
        raise Missing(f"Not everything is installed: apt-get install {' '.join(missing)}")
    return ", ".join(filter(None, versions))


def free_port() -> int:
    """Draw a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server: its process, its children, and a temporary directory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.address = ("127.0.0.1", free_port())
        self.directory = Path(tempfile.mkdtemp(prefix=f"exile-{name}-"))
        self.directory.chmod(0o755)  # some give up root's rights before they read it
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.address[1]

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a command and wait until it listens.

        Raises:
            NotStarted: It does not.
        """
        output = self.directory / "output"
        with output.open("ab") as kept:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=kept,
                stderr=kept,
                env={**os.environ, **(environment or {})},
                cwd=self.directory,
            )
        until = time.monotonic() + _STARTED_WITHIN_S
        while time.monotonic() < until and self._child.poll() is None:
            with contextlib.suppress(OSError):
                self._greet()
                return
            time.sleep(0.05)
        said = output.read_text(errors="replace")[-2000:]
        self.stop()
        raise NotStarted(f"{self.name} does not listen on port {self.port}:\n{said}")

    def _greet(self) -> None:
        """Shake hands once: mosquitto sometimes drops who comes after one who did not."""
        context = client_context()
        with (
            socket.create_connection(self.address, 5.0) as plain,
            context.wrap_socket(plain) as shaken,
        ):
            shaken.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError):
                shaken.unwrap()  # says goodbye, and waits for no answer

    def wait_for(self, file: Path) -> None:
        """Wait until it has written a file.

        Raises:
            NotStarted: It has not.
        """
        until = time.monotonic() + _STARTED_WITHIN_S
        while not file.exists():
            if time.monotonic() > until or (self._child is not None and self._child.poll()):
                self.stop()
                raise NotStarted(f"{self.name} does not get ready")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it and everything that it started, and remove its directory."""
        self.end_process()
        shutil.rmtree(self.directory, ignore_errors=True)

    def end_process(self) -> None:
        """End it and everything that it started."""
        if self._child is not None:
            processes = self.processes()
            self._child.terminate()
            try:
                self._child.wait(_ENDED_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            for process in processes[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self._child = None

    def processes(self) -> list[int]:
        """Return the ids of its process and of all that descend from it."""
        if self._child is None:
            return []
        found = [self._child.pid]
        for process in found:  # grows while it is gone through
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{process}/task").iterdir():
                    found += map(int, (task / "children").read_text().split())
        return found

    def cpu_seconds(self) -> float:
        """Return the seconds of a core that its processes have used so far."""
        return sum(map(cpu_seconds, self.processes()))

    def written_bytes(self) -> int:
        """Return the bytes that its processes have given to the disk so far."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{process}/io").read_text().split()
                total += int(fields[fields.index("write_bytes:") + 1])
        return total

    def resident_bytes(self) -> int:
        """Return the bytes of memory that its processes hold now."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(OSError):
                total += int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
        return total

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def cpu_seconds(process: int) -> float:
    """Return the seconds of a core that a process has used, from /proc/PID/stat."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
