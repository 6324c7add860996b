"""Addresses, mailboxes, bundles and links: everything that reaches a joiner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.handshake import bundle_hash, generate_invite
from exile_tui.errors import WireError
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.bundle import NO_TICKET, Bundle, blob_id, open_blob, seal_blob
from exile_tui.wire.encoding import MAX_EXPIRY, decode_base64url, encode_base64url
from exile_tui.wire.link import InviteLink
from exile_tui.wire.mailbox import MailboxDescriptor, MailboxKeys, mailbox_id
from tests.reference import wire_plain as plain
from tests.unit.wire.strategies import addresses, descriptors, flipped, tokens, truncated

ENTROPY = SystemEntropy()
ADDRESS = RelayAddress("relay.example", 443, bytes(range(32)))
LINK = InviteLink(ADDRESS, bytes(range(32, 64)))
KEYS = MailboxKeys(b"r" * 32, b"s" * 32)
DESCRIPTOR = MailboxDescriptor(ADDRESS, KEYS.id, KEYS.send_token)
BUNDLE = Bundle(generate_invite(ENTROPY).public, 1_790_000_000, NO_TICKET, DESCRIPTOR)


def attempt(read: Callable[[Any], object], data: object) -> object:
    """Read; None when that raises WireError. Anything else that it raises fails the test."""
    try:
        return read(data)
    except WireError:
        return None


@given(addresses)
def test_address_round_trip(address: RelayAddress) -> None:
    assert RelayAddress.parse(address.url) == address
    assert str(address) == address.url
    assert address.url == plain.address_url(address.host, address.port, address.pin)


@given(addresses, tokens)
def test_link_round_trip(address: RelayAddress, bh: bytes) -> None:
    link = InviteLink(address, bh)
    assert len(link.to_bytes()) == 70 + len(address.host)
    assert InviteLink.from_bytes(link.to_bytes()) == link
    assert InviteLink.parse(link.to_text()) == link
    assert link.to_bytes() == plain.link_bytes(address.host, address.port, address.pin, bh)


@given(descriptors)
def test_descriptor_round_trip(descriptor: MailboxDescriptor) -> None:
    encoded = descriptor.encode()
    assert int.from_bytes(encoded[:2], "big") == 83 + len(descriptor.address.host)
    assert MailboxDescriptor.decode(encoded) == descriptor


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for tail in (data, b"X1\x01" + data, LINK.to_bytes()[: len(data)] + data):
        link, expected = attempt(InviteLink.from_bytes, tail), plain.read_link(tail)
        assert (link is None) == (expected is None)
        descriptor = attempt(MailboxDescriptor.decode, tail)
        assert (descriptor is None) == (plain.read_descriptor(tail) is None)
        attempt(Bundle.decode, tail)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    for each in (text, "exile:" + text, LINK.to_text()[: len(text)] + text):
        link, expected = attempt(InviteLink.parse, each), plain.read_link_text(each)
        assert (link is None) == (expected is None)
        attempt(RelayAddress.parse, each)
        attempt(RelayAddress.parse, "https://" + each)


def test_every_damaged_link_is_another_or_refused() -> None:
    raw = LINK.to_bytes()
    for data in (*truncated(raw), *flipped(raw), raw + b"\0", raw * 2):
        link = attempt(InviteLink.from_bytes, data)
        assert link != LINK
        expected = plain.read_link(data)
        assert (link is None) == (expected is None)
        if isinstance(link, InviteLink) and expected is not None:
            assert link.address.host == expected["host"]
            assert (link.address.port, link.address.pin) == (expected["port"], expected["pin"])
            assert link.bh == expected["bh"]


def test_every_damaged_descriptor_is_another_or_refused() -> None:
    raw = DESCRIPTOR.encode()
    for data in (*truncated(raw), *flipped(raw), raw + b"\0"):
        descriptor = attempt(MailboxDescriptor.decode, data)
        assert descriptor != DESCRIPTOR
        assert (descriptor is None) == (plain.read_descriptor(data) is None)


@pytest.mark.parametrize("around", ["{}", " {}", "{}\n", "\r\n\t {} \u3000"])
def test_white_space_around_a_link_is_ignored(around: str) -> None:
    assert InviteLink.parse(around.format(LINK.to_text())) == LINK
    assert RelayAddress.parse(around.format(ADDRESS.url)) == ADDRESS


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("exile:", "Exile:"),
        lambda text: text.replace("exile:", "exile://"),
        lambda text: text.replace("exile:", ""),
        lambda text: text + "=",
        lambda text: text + "A",
        lambda text: text[:20] + "\n" + text[20:],
        lambda text: text[:20] + "+" + text[21:],
        lambda text: text[:20] + "/" + text[21:],
        lambda text: text[:20] + "한" + text[21:],
        lambda text: text[:20] + "\0" + text[20:],
        lambda text: "exile:" + "A" * 10_000_000,
        lambda text: " " * 10_000_000 + text,
        lambda text: "",
        lambda text: "exile:",
    ],
)
def test_damaged_link_text_is_refused(damage: Callable[[str], str]) -> None:
    with pytest.raises(WireError) as caught:
        InviteLink.parse(damage(LINK.to_text()))
    assert "exile:" in str(caught.value)


@pytest.mark.parametrize("size", [1, 2])
def test_spare_bits_of_base64url_must_be_zero(size: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    good = {encode_base64url(bytes([n]) * size) for n in range(256)}
    for head in good:
        for last in alphabet:
            text = head[:-1] + last
            decoded = attempt(decode_base64url, text)
            assert decoded == plain.from_base64url(text)
            assert (decoded is not None) == (encode_base64url(decoded or b"") == text)
    for text in ("A", "AAAAA", "AA==", "AA\n", "A A", "AAé", "\uff21A"):
        assert attempt(decode_base64url, text) is None


PIN = encode_base64url(bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"https://relay.example:443/#{PIN[:-1]}",
        f"https://relay.example:443/#{PIN}A",
        f"https://relay.example:443/#{PIN[:-1]}B",
        f"https://relay.example:443/#{PIN}=",
        f"https://relay.example:443#{PIN}",
        f"https://relay.example:443/x#{PIN}",
        f"https://relay.example:443/?x#{PIN}",
        f"https://relay.example/#{PIN}",
        f"https://relay.example:0/#{PIN}",
        f"https://relay.example:0443/#{PIN}",
        f"https://relay.example:65536/#{PIN}",
        f"https://relay.example:+443/#{PIN}",
        f"https://relay.example:４４３/#{PIN}",
        f"http://relay.example:443/#{PIN}",
        f"HTTPS://relay.example:443/#{PIN}",
        f"https://Relay.example:443/#{PIN}",
        f"https://relay.example.:443/#{PIN}",
        f"https://me@relay.example:443/#{PIN}",
        f"https://{'a' * 63}:443/#{PIN}",
        f"https://::1:443/#{PIN}",
        f"https://[127.0.0.1]:443/#{PIN}",
        f"https://[::1:443/#{PIN}",
        f"https://[::1%25lo]:443/#{PIN}",
        f"https://[::g]:443/#{PIN}",
        f"https://[1.2]:443/#{PIN}",
    ],
)
def test_damaged_addresses_are_refused(text: str) -> None:
    with pytest.raises(WireError) as caught:
        RelayAddress.parse(text)
    assert "https://HOST:PORT" in str(caught.value)


def test_limits_of_addresses() -> None:
    for host in ("a" * 62, "1" * 62, "::", "1:2:3:4:5:6:7:8", "::ffff:255.255.255.255"):
        assert RelayAddress.parse(RelayAddress(host, 65535, bytes(32)).url).host == host
    for port in (-1, 0, 65536):
        with pytest.raises(WireError):
            RelayAddress("a", port, bytes(32))
    for pin in (b"", bytes(31), bytes(33)):
        with pytest.raises(WireError):
            RelayAddress("a", 1, pin)


def test_mailbox_keys() -> None:
    keys = MailboxKeys.generate(ENTROPY)
    assert keys.id == mailbox_id(keys.receive_hash, keys.send_hash)
    assert keys.id == plain.mailbox_id(keys.receive_token, keys.send_token)
    assert len({keys.receive_token, keys.send_token, keys.receive_hash, keys.send_hash}) == 4
    for receive, send in ((b"r" * 31, b"s" * 32), (b"r" * 32, b"s" * 33)):
        with pytest.raises(WireError):
            MailboxKeys(receive, send)


def test_secrets_are_not_shown() -> None:
    shown = repr((KEYS, DESCRIPTOR, LINK, BUNDLE))
    for secret in (KEYS.receive_token, KEYS.send_token, LINK.bh):
        assert repr(secret)[2:-1] not in shown


def test_every_damaged_bundle_is_another_or_refused() -> None:
    raw = BUNDLE.encode()
    assert Bundle.decode(raw) == BUNDLE
    for data in (*truncated(raw), *flipped(raw, bits=1), raw + b"\0"):
        assert attempt(Bundle.decode, data) != BUNDLE


def test_bundles_with_bad_keys_are_refused() -> None:
    raw = BUNDLE.encode()
    large = (2**255 - 19).to_bytes(32, "little")
    for at in (2, 34, 34 + 32 + 1568):
        assert attempt(Bundle.decode, raw[:at] + large + raw[at + 32 :]) is None
        top_bit = bytearray(raw)
        top_bit[at + 31] |= 0x80
        assert attempt(Bundle.decode, bytes(top_bit)) is None
    for at, length in ((66, 1568), (66 + 1568 + 32, 1184)):
        assert attempt(Bundle.decode, raw[:at] + b"\xff" * length + raw[at + length :]) is None


def test_bundle_fields_have_limits() -> None:
    raw = BUNDLE.encode()
    at = 2 + 32 + 32 + 1568 + 32 + 1184
    for expiry, right in (
        (0, True),
        (MAX_EXPIRY, True),
        (MAX_EXPIRY + 1, False),
        (2**64 - 1, False),
    ):
        data = raw[:at] + expiry.to_bytes(8, "big") + raw[at + 8 :]
        assert (attempt(Bundle.decode, data) is not None) == right
    for version in (b"\0\0", b"\0\2", b"\1\0"):
        assert attempt(Bundle.decode, version + raw[2:]) is None
    with pytest.raises(WireError):
        Bundle(BUNDLE.public, -1, NO_TICKET, DESCRIPTOR)
    with pytest.raises(WireError):
        Bundle(BUNDLE.public, 0, b"", DESCRIPTOR)


def test_blob_opens_with_its_hash_alone() -> None:
    raw = BUNDLE.encode()
    bh = bundle_hash(raw)
    blob = seal_blob(raw)
    assert len(blob) == 4096
    assert open_blob(blob, bh) == BUNDLE
    assert len(blob_id(bh)) == 16
    for data in (*flipped(blob, bits=1), blob[:-1], blob + b"\0", b""):
        assert attempt(lambda each: open_blob(each, bh), data) is None
    for other in (*flipped(bh, bits=1), bh[:-1], bh + b"\0", b""):
        assert attempt(lambda each: open_blob(blob, each), other) is None


def seal_as(bh: bytes, padded: bytes) -> bytes:
    """Seal anything under the key of a hash, as a malicious inviter could."""
    key = plain.hkdf_sha512(bh, b"exile/1/link/enc", 32)
    return plain.ChaCha20Poly1305(key).encrypt(bytes(12), padded, b"")


def test_blob_that_opens_is_still_checked() -> None:
    raw = BUNDLE.encode()
    bh = bundle_hash(raw)
    assert open_blob(seal_as(bh, raw.ljust(4080, b"\0")), bh) == BUNDLE
    other = Bundle(BUNDLE.public, BUNDLE.expiry + 1, NO_TICKET, DESCRIPTOR).encode()
    unpadded = raw.ljust(4079, b"\0") + b"\x01"
    long_host = raw[:2890] + b"\xff\xff" + raw[2892:]
    for padded in (other.ljust(4080, b"\0"), unpadded, long_host.ljust(4080, b"\0"), bytes(4080)):
        assert attempt(lambda data: open_blob(data, bh), seal_as(bh, padded)) is None
    version_2 = (b"\0\2" + raw[2:]).ljust(4080, b"\0")
    bh_2 = bundle_hash(b"\0\2" + raw[2:])
    assert attempt(lambda data: open_blob(data, bh_2), seal_as(bh_2, version_2)) is None
    with pytest.raises(WireError):
        seal_blob(bytes(4081))
