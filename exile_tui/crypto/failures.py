"""The one failure of this layer that is counted on its own."""

from __future__ import annotations

from exile_tui.errors import CryptoError


class PossibleRestoredCopy(CryptoError):
    """A header that the peer's keys made, but that contradicts its own chain.

    It happens when the peer runs from a restored copy of its data; to whoever sees it, it is the
    same failure as any other.
    """
