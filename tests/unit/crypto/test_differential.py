"""The program talks to the second implementation, at random, with live randomness."""

from __future__ import annotations

import random
from typing import Any

import pytest

from exile_tui.crypto.handshake import InviteSecret, bundle_hash, join, open_request
from exile_tui.crypto.session import Session
from exile_tui.errors import CryptoError
from tests.reference import exile1, tools
from tests.unit.crypto.support import PROFILE, SYSTEM, invited, reload

DAY = 20_000
LENGTHS = {"KEMH": 64, "RKEM": 64, "ek seed": 64}


class ProgramSide:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.lapsed = 0

    @property
    def size(self) -> int:
        return self.session.body_sizes[0]

    @property
    def can_seal(self) -> bool:
        return self.session.can_seal

    def seal(self, body: bytes) -> bytes:
        self.session, envelope = reload(self.session).seal(body, SYSTEM)
        return envelope

    def open(self, envelope: bytes, day: int) -> bytes | None:
        try:
            opened = self.session.open(envelope, day)
        except CryptoError:
            return None
        self.session = opened.session
        self.lapsed += opened.lapsed
        return opened.body


class ReferenceSide:
    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def draw(self, name: str) -> Any:
        if name == "ct":
            return tools.encapsulate768(self.state["peer_ek"])
        return SYSTEM.bytes(LENGTHS.get(name, 32))

    @property
    def size(self) -> int:
        return 1683 if self.state["prefix"] is None else 11215

    @property
    def can_seal(self) -> bool:
        return self.state["prefix"] is None or self.state["requests"] < 8

    @property
    def lapsed(self) -> int:
        return int(self.state["lapsed"])

    def seal(self, body: bytes) -> bytes:
        return exile1.session_seal(self.state, body, self.draw)

    def open(self, envelope: bytes, day: int) -> bytes | None:
        try:
            return exile1.session_open(self.state, envelope, day)
        except tools.Refused:
            return None


def reference_join(secret: InviteSecret, bh: bytes) -> ReferenceSide:
    def draw(name: str) -> Any:
        return secret.kemh.public().encapsulate() if name == "ct1024" else SYSTEM.bytes(32)

    public = secret.public
    keys = {"IK": public.ik.raw, "SPK": public.spk.raw, "RDH": public.rdh.raw}
    return ReferenceSide(exile1.join(keys | {"RKEM": public.rkem.raw}, bh, PROFILE, draw))


def reference_open(secret: InviteSecret, bh: bytes, envelope: bytes) -> ReferenceSide:
    keys = {"IK": secret.ik, "SPK": secret.spk, "KEMH": secret.kemh, "RDH": secret.rdh}
    raw = {name: key.raw for name, key in keys.items()} | {"RKEM": secret.rkem.raw}
    state, profile, _ = exile1.open_request(raw, bh, envelope, DAY)
    assert profile == PROFILE
    return ReferenceSide(state)


@pytest.mark.parametrize("program_joins", [True, False])
def test_the_program_and_the_reference_understand_each_other(program_joins: bool) -> None:
    chance = random.Random(1984 + program_joins)
    secret, bh = invited().secret, bundle_hash(b"a bundle")
    joiner: Any
    inviter: Any
    if program_joins:
        joiner = ProgramSide(join(secret.public, bh, PROFILE, SYSTEM))
        first = joiner.seal(b"first".ljust(11215, b"\0"))
        inviter = reference_open(secret, bh, first)
    else:
        joiner = reference_join(secret, bh)
        first = joiner.seal(b"first".ljust(11215, b"\0"))
        inviter = ProgramSide(open_request(secret, bh, first, DAY).session)
    sides, boxes = [joiner, inviter], ([], [first])
    day, opened = DAY, 0
    texts = {first: b"first"}
    for number in range(1_500):
        me = chance.randrange(2)
        if chance.random() < 0.5 and sides[me].can_seal:
            text = b"%d" % number
            envelope = sides[me].seal(text.ljust(sides[me].size, b"\0"))
            texts[envelope] = text
            if chance.random() < 0.9:
                boxes[1 - me].append(envelope)
        elif boxes[me]:
            newest = chance.random() < 0.6
            at = -1 if newest else chance.randrange(len(boxes[me]))
            envelope = boxes[me][at]
            if chance.random() < 0.9:
                boxes[me].pop(at)
            body = sides[me].open(envelope, day)
            if body is not None:
                assert body.rstrip(b"\0") == texts[envelope]
                opened += 1
        elif chance.random() < 0.1:
            day += 1
    assert opened > 400
