"""A relay in memory that loses requests, answers and everything else when told to."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from exile_tui.errors import RelayRefused, RelayUnreachable
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import (
    Authorization,
    CaughtUp,
    EnvelopeFrame,
    Frame,
    Puzzle,
    RefusedFrame,
    SignedFacts,
    Solution,
    Verdict,
)

CAPACITY = 128


@dataclass
class Box:
    receive_hash: bytes
    send_hash: bytes
    envelopes: dict[int, bytes] = field(default_factory=dict)
    next_seq: int = 1


@dataclass
class FakeRelay:
    """What a relay is to its clients; see `exile_tui.core.ports.Relay`."""

    address: RelayAddress
    chance: random.Random
    loss: float = 0.0
    """How often a request, and how often an answer, is lost."""
    up: bool = True
    boxes: dict[bytes, Box] = field(default_factory=dict)
    blobs: dict[bytes, tuple[bytes, bytes]] = field(default_factory=dict)
    appended: list[bytes] = field(default_factory=list)
    """Every envelope that was ever stored, for tests of sizes."""
    guarded: bool = False
    """Whether creations are answered as by a relay with an access phrase."""
    shown: list[Authorization] = field(default_factory=list)
    """What creations were authorised with."""

    asks: Puzzle | None = None
    """What is to be solved before a mailbox is made; another puzzle takes its place at any time."""
    asked: int = 0

    def _solved(self, mailbox_id: bytes, solution: Solution | None) -> bool:
        if solution is None or solution.puzzle != self.asks:
            return False
        return solution.solves(self.asks.cookie(mailbox_id, self.address.pin))

    def forget(self) -> None:
        """Lose everything, as a relay whose disk was wiped."""
        self.boxes.clear()
        self.blobs.clear()

    def _lost(self) -> None:
        if not self.up or self.chance.random() < self.loss:
            raise RelayUnreachable(address=self.address.authority)

    def _box(self, mailbox_id: bytes, token: bytes, *, receive: bool) -> Box | None:
        box = self.boxes.get(mailbox_id)
        if box is None:
            return None
        expected = box.receive_hash if receive else box.send_hash
        return box if hashlib.sha256(token).digest() == expected else None

    async def create_mailbox(
        self,
        mailbox_id: bytes,
        receive_hash: bytes,
        send_hash: bytes,
        authorization: bytes,
        solution: Solution | None = None,
    ) -> bytes | Puzzle:
        self._lost()
        if self.asks is not None and not self._solved(mailbox_id, solution):
            self.asked += 1
            return self.asks
        self.shown.append(Authorization.decode(authorization))
        self.boxes.setdefault(mailbox_id, Box(receive_hash, send_hash))
        self._lost()
        return hashlib.sha256(b"renewal" + mailbox_id).digest() if self.guarded else b""

    async def delete_mailbox(self, mailbox_id: bytes, receive_token: bytes) -> None:
        self._lost()
        if self._box(mailbox_id, receive_token, receive=True):
            del self.boxes[mailbox_id]
        self._lost()

    async def append(
        self, mailbox_id: bytes, send_token: bytes, envelopes: Sequence[bytes]
    ) -> list[Verdict]:
        self._lost()
        box = self._box(mailbox_id, send_token, receive=False)
        if box is None:
            return [Verdict.REFUSED, *[Verdict.TRY_LATER] * (len(envelopes) - 1)]
        verdicts: list[Verdict] = []
        for envelope in envelopes:
            if verdicts and verdicts[-1] is not Verdict.STORED:
                verdicts.append(Verdict.TRY_LATER)
            elif envelope in box.envelopes.values():
                verdicts.append(Verdict.STORED)
            elif len(box.envelopes) >= CAPACITY:
                verdicts.append(Verdict.FULL)
            else:
                box.envelopes[box.next_seq] = envelope
                box.next_seq += 1
                self.appended.append(envelope)
                verdicts.append(Verdict.STORED)
        self._lost()
        return verdicts

    async def receive(
        self, mailboxes: Sequence[tuple[bytes, bytes]]
    ) -> AsyncIterator[Sequence[Frame]]:
        self._lost()
        for index, (mailbox_id, token) in enumerate(mailboxes):
            box = self._box(mailbox_id, token, receive=True)
            if box is None:
                yield [RefusedFrame(index)]
                continue
            for seq, envelope in list(box.envelopes.items()):
                self._lost()
                yield [EnvelopeFrame(index, seq, envelope)]
            yield [CaughtUp(index)]

    async def acknowledge(
        self, mailbox_id: bytes, receive_token: bytes, seqs: Sequence[int]
    ) -> None:
        self._lost()
        box = self._box(mailbox_id, receive_token, receive=True)
        if box is not None:
            for seq in seqs:
                box.envelopes.pop(seq, None)
        self._lost()

    async def request_ticket(self, ticket_hash: bytes, expiry: int, authorization: bytes) -> None:
        self._lost()

    async def put_blob(
        self, blob_id: bytes, delete_hash: bytes, expiry: int, blob: bytes, authorization: bytes
    ) -> Verdict:
        self._lost()
        self.blobs[blob_id] = (delete_hash, blob)
        self._lost()
        return Verdict.STORED

    async def get_blob(self, blob_id: bytes) -> bytes | None:
        self._lost()
        entry = self.blobs.get(blob_id)
        return None if entry is None else entry[1]

    async def delete_blob(self, blob_id: bytes, delete_token: bytes) -> None:
        self._lost()
        entry = self.blobs.get(blob_id)
        if entry is not None and entry[0] == hashlib.sha256(delete_token).digest():
            del self.blobs[blob_id]

    async def facts(self) -> SignedFacts:
        self._lost()
        return SignedFacts(b"", b"{}", b"")

    async def disclosure(self, mailbox_id: bytes, receive_token: bytes) -> dict[str, Any]:
        self._lost()
        box = self._box(mailbox_id, receive_token, receive=True)
        if box is None:
            raise RelayRefused(address=self.address.authority)
        return {"envelopes": len(box.envelopes)}

    async def close(self) -> None:
        return None
