"""More than 100,000 random operations in one seeded run, each compared with the model."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from exile_tui.crypto.handshake import bundle_hash, generate_invite, join, open_request
from exile_tui.crypto.session import Session
from exile_tui.errors import CryptoError
from tests.unit.crypto.model import Message, Side
from tests.unit.crypto.support import PROFILE, SYSTEM, skipped_count

OPERATIONS = 100_000
EPISODE = 2_500
SEED = 20141013


@dataclass
class Party:
    """A session, its model, and what lies in its mailbox."""

    session: Session
    model: Side
    inbox: list[Message] = field(default_factory=list)
    seen: list[Message] = field(default_factory=list)


class World:
    """Two parties, a network that does what it likes, and a count of what happened."""

    def __init__(self, chance: random.Random, tally: Counter[str]) -> None:
        self.chance, self.tally = chance, tally
        self.day = 20_000
        self.number = 0
        self.secret = generate_invite(SYSTEM)
        self.bh = bundle_hash(b"bundle")
        session = join(self.secret.public, self.bh, PROFILE, SYSTEM)
        self.joiner = Party(session, Side(pending=True))
        self.inviter: Party | None = None
        self.requests: list[Message] = []

    def begin(self) -> None:
        """Send some requests, let any one of them arrive, and keep the others in flight."""
        for _ in range(self.chance.randint(1, 8)):
            self.requests.append(self.seal(self.joiner))
        first = self.chance.choice(self.requests)
        opened = open_request(self.secret, self.bh, first.envelope, self.day)
        assert opened.body.startswith(first.text)
        self.inviter = Party(opened.session, Side(pending=False))
        assert self.inviter.model.receive(first, self.day) == opened.lapsed == 0
        self.inviter.seen.append(first)
        self.inviter.inbox = [m for m in self.requests if m is not first]

    def seal(self, sender: Party) -> Message:
        self.number += 1
        text = b"%d" % self.number
        body = text.ljust(sender.session.body_sizes[0], b"\0")
        chain, pn, n = sender.model.send()
        sender.session, envelope = sender.session.seal(body, SYSTEM)
        return Message(chain, pn, n, text, envelope)

    def send(self, sender: Party, receiver: Party) -> None:
        if not sender.session.can_seal:
            assert sender.session.requests_sent == 8
            self.tally["waits"] += 1
            return
        receiver.inbox.append(self.seal(sender))
        self.tally["sent"] += 1

    def deliver(self, receiver: Party, message: Message) -> None:
        before = receiver.session.to_bytes()
        expected = receiver.model.receive(message, self.day)
        if expected is None:
            with pytest.raises(CryptoError):
                receiver.session.open(message.envelope, self.day)
            assert receiver.session.to_bytes() == before
            self.tally["refused"] += 1
            return
        opened = receiver.session.open(message.envelope, self.day)
        assert opened.body.rstrip(b"\0") == message.text
        assert opened.lapsed == expected
        receiver.session = opened.session
        receiver.seen.append(message)
        self.tally["opened"] += 1
        self.tally["lapsed"] += opened.lapsed

    def tamper(self, receiver: Party, message: Message) -> None:
        changed = bytearray(message.envelope)
        changed[self.chance.randrange(len(changed))] ^= 1 << self.chance.randrange(8)
        before = receiver.session.to_bytes()
        with pytest.raises(CryptoError):
            receiver.session.open(bytes(changed), self.day)
        assert receiver.session.to_bytes() == before
        self.tally["tampered"] += 1

    def operate(self) -> None:
        assert self.inviter is not None
        pair = [self.joiner, self.inviter]
        self.chance.shuffle(pair)
        one, other = pair
        match self.chance.choices(
            ("send", "next", "any", "lose", "repeat", "replay", "tamper", "reload", "day", "burst"),
            (34, 24, 16, 5, 4, 3, 3, 8, 0.3, 0.3),
        )[0]:
            case "send":
                self.send(one, other)
            case "next" if one.inbox:
                self.deliver(one, one.inbox.pop(0))
            case "any" if one.inbox:
                self.deliver(one, one.inbox.pop(self.chance.randrange(len(one.inbox))))
            case "lose" if one.inbox:
                one.inbox.pop(self.chance.randrange(len(one.inbox)))
            case "repeat" if one.inbox:
                one.inbox.append(self.chance.choice(one.inbox))
            case "replay" if one.seen:
                self.deliver(one, self.chance.choice(one.seen))
            case "tamper" if one.inbox:
                self.tamper(one, self.chance.choice(one.inbox))
            case "reload":
                raw = one.session.to_bytes()
                one.session = Session.from_bytes(raw)
                assert one.session.to_bytes() == raw
                self.tally["reloaded"] += 1
            case "day":
                self.day += self.chance.choice((1, 1, 2, 7))
                one.session, lapsed = one.session.expire(self.day)
                assert lapsed == one.model.expire(self.day)
                self.tally["expired"] += lapsed
            case "burst":
                for _ in range(self.chance.randint(20, 120)):
                    self.send(one, other)
        assert skipped_count(one.session) == len(one.model.skipped)


def test_100_000_random_operations_against_the_model() -> None:
    chance, tally = random.Random(SEED), Counter[str]()
    for _ in range(OPERATIONS // EPISODE):
        world = World(chance, tally)
        world.begin()
        for _ in range(EPISODE):
            world.operate()
        # Whatever happened, the pair is not stuck: a message each way arrives.
        assert world.inviter is not None
        for _ in range(2):
            for sender, receiver in (
                (world.inviter, world.joiner),
                (world.joiner, world.inviter),
            ):
                if sender.session.can_seal:
                    message = world.seal(sender)
                    opened = tally["opened"]
                    world.deliver(receiver, message)
                    assert tally["opened"] == opened + 1
    for what in ("opened", "refused", "tampered", "reloaded", "expired", "waits"):
        assert tally[what] > 20, (what, tally)
    print(dict(tally))
