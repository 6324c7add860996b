"""What the relay's tests share."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

from exile_tui.clock import DAY_MS
from exile_tui.relay.limits import Limits
from exile_tui.relay.sqlite import SqliteEngine
from exile_tui.wire.mailbox import mailbox_id

NOW_MS = 1_760_000_000_000


class SettableClock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    def skip_days(self, days: int) -> None:
        self.ms += days * DAY_MS


@dataclass(frozen=True)
class Box:
    """A mailbox's tokens, hashes and id."""

    receive_token: bytes
    send_token: bytes

    @property
    def receive_hash(self) -> bytes:
        return hashlib.sha256(self.receive_token).digest()

    @property
    def send_hash(self) -> bytes:
        return hashlib.sha256(self.send_token).digest()

    @property
    def id(self) -> bytes:
        return mailbox_id(self.receive_hash, self.send_hash)


def box(rng: random.Random) -> Box:
    return Box(rng.randbytes(32), rng.randbytes(32))


async def open_engine(
    directory: Path, clock: SettableClock, limits: Limits | None = None
) -> SqliteEngine:
    """Open an engine that truncates its log only when told."""
    return await SqliteEngine.open(
        directory / "relay.db", limits or Limits(), clock, wipe_interval=3600
    )


def raw_files(directory: Path) -> bytes:
    """Every byte of every file below a directory."""
    return b"\0".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())
