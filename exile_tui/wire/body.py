"""Bodies: contents padded to one of a few exact lengths (docs/protocol.md, section 5)."""

from __future__ import annotations

from collections.abc import Sequence

from exile_tui.errors import WireError
from exile_tui.wire.content import Content, decode_contents, encode_content, encode_contents

REQUEST_BODIES = (11215,)
"""The one body length of a contact request."""
ENVELOPE_BODIES = (1683, 13971, 63123)
"""The body lengths of the three envelope sizes."""
PROFILE_BLOCK = 1024
"""The body length of a contact request's profile block."""

MAX_CONTENTS = 65_535
"""Bytes of contents that a body's 2-byte length can state."""

_LENGTH = 2
_TEXT_OVERHEAD = 2 + 1 + 1 + 18 + 9
"""Bytes before a text's own head: length, type, array, id and the longest `sent_ms`."""


def pack_body(contents: Sequence[Content | bytes], sizes: Sequence[int]) -> bytes:
    """Pad contents to the smallest size that they fit.

    Args:
        contents: What to say; bytes are contents that are encoded already.
        sizes: Body lengths in bytes, ascending.

    Raises:
        WireError: They fit none, or one is not what a receiver would take.
    """
    packed = encode_contents(contents)
    needed = _LENGTH + len(packed)
    if len(packed) > MAX_CONTENTS:
        raise WireError
    for size in sizes:
        if needed <= size:
            return b"".join((len(packed).to_bytes(2, "big"), packed, bytes(size - needed)))
    raise WireError


def unpack_body(body: bytes) -> list[Content]:
    """Read the contents of a body.

    Raises:
        WireError: The length leads past the end, padding isn't zero, or one content doesn't parse.
    """
    end = _LENGTH + int.from_bytes(body[:_LENGTH], "big")
    if end > len(body) or body[end:] != bytes(len(body) - end):
        raise WireError
    return decode_contents(body[_LENGTH:end])


def contents_size(contents: Sequence[Content | bytes]) -> int:
    """Count the bytes that contents take in a body, their lengths included."""
    return sum(
        _LENGTH + len(content if isinstance(content, bytes) else encode_content(content))
        for content in contents
    )


def text_capacity(sizes: Sequence[int]) -> int:
    """Return how many UTF-8 bytes of text fit alone in the largest of these bodies, 0 if none."""
    room = max(sizes, default=0) - _LENGTH - _TEXT_OVERHEAD
    for head, longest in ((1, 31), (2, 255), (3, 65_535)):
        if room - head <= longest:
            return max(0, room - head)
    return min(65_535, MAX_CONTENTS - _TEXT_OVERHEAD - 3)
