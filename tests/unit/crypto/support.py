"""Entropies that record, replay or count, and pairs of sessions to start from."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import settings

from exile_tui.crypto import aead
from exile_tui.crypto.chains import Pending, ReceivingChain, SendingChain
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.handshake import (
    InviteSecret,
    bundle_hash,
    generate_invite,
    join,
    open_request,
)
from exile_tui.crypto.kdf import kdf_ck
from exile_tui.crypto.keys import MlKem768Public, MlKem1024Public
from exile_tui.crypto.session import Session

SYSTEM = SystemEntropy()
EXAMPLES = settings(derandomize=True, deadline=None)
"""The same examples in every run."""
DAY = 20_000
REQUEST_BODY = 11_215
SMALL = 1_683
BODIES = (1_683, 13_971, 63_123)
PROFILE = b"\x00\x04name" + bytes(1018)


class RecordingEntropy:
    """What the system gives, recorded in the order in which it was drawn."""

    def __init__(self) -> None:
        self.drawn: list[bytes | tuple[bytes, bytes]] = []

    def bytes(self, length: int) -> bytes:
        value = SYSTEM.bytes(length)
        self.drawn.append(value)
        return value

    def encapsulate_768(self, public: MlKem768Public) -> tuple[bytes, bytes]:
        pair = public.encapsulate()
        self.drawn.append(pair)
        return pair

    def encapsulate_1024(self, public: MlKem1024Public) -> tuple[bytes, bytes]:
        pair = public.encapsulate()
        self.drawn.append(pair)
        return pair


class ReplayEntropy:
    """Recorded values again, each of the kind that is asked for, until none is left."""

    def __init__(self, values: Iterable[bytes | tuple[bytes, bytes]]) -> None:
        self._values = list(values)

    def bytes(self, length: int) -> bytes:
        value = self._values.pop(0)
        assert isinstance(value, bytes)
        assert len(value) == length
        return value

    def encapsulate_768(self, public: MlKem768Public) -> tuple[bytes, bytes]:
        value = self._values.pop(0)
        assert isinstance(value, tuple)
        assert len(value[1]) == 1088
        return value

    def encapsulate_1024(self, public: MlKem1024Public) -> tuple[bytes, bytes]:
        value = self._values.pop(0)
        assert isinstance(value, tuple)
        assert len(value[1]) == 1568
        return value

    @property
    def exhausted(self) -> bool:
        return not self._values


@dataclasses.dataclass
class Invite:
    """An invite and the joiner's session that came of it."""

    secret: InviteSecret
    bh: bytes
    joiner: Session


def invited(bundle: bytes = b"a bundle") -> Invite:
    """Return an invite and a joiner that has sent nothing."""
    secret = generate_invite(SYSTEM)
    bh = bundle_hash(bundle)
    return Invite(secret, bh, join(secret.public, bh, PROFILE, SYSTEM))


def requested() -> tuple[Session, Session]:
    """Return joiner and inviter after the first request arrived."""
    invite = invited()
    joiner, envelope = invite.joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    return joiner, open_request(invite.secret, invite.bh, envelope, DAY).session


def established() -> tuple[Session, Session]:
    """Return joiner and inviter after the inviter answered."""
    joiner, inviter = requested()
    inviter, envelope = inviter.seal(body("hello"), SYSTEM)
    return joiner.open(envelope, DAY).session, inviter


def body(text: str, size: int = SMALL) -> bytes:
    """Return a body of a size that starts with a text."""
    return text.encode().ljust(size, b"\x00")


def reload(session: Session) -> Session:
    """Return the session as a restart would find it."""
    return Session.from_bytes(session.to_bytes())


def send_many(session: Session, count: int, label: str = "m") -> tuple[Session, list[bytes]]:
    """Seal `count` small bodies, which start with the label and their number."""
    envelopes = []
    for i in range(count):
        session, envelope = session.seal(body(f"{label}{i}"), SYSTEM)
        envelopes.append(envelope)
    return session, envelopes


def with_sending(session: Session, **changes: Any) -> Session:
    """Return a session whose sending side was tampered with: a peer that breaks the rules."""
    ratchet = copy.copy(session._ratchet)
    sending: Any = ratchet.sending
    if isinstance(sending, SendingChain):
        ratchet.sending = changed = copy.copy(sending)
        for name, value in changes.items():
            setattr(changed, name, value)
    else:
        ratchet.sending = dataclasses.replace(sending, **changes)
    return Session(session._pairing, session._requests, ratchet)


def with_sent(session: Session, sent: int) -> Session:
    """Return a pending session that claims to have sent so many in its chain before."""
    assert isinstance(session._ratchet.sending, Pending)
    return with_sending(session, sent=sent)


def advanced(session: Session, n: int) -> Session:
    """Return a session that acts as if it had sealed messages up to n."""
    chain = sending_chain(session)
    chain_key = chain.chain_key
    for _ in range(n - chain.n):
        chain_key, _ = kdf_ck(chain_key)
    return with_sending(session, chain_key=chain_key, n=n)


def forge(session: Session, change: Callable[[bytes], bytes], text: str = "forged") -> bytes:
    """Seal the next message as the session would, with another header."""
    chain = sending_chain(session)
    counters = chain.head.pn.to_bytes(4, "big") + chain.n.to_bytes(4, "big")
    header = change(b"\x01" + counters + chain.head.step)
    ad = session._pairing.ad
    sealed_header = chain.head.header_key.seal(header, ad, SYSTEM)
    _, message_key = kdf_ck(chain.chain_key)
    return sealed_header + aead.seal(message_key, body(text), ad + sealed_header, SYSTEM)


def sending_chain(session: Session) -> SendingChain:
    """Return the sending chain, which must exist."""
    chain = session._ratchet.sending
    assert isinstance(chain, SendingChain)
    return chain


def receiving_chain(session: Session) -> ReceivingChain:
    """Return the receiving chain, which must exist."""
    chain = session._ratchet.receiving
    assert isinstance(chain, ReceivingChain)
    return chain


def skipped_count(session: Session) -> int:
    """Return how many skipped keys are stored."""
    ratchet = session._ratchet
    count = sum(len(chain.skipped) for chain in ratchet.old)
    if isinstance(ratchet.receiving, ReceivingChain):
        count += len(ratchet.receiving.skipped)
    return count
