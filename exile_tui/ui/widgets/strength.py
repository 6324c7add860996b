"""What a passphrase is worth, as an honest estimate in words."""

from __future__ import annotations

import asyncio
from typing import Protocol

from textual.content import Content
from textual.widgets import Static

from exile_tui.errors import N_
from exile_tui.locale import tr, tr_n
from exile_tui.text import nfc
from exile_tui.ui.screens.base import ServiceCalls

GUESSES_A_SECOND = 10_000
"""What an attacker with much hardware is taken to try against Argon2id with 64 MiB and 3 passes,
which takes one processor core 0.2 s: an assumption on the safe side, not a measurement."""
LEVELS = (
    N_("very weak"),
    N_("weak"),
    N_("fair"),
    N_("strong"),
    N_("very strong"),
)
_STYLES = ("$text-error", "$text-error", "$text-warning", "$text-success", "$text-success")
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86_400, 31_557_600
_LIFETIMES_YEARS = 1000


class Strength(Protocol):
    """What `Application.passphrase_strength` returns."""

    @property
    def bits(self) -> float:
        """The estimate: guessing takes about 2 to this many tries."""
        ...

    @property
    def level(self) -> int:
        """0 (very weak) to 4 (very strong)."""
        ...


def guessing_words(bits: float) -> str:
    """Return how long an attacker with the stolen disk needs on average, in at most 36 cells."""
    seconds = 2.0 ** min(max(bits - 1, 0), 200) / GUESSES_A_SECOND
    if seconds < _MINUTE:
        return tr("guessing it takes under a minute")
    if seconds >= _LIFETIMES_YEARS * _YEAR:
        return tr("guessing it takes over 1,000 years")
    if seconds < _HOUR:
        time = tr_n("{n} minute", "{n} minutes", int(seconds / _MINUTE))
    elif seconds < _DAY:
        time = tr_n("{n} hour", "{n} hours", int(seconds / _HOUR))
    elif seconds < _YEAR:
        time = tr_n("{n} day", "{n} days", int(seconds / _DAY))
    else:
        time = tr_n("{n} year", "{n} years", int(seconds / _YEAR))
    return tr("guessing it takes about {time}", time=time)


def strength_line(strength: Strength) -> Content:
    """Return the level as five marks and a word, and what it means against a thief."""
    level = min(max(strength.level, 0), len(LEVELS) - 1)
    return Content.assemble(
        ("=" * (level + 1), _STYLES[level]),
        ("-" * (len(LEVELS) - 1 - level), "$text-muted"),
        "  ",
        (tr(LEVELS[level]), _STYLES[level]),
        "  ",
        (guessing_words(strength.bits), "$text-muted"),
    )


class StrengthLine(ServiceCalls, Static):
    """Shows an estimate; empty until there is one."""

    DEFAULT_CSS = "StrengthLine { height: 1; }"

    _typed = False

    def estimate(self, passphrase: str) -> None:
        """Show what a passphrase is worth, as soon as that is known; nothing for an empty one."""
        passphrase = nfc(passphrase)
        self._typed = bool(passphrase)
        if not passphrase:
            self.show(None)
            return

        async def estimate() -> Strength:
            return await asyncio.to_thread(self.exile.application.passphrase_strength, passphrase)

        def show(strength: Strength) -> None:
            if self._typed:  # it may have been emptied meanwhile
                self.show(strength)

        self.load("strength", estimate, show)

    def show(self, strength: Strength | None) -> None:
        """Show an estimate, or nothing."""
        self.update(Content("") if strength is None else strength_line(strength))
