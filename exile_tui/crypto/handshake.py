"""The handshake in the shape of PQXDH (docs/protocol.md, section 4).

https://signal.org/docs/specifications/pqxdh/, with these differences: no signature key, since the
link carries a hash of the inviter's bundle; the joiner's key confirms itself, since the first
request carries a profile sealed under the handshake and a message of the ratchet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from exile_tui.crypto import aead, labels
from exile_tui.crypto.chains import NoReceivingChain, OwnKeys, Pending, Roots, Unstarted
from exile_tui.crypto.codec import Reader
from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.kdf import hkdf, sha256
from exile_tui.crypto.keys import (
    MLKEM_SEED_SIZE,
    X25519_SIZE,
    MlKem768Public,
    MlKem768Seed,
    MlKem1024Public,
    MlKem1024Seed,
    X25519Private,
    X25519Public,
)
from exile_tui.crypto.ratchet import Ratchet
from exile_tui.crypto.request import PROFILE_BLOCK_SIZE, Request, try_request
from exile_tui.crypto.session import NO_REQUESTS, Pairing, Requests, Role, Session
from exile_tui.errors import CryptoError

_INVITE_VERSION: Final = 1
_PQXDH_PREFIX: Final = b"\xff" * 32


@dataclass(frozen=True, slots=True)
class InvitePublic:
    """The public keys of an invite: what the bundle carries."""

    ik: X25519Public
    spk: X25519Public
    kemh: MlKem1024Public
    rdh: X25519Public
    rkem: MlKem768Public


@dataclass(frozen=True, slots=True, eq=False)
class InviteSecret:
    """The private keys of an invite, kept until it is used or 14 days past its expiry."""

    ik: X25519Private
    spk: X25519Private
    kemh: MlKem1024Seed
    rdh: X25519Private
    rkem: MlKem768Seed

    @property
    def public(self) -> InvitePublic:
        """Return the public halves."""
        return InvitePublic(
            self.ik.public(),
            self.spk.public(),
            self.kemh.public(),
            self.rdh.public(),
            self.rkem.public(),
        )

    def to_bytes(self) -> bytes:
        """Return `version 1 | IK 32 | SPK 32 | KEMH seed 64 | RDH 32 | RKEM seed 64`."""
        parts = (self.ik.raw, self.spk.raw, self.kemh.raw, self.rdh.raw, self.rkem.raw)
        return bytes((_INVITE_VERSION,)) + b"".join(parts)

    @classmethod
    def from_bytes(cls, raw: bytes) -> InviteSecret:
        """Read what `to_bytes` gave.

        Raises:
            CryptoError: Another version or length.
        """
        reader = Reader(raw)
        if reader.number(1) != _INVITE_VERSION:
            raise CryptoError
        secret = cls(
            X25519Private(reader.take(X25519_SIZE)),
            X25519Private(reader.take(X25519_SIZE)),
            MlKem1024Seed(reader.take(MLKEM_SEED_SIZE)),
            X25519Private(reader.take(X25519_SIZE)),
            MlKem768Seed(reader.take(MLKEM_SEED_SIZE)),
        )
        reader.end()
        return secret


@dataclass(frozen=True, slots=True, eq=False)
class OpenedRequest:
    """What the inviter gets from a joiner's request."""

    session: Session
    profile_block: bytes = field(repr=False)
    """1024 bytes, a body with the joiner's name and mailbox."""
    body: bytes = field(repr=False)
    """11215 bytes."""
    lapsed: int
    """How many earlier messages can no longer be opened; 0 among the eight of an honest joiner."""


@dataclass(frozen=True, slots=True, eq=False)
class _Secrets:
    """What both sides derive, 32 bytes each."""

    root_key: bytes = field(repr=False)
    joiner_header_key: aead.HeaderKey
    """HK_A: the joiner's first header key."""
    inviter_header_key: aead.HeaderKey
    """NHK_B: the inviter's first header key."""
    profile_key: bytes = field(repr=False)
    """SKh."""


def generate_invite(entropy: Entropy) -> InviteSecret:
    """Make the keys of an invite."""
    return InviteSecret(
        ik=X25519Private(entropy.bytes(X25519_SIZE)),
        spk=X25519Private(entropy.bytes(X25519_SIZE)),
        kemh=MlKem1024Seed(entropy.bytes(MLKEM_SEED_SIZE)),
        rdh=X25519Private(entropy.bytes(X25519_SIZE)),
        rkem=MlKem768Seed(entropy.bytes(MLKEM_SEED_SIZE)),
    )


def bundle_hash(bundle: bytes) -> bytes:
    """Return bh, 32 bytes: what the link carries of the bundle."""
    return sha256(labels.BUNDLE + bundle)


def join(public: InvitePublic, bh: bytes, profile_block: bytes, entropy: Entropy) -> Session:
    """Take the joiner's side of the handshake.

    Args:
        public: The keys of the bundle whose hash is bh.
        bh: The bundle's hash, 32 bytes.
        profile_block: A body of 1024 bytes with the joiner's name and mailbox.
        entropy: Where randomness comes from, in this order: IK, EK, encapsulation, nonce.

    Returns:
        A session in request form.

    Raises:
        CryptoError: A key of the bundle has a low order, or an argument another length.
    """
    if len(bh) != 32 or len(profile_block) != PROFILE_BLOCK_SIZE:
        raise CryptoError
    ik = X25519Private(entropy.bytes(X25519_SIZE))
    ek = X25519Private(entropy.bytes(X25519_SIZE))
    shared, ciphertext = entropy.encapsulate_1024(public.kemh)
    agreements = (ik.exchange(public.spk), ek.exchange(public.ik), ek.exchange(public.spk))
    # The first send would step to this key and fail: refuse the bundle before there is a session.
    ek.exchange(public.rdh)
    ik_public, ek_public = ik.public(), ek.public()
    handshake = Request(ek_public.raw, ik_public.raw, ciphertext, b"", b"")
    transcript = handshake.transcript(bh)
    secrets = _derive(agreements, shared, transcript)
    sealed_profile = aead.seal(secrets.profile_key, profile_block, transcript, entropy)
    prefix = ek_public.raw + ik_public.raw + ciphertext + sealed_profile
    ratchet = Ratchet(
        Roots(secrets.root_key, secrets.joiner_header_key, secrets.inviter_header_key),
        Pending(0, public.rdh, public.rkem),
        NoReceivingChain(),
        (),
    )
    pairing = Pairing(Role.JOINER, ik_public, public.ik, bh, transcript)
    return Session(pairing, Requests(0, prefix), ratchet)


def open_request(secret: InviteSecret, bh: bytes, envelope: bytes, day: int) -> OpenedRequest:
    """Take the inviter's side of the handshake on any one of a joiner's requests.

    The caller stores the session, wipes the invite's keys and marks bh as spent in one
    transaction, after it parsed the profile.

    Args:
        secret: The invite's keys.
        bh: The hash of the invite's bundle, 32 bytes.
        envelope: 16384 bytes.
        day: Whole days since the epoch.

    Raises:
        CryptoError: For every reason; nothing changed.
    """
    request = try_request(bh, envelope)
    if request is None:
        raise CryptoError
    ik, ek = X25519Public(request.ik), X25519Public(request.ek)
    own_identity = secret.ik.public()
    if ik == own_identity:
        raise CryptoError
    agreements = (secret.spk.exchange(ik), secret.ik.exchange(ek), secret.spk.exchange(ek))
    shared = secret.kemh.decapsulate(request.ciphertext)
    transcript = request.transcript(bh)
    secrets = _derive(agreements, shared, transcript)
    profile_block = aead.open_sealed(secrets.profile_key, request.sealed_profile, transcript)
    pairing = Pairing(Role.INVITER, own_identity, ik, bh, transcript)
    unstarted = Ratchet(
        Roots(secrets.root_key, secrets.inviter_header_key, secrets.joiner_header_key),
        Unstarted(OwnKeys.derive(secret.rdh, secret.rkem)),
        NoReceivingChain(),
        (),
    )
    ratchet, body, lapsed = unstarted.open(request.ratchet_envelope, pairing.ad, day)
    return OpenedRequest(Session(pairing, NO_REQUESTS, ratchet), profile_block, body, lapsed)


def _derive(agreements: tuple[bytes, bytes, bytes], shared: bytes, transcript: bytes) -> _Secrets:
    ikm = _PQXDH_PREFIX + b"".join(agreements) + shared
    output = hkdf(ikm, labels.PQXDH + transcript, 128)
    return _Secrets(
        output[:32], aead.HeaderKey(output[32:64]), aead.HeaderKey(output[64:96]), output[96:]
    )
