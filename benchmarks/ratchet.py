"""Measure the ratchet beside python-doubleratchet, in one run: `python benchmarks/ratchet.py`.

Both are given the same texts. Rounds of the two alternate, so that whatever else the machine does
falls on both; the figures are medians over the rounds, of processor time: nothing here waits, so on
an idle machine that is the time that passes. What the peer does not do: encrypt headers,
mix ML-KEM into its steps, pad to a bucket, commit to the key, repeat the chain's keys in every
header; what it does that is not done here: AES-CBC with HMAC in place of ChaCha20-Poly1305, and a
receiver that makes its new key at once (here on the next send; a ping-pong message pays for one
step on each side in both).
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version

import cryptography
import doubleratchet
from doubleratchet.recommended import (
    HashFunction,
    aead_aes_hmac,
    diffie_hellman_ratchet_curve25519,
    kdf_hkdf,
    kdf_separate_hmacs,
)

from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.handshake import bundle_hash, generate_invite, join, open_request
from exile_tui.crypto.session import Session

TEXT = b"x" * 1683
AD = bytes(32)
DAY = 20_000
ENTROPY = SystemEntropy()

ONE_WAY_LIMIT = 60.0
PING_PONG_LIMIT = 600.0

Work = Callable[[int], Awaitable[None]]


class RootKDF(kdf_hkdf.KDF):
    """The peer's root chain."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_512

    @staticmethod
    def _get_info() -> bytes:
        return b"benchmark root"


class MessageKDF(kdf_separate_hmacs.KDF):
    """The peer's message chains, which take only a hash as long as their keys."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256


class PeerAEAD(aead_aes_hmac.AEAD):
    """The peer's encryption."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_512

    @staticmethod
    def _get_info() -> bytes:
        return b"benchmark message"


class DoubleRatchet(doubleratchet.DoubleRatchet):
    """The peer's ratchet."""

    @staticmethod
    def _build_associated_data(associated_data: bytes, header: doubleratchet.Header) -> bytes:
        lengths = header.sending_chain_length, header.previous_sending_chain_length
        return (
            associated_data + header.ratchet_pub + b"".join(n.to_bytes(8, "big") for n in lengths)
        )


class Ours:
    """Two sessions of exile/1 that have talked once each way."""

    def __init__(self) -> None:
        secret = generate_invite(ENTROPY)
        bh = bundle_hash(b"bundle")
        joiner = join(secret.public, bh, bytes(1024), ENTROPY)
        joiner, envelope = joiner.seal(bytes(11215), ENTROPY)
        inviter = open_request(secret, bh, envelope, DAY).session
        inviter, envelope = inviter.seal(TEXT, ENTROPY)
        self.one, self.other = joiner.open(envelope, DAY).session, inviter

    async def one_way(self, count: int) -> None:
        one, other = self.one, self.other
        for _ in range(count):
            one, envelope = one.seal(TEXT, ENTROPY)
            other = other.open(envelope, DAY).session
        self.one, self.other = one, other

    async def one_way_stored(self, count: int) -> None:
        one, other = self.one, self.other
        for _ in range(count):
            one, envelope = one.seal(TEXT, ENTROPY)
            one.to_bytes()
            other = other.open(envelope, DAY).session
            other.to_bytes()
        self.one, self.other = one, other

    async def ping_pong(self, count: int) -> None:
        one, other = self.one, self.other
        for _ in range(count):
            one, envelope = one.seal(TEXT, ENTROPY)
            other = other.open(envelope, DAY).session
            one, other = other, one
        self.one, self.other = one, other

    async def ping_pong_reloaded(self, count: int) -> None:
        one, other = self.one, self.other
        for _ in range(count):
            one, envelope = Session.from_bytes(one.to_bytes()).seal(TEXT, ENTROPY)
            other = Session.from_bytes(other.to_bytes()).open(envelope, DAY).session
            one, other = other, one
        self.one, self.other = one, other


class Peer:
    """Two sessions of python-doubleratchet that have talked once each way."""

    one: DoubleRatchet
    other: DoubleRatchet

    @classmethod
    async def create(cls) -> Peer:
        dh = diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet
        configuration = {
            "diffie_hellman_ratchet_class": dh,
            "root_chain_kdf": RootKDF,
            "message_chain_kdf": MessageKDF,
            "message_chain_constant": b"\x01\x02",
            "dos_protection_threshold": 1_000,
            "max_num_skipped_message_keys": 2_000,
            "aead": PeerAEAD,
        }
        private = dh._generate_priv()
        self = cls()
        self.one, first = await DoubleRatchet.encrypt_initial_message(
            **configuration,
            shared_secret=bytes(32),
            recipient_ratchet_pub=dh._derive_pub(private),
            message=TEXT,
            associated_data=AD,
        )
        self.other, _ = await DoubleRatchet.decrypt_initial_message(
            **configuration,
            shared_secret=bytes(32),
            own_ratchet_priv=private,
            message=first,
            associated_data=AD,
        )
        await self.ping_pong(2)
        return self

    async def one_way(self, count: int) -> None:
        for _ in range(count):
            message = await self.one.encrypt_message(TEXT, AD)
            await self.other.decrypt_message(message, AD)

    async def ping_pong(self, count: int) -> None:
        for _ in range(count):
            message = await self.one.encrypt_message(TEXT, AD)
            await self.other.decrypt_message(message, AD)
            self.one, self.other = self.other, self.one


async def timed(work: Work, count: int) -> float:
    """Return microseconds a message."""
    started = time.process_time()
    await work(count)
    return (time.process_time() - started) / count * 1e6


async def measure(rounds: int) -> dict[str, list[float]]:
    """Run every kind of work once a round, the two ratchets in turn."""
    results: dict[str, list[float]] = {}
    for number in range(rounds):
        # New pairs now and then: a chain has at most 20,000 messages.
        if number % 10 == 0:
            ours, peer = Ours(), await Peer.create()
        for name, work, count in (
            ("one way", ours.one_way, 500),
            ("one way, peer", peer.one_way, 500),
            ("one way, stored", ours.one_way_stored, 500),
            ("ping-pong", ours.ping_pong, 60),
            ("ping-pong, peer", peer.ping_pong, 60),
            ("ping-pong, reloaded", ours.ping_pong_reloaded, 60),
        ):
            results.setdefault(name, []).append(await timed(work, count))
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--check", action="store_true", help="exit 1 beyond 60 us or 600 us")
    arguments = parser.parse_args()
    results = asyncio.run(measure(arguments.rounds))
    medians = {name: statistics.median(values) for name, values in results.items()}
    print(f"Python {platform.python_version()}, cryptography {cryptography.__version__},")
    print(f"DoubleRatchet {version('DoubleRatchet')}, {platform.machine()}")
    print("microseconds a message, seal and open together; 4096-byte envelopes, 1683-byte texts")
    print(f"{'':22s}{'median':>9s}{'least':>9s}{'peer':>9s}{'ratio':>7s}")
    for name in ("one way", "one way, stored", "ping-pong", "ping-pong, reloaded"):
        peer = medians[f"{name.split(',')[0]}, peer"]
        print(
            f"{name:22s}{medians[name]:9.1f}{min(results[name]):9.1f}{peer:9.1f}"
            f"{medians[name] / peer:7.2f}"
        )
    print("the peer: no header encryption, no ML-KEM, no padding, no key commitment")
    within = medians["one way"] <= ONE_WAY_LIMIT and medians["ping-pong"] <= PING_PONG_LIMIT
    return 0 if within or not arguments.check else 1


if __name__ == "__main__":
    sys.exit(main())
