"""Where a relay is asked what, and how much of it at once (docs/protocol.md, section 8)."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from exile_tui.errors import WireError
from exile_tui.wire.puzzle import MAX_SOLUTION

CONTENT_TYPE = "application/octet-stream"

ENVELOPE_SIZES = (4096, 16384, 65536)
"""The exact sizes of envelopes in bytes; an envelope's size byte is an index into this."""

MAX_APPEND = 32
"""Envelopes in one append."""
MAX_SUBSCRIPTIONS = 1024
"""Mailboxes in one receive."""
MAX_ACKNOWLEDGE = 1024
"""Seqs in one acknowledge."""
MAX_BLOBS = 1024
"""Blobs in one put or get."""
MAX_BLOB = 1_048_576
"""Bytes of one blob on the wire; a relay may take less."""
MAX_PHRASE = 1024
"""UTF-8 bytes of an access phrase."""
MAX_AUTHORIZATION = 3 + MAX_PHRASE
MAX_FACTS = 65_536
"""Bytes of the whole answer with a relay's facts."""
MAX_DISCLOSURE = 1_048_576
"""Bytes of a disclosure that a client looks at."""
MAX_REASON = 256
"""Bytes of an error's reason that a client looks at."""


class Path(StrEnum):
    """The paths of a relay; `FACTS` and `OPENAPI` by GET, all others by POST."""

    CREATE = "/v1/mailbox/create"
    DELETE = "/v1/mailbox/delete"
    APPEND = "/v1/append"
    RECEIVE = "/v1/receive"
    ACKNOWLEDGE = "/v1/acknowledge"
    TICKET = "/v1/ticket"
    BLOB_PUT = "/v1/blob/put"
    BLOB_GET = "/v1/blob/get"
    BLOB_DELETE = "/v1/blob/delete"
    FACTS = "/v1/facts"
    DISCLOSURE = "/v1/disclosure"
    OPENAPI = "/openapi.json"


REQUEST_LIMITS: dict[Path, int] = {
    Path.CREATE: 16 + 32 + 32 + MAX_AUTHORIZATION + MAX_SOLUTION,
    Path.DELETE: 16 + 32,
    Path.APPEND: 16 + 32 + MAX_APPEND * (1 + ENVELOPE_SIZES[-1]),
    Path.RECEIVE: MAX_SUBSCRIPTIONS * (16 + 32),
    Path.ACKNOWLEDGE: 16 + 32 + MAX_ACKNOWLEDGE * 8,
    Path.TICKET: MAX_AUTHORIZATION + 32 + 8,
    Path.BLOB_PUT: MAX_AUTHORIZATION + MAX_BLOBS * (16 + 32 + 8 + 4 + MAX_BLOB),
    Path.BLOB_GET: MAX_BLOBS * 16,
    Path.BLOB_DELETE: 16 + 32,
    Path.FACTS: 0,
    Path.DISCLOSURE: 16 + 32,
    Path.OPENAPI: 0,
}
"""The largest body in bytes that a well-formed request can have; more is 413."""


class Verdict(IntEnum):
    """What became of one envelope or blob."""

    STORED = 0
    """Durable."""
    FULL = 1
    REFUSED = 2
    """Unknown mailbox, wrong token, or other bytes under this id."""
    BAD_SIZE = 3
    TRY_LATER = 4
    """Not looked at, for another before it was not stored."""


def encode_verdicts(verdicts: list[Verdict]) -> bytes:
    """Encode one byte each."""
    return bytes(verdicts)


def decode_verdicts(data: bytes, count: int) -> list[Verdict]:
    """Read exactly as many verdicts as envelopes or blobs were sent."""
    if len(data) != count:
        raise WireError
    try:
        return [Verdict(value) for value in data]
    except ValueError:
        raise WireError from None
