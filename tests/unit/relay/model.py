"""What a relay must hold, as plain as it can be said; `test_model` compares the engine with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from exile_tui.relay import engine as ops
from exile_tui.relay.engine import QuotaReached
from exile_tui.relay.limits import Limits, day_after, today
from exile_tui.wire.relay import Verdict
from tests.unit.relay.support import Box, SettableClock

STORED, FULL, REFUSED = Verdict.STORED, Verdict.FULL, Verdict.REFUSED
BAD_SIZE, LATER = Verdict.BAD_SIZE, Verdict.TRY_LATER
LIMITS = Limits(mailboxes=2, envelopes=4, blobs=2, mailbox_days=9)
BOXES = [Box(bytes([number]) * 32, bytes([number + 100]) * 32) for number in range(3)]
SIZES = (4096, 4096, 16384, 4096, 65536, 4096, 4096, 100)
BODIES = [hashlib.sha256(bytes([at])).digest() * (size // 32) for at, size in enumerate(SIZES)]
BLOBS = [bytes([number]) * 16 for number in range(4)]


@dataclass
class Envelope:
    """One that waits."""

    body: bytes
    expires: int
    seq: int | None = None
    """Its number once somebody saw it."""


@dataclass
class Held:
    """A mailbox of the model."""

    expires: int
    envelopes: list[Envelope] = field(default_factory=list)
    newest: int = -1
    """The largest number that was ever seen here."""


@dataclass
class Model:
    """What a relay must hold."""

    clock: SettableClock
    mailboxes: dict[bytes, Held] = field(default_factory=dict)
    blobs: dict[bytes, ops.NewBlob] = field(default_factory=dict)

    def owned(self, box: Box, token: bytes, right: bytes | None = None) -> Held | None:
        """Return a mailbox if it lives and the hash fits: the receive token's, or another."""
        right = right or box.receive_hash
        held = self.mailboxes.get(box.id)
        lives = held is not None and held.expires > today(self.clock)
        return held if lives and token == right else None

    def create(self, box: Box) -> bool | type[QuotaReached]:
        expires = day_after(self.clock, LIMITS.mailbox_days)
        if box.id not in self.mailboxes and len(self.mailboxes) >= LIMITS.mailboxes:
            return QuotaReached
        held = self.mailboxes.setdefault(box.id, Held(expires))
        held.expires = max(held.expires, expires)
        return True

    def delete(self, box: Box, token: bytes) -> bool:
        held = self.owned(box, token)
        return held is not None and bool(self.mailboxes.pop(box.id))

    def receive(self, box: Box, token: bytes) -> list[bool]:
        held = self.owned(box, token)
        if held is not None:
            held.expires = max(held.expires, day_after(self.clock, LIMITS.mailbox_days))
        return [held is not None]

    def append(self, box: Box, token: bytes, bodies: list[bytes]) -> list[Verdict]:
        held = self.owned(box, token, box.send_hash)
        verdicts = [LATER] * len(bodies)
        for at, body in enumerate(bodies):
            verdicts[at] = REFUSED if held is None else self._append_one(held, body)
            if verdicts[at] is not STORED:
                break
        return verdicts

    def _append_one(self, held: Held, body: bytes) -> Verdict:
        expires = day_after(self.clock, LIMITS.retention_days)
        if len(body) not in (4096, 16384, 65536):
            return BAD_SIZE
        for envelope in reversed(held.envelopes):
            if envelope.body == body:
                envelope.expires = expires
                return STORED
        if len(held.envelopes) >= LIMITS.envelopes:
            return FULL
        held.envelopes.append(Envelope(body, expires))
        return STORED

    def acknowledge(self, box: Box, token: bytes, seqs: list[int]) -> bool:
        held = self.owned(box, token)
        if held is None:
            return False
        held.envelopes = [each for each in held.envelopes if each.seq not in seqs]
        return True

    def put(self, blob: ops.NewBlob) -> Verdict:
        there = self.blobs.get(blob.blob_id)
        if blob.expires <= today(self.clock):
            return REFUSED
        if there is not None and there.expires > today(self.clock):
            same = (there.body, there.delete_hash) == (blob.body, blob.delete_hash)
            return STORED if same else REFUSED
        self.blobs.pop(blob.blob_id, None)
        if len(self.blobs) >= LIMITS.blobs:
            return FULL
        self.blobs[blob.blob_id] = blob
        return STORED

    def delete_blob(self, blob_id: bytes, owner: bytes) -> None:
        there = self.blobs.get(blob_id)
        if there is not None and there.delete_hash == owner:
            del self.blobs[blob_id]

    def sweep(self) -> None:
        day = today(self.clock)
        self.blobs = {key: blob for key, blob in self.blobs.items() if blob.expires > day}
        self.mailboxes = {key: held for key, held in self.mailboxes.items() if held.expires > day}
        for held in self.mailboxes.values():
            held.envelopes = [each for each in held.envelopes if each.expires > day]


@dataclass
class Tried:
    """What a batch tried whose answer nobody got: of the journal any beginning may be left."""

    appended: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(mailbox, body) pairs."""
    acknowledged: set[tuple[bytes, int]] = field(default_factory=set)
    """(mailbox, seq) pairs."""

    def adopt(
        self, mailbox: bytes, held: Held, found: list[tuple[int, bytes]], expires: list[int]
    ) -> None:
        """Take over what is left in a mailbox; nothing else may have changed."""
        # The same body twice: deleted from the database and appended to the journal, which is
        # written first.
        before: dict[bytes, list[Envelope]] = {}
        for each in held.envelopes:
            before.setdefault(each.body, []).append(each)
        left = iter(body for _, body in found)
        stays = [each for each in held.envelopes if (mailbox, each.seq) not in self.acknowledged]
        assert all(each.body in left for each in stays), "lost, or out of order"
        new = {body for owner, body in self.appended if owner == mailbox}
        assert {body for _, body in found} <= new | before.keys()
        held.envelopes = []
        for (seq, body), day in zip(found, expires, strict=True):
            if body in before and body not in new:
                assert any(old.seq in (None, seq) and old.expires == day for old in before[body])
            held.envelopes.append(Envelope(body, day, seq))
            held.newest = max(held.newest, seq)


@dataclass(frozen=True)
class Sees:
    """What a fetch finds in a mailbox that is held."""

    held: Held
    after: int


def compare(held: Held, found: list[tuple[int, bytes]], after: int) -> None:
    """What was fetched is what waits, in order, each with the one number that it ever has."""
    assert [seq for seq, _ in found] == sorted({seq for seq, _ in found})
    waits = [each for each in held.envelopes if each.seq is None or each.seq > after]
    assert [body for _, body in found] == [each.body for each in waits]
    for envelope, (seq, _) in zip(waits, found, strict=True):
        if envelope.seq is None:
            assert seq > held.newest, "a number came back"
            envelope.seq = seq
        assert envelope.seq == seq
        held.newest = max(held.newest, seq)
