"""The relay's signed statement about itself (docs/protocol.md, section 8)."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Literal, cast

import exile_tui
from exile_tui.clock import Clock
from exile_tui.relay.access import Access
from exile_tui.relay.facts_file import FactsFile, OperatorFacts, read_facts
from exile_tui.relay.key import RelayKey
from exile_tui.relay.limits import Limits, today
from exile_tui.wire.relay import Facts, SignedFacts, encode_facts, facts_message

__all__ = ["FactSheet", "FactsFile", "OperatorFacts", "Statement", "read_facts"]


class Statement(Facts, frozen=True, kw_only=True):
    """The facts with the operator's own text."""

    operator: str


class FactSheet:
    """Signs the statement: anew when its operator did, every day where none ever did."""

    def __init__(
        self,
        key: RelayKey,
        operator: OperatorFacts | FactsFile,
        limits: Limits,
        access: Access,
        clock: Clock,
    ) -> None:
        self._key = key
        self._operator = operator
        self._stated: OperatorFacts | None = None
        self._limits = limits
        self._access = access
        self._clock = clock
        self._day = -1
        self._answer = b""

    def answer(self) -> bytes:
        """Return the answer to `GET /v1/facts`."""
        day = today(self._clock)
        source = self._operator
        operator = source.facts if isinstance(source, FactsFile) else source
        if (day, operator) != (self._day, self._stated):
            body = encode_facts(self._statement(day, operator))
            signature = self._key.sign(facts_message(body))
            self._answer = SignedFacts(self._key.spki, body, signature).encode()
            self._day, self._stated = day, operator
        return self._answer

    def _statement(self, day: int, operator: OperatorFacts) -> Statement:
        # The operator's own day where there is one: its age says when a person last looked.
        now = datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
        signed = min(operator.date or now, now)
        limits = self._limits
        return Statement(
            software=f"exile-tui {exile_tui.__version__}",
            build=_build(),
            retention_days=limits.retention_days,
            limits={
                "blob_bytes": limits.blob_bytes,
                "blob_days": limits.blob_days,
                "envelopes_per_mailbox": limits.envelopes,
                "mailbox_days": limits.mailbox_days,
            },
            access=cast(Literal["open", "phrase"], self._access.kind),
            jurisdiction=operator.jurisdiction,
            operator=operator.operator,
            date=signed.isoformat(),
            requests_received=operator.requests_received,
        )


def _build() -> str:
    """Hash the sources that run here: anyone can compare them with a release's."""
    root = Path(exile_tui.__file__).parent
    total = hashlib.sha256()
    for part in ("relay", "wire", "crypto"):
        for path in sorted((root / part).glob("*.py")):
            total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]
