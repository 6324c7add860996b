"""What hypothesis draws for the wire formats, and how bytes are damaged."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from hypothesis import strategies as st

from exile_tui.wire.address import RelayAddress
from exile_tui.wire.content import Acknowledged, Content, Mailbox, Profile, Text, Unknown
from exile_tui.wire.mailbox import MailboxDescriptor

ids = st.binary(min_size=16, max_size=16)
tokens = st.binary(min_size=32, max_size=32)
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)
hosts = st.one_of(
    st.lists(labels, min_size=1, max_size=7).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6)
    .map(lambda address: str(IPv6Address(address)))
    .filter(lambda text: "%" not in text),
    st.integers(1, 62).map(lambda length: "a" * length),
)
addresses = st.builds(RelayAddress, hosts, st.integers(1, 65535), tokens)
descriptors = st.builds(MailboxDescriptor, addresses, ids, tokens)
naturals = st.one_of(st.integers(0, 2**53 - 1), st.sampled_from([0, 127, 128, 2**32, 2**53 - 1]))
contents: st.SearchStrategy[Content] = st.one_of(
    st.builds(Text, ids, naturals, st.text(max_size=300)),
    st.builds(Acknowledged, st.lists(ids, max_size=40).map(tuple)),
    st.builds(Profile, ids, naturals, st.text(max_size=200)),
    st.builds(Mailbox, ids, naturals, descriptors),
    st.builds(
        Unknown, st.integers(0, 255).filter(lambda kind: kind not in (1, 2, 3, 4)), st.binary()
    ),
)


def truncated(data: bytes) -> Iterator[bytes]:
    """Give every shorter beginning."""
    return (data[:length] for length in range(len(data)))


def flipped(data: bytes, *, bits: int = 8) -> Iterator[bytes]:
    """Give the data with one bit flipped, `bits` of them in every byte."""
    for at in range(len(data)):
        for bit in range(bits):
            damaged = bytearray(data)
            damaged[at] ^= 1 << (bit + at) % 8
            yield bytes(damaged)
