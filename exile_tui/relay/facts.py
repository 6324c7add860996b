"""The relay's signed statement about itself (docs/protocol.md, section 8)."""

from __future__ import annotations

import datetime
import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

import exile_tui
from exile_tui.clock import Clock
from exile_tui.errors import N_, UsageError
from exile_tui.relay.access import Access
from exile_tui.relay.key import RelayKey
from exile_tui.relay.limits import Limits, today
from exile_tui.wire.relay import Facts, SignedFacts, encode_facts, facts_message

_BAD_FACTS = N_(
    "The facts in {path} can't be used: {reason}. It is a TOML file with 'jurisdiction', "
    "'operator' (texts) and 'requests_received' (a number), each optional."
)

_Text = Annotated[str, Meta(max_length=4096)]


class OperatorFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What only the operator can state."""

    jurisdiction: _Text = ""
    operator: _Text = ""
    requests_received: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0


class Statement(Facts, frozen=True, kw_only=True):
    """The facts with the operator's own text."""

    operator: str


def read_facts(path: Path) -> OperatorFacts:
    """Read the operator's file.

    Raises:
        UsageError: It can't be read, is no TOML, or has other fields or types.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), OperatorFacts)
    except OSError as error:
        raise UsageError(_BAD_FACTS, path=str(path), reason=error.strerror) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(_BAD_FACTS, path=str(path), reason=str(error)) from error


class FactSheet:
    """Signs the statement once a day."""

    def __init__(
        self, key: RelayKey, operator: OperatorFacts, limits: Limits, access: Access, clock: Clock
    ) -> None:
        self._key = key
        self._operator = operator
        self._limits = limits
        self._access = access
        self._clock = clock
        self._day = -1
        self._answer = b""

    def answer(self) -> bytes:
        """Return the answer to `GET /v1/facts`."""
        day = today(self._clock)
        if day != self._day:
            body = encode_facts(self._statement(day))
            signature = self._key.sign(facts_message(body))
            self._answer = SignedFacts(self._key.spki, body, signature).encode()
            self._day = day
        return self._answer

    def _statement(self, day: int) -> Statement:
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
            jurisdiction=self._operator.jurisdiction,
            operator=self._operator.operator,
            date=str(datetime.date(1970, 1, 1) + datetime.timedelta(days=day)),
            requests_received=self._operator.requests_received,
        )


def _build() -> str:
    """Hash the sources that run here: anyone can compare them with a release's."""
    root = Path(exile_tui.__file__).parent
    total = hashlib.sha256()
    for part in ("relay", "wire", "crypto"):
        for path in sorted((root / part).glob("*.py")):
            total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]
