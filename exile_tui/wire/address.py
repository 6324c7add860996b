"""A relay's address: where it listens and which key it must have."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from exile_tui.errors import N_, WireError
from exile_tui.wire.encoding import (
    Reader,
    decode_base64url,
    encode_base64url,
    require_length,
    require_range,
)

MAX_HOST = 62
PIN_SIZE = 32
MAX_URL = 256
"""Characters of the longest text that is looked at; a real address has at most 129."""

_LABELS = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_IPV6 = re.compile(r"[a-f0-9:.]+", re.ASCII)
_URL = re.compile(
    r"https://(?:\[(?P<ipv6>[a-f0-9:.]+)\]|(?P<name>[a-z0-9.-]+))"
    r":(?P<port>[1-9][0-9]{0,4})/#(?P<pin>[A-Za-z0-9_-]{43})",
    re.ASCII,
)
_NOT_AN_ADDRESS = N_(
    "This is not a relay's address. It looks like https://HOST:PORT/# and 43 characters; "
    "copy all of it."
)


@dataclass(frozen=True, slots=True)
class RelayAddress:
    """Where a relay is and the SHA-256 of its key (docs/protocol.md, sections 4 and 8)."""

    host: str
    """1 to 62 characters of a-z 0-9 . - : (A-labels, no trailing dot, IPv6 without brackets)."""

    port: int
    """1 to 65535."""

    pin: bytes
    """SHA-256 of the relay's SubjectPublicKeyInfo, 32 bytes."""

    def __post_init__(self) -> None:
        require_host(self.host)
        require_range(self.port, 1, 65535)
        require_length(self.pin, PIN_SIZE)

    @classmethod
    def parse(cls, text: str) -> RelayAddress:
        """Read `https://HOST:PORT/#PIN`; white space around it is ignored.

        Raises:
            WireError: It is anything else.
        """
        match = _URL.fullmatch(text.strip()) if len(text) <= MAX_URL else None
        if match is None:
            raise WireError(_NOT_AN_ADDRESS)
        host = match["ipv6"] or match["name"]
        if (match["ipv6"] is None) == (":" in host):
            raise WireError(_NOT_AN_ADDRESS)
        try:
            return cls(host, int(match["port"]), decode_base64url(match["pin"]))
        except WireError:
            raise WireError(_NOT_AN_ADDRESS) from None

    @property
    def authority(self) -> str:
        """HOST:PORT as a URL has it, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as people copy it: `https://HOST:PORT/#PIN`."""
        return f"https://{self.authority}/#{encode_base64url(self.pin)}"

    def __str__(self) -> str:
        return self.url

    def to_bytes(self) -> bytes:
        """Encode as `host length 1 | host | port 2 | pin 32`."""
        host = self.host.encode("ascii")
        return b"".join((bytes((len(host),)), host, self.port.to_bytes(2, "big"), self.pin))

    @classmethod
    def read(cls, reader: Reader) -> RelayAddress:
        """Read what `to_bytes` writes."""
        try:
            host = reader.take(reader.integer(1)).decode("ascii")
        except UnicodeDecodeError:
            raise WireError from None
        return cls(host, reader.integer(2), reader.take(PIN_SIZE))


def is_loopback(host: str) -> bool:
    """Tell whether only programs on the same computer reach this host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def require_host(host: str) -> None:
    """Refuse what is no host: neither A-labels or IPv4 nor IPv6 without brackets.

    Raises:
        WireError: Empty, longer than 62, other characters, empty labels, a trailing dot.
    """
    if not 1 <= len(host) <= MAX_HOST:
        raise WireError
    if ":" not in host:
        if not _LABELS.fullmatch(host):
            raise WireError
        return
    if not _IPV6.fullmatch(host):
        raise WireError
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        raise WireError from None
