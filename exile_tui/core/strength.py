"""An honest estimate of a passphrase: how many guesses a well-informed attacker needs."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass

LEVELS = (28.0, 40.0, 52.0, 64.0)
"""Bits from which a passphrase counts as weak, fair, good, strong, against Argon2id at 64 MiB."""
LONGEST_ESTIMATED = 100
"""zxcvbn's time grows with the square of the length; what follows can only add."""


@dataclass(frozen=True, slots=True)
class PassphraseStrength:
    """How hard a passphrase is to guess."""

    bits: float
    """Binary logarithm of the guesses."""
    level: int
    """0 (none to speak of) to 4 (strong)."""


def passphrase_strength(passphrase: str) -> PassphraseStrength:
    """Estimate the guesses that a passphrase withstands, erring low."""
    normal = unicodedata.normalize("NFC", passphrase)[:LONGEST_ESTIMATED]
    if not normal:
        return PassphraseStrength(0.0, 0)
    from zxcvbn import zxcvbn  # dictionaries of 2 MB: only when somebody chooses a passphrase

    bits = math.log2(max(1, int(zxcvbn(normal, max_length=LONGEST_ESTIMATED)["guesses"])))
    return PassphraseStrength(bits, sum(bits >= level for level in LEVELS))
