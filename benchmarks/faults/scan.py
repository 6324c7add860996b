"""Read every byte that an adversary would have, and look for what must not be there."""

from __future__ import annotations

import base64
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

PIECE = 24
"""Bytes of an envelope that are looked for; chance finds none of this length."""
ENCRYPTED = ("database", "database-wal")
"""The files of a profile whose every page is encrypted."""
PAGE = 4096


def files(*directories: Path) -> dict[Path, bytes]:
    """Return every file under some directories."""
    return {
        path: path.read_bytes()
        for directory in directories
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def forms(secret: bytes) -> Iterable[bytes]:
    """Yield how a secret may be written down."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield base64.b64encode(secret).rstrip(b"=")
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")


def find_many(contents: Mapping[Path, bytes], secrets: Mapping[str, bytes]) -> list[str]:
    """Do as `find_secrets`, in one pass over each file, for thousands of secrets.

    Each must have eight bytes at least.
    """
    known: dict[bytes, list[tuple[str, bytes]]] = {}
    for label, secret in secrets.items():
        for form in forms(secret):
            known.setdefault(form[:8], []).append((label, form))
    return [
        f"{label} in {path}"
        for path, data in contents.items()
        for at in range(len(data) - 7)
        for label, form in known.get(data[at : at + 8], ())
        if data.startswith(form, at)
    ]


def find_secrets(contents: Mapping[Path, bytes], secrets: Mapping[str, bytes]) -> list[str]:
    """Return a line for each secret found in a file."""
    return [
        f"{label} in {path}"
        for path, data in contents.items()
        for label, secret in secrets.items()
        if any(form in data for form in forms(secret))
    ]


def find_envelopes(contents: Mapping[Path, bytes], envelopes: Iterable[bytes]) -> list[str]:
    """Return a line for each envelope of which a piece is left in a file."""
    found = []
    for number, envelope in enumerate(envelopes):
        middle = len(envelope) // 2
        pieces = (envelope[64:], envelope[middle:], envelope[-PIECE:])
        for path, data in contents.items():
            if any(piece[:PIECE] in data for piece in pieces):
                found.append(f"envelope {number} in {path}")
    return found


def find_readable(contents: Mapping[Path, bytes]) -> list[str]:
    """Return a line for each database of a client with a page that is not noise.

    Noise does not compress.
    """
    found = []
    for path, data in contents.items():
        if path.name in ENCRYPTED:
            ratios = [len(page) / len(zlib.compress(page)) for page in _pages(path, data)]
            worst = max(ratios, default=1.0)
            if worst > 1.01:
                found.append(f"{path}: a page compresses to 1/{worst:.2f}")
    return found


def envelope_sizes(database: Path) -> set[int]:
    """Return the sizes of what lies in a relay's slots."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT DISTINCT length(body) FROM bodies").fetchall()
    connection.close()
    return {size for (size,) in rows}


def _pages(path: Path, data: bytes) -> Iterable[bytes]:
    """Yield the encrypted pages; the headers of a write-ahead log say nothing and are skipped."""
    if path.name.endswith("-wal"):
        frame = PAGE + 24
        return (data[at + 24 : at + frame] for at in range(32, len(data) - frame + 1, frame))
    return (data[at : at + PAGE] for at in range(0, len(data), PAGE))
