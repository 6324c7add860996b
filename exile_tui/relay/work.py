"""Work that creating a mailbox costs while the relay is busy (docs/protocol.md, section 8).

Stateless: a challenge is an HMAC of the mailbox that is to be made, under a key that lives in
memory only and is drawn anew every few minutes. A solution makes that one mailbox, so that nothing
needs to be remembered of those that were shown. It is checked before the engine hears of it.
"""

from __future__ import annotations

import hmac
import math
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from exile_tui.clock import Clock
from exile_tui.wire.relay import MAX_TRIES, CreateMailbox, Puzzle

WINDOW_S = 300.0
"""Seconds that one key makes challenges; each is good for that long at least, twice at most."""
KEYS = 8
"""Keys that a puzzle asks for: how long it takes varies by about a third (1 / sqrt(8))."""
MAX_BITS = (MAX_TRIES // KEYS).bit_length() - 1
"""A million tries: 4 s of a core that makes 250,000 a second, some seconds more on a phone."""
EASIEST_BITS = 8
_SETTLE_S = 60.0
_BUSY_SHARE = 0.5
_LABEL = b"exile-relay/1/puzzle/challenge"


class WorkMode(StrEnum):
    """When a relay asks for work."""

    NEVER = "never"
    BUSY = "busy"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPolicy:
    """When creating a mailbox costs how much."""

    mode: WorkMode = WorkMode.NEVER
    rate: float = 120.0
    """Mailboxes created in a minute from which on the relay is busy. Each doubling doubles the
    work, and so does each halving of the room for mailboxes."""
    bits: int = 14
    """Zero bits of the first step: 131,072 tries with 8 keys, half a second of such a core."""


class WorkGate:
    """Decides which creations pass, and sets the puzzles of the others."""

    def __init__(
        self,
        policy: WorkPolicy,
        pin: bytes,
        clock: Clock,
        draw: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Make it.

        Args:
            policy: When work is asked for.
            pin: SHA-256 of the relay's key.
            clock: Its monotonic time turns the keys.
            draw: Draws so many random bytes.
        """
        self._policy = policy
        self._pin = pin
        self._clock = clock
        self._draw = draw
        self._key = draw(32)
        self._former = draw(32)  # fits nothing
        self._counted = clock.monotonic()
        self._window = self._counted // WINDOW_S
        self._made = 0
        self._rate = 0.0
        self.totals: Counter[str] = Counter(asked=0, solved=0, refused=0)
        """Puzzles set, creations that passed with a solution, solutions that were none."""

    def puzzle(self, request: CreateMailbox, share: float, made: int) -> Puzzle | None:
        """Return what is to be solved first; None lets a creation pass.

        Args:
            request: Whose id was compared with its hashes.
            share: The part of the room for mailboxes that is taken, 0 to 1.
            made: How many were made since the start and not deleted. Neither requests alone nor
                one mailbox that is made and deleted all the time make a relay look busy, or who
                sends them would have everybody else work.
        """
        if self._policy.mode is WorkMode.NEVER:
            return None
        self._settle(made)
        level = self._level(share)
        if level and not self._solved(request):
            self.totals["asked"] += 1
            bits = min(self._policy.bits + level - 1, MAX_BITS)
            challenge = self._challenge(self._key, request.mailbox_id, bits, KEYS)
            return Puzzle(bits, KEYS, challenge)
        return None

    def _level(self, share: float) -> int:
        """Return 0 while nothing is asked, else 1 and more; each step doubles the work."""
        by_rate = _doublings(self._rate / self._policy.rate)
        # A full relay creates nothing: work for it would be in vain.
        by_share = _doublings(_BUSY_SHARE / (1.0 - share)) if _BUSY_SHARE <= share < 1.0 else 0
        always = 1 if self._policy.mode is WorkMode.ALWAYS else 0
        return max(by_rate, by_share, always)

    def _solved(self, request: CreateMailbox) -> bool:
        solution = request.solution
        if solution is None:
            return False
        asked, mailbox_id = solution.puzzle, request.mailbox_id
        ours = [
            hmac.compare_digest(
                self._challenge(key, mailbox_id, asked.bits, asked.count), asked.challenge
            )
            for key in (self._key, self._former)
        ]
        good = any(ours) and solution.solves(asked.cookie(mailbox_id, self._pin))
        self.totals["solved" if good else "refused"] += 1
        return good

    @staticmethod
    def _challenge(key: bytes, mailbox_id: bytes, bits: int, count: int) -> bytes:
        return hmac.digest(key, _LABEL + bytes((bits, count)) + mailbox_id, "sha256")

    def _settle(self, made: int) -> None:
        """Let old mailboxes count for less, and draw another key when it is time."""
        now = self._clock.monotonic()
        rate = self._rate * math.exp((self._counted - now) / _SETTLE_S) + made - self._made
        self._rate = max(0.0, rate)  # more may have been deleted
        self._counted, self._made = now, made
        window = now // WINDOW_S
        if window != self._window:
            follows = window == self._window + 1
            self._former = self._key if follows else self._draw(32)
            self._key = self._draw(32)
            self._window = window


def _doublings(ratio: float) -> int:
    """Return 0 below 1, 1 from 1 on, 2 from 2 on, 3 from 4 on."""
    return 1 + math.floor(math.log2(ratio)) if ratio >= 1.0 else 0
