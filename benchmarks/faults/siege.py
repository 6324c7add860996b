"""A relay under load that is killed (`kill -9`) again and again; then its books must balance.

Senders post one envelope or a batch of up to 32 to any of the mailboxes, and post the same again
when no answer came. Receivers keep a stream open, and acknowledge some at a time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks.faults import scan
from benchmarks.faults.books import Books, Box
from benchmarks.faults.harness import Process, free_port
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import (
    Acknowledge,
    Append,
    Authorization,
    CaughtUp,
    CreateMailbox,
    EnvelopeFrame,
    Heartbeat,
    Receive,
    Verdict,
    decode_verdicts,
)
from exile_tui.wire.relay import Path as Endpoint
from tests.integration.relay_support import Client, ask

MAILBOXES = 8
SENDERS = 4
RECEIVERS = 2
LARGEST_BATCH = 32
MOST_UNACKNOWLEDGED = 40
"""Envelopes of a mailbox that a receiver lets lie at most; a mailbox takes 128."""
QUICK_WIPER = ("benchmarks.faults.relay_child", "--wipe-interval", "0.25")
BURSTS = (*QUICK_WIPER, "--burst", "65536")
"""A relay to which a little is as much as a burst: bodies stay in its journal."""
STARTING_S = 0.6
"""About how long a start takes: every fourth kill is followed by one in the middle of a start."""
SETTLED_WITHIN_S = 120.0

_GONE = (OSError, EOFError)
"""What a client sees of a relay that is killed."""


class Siege:
    """One run: a relay, its mailboxes, its load."""

    def __init__(self, directory: Path, seed: int, command: Sequence[str] = QUICK_WIPER) -> None:
        """Make it; nothing runs yet.

        Args:
            directory: Where the relay's directory and what it writes are put.
            seed: Of all that is drawn.
            command: The module that serves a relay, and its options.
        """
        self.home = directory / "relay"
        self.output = directory / "output"
        self.kills = 0
        self._random = random.Random(seed)
        self.books = Books(MAILBOXES, self._random)
        place = ("--data-dir", str(self.home), "--port", str(free_port()))
        self.relay = Process("relay", (*command, *place), self.output)
        self.address: RelayAddress
        self._up = asyncio.Event()
        self._progress = asyncio.Event()
        self._answers = 0
        self._caught_up = 0
        self._posting = True

    async def fight(self, kills: int) -> None:
        """Kill the relay at random moments under load, then settle and check.

        Raises:
            AssertionError: The books don't balance, or a byte of an envelope is left; also inside
                an ExceptionGroup.
            TimeoutError: Something was lost, or waits for ever.
        """
        try:
            await self.load(lambda: self._kill_often(kills))
            for box in self.books.boxes:
                async with Client(self.address) as client:
                    await client.send("POST", Endpoint.RECEIVE, _receive_body([box]))
                    assert await client.until_caught_up() == [], "back after it was deleted"
            assert await self.relay.end(kill=False) == 0
            left = scan.files(self.home)
            assert not [path for path, data in left.items() if self.books.mark in data]
            assert self.relay.complaints() == ""
        finally:
            await self.close()

    async def load(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """Start the relay and load it while something is done; then settle and compare the books.

        Raises:
            AssertionError: The books don't balance; also inside an ExceptionGroup.
            TimeoutError: Something was lost, or waits for ever.
        """
        await self._start()
        await self._create()
        async with asyncio.TaskGroup() as load:
            senders = [load.create_task(self._send(each)) for each in range(SENDERS)]
            receivers = self._receiving(load)
            await meanwhile()
            self._posting = False
            async with asyncio.timeout(SETTLED_WITHIN_S):
                await asyncio.gather(*senders)
                for receiver in receivers:  # new ones are sent all that these let lie
                    receiver.cancel()
                self._caught_up = 0
                receivers = self._receiving(load)
                await self._until(lambda: self._caught_up == MAILBOXES)
            for receiver in receivers:
                receiver.cancel()
        self.books.check()

    async def close(self) -> None:
        """End the relay if it still runs."""
        if self.relay.runs:
            await self.relay.end(kill=True)

    # -- the relay ---------------------------------------------------------------------------------

    async def _start(self) -> None:
        self.address = RelayAddress.parse(await self.relay.start("https://"))
        self._up.set()

    async def _create(self) -> None:
        for box in self.books.boxes:
            keys = box.keys
            create = CreateMailbox(keys.id, keys.receive_hash, keys.send_hash, Authorization())
            assert (await ask(self.address, "POST", Endpoint.CREATE, create.encode()))[0] == 204

    async def _kill_often(self, kills: int) -> None:
        while self.kills < kills:
            await self._a_random_moment()
            await self._kill()

    async def _a_random_moment(self) -> None:
        """Wait for some answers, then a little: right after one or in the middle."""
        wanted = self._answers + self._random.randrange(1, 60)
        await self._until(lambda: self._answers >= wanted)
        await asyncio.sleep(self._random.uniform(0, 0.02))

    async def _kill(self) -> None:
        """Kill it, every fourth time also the next one while it starts."""
        self._up.clear()
        await self.relay.end(kill=True)
        self.kills += 1
        if self._random.random() < 0.25:
            starting = asyncio.create_task(self.relay.start("https://"))
            await asyncio.sleep(self._random.uniform(0.05, STARTING_S))
            await self.relay.end(kill=True)
            await asyncio.gather(starting, return_exceptions=True)
            self.kills += 1
        await self._start()

    # -- the load ----------------------------------------------------------------------------------

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._progress.clear()
            await self._progress.wait()

    def _answer(self) -> None:
        self._answers += 1
        self._progress.set()

    def _receiving(self, load: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        return [load.create_task(self._receive(each)) for each in range(RECEIVERS)]

    async def _send(self, sender: int) -> None:
        """Post to one mailbox after the other, until told to end and nothing is pending."""
        rng = random.Random(self._random.random())
        box, pending = self.books.boxes[0], list[int]()
        while pending or self._posting:
            await self._up.wait()
            try:
                async with Client(self.address) as client:
                    while pending or self._posting:
                        if not pending:
                            box = rng.choice(self.books.boxes)
                            count = rng.choice((1, 1, rng.randint(2, LARGEST_BATCH)))
                            pending = self.books.make(box, sender, count)
                        pending = await self._post(client, box, pending)
            except _GONE:
                continue  # it was killed: the same again, as a client that had no answer does

    async def _post(self, client: Client, box: Box, numbers: list[int]) -> list[int]:
        """Post envelopes; return those that are not stored yet."""
        envelopes = self.books.post(box, numbers)
        body = Append(box.keys.id, box.keys.send_token, envelopes).encode()
        status, answer = await client.ask("POST", Endpoint.APPEND, body)
        assert status == 200, answer
        verdicts = decode_verdicts(answer, len(numbers))
        stored = verdicts.count(Verdict.STORED)
        assert verdicts[:stored] == [Verdict.STORED] * stored, "stored after one that was not"
        for number in numbers[:stored]:
            self.books.store(box, number)
        self._answer()
        if stored < len(numbers):
            assert verdicts[stored] is Verdict.FULL, verdicts
            self._progress.clear()
            await self._progress.wait()  # a receiver acknowledges some
        return numbers[stored:]

    async def _receive(self, receiver: int) -> None:
        """Keep a stream open over some of the mailboxes."""
        rng = random.Random(self._random.random())
        boxes = self.books.boxes[receiver::RECEIVERS]
        while True:
            await self._up.wait()
            try:
                async with Client(self.address) as stream, Client(self.address) as asking:
                    await stream.send("POST", Endpoint.RECEIVE, _receive_body(boxes))
                    assert (await stream.head())[0] == 200
                    await self._follow(stream, asking, boxes, rng)
            except _GONE:
                continue

    async def _follow(
        self, stream: Client, asking: Client, boxes: list[Box], rng: random.Random
    ) -> None:
        latest = [-1] * len(boxes)
        waiting: list[list[int]] = [[] for _ in boxes]
        async for frame in stream.frames():
            if isinstance(frame, EnvelopeFrame):
                assert frame.seq > latest[frame.index], "out of order on one stream"
                latest[frame.index] = frame.seq
                self.books.receive(boxes[frame.index], frame.seq, frame.envelope)
                seqs = waiting[frame.index]
                seqs.append(frame.seq)
                some = rng.randint(1, MOST_UNACKNOWLEDGED) if self._posting else 1
                if len(seqs) >= some:
                    rng.shuffle(seqs)
                    waiting[frame.index] = seqs[some:]
                    await self._acknowledge(asking, boxes[frame.index], seqs[:some])
            elif isinstance(frame, CaughtUp):
                self._caught_up += 1
                self._progress.set()
            else:
                assert isinstance(frame, Heartbeat), frame

    async def _acknowledge(self, client: Client, box: Box, seqs: list[int]) -> None:
        body = Acknowledge(box.keys.id, box.keys.receive_token, seqs).encode()
        status, answer = await client.ask("POST", Endpoint.ACKNOWLEDGE, body)
        assert status == 204, answer
        box.acknowledged.update(seqs)
        self._answer()


def _receive_body(boxes: list[Box]) -> bytes:
    return Receive([(box.keys.id, box.keys.receive_token) for box in boxes]).encode()
