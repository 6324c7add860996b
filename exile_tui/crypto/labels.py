"""Every label of exile/1, those of other layers included, so that one test can compare them all.

Labels separate what a hash or key derivation is for (docs/protocol.md, section 3). They are ASCII,
all different, and none is a prefix of another: whatever is appended to one can't imitate another.
"""

from __future__ import annotations

from typing import Final

CHAIN_KEY: Final = b"exile/1/ck"
ROOT_KEY: Final = b"exile/1/rk"
TRANSCRIPT_OF_STEP: Final = b"exile/1/th"
NONCE: Final = b"exile/1/nonce"
BODY: Final = b"exile/1/body"
HEADER_NONCE: Final = b"exile/1/hnonce"

TRANSCRIPT: Final = b"exile/1/T"
PQXDH: Final = b"exile/1/pqxdh"
ASSOCIATED_DATA: Final = b"exile/1/ad"

BUNDLE: Final = b"exile/1/bundle"
LINK_ENCRYPTION: Final = b"exile/1/link/enc"
LINK_ID: Final = b"exile/1/link/id"
LINK_REQUEST: Final = b"exile/1/link/req"
MAILBOX: Final = b"exile/1/mailbox"

FINGERPRINT_ID: Final = b"exile/1/fpid"
FACTS: Final = b"exile/1/facts"

ALL: Final[dict[str, bytes]] = {
    name: value for name, value in list(globals().items()) if isinstance(value, bytes)
}
"""Each label by the name of its constant."""
