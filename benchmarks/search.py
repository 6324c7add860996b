"""Measure the search: `python -m benchmarks.search DIRECTORY...`, made by `benchmarks.history`.

    python -m benchmarks.history /tmp/history --messages 1000000 --cheap
    python -m benchmarks.search /tmp/history

For each kind of query many of its kind are drawn from the history itself, each is asked once for
its first 50 hits, and LIKE is asked the same right after it, over the same connection: all of that
interleaved, so that what else the machine does meets both. Of LIKE the newest 50 hits of a plain
`text LIKE '%query%' ORDER BY id DESC LIMIT 50` are read, which is nobody's fault for short words
and reads the whole history for what is rare. A page that was not looked through to its end (see
`store.finder`) is counted in the column "partial".

"Cold" is the first query of a new connection whose file's pages the kernel was asked to drop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.history import PROFILE
from exile_tui.clock import DAY_MS
from exile_tui.core.model import Direction
from exile_tui.core.searching import EVERYWHERE, SearchFilter
from exile_tui.hangul import initials, is_syllable, jamo
from exile_tui.paths import data_home, profile_directory
from exile_tui.store import ProfileVault, search
from exile_tui.store.database import configure, connect
from exile_tui.store.search import INDEX, tokens
from exile_tui.store.store import ProfileStore
from exile_tui.store.transaction import ProfileTransaction
from exile_tui.text import fit

HITS = 50
FILTERED = ("one syllable", "two syllables", "half (가느)", "initials (ㅎㄱ)")
"""What is asked with each filter."""
EMOJI = ("😀", "👍", "🎉", "👨‍👩‍👧‍👦", "🦖", "ㅠㅠ", "?!", "...")
LATIN = ("the", "git", "zoom", "example", "https://", "aban", "tion", "on ", "zzyzx")


@dataclass
class Row:
    """What was measured of one kind of query."""

    name: str
    index_ms: list[float] = field(default_factory=list)
    like_ms: list[float] = field(default_factory=list)
    partial: int = 0
    hits: int = 0


def syllable_runs(texts: list[str], length: int, count: int, rng: random.Random) -> Iterator[str]:
    """Yield runs of so many syllables that stand in the texts."""
    while count:
        text = unicodedata.normalize("NFC", rng.choice(texts))
        at = rng.randrange(max(1, len(text) - length + 1))
        run = text[at : at + length]
        if len(run) == length and all(map(is_syllable, run)):
            count -= 1
            yield run


def half(run: str) -> str:
    """Return a run whose last syllable lacks what is typed last."""
    keys = jamo(run[-1])
    if len(keys) > 2:  # 안 without its last consonant
        code = ord(run[-1])
        return run[:-1] + chr(code - (code - ord("가")) % 28)
    return run[:-1] + keys[0]


def queries(texts: list[str], count: int, seed: int) -> dict[str, list[str]]:
    """Return queries of each kind, drawn from texts."""
    rng = random.Random(seed)
    two = list(syllable_runs(texts, 2, count, rng))
    three = list(syllable_runs(texts, 3, count, rng))
    return {
        "one syllable": list(syllable_runs(texts, 1, count, rng)),
        "two syllables": two,
        "three syllables": three,
        "four syllables": list(syllable_runs(texts, 4, count, rng)),
        "half (가느)": [half(run) for run in two],
        "a consonant behind (안ㄴ)": [run[:2] + initials(run[2]) for run in three],
        "one initial (ㅎ)": [initials(run[0]) for run in two[:20]],
        "initials (ㅎㄱ)": [initials(run) for run in two],
        "three initials": [initials(run) for run in three],
        "absent": [chr(rng.randrange(0xAC00, 0xD7A4)) + run for run in two],
        "emoji, signs": list(EMOJI),
        "Latin": list(LATIN),
    }


def filters(newest_ms: int, small: int) -> dict[str, SearchFilter]:
    """Return every filter alone, and all of them together."""
    week = newest_ms - 7 * DAY_MS
    return {
        "a small conversation": SearchFilter(contact_id=small),
        "by me": SearchFilter(direction=Direction.OUT),
        "seven days": SearchFilter(since_ms=week),
        "before eight years": SearchFilter(until_ms=newest_ms - 8 * 365 * DAY_MS),
        "with link": SearchFilter(has_link=True),
        "all of these": SearchFilter(small, Direction.OUT, week - 300 * DAY_MS, newest_ms, True),
    }


async def measure(
    store: ProfileStore, name: str, asked: list[str], only: SearchFilter, *, like: bool
) -> Row:
    """Ask each query once, LIKE right after it."""
    row = Row(name)
    async with store.snapshot() as tx:
        for query in asked:
            begun = time.perf_counter()
            page = await tx.messages.search(query, only, HITS, typing=True)
            row.index_ms.append((time.perf_counter() - begun) * 1000)
            row.hits += len(page.hits)
            row.partial += page.rest is not None and len(page.hits) < HITS
            if like:
                begun = time.perf_counter()
                await by_like(tx, query)
                row.like_ms.append((time.perf_counter() - begun) * 1000)
    return row


async def by_like(tx: ProfileTransaction, query: str) -> None:
    """Ask for the newest hits as a program without an index would."""
    await tx.messages._statements.all(
        "SELECT id, text FROM message WHERE text LIKE ? ORDER BY id DESC LIMIT ?",
        (f"%{query}%", HITS),
    )


def line(row: Row) -> str:
    """Return a row of the table, times in milliseconds."""
    ordered = sorted(row.index_ms)
    median = statistics.median(ordered)
    cells = [
        fit(row.name, 36),
        f"{median:8.1f}",
        f"{ordered[int(len(ordered) * 0.95)]:8.1f}",
        f"{ordered[-1]:8.1f}",
        f"{row.hits / len(ordered):5.0f}",
        f"{row.partial:4}/{len(ordered)}",
    ]
    if row.like_ms:
        like = statistics.median(row.like_ms)
        cells += [f"{like:9.1f}", f"{max(row.like_ms):9.1f}", f"{like / median:7.1f}"]
    return " ".join(cells)


HEAD = (
    f"{'':36} {'median':>8} {'95 %':>8} {'worst':>8} {'hits':>5} {'partial':>7}"
    f" {'LIKE med':>9} {'worst':>9} {'ratio':>7}"
)


async def sample(store: ProfileStore, count: int, seed: int) -> tuple[int, int, list[str]]:
    """Return the newest message's id and time, and texts from everywhere."""
    rng = random.Random(seed)
    async with store.snapshot() as tx:
        statements = tx.messages._statements
        row = await statements.one("SELECT id, stored_ms FROM message ORDER BY id DESC LIMIT 1")
        assert row is not None
        ids = json.dumps(sorted(rng.randrange(1, row[0] + 1) for _ in range(count)))
        texts = await statements.all(
            "SELECT text FROM message WHERE id IN (SELECT value FROM json_each(?))", (ids,)
        )
    return row[0], row[1], [text for (text,) in texts if any(map(is_syllable, text))]


async def sizes(store: ProfileStore) -> dict[str, int]:
    """Return the bytes of all texts and of the index, and how long the index takes to build."""
    async with store.snapshot() as tx:
        statements = tx.messages._statements
        text = await statements.one("SELECT sum(length(CAST(text AS BLOB))) FROM message")
        index = await statements.one(
            "SELECT (SELECT sum(length(block)) FROM message_fts_data)"
            " + (SELECT sum(length(segid) + length(term) + length(pgno)) FROM message_fts_idx)"
        )
        assert text is not None
        assert index is not None
        begun = time.process_time()
        connection = connect(Path(":memory:"), None)
        configure(connection, writer=True)
        connection.execute(next(each for each in INDEX if each.startswith("CREATE VIRTUAL")))
        connection.execute("BEGIN")
        at = 0
        while rows := await statements.all(
            "SELECT id, text, contact_id, direction, stored_ms FROM message WHERE id > ?"
            " AND kind = 'text' ORDER BY id LIMIT 20000",
            (at,),
        ):
            connection.executemany(
                "INSERT INTO message_fts (rowid, syllables, initials) VALUES (?, ?, ?)",
                ((row[0], tokens(*row[1:]), search.initials(row[1])) for row in rows),
            )
            at = rows[-1][0]
        connection.execute("COMMIT")
        connection.close()
        seconds = time.process_time() - begun
    return {"text": text[0], "index": index[0], "build_cpu_ms": int(seconds * 1000)}


def drop_pages(database: Path) -> None:
    """Ask the kernel to forget what it has of a file."""
    with database.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def cold(profile: Path, passphrase: str, asked: list[str]) -> list[float]:
    """Return how long each query takes as the first thing after opening."""
    taken = []
    for query in asked:
        drop_pages(profile / "database")
        store = await ProfileVault(profile).open(passphrase)
        try:
            async with store.snapshot() as tx:
                begun = time.perf_counter()
                await tx.messages.search(query, EVERYWHERE, HITS, typing=True)
                taken.append((time.perf_counter() - begun) * 1000)
        finally:
            await store.close()
    return taken


async def run(directory: Path, passphrase: str, count: int, seed: int) -> None:
    """Measure one profile and print its table."""
    profile = profile_directory(data_home(directory), PROFILE)
    store = await ProfileVault(profile).open(passphrase)
    try:
        newest, newest_ms, texts = await sample(store, 4000, seed)
        measured = await sizes(store)
        times = measured["index"] / measured["text"]
        print(
            f"\n{newest:,} messages: text {measured['text'] / 1e6:.1f} MB, index"
            f" {measured['index'] / 1e6:.1f} MB ({times:.2f} times the text), built in"
            f" {measured['build_cpu_ms'] / 1000:.1f} s of CPU\n{HEAD}"
        )
        kinds = queries(texts, count, seed)
        for name, asked in kinds.items():
            some = asked if newest < 200_000 else asked[: max(10, count // 5)]
            row = await measure(store, name, some, EVERYWHERE, like=True)
            rest = await measure(store, name, asked[len(some) :], EVERYWHERE, like=False)
            row.index_ms += rest.index_ms
            row.hits, row.partial = row.hits + rest.hits, row.partial + rest.partial
            print(line(row), flush=True)
        for name, only in filters(newest_ms, small=2).items():
            for kind in FILTERED:
                row = await measure(store, f"{name}, {kind}", kinds[kind], only, like=False)
                print(line(row), flush=True)
    finally:
        await store.close()
    taken = await cold(
        profile, passphrase, [*kinds["two syllables"][:10], *kinds["one syllable"][:10]]
    )
    print(f"cold: median {statistics.median(taken):.1f} ms, worst {max(taken):.1f}")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directories", type=Path, nargs="+", help="made by benchmarks.history")
    parser.add_argument("--passphrase", default="benchmark")
    parser.add_argument("--queries", type=int, default=100, help="of each kind")
    parser.add_argument("--seed", type=int, default=2014)
    given = parser.parse_args()
    for directory in given.directories:
        asyncio.run(run(directory, given.passphrase, given.queries, given.seed))


if __name__ == "__main__":
    main()
