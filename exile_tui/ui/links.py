"""Links in a message: where each really leads, and the form that is safe to hand to a terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

MOST = 8
"""Links of one message that are shown."""
LONGEST = 2048
"""Characters; what is longer is no link that somebody typed or copied."""
_LINK = re.compile(r"https?://[^\s<>\"'`{}|\\^]+", re.IGNORECASE)
_AFTER = ".,;:!?)]}'\"…。、"
"""What ends a sentence rather than a link."""
_KEPT = "%/:?#[]@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class Link:
    """One link."""

    url: str
    """Printable ASCII only."""
    host: str
    """Where it leads: what stands behind any user name, in ASCII."""
    shown_host: str
    """The host as it was written; the same where that is ASCII."""


def find_links(text: str) -> list[Link]:
    """Return the links of a text, each once, in order; what has no true host is none."""
    found: dict[str, Link] = {}
    for match in _LINK.finditer(text):
        link = _link(match[0].rstrip(_AFTER))
        if link is not None and len(found) < MOST:
            found.setdefault(link.url, link)
    return list(found.values())


def _link(url: str) -> Link | None:
    if len(url) > LONGEST:
        return None
    try:
        parts = urlsplit(url)
        shown = parts.hostname or ""
        host = shown.encode("idna").decode("ascii")
        port = parts.port
    except ValueError:  # UnicodeError too: no host that could be looked up
        return None
    if not re.fullmatch(r"[a-z0-9.:_-]+", host):
        return None
    place = f"[{host}]" if ":" in host else host
    if port is not None:
        place = f"{place}:{port}"
    # Without the user name, which is there only to look like a host.
    rest = quote(parts._replace(scheme="", netloc="").geturl(), safe=_KEPT)
    if rest and rest[0] not in "/?#":
        rest = f"/{rest}"
    return Link(f"{parts.scheme.lower()}://{place}{rest}", host, shown)
