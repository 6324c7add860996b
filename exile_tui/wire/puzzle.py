"""The work that a busy relay asks for: the puzzle of RFC 8019, sections 4.4 and 7.1.

Find different keys for each of which the pseudorandom function of key and cookie ends with so many
zero bits. The function is HMAC-SHA-256 (docs/protocol.md, section 8). Several keys with fewer bits
take as long as one with more, but how long varies less.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from exile_tui.crypto.kdf import sha256
from exile_tui.errors import WireError
from exile_tui.wire.encoding import Reader, require_length, require_range
from exile_tui.wire.mailbox import ID_SIZE

KEY_SIZE = 8
CHALLENGE_SIZE = 32
MAX_KEYS = 32
MAX_BITS = 64
PUZZLE_SIZE = 3 + CHALLENGE_SIZE
MAX_SOLUTION = PUZZLE_SIZE + MAX_KEYS * KEY_SIZE
MAX_TRIES = 1 << 20
"""Keys to be tried, on average, for the hardest puzzle that a relay may set."""

_KIND = 1
_PIN_SIZE = 32
_COOKIE_LABEL = b"exile-relay/1/puzzle/cookie"


@dataclass(frozen=True, slots=True)
class Puzzle:
    """`kind 1 | bits 1 | count 1 | challenge 32`: what is asked before a mailbox is created."""

    bits: int
    """Zero bits at the end of what each key gives, 1 to 64."""
    count: int
    """Keys to find, 1 to 32."""
    challenge: bytes
    """What only the relay that set the puzzle can make."""

    def __post_init__(self) -> None:
        require_range(self.bits, 1, MAX_BITS)
        require_range(self.count, 1, MAX_KEYS)
        require_length(self.challenge, CHALLENGE_SIZE)

    @property
    def tries(self) -> int:
        """How many keys have to be tried on average."""
        return self.count << self.bits

    def cookie(self, mailbox_id: bytes, pin: bytes) -> bytes:
        """Return what the keys are tried on, 32 bytes.

        Args:
            mailbox_id: The mailbox to create: the work is good for no other one.
            pin: SHA-256 of the relay's key: a relay can't have its clients work for another.
        """
        require_length(mailbox_id, ID_SIZE)
        require_length(pin, _PIN_SIZE)
        return sha256(_COOKIE_LABEL + self.challenge + mailbox_id + pin)

    def encode(self) -> bytes:
        """Encode the body of the answer that asks."""
        return bytes((_KIND, self.bits, self.count)) + self.challenge

    @classmethod
    def read(cls, reader: Reader) -> Puzzle:
        """Take a puzzle off the front."""
        if reader.integer(1) != _KIND:
            raise WireError
        return cls(reader.integer(1), reader.integer(1), reader.take(CHALLENGE_SIZE))

    @classmethod
    def decode(cls, data: bytes) -> Puzzle:
        """Read a puzzle that is the whole input."""
        reader = Reader(data)
        puzzle = cls.read(reader)
        reader.end()
        return puzzle


@dataclass(frozen=True, slots=True)
class Solution:
    """A puzzle, and as many keys of 8 bytes as it asks for, each larger than the one before."""

    puzzle: Puzzle
    keys: Sequence[bytes]

    def __post_init__(self) -> None:
        if len(self.keys) != self.puzzle.count:
            raise WireError
        for key in self.keys:
            require_length(key, KEY_SIZE)
        if any(key >= after for key, after in zip(self.keys, self.keys[1:], strict=False)):
            raise WireError

    def solves(self, cookie: bytes) -> bool:
        """Tell whether every key is right; the cookie is the puzzle's."""
        return all(fits(key, cookie, self.puzzle.bits) for key in self.keys)

    def encode(self) -> bytes:
        """Encode what follows the authorization when a mailbox is created."""
        return self.puzzle.encode() + b"".join(self.keys)

    @classmethod
    def read(cls, reader: Reader) -> Solution:
        """Take a solution off the front."""
        puzzle = Puzzle.read(reader)
        return cls(puzzle, [reader.take(KEY_SIZE) for _ in range(puzzle.count)])


def fits(key: bytes, cookie: bytes, bits: int) -> bool:
    """Tell whether HMAC-SHA-256 of key and cookie ends with at least so many zero bits."""
    end = int.from_bytes(hmac.digest(key, cookie, "sha256")[-MAX_BITS // 8 :], "big")
    return not end & ((1 << bits) - 1)
