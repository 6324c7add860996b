"""Contents and bodies: what a contact can make this program read."""

from __future__ import annotations

import unicodedata

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exile_tui.errors import WireError
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.body import (
    ENVELOPE_BODIES,
    PROFILE_BLOCK,
    REQUEST_BODIES,
    contents_size,
    pack_body,
    text_capacity,
    unpack_body,
)
from exile_tui.wire.content import (
    MAX_MARKS,
    Acknowledged,
    Content,
    Mailbox,
    Profile,
    Text,
    Unknown,
    decode_content,
    decode_contents,
    encode_content,
    encode_contents,
)
from exile_tui.wire.mailbox import MailboxDescriptor
from tests.reference import wire_plain as plain
from tests.unit.wire.strategies import contents, flipped, truncated

KEY = b"k" * 16
LATEST = 2**53 - 1
DESCRIPTOR = MailboxDescriptor(RelayAddress("a" * 62, 443, b"p" * 32), b"i" * 16, b"s" * 32)
ONE_OF_EACH: list[Content] = [
    Text(KEY, 1_767_225_600_000, "안녕하세요"),
    Acknowledged((KEY, b"a" * 16)),
    Profile(KEY, 3, "홍길동"),
    Mailbox(KEY, 300, DESCRIPTOR),
    Unknown(200, b"\x93\x01\x02\x03"),
]


def normal(content: Content) -> Content:
    """Return what a receiver sees of a content."""
    if isinstance(content, Text):
        return Text(content.id, content.sent_ms, unicodedata.normalize("NFC", content.text))
    if isinstance(content, Profile):
        return Profile(content.id, content.serial, unicodedata.normalize("NFC", content.name))
    return content


def plainly(content: Content) -> tuple[object, ...]:
    """Return a content as the plain implementation reads it."""
    if isinstance(content, Text):
        return 1, content.id, content.sent_ms, content.text
    if isinstance(content, Acknowledged):
        return 2, list(content.ids)
    if isinstance(content, Profile):
        return 3, content.id, content.serial, content.name
    if isinstance(content, Mailbox):
        address = content.descriptor.address
        described = {
            "host": address.host,
            "port": address.port,
            "pin": address.pin,
            "box": content.descriptor.mailbox_id,
            "send": content.descriptor.send_token,
        }
        return 4, content.id, content.serial, described
    return content.type, content.payload


def compare(encoded: bytes) -> Content | None:
    """Read with both implementations, which must agree; None when both refuse."""
    expected = plain.read_content(encoded)
    try:
        content = decode_content(encoded)
    except WireError:
        assert expected is None
        return None
    assert expected == plainly(content)
    return content


@given(contents)
def test_content_round_trip(content: Content) -> None:
    try:
        encoded = encode_content(content)
    except WireError:
        assert isinstance(content, Profile)
        assert len(content.name.encode()) > 862
        return
    assert compare(encoded) == normal(content)


@given(st.lists(contents.filter(lambda each: not isinstance(each, Profile)), max_size=6))
def test_body_round_trip(several: list[Content]) -> None:
    expected = [normal(content) for content in several]
    body = pack_body(several, ENVELOPE_BODIES)
    assert len(body) in ENVELOPE_BODIES
    smaller = [size for size in ENVELOPE_BODIES if size < len(body)]
    assert all(2 + contents_size(several) > size for size in smaller)
    assert unpack_body(body) == expected
    assert decode_contents(encode_contents(several)) == expected
    assert len(encode_contents(several)) == contents_size(several)
    assert pack_body([encode_content(each) for each in several], ENVELOPE_BODIES) == body


@given(st.sampled_from([1, 2, 3, 4]), st.binary(max_size=120))
def test_any_payload(kind: int, payload: bytes) -> None:
    compare(bytes([kind]) + payload)
    for head in (b"\x91", b"\x93", b"\x93\xc4\x10" + KEY, b"\x93\xc4\x10" + KEY + b"\x05"):
        compare(bytes([kind]) + head + payload)


@given(st.binary(max_size=200))
def test_any_body(data: bytes) -> None:
    expected = plain.read_body(data)
    try:
        several = unpack_body(data)
    except WireError:
        assert expected is None
    else:
        assert expected == [plainly(content) for content in several]


@pytest.mark.parametrize("content", ONE_OF_EACH, ids=lambda content: type(content).__name__)
def test_every_damaged_content_is_another_or_refused(content: Content) -> None:
    encoded = encode_content(content)
    for data in (*truncated(encoded), *flipped(encoded), encoded + b"\xc0"):
        assert compare(data) != content


def test_every_damaged_body_is_others_or_refused() -> None:
    several = [ONE_OF_EACH[0], ONE_OF_EACH[3]]
    body = pack_body(several, (400,))
    for data in flipped(body):
        try:
            damaged = unpack_body(data)
        except WireError:
            assert plain.read_body(data) is None
        else:
            assert damaged != several
            assert plain.read_body(data) == [plainly(content) for content in damaged]
    used = 2 + contents_size(several)
    for data in truncated(body[:used]):
        with pytest.raises(WireError):
            unpack_body(data)


@pytest.mark.parametrize(
    ("size", "longest"), [(1683, 1647), (13971, 13935), (63123, 63087), (11215, 11179)]
)
def test_longest_text_of_each_body(size: int, longest: int) -> None:
    assert text_capacity((size,)) == longest
    fits = Text(KEY, LATEST, "x" * longest)
    assert contents_size([fits]) == size - 2
    body = pack_body([fits], (size,))
    assert len(body) == size
    assert unpack_body(body) == [fits]
    with pytest.raises(WireError):
        pack_body([Text(KEY, LATEST, "x" * (longest + 1))], (size,))
    # One byte more takes the next size where there is one.
    larger = [other for other in ENVELOPE_BODIES if other > size]
    if larger:
        body = pack_body([Text(KEY, LATEST, "x" * (longest + 1))], (size, *larger))
        assert len(body) == larger[0]


def test_text_capacity_is_exact_everywhere() -> None:
    assert text_capacity(REQUEST_BODIES) == 11179
    assert text_capacity(ENVELOPE_BODIES) == 63087
    assert text_capacity(()) == 0
    for size in (*range(34, 40), *range(60, 70), *range(285, 300), 65_537):
        longest = text_capacity((size,))
        assert len(pack_body([Text(KEY, LATEST, "x" * longest)], (size,))) == size
        with pytest.raises(WireError):
            pack_body([Text(KEY, LATEST, "x" * (longest + 1))], (size,))
    assert all(text_capacity((size,)) == 0 for size in range(35))


def test_empty_body() -> None:
    for size in (2, PROFILE_BLOCK, *ENVELOPE_BODIES, *REQUEST_BODIES):
        assert pack_body([], (size,)) == bytes(size)
        assert unpack_body(bytes(size)) == []
    for data in (b"", b"\0", b"\0\1", b"\0\1\0\1"):
        with pytest.raises(WireError):
            unpack_body(data)
    with pytest.raises(WireError):
        pack_body([], (1,))


def test_padding_must_be_zero_at_every_place() -> None:
    body = pack_body([ONE_OF_EACH[0]], (1683,))
    used = 2 + contents_size([ONE_OF_EACH[0]])
    for at in range(used, 1683):
        with pytest.raises(WireError):
            unpack_body(body[:at] + b"\x01" + body[at + 1 :])


@settings(max_examples=50)
@given(st.integers(0, 862))
def test_profile_block_holds_name_and_mailbox(length: int) -> None:
    profile, mailbox = Profile(KEY, 1, "n" * length), Mailbox(b"m" * 16, 1, DESCRIPTOR)
    if 2 + contents_size([profile, mailbox]) <= PROFILE_BLOCK:
        block = pack_body([profile, mailbox], (PROFILE_BLOCK,))
        assert unpack_body(block) == [profile, mailbox]
    else:
        assert length > 800
        with pytest.raises(WireError):
            pack_body([profile, mailbox], (PROFILE_BLOCK,))


def test_unknown_types_are_kept_beside_the_known() -> None:
    several: list[Content] = [Unknown(5, b""), ONE_OF_EACH[0], Unknown(255, b"\xc1" * 100)]
    assert unpack_body(pack_body(several, ENVELOPE_BODIES)) == several
    for kind in (-1, 1, 2, 3, 4, 256):
        with pytest.raises(WireError):
            encode_content(Unknown(kind, b"\x90"))


def test_what_a_receiver_would_refuse_is_not_sent() -> None:
    bad: list[Content] = [
        Text(KEY[:15], 0, "x"),
        Text(KEY, -1, "x"),
        Text(KEY, 2**53, "x"),
        Text(KEY, 2**64, "x"),
        Text(KEY, 0, "\ud800"),
        Text(KEY, 0, "x" * 65_535),
        Acknowledged((KEY, b"")),
        Profile(KEY, 0, "n" * 863),
        Profile(KEY, 2**53, "n"),
        Mailbox(b"", 0, DESCRIPTOR),
        Mailbox(KEY, -1, DESCRIPTOR),
        Unknown(9, bytes(65_535)),
    ]
    for content in bad:
        with pytest.raises(WireError):
            encode_content(content)
        with pytest.raises(WireError):
            pack_body([ONE_OF_EACH[0], content], ENVELOPE_BODIES)
    for encoded in (b"", bytes(65_536)):
        with pytest.raises(WireError):
            pack_body([encoded], ENVELOPE_BODIES)


def test_contents_beyond_a_bodys_length_field_are_refused() -> None:
    with pytest.raises(WireError):
        pack_body([Unknown(9, bytes(40_000))] * 2, (200_000,))


@pytest.mark.parametrize("depth", [10, 900, 1100, 30_000])
def test_nesting_never_escapes_as_another_error(depth: int) -> None:
    head = encode_content(ONE_OF_EACH[0])
    nested = head[:1] + b"\x94" + head[2:] + b"\x91" * depth + b"\xc0"
    for data in (nested, b"\x02" + b"\x91" * depth + b"\x90"):
        try:
            decode_content(data)
        except WireError:
            continue
        assert depth < 1000


def test_names_and_texts_come_out_in_nfc() -> None:
    decomposed = unicodedata.normalize("NFD", "한글 é Å")
    for content in (Text(KEY, 0, decomposed), Profile(KEY, 0, decomposed)):
        assert decode_content(encode_content(content)) == normal(content)


def test_repr_shows_nothing_that_someone_wrote() -> None:
    shown = repr(ONE_OF_EACH)
    assert shown == "[Text(...), Acknowledged(...), Profile(...), Mailbox(...), Unknown(...)]"


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0f81", "\u0344"])
def test_a_text_of_marks_costs_little(marks: str) -> None:
    text = "가" + (marks * 30_000).encode()[:60_000].decode(errors="ignore") + "나"
    decoded = decode_content(b"\x01" + msgspec.msgpack.encode([bytes(16), 0, text]))
    assert isinstance(decoded, Text)
    assert decoded.text == unicodedata.normalize("NFC", "가" + (marks * 30)[:MAX_MARKS] + "나")


def test_thirty_marks_in_a_row_stay() -> None:
    text = "a" + "\u0301" * MAX_MARKS + "b" + "\u0316" * MAX_MARKS
    decoded = decode_content(b"\x01" + msgspec.msgpack.encode([bytes(16), 0, text]))
    assert isinstance(decoded, Text)
    assert decoded.text == unicodedata.normalize("NFC", text)
