"""Turns half of schemathesis's bodies into requests in the form of their endpoint."""

from __future__ import annotations

import hashlib
import random
import time
from typing import Any

import schemathesis

from exile_tui.wire import relay as wire
from exile_tui.wire.encoding import MAX_EXPIRY
from exile_tui.wire.mailbox import MailboxKeys
from exile_tui.wire.relay import Path

KEYS = [MailboxKeys(bytes([each]) * 32, bytes([each + 8]) * 32) for each in range(4)]
"""Few, so that requests meet mailboxes that others made."""
DELETE_TOKEN = b"d" * 32
HOUR = 3600


def request(path: str, rng: random.Random) -> bytes:
    """Make the body of a request that an endpoint reads."""
    keys = rng.choice(KEYS)
    own = wire.Authorization.mailbox(keys.id, rng.choice((keys.send_token, keys.receive_token)))
    letting = rng.choice((wire.Authorization(), wire.Authorization.phrase("암구호"), own))
    token = rng.choice((keys.receive_token, keys.receive_token, keys.send_token))
    name, proof = bytes([rng.randrange(4)]) * 16, hashlib.sha256(DELETE_TOKEN).digest()
    expiry = rng.choice((0, int(time.time()) + HOUR, MAX_EXPIRY))
    blob = wire.PutBlob(name, proof, expiry, bytes(rng.choice((1, 4096, 65_537))))
    bodies: dict[str, Any] = {
        Path.CREATE: wire.CreateMailbox(keys.id, keys.receive_hash, keys.send_hash, letting),
        Path.DELETE: wire.MailboxToken(keys.id, token),
        Path.APPEND: wire.Append(
            keys.id, keys.send_token, [rng.randbytes(4096) for _ in range(rng.randint(1, 32))]
        ),
        Path.ACKNOWLEDGE: wire.Acknowledge(keys.id, token, [rng.getrandbits(48)]),
        Path.TICKET: wire.PutTicket(letting, proof, expiry),
        Path.BLOB_PUT: wire.PutBlobs(letting, [blob] * rng.randint(1, 3)),
        Path.BLOB_GET: wire.GetBlobs([name] * rng.randint(1, 20)),
        Path.BLOB_DELETE: wire.DeleteBlob(name, rng.choice((DELETE_TOKEN, bytes(32)))),
        Path.DISCLOSURE: wire.MailboxToken(keys.id, token),
    }
    encoded: bytes = bodies[path].encode()
    return encoded


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Make a request of every other body."""
    if not isinstance(body, bytes):
        return body
    digest = hashlib.sha256(body).digest()
    return request(context.operation.path, random.Random(digest)) if digest[0] % 2 else body
