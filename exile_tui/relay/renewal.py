"""Renewal tokens: who was once let in may create that very mailbox again (docs/protocol.md, 8).

Nothing about them is stored. A token is computed from the mailbox and the relay's own key, so a
relay that lost its data, but not its key, still knows what it allowed.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from exile_tui.wire.relay import CreateMailbox

_KEY_LABEL: Final = b"exile-relay/1/renewal/key"
_TOKEN_LABEL: Final = b"exile-relay/1/renewal/token"
_SCALAR_SIZE: Final = 32


class Renewals:
    """Computes and checks the tokens of one relay key."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        scalar = private.private_numbers().private_value.to_bytes(_SCALAR_SIZE, "big")
        self._key = HKDF(SHA256(), 32, salt=None, info=_KEY_LABEL).derive(scalar)

    def token(self, request: CreateMailbox) -> bytes:
        """Return the token of a mailbox, 32 bytes; id and hashes are of fixed length."""
        mailbox = request.mailbox_id + request.receive_hash + request.send_hash
        return hmac.digest(self._key, _TOKEN_LABEL + mailbox, "sha256")

    def fits(self, request: CreateMailbox) -> bool:
        """Tell, in constant time, whether the request shows the token of the mailbox it names."""
        return hmac.compare_digest(self.token(request), request.authorization.secret)
