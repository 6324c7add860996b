"""Everything that a relay and its client exchange, in one place to import from.

All requests but two are POST with `application/octet-stream`; integers are big-endian. Answers are
204 without a body, verdicts (`encode_verdicts`), or a stream. Errors are 400 malformed, 403 refused
(an unknown mailbox and a wrong token alike), 404 unknown path, 413 too large, 429 quota, 503
stopping or disk full; their body is one short ASCII reason. A 503 whose body is of `CONTENT_TYPE`
is a `Puzzle` to be solved first.
"""

from __future__ import annotations

from exile_tui.wire.authorization import Authorization, AuthorizationKind, decode_renewal
from exile_tui.wire.blobs import (
    BlobsDecoder,
    PutBlob,
    PutBlobs,
    PutBlobsDecoder,
    encode_blob_answer,
)
from exile_tui.wire.endpoints import (
    CONTENT_TYPE,
    ENVELOPE_SIZES,
    MAX_ACKNOWLEDGE,
    MAX_APPEND,
    MAX_AUTHORIZATION,
    MAX_BLOB,
    MAX_BLOBS,
    MAX_DISCLOSURE,
    MAX_FACTS,
    MAX_PHRASE,
    MAX_REASON,
    MAX_SUBSCRIPTIONS,
    REQUEST_LIMITS,
    Path,
    Verdict,
    decode_verdicts,
    encode_verdicts,
)
from exile_tui.wire.facts import Facts, SignedFacts, encode_facts, facts_message
from exile_tui.wire.frames import (
    GOODBYE_BYTES,
    HEARTBEAT_BYTES,
    CaughtUp,
    EnvelopeFrame,
    Frame,
    FrameDecoder,
    Goodbye,
    Heartbeat,
    RefusedFrame,
    encode_frame,
    envelope_head,
)
from exile_tui.wire.puzzle import MAX_TRIES, Puzzle, Solution
from exile_tui.wire.requests import (
    Acknowledge,
    Append,
    CreateMailbox,
    DeleteBlob,
    GetBlobs,
    MailboxToken,
    PutTicket,
    Receive,
)

__all__ = [
    "CONTENT_TYPE",
    "ENVELOPE_SIZES",
    "GOODBYE_BYTES",
    "HEARTBEAT_BYTES",
    "MAX_ACKNOWLEDGE",
    "MAX_APPEND",
    "MAX_AUTHORIZATION",
    "MAX_BLOB",
    "MAX_BLOBS",
    "MAX_DISCLOSURE",
    "MAX_FACTS",
    "MAX_PHRASE",
    "MAX_REASON",
    "MAX_SUBSCRIPTIONS",
    "MAX_TRIES",
    "REQUEST_LIMITS",
    "Acknowledge",
    "Append",
    "Authorization",
    "AuthorizationKind",
    "BlobsDecoder",
    "CaughtUp",
    "CreateMailbox",
    "DeleteBlob",
    "EnvelopeFrame",
    "Facts",
    "Frame",
    "FrameDecoder",
    "GetBlobs",
    "Goodbye",
    "Heartbeat",
    "MailboxToken",
    "Path",
    "PutBlob",
    "PutBlobs",
    "PutBlobsDecoder",
    "PutTicket",
    "Puzzle",
    "Receive",
    "RefusedFrame",
    "SignedFacts",
    "Solution",
    "Verdict",
    "decode_renewal",
    "decode_verdicts",
    "encode_blob_answer",
    "encode_facts",
    "encode_frame",
    "encode_verdicts",
    "envelope_head",
    "facts_message",
]
