"""Load a relay for an hour, delete every mailbox, and look 60 s later for what must not be there.

    python -m benchmarks.faults.traces [--minutes 60] [--seed 2014]

The relay is the command's own. Beside the load of `siege`, one client after the other makes a
mailbox, is refused, leaves a blob and a ticket, asks for its disclosure, and deletes the mailbox,
each from an address of its own. Then no id, no token, no hash of one, no address, no byte of an
envelope or blob and no time of a request may be in any file of the relay's directory, nor anything
but its address in what it wrote. Tickets stay until their day, as hashes; their secrets must not be
there, and what five bytes of a hash happen to spell is no time. When a file last changed is the
file system's to tell, and is not looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import random
import re
import shutil
import sqlite3
import struct
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from benchmarks.faults import scan
from benchmarks.faults.siege import Siege
from exile_tui.wire.mailbox import MailboxKeys
from exile_tui.wire.relay import (
    Append,
    Authorization,
    CreateMailbox,
    DeleteBlob,
    GetBlobs,
    MailboxToken,
    PutBlob,
    PutBlobs,
    PutTicket,
)
from exile_tui.wire.relay import Path as Endpoint
from tests.integration.relay_support import Client

COMMAND = ("exile_tui", "relay", "--host", "127.0.0.1", "--work", "never")
BURSTS = ("benchmarks.faults.relay_child", "--burst", "65536")
"""To this one a little is as much as a burst: bodies stay in its journal."""
WIPED_WITHIN_S = 60.0
HOUR = 3600


class Visits:
    """Clients that come once, each from another address of loopback."""

    def __init__(self, siege: Siege, rng: random.Random) -> None:
        self.count = 0
        self.secrets: dict[str, bytes] = {}
        self.hashes: set[bytes] = set()
        """Of tickets, which stay."""
        self._siege = siege
        self._random = rng

    async def until(self, end: float) -> None:
        """Come one after the other until a moment of the monotonic clock."""
        while time.monotonic() < end:
            await self._visit(f"127.{self._random.randint(16, 31)}.{self.count >> 8 & 255}.77")
            self.count += 1

    async def _visit(self, host: str) -> None:
        rng, number = self._random, self.count
        keys = MailboxKeys(rng.randbytes(32), rng.randbytes(32))
        ticket, delete, name = rng.randbytes(32), rng.randbytes(32), rng.randbytes(16)
        expiry, mark = int(time.time()) + HOUR, self._siege.books.mark
        proof = hashlib.sha256(delete).digest()
        body = (mark + rng.randbytes(8)) * 170
        own = Authorization.mailbox(keys.id, keys.send_token)
        wrong = MailboxToken(keys.id, keys.send_token).encode()
        right = MailboxToken(keys.id, keys.receive_token).encode()
        create = CreateMailbox(keys.id, keys.receive_hash, keys.send_hash, Authorization())
        append = Append(keys.id, keys.send_token, [(body * 2)[:4096]])
        put = PutBlobs(own, [PutBlob(name, proof, expiry, body)])
        kept = hashlib.sha256(ticket).digest()
        let = PutTicket(Authorization(), kept, expiry)
        async with Client(self._siege.address, host) as client:
            for path, request, status in (
                (Endpoint.DISCLOSURE, right, 403),
                (Endpoint.CREATE, create.encode(), 204),
                (Endpoint.APPEND, append.encode(), 200),
                (Endpoint.BLOB_PUT, put.encode(), 200),
                (Endpoint.TICKET, let.encode(), 204),
                (Endpoint.BLOB_GET, GetBlobs([name]).encode(), 200),
                (Endpoint.DELETE, wrong, 403),
                (Endpoint.DISCLOSURE, right, 200),
                (Endpoint.BLOB_DELETE, DeleteBlob(name, delete).encode(), 204),
                (Endpoint.DELETE, right, 204),
            ):
                assert (await client.ask("POST", path, request))[0] == status, path
        self.hashes.add(kept)
        self.secrets |= _names(f"visit {number}", keys) | {
            f"visit {number}: address": host.encode(),
            f"visit {number}: blob": name,
            f"visit {number}: blob's token": delete,
            f"visit {number}: blob's hash": proof,
            f"visit {number}: ticket": ticket,
        }


async def run(directory: Path, minutes: float, seed: int, command: Sequence[str] = COMMAND) -> str:
    """Load, delete, look; return what to print.

    Raises:
        AssertionError: Something is there that must not be.
    """
    siege = Siege(directory, seed, command)
    visits = Visits(siege, random.Random(seed + 1))
    began = time.time()
    try:
        await siege.load(lambda: visits.until(time.monotonic() + 60 * minutes))
        for number, box in enumerate(siege.books.boxes):
            visits.secrets |= _names(f"mailbox {number}", box.keys)
            right = MailboxToken(box.keys.id, box.keys.receive_token).encode()
            async with Client(siege.address) as client:
                assert (await client.ask("POST", Endpoint.DELETE, right))[0] == 204
        deleted, ended = time.monotonic(), time.time()
        visits.secrets["an envelope or blob"] = siege.books.mark
        took = await _until_clean(siege, visits, (began, ended), deleted)
        assert await siege.relay.end(kill=False) == 0
        left = found(siege, visits, (began, ended))
        assert not left, left
    finally:
        await siege.close()
    return (
        f"{minutes:g} minutes, {siege.books.count()} envelopes to {len(siege.books.boxes)} "
        f"mailboxes, {visits.count} visits: nothing left {took:.0f} s after the last deletion"
    )


async def _until_clean(
    siege: Siege, visits: Visits, span: tuple[float, float], deleted: float
) -> float:
    looked = time.monotonic()
    while left := found(siege, visits, span):
        # When the files were read counts: looking through them may take longer.
        assert looked - deleted <= WIPED_WITHIN_S, left[:9]
        await asyncio.sleep(0.5)
        looked = time.monotonic()
    return looked - deleted


def found(siege: Siege, visits: Visits, span: tuple[float, float]) -> list[str]:
    """Return what is left of a load that is over."""
    contents = scan.files(siege.home)
    said = {siege.output: "\n".join([*siege.relay.lines, siege.relay.complaints()]).encode()}
    left = scan.find_many(contents | said, visits.secrets)
    if siege.relay.lines != [siege.address.url] or siege.relay.complaints():
        left.append("more output than its address")
    if not left:
        for path, data in contents.items():
            left += [f"the time {what} in {path}" for what in times(data, span, visits.hashes)]
    if not left and not siege.relay.runs:
        left += [f"the time {what} in a row" for what in times_in_rows(siege.home, span)]
    return left


def times(data: bytes, span: tuple[float, float], hashes: Collection[bytes] = ()) -> Iterator[str]:
    """Yield what can be read as a moment: in text, or as a number of six or eight bytes.

    In fewer bytes chance finds some among random ones; see `times_in_rows`. In six, of an hour, it
    does so once in 40 million bytes: among the hashes of 100,000 tickets in one run of fourteen,
    and then twice, as an index repeats them; among the random numbers of their rows in one of 50.

    Args:
        data: What a file holds.
        span: Two moments, in seconds since the epoch.
        hashes: What may be there, 32 bytes each. A number that is part of one, but for a byte at
            its beginning or its end, is no moment.
    """
    first, last = span
    for number in re.findall(rb"\d{10,19}", data):
        if first <= int(number[:10]) <= last:
            yield number.decode()
    for second in range(int(first), int(last) + 1):
        clock = time.strftime("%H:%M:%S", time.gmtime(second))
        if clock.encode() in data:
            yield clock
    for at, size, value, units in _numbers(data):
        if any(first * unit <= value <= last * unit for unit in units):
            starts = range(max(at + size - 1 - 32, 0), at + 2)
            if not any(data[start : start + 32] in hashes for start in starts):
                yield f"{value} at {at}, {data[max(at - 40, 0) : at + 48].hex()}"


def _numbers(data: bytes) -> Iterator[tuple[int, int, float, tuple[int, ...]]]:
    """Yield every number: where, of how many bytes, its value, what it may count in a second."""
    zeros = bytes(8)
    for at in range(len(data) - 7):
        piece = data[at : at + 8]
        if piece == zeros:
            continue
        for ordered, six in ((piece, piece[:6]), (piece[::-1], piece[5::-1])):
            yield at, 8, int.from_bytes(ordered, "big"), (1, 10**3, 10**6)
            yield at, 6, int.from_bytes(six, "big"), (10**3,)
            yield at, 8, struct.unpack(">d", ordered)[0], (1, 10**3)


def times_in_rows(home: Path, span: tuple[float, float]) -> Iterator[str]:
    """Yield every number of every row of a relay that ended which is a moment in any unit."""
    first, last = span
    with contextlib.closing(sqlite3.connect(home / "relay.db")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f"SELECT * FROM {table}"):
                for value in row:
                    units = (1, 10**3, 10**6, 10**9) if isinstance(value, int | float) else ()
                    if any(first * unit <= value <= last * unit for unit in units):
                        yield f"{value}, {table}"


def _names(whose: str, keys: MailboxKeys) -> dict[str, bytes]:
    return {
        f"{whose}: id": keys.id,
        f"{whose}: receive token": keys.receive_token,
        f"{whose}: send token": keys.send_token,
        f"{whose}: hash of the receive token": keys.receive_hash,
        f"{whose}: hash of the send token": keys.send_hash,
    }


def main() -> None:
    """Run it once."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=2014)
    parser.add_argument("--burst", action="store_true", help="let a little be as much as a burst")
    arguments = parser.parse_args()
    command = BURSTS if arguments.burst else COMMAND
    directory = Path(tempfile.mkdtemp(prefix="exile-traces-"))
    try:
        print(asyncio.run(run(directory, arguments.minutes, arguments.seed, command)))
    except BaseException:
        print(f"seed {arguments.seed}: see {directory}", flush=True)
        raise
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
