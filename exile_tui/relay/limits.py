"""What a relay allows, in one place. Stated in its signed facts."""

from __future__ import annotations

from dataclasses import dataclass

from exile_tui.clock import DAY_MS, Clock

MAX_RETENTION_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes, numbers and times; the defaults are docs/protocol.md's, section 8."""

    retention_days: int = 3
    """How long an envelope waits, at most 14."""

    mailbox_days: int = 90
    """How long a mailbox lives after the last receive."""

    envelopes: int = 128
    """Envelopes that wait in one mailbox."""

    blob_bytes: int = 65_536
    """Bytes of one blob."""

    blobs: int = 100_000
    """Blobs of all clients together."""

    blob_days: int = 30
    """Largest expiry of a blob or ticket, from now."""

    tickets: int = 100_000
    """Tickets of all clients together."""

    mailboxes: int = 1_000_000
    """Mailboxes of all clients together."""

    blobs_per_mailbox: int = 1024
    """Blobs put with one mailbox's token while this process runs; counted in memory only."""

    streams: int = 20_000
    """Receives open at once."""

    heartbeat: float = 20.0
    """Seconds of silence on a stream before a heartbeat."""

    patience: float = 30.0
    """Seconds that a client may take for the next piece of a body, or to read what was sent."""

    slowest: int = 4096
    """Bytes a second that a body must come with, after a minute."""

    kept_bytes: int = 4_194_304
    """Bytes of one body that are kept in memory; a longer one is handled piece by piece."""

    unacknowledged_bytes: int = 16_777_216
    """Bytes of envelopes that one stream sends ahead of their acknowledgement."""

    disk_reserve: int = 134_217_728
    """Bytes of its disk that stay free: with less, nothing new is taken, so that what was taken can
    still be acknowledged, expire and be wiped, each of which needs some room first.

    Half of it does when the other half is free inside the database."""
    unacknowledged_in_all: int = 268_435_456
    """The same of all streams; above it each sends no more than one fetch ahead."""

    fetch_bytes: int = 262_144
    """Bytes of envelopes that one stream holds in memory at once."""


def today(clock: Clock) -> int:
    """Return the UTC day, counted from 1970-01-01."""
    return clock.now_ms() // DAY_MS


def day_after(clock: Clock, days: int) -> int:
    """Return the day on which something ends that must last `days` from now, rounded up."""
    return -(-(clock.now_ms() + days * DAY_MS) // DAY_MS)


def day_of(expiry: int) -> int:
    """Return the day on which something ends that must last until `expiry` (unix seconds)."""
    return -(-expiry * 1000 // DAY_MS)
