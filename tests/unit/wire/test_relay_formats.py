"""What a relay and its client send each other: strict both ways, whole or in pieces."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from operator import itemgetter
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.crypto.kdf import sha256
from exile_tui.errors import WireError
from exile_tui.wire.encoding import MAX_EXPIRY, StreamBuffer
from exile_tui.wire.relay import (
    ENVELOPE_SIZES,
    MAX_ACKNOWLEDGE,
    MAX_APPEND,
    MAX_BLOB,
    MAX_BLOBS,
    MAX_FACTS,
    MAX_PHRASE,
    MAX_SUBSCRIPTIONS,
    REQUEST_LIMITS,
    Acknowledge,
    Append,
    Authorization,
    AuthorizationKind,
    BlobsDecoder,
    CaughtUp,
    CreateMailbox,
    DeleteBlob,
    EnvelopeFrame,
    Facts,
    Frame,
    FrameDecoder,
    GetBlobs,
    Goodbye,
    Heartbeat,
    MailboxToken,
    Path,
    PutBlob,
    PutBlobs,
    PutBlobsDecoder,
    PutTicket,
    Puzzle,
    Receive,
    RefusedFrame,
    SignedFacts,
    Solution,
    Verdict,
    decode_renewal,
    decode_verdicts,
    encode_blob_answer,
    encode_facts,
    encode_frame,
    encode_verdicts,
    envelope_head,
    facts_message,
)
from tests.reference import wire_plain as plain
from tests.unit.wire.strategies import flipped, ids, tokens, truncated

ID, TOKEN, HASH = b"i" * 16, b"t" * 32, b"h" * 32
SMALL, MIDDLE, LARGE = (b"e" * size for size in ENVELOPE_SIZES)

authorizations = st.one_of(
    st.just(Authorization()),
    st.builds(Authorization.phrase, st.text(min_size=1, max_size=80)),
    st.builds(Authorization.ticket, tokens),
    st.builds(Authorization.mailbox, ids, tokens),
    st.builds(Authorization.renewal, tokens),
)
seqs = st.integers(0, 2**63 - 1)
expiries = st.integers(0, MAX_EXPIRY)
blobs = st.builds(PutBlob, ids, tokens, expiries, st.binary(min_size=1, max_size=200))
requests = st.one_of(
    st.builds(CreateMailbox, ids, tokens, tokens, authorizations),
    st.builds(MailboxToken, ids, tokens),
    st.builds(
        Append, ids, tokens, st.lists(st.sampled_from([SMALL, MIDDLE]), min_size=1, max_size=4)
    ),
    st.builds(
        Receive, st.lists(st.tuples(ids, tokens), min_size=1, max_size=5, unique_by=itemgetter(0))
    ),
    st.builds(Acknowledge, ids, tokens, st.lists(seqs, min_size=1, max_size=20)),
    st.builds(PutTicket, authorizations, tokens, expiries),
    st.builds(PutBlobs, authorizations, st.lists(blobs, min_size=1, max_size=4)),
    st.builds(GetBlobs, st.lists(ids, min_size=1, max_size=5)),
    st.builds(DeleteBlob, ids, tokens),
)
frames: st.SearchStrategy[Frame] = st.one_of(
    st.builds(EnvelopeFrame, st.integers(0, 65_535), seqs, st.sampled_from([SMALL, MIDDLE, LARGE])),
    st.builds(RefusedFrame, st.integers(0, 65_535)),
    st.builds(CaughtUp, st.integers(0, 65_535)),
    st.just(Heartbeat()),
    st.just(Goodbye()),
)


def attempt(read: Callable[[Any], Any], data: object) -> Any:
    """Read; None when that raises WireError. Anything else that it raises fails the test."""
    try:
        return read(data)
    except WireError:
        return None


@given(requests)
def test_request_round_trip(request: Any) -> None:
    encoded = request.encode()
    assert type(request).decode(encoded) == request
    for token in (TOKEN, b"\x00" * 32):
        assert token not in repr(request).encode()


EXAMPLES: list[Any] = [
    CreateMailbox(ID, HASH, TOKEN, Authorization.phrase("암구호")),
    CreateMailbox(ID, HASH, TOKEN, Authorization()),
    CreateMailbox(ID, HASH, TOKEN, Authorization.renewal(HASH)),
    MailboxToken(ID, TOKEN),
    Receive([(ID, TOKEN), (HASH[:16], HASH)]),
    Acknowledge(ID, TOKEN, [0, 1, 2**63 - 1]),
    PutTicket(Authorization.ticket(HASH), HASH, 5),
    PutBlobs(Authorization.mailbox(ID, TOKEN), [PutBlob(ID, HASH, 5, b"blob")] * 2),
    GetBlobs([ID, HASH[:16]]),
    DeleteBlob(ID, TOKEN),
]


@pytest.mark.parametrize("request_", EXAMPLES, ids=lambda each: type(each).__name__)
def test_every_damaged_request_is_another_or_refused(request_: Any) -> None:
    encoded = request_.encode()
    for data in (*truncated(encoded), *flipped(encoded), encoded + b"\0"):
        damaged = attempt(type(request_).decode, data)
        assert damaged != request_
        if damaged is not None:
            assert damaged.encode() == data


@given(st.binary(max_size=150))
def test_any_bytes_as_requests(data: bytes) -> None:
    for request in EXAMPLES:
        for body in (data, request.encode()[: len(data)] + data):
            attempt(type(request).decode, body)
    attempt(Append.decode, ID + TOKEN + data)
    attempt(SignedFacts.decode, data)
    attempt(Authorization.decode, data)


def test_append_is_strict() -> None:
    encoded = Append(ID, TOKEN, [SMALL, LARGE, MIDDLE]).encode()
    assert encoded == plain.append(ID, TOKEN, [SMALL, LARGE, MIDDLE])
    for cut in (0, 1, 47, 48, 49, 100, 4144, 4146, len(encoded) - 1):
        assert attempt(Append.decode, encoded[:cut]) is None
    assert attempt(Append.decode, encoded + b"\0") is None
    for size in range(3, 256):
        assert attempt(Append.decode, ID + TOKEN + bytes([size]) + SMALL) is None
    for envelope in (b"", SMALL[1:], SMALL + b"e", LARGE + b"e"):
        with pytest.raises(WireError):
            Append(ID, TOKEN, [envelope]).encode()


@pytest.mark.parametrize(
    ("make", "limit", "path"),
    [
        (lambda n: Append(ID, TOKEN, [LARGE] * n), MAX_APPEND, Path.APPEND),
        (
            lambda n: Receive([(i.to_bytes(16, "big"), TOKEN) for i in range(n)]),
            MAX_SUBSCRIPTIONS,
            Path.RECEIVE,
        ),
        (lambda n: Acknowledge(ID, TOKEN, [1] * n), MAX_ACKNOWLEDGE, Path.ACKNOWLEDGE),
        (lambda n: GetBlobs([ID] * n), MAX_BLOBS, Path.BLOB_GET),
        (
            lambda n: PutBlobs(Authorization(), [PutBlob(ID, HASH, 1, b"x")] * n),
            MAX_BLOBS,
            None,
        ),
    ],
)
def test_counts_at_their_limit(make: Callable[[int], Any], limit: int, path: Path | None) -> None:
    encoded = make(limit).encode()
    assert type(make(1)).decode(encoded) == make(limit)
    assert path is None or len(encoded) == REQUEST_LIMITS[path]
    for count in (0, limit + 1):
        with pytest.raises(WireError):
            make(count)
    head = make(1).encode()
    more = encoded + head[len(head) - (len(encoded) - len(make(limit - 1).encode())) :]
    assert attempt(type(make(1)).decode, more) is None


@pytest.mark.parametrize("tokens", [(TOKEN, TOKEN), (TOKEN, HASH)])
def test_a_receive_names_no_mailbox_twice(tokens: tuple[bytes, bytes]) -> None:
    """Else what finding one takes could be added up in one answer."""
    first, second = ((ID, token) for token in tokens)
    pairs = [first, *((i.to_bytes(16, "big"), TOKEN) for i in range(99)), second]
    assert attempt(Receive.decode, b"".join(part for pair in pairs[:-1] for part in pair))
    assert attempt(Receive.decode, b"".join(part for pair in pairs for part in pair)) is None
    with pytest.raises(WireError):
        Receive(pairs)


def test_every_path_has_a_limit() -> None:
    assert set(REQUEST_LIMITS) == set(Path)
    longest = Authorization.phrase("x" * MAX_PHRASE)
    keys = [number.to_bytes(8, "big") for number in range(32)]
    create = CreateMailbox(ID, HASH, HASH, longest, Solution(Puzzle(1, 32, HASH), keys)).encode()
    assert len(create) == REQUEST_LIMITS[Path.CREATE]
    assert len(PutTicket(longest, HASH, 1).encode()) == REQUEST_LIMITS[Path.TICKET]
    for path in (Path.DELETE, Path.DISCLOSURE, Path.BLOB_DELETE):
        assert len(MailboxToken(ID, TOKEN).encode()) == REQUEST_LIMITS[path]


@pytest.mark.parametrize("seq", [-1, 2**63, 2**64 - 1])
def test_seqs_have_a_limit(seq: int) -> None:
    with pytest.raises(WireError):
        Acknowledge(ID, TOKEN, [seq])
    with pytest.raises(WireError):
        EnvelopeFrame(0, seq, SMALL)
    if seq > 0:
        assert attempt(Acknowledge.decode, plain.acknowledge(ID, TOKEN, [seq])) is None


@pytest.mark.parametrize("expiry", [-1, MAX_EXPIRY + 1, 2**64 - 1])
def test_expiries_have_a_limit(expiry: int) -> None:
    with pytest.raises(WireError):
        PutTicket(Authorization(), HASH, expiry)
    with pytest.raises(WireError):
        PutBlob(ID, HASH, expiry, b"x")
    if expiry > 0:
        ticket = plain.authorization(0, b"") + HASH + expiry.to_bytes(8, "big")
        assert attempt(PutTicket.decode, ticket) is None
        put = plain.authorization(0, b"") + plain.put_blob(ID, HASH, expiry, b"x")
        assert attempt(PutBlobs.decode, put) is None


def test_authorizations() -> None:
    assert Authorization().encode() == b"\0\0\0"
    assert Authorization.phrase("e\u0301") == Authorization.phrase("é")
    assert Authorization.mailbox(ID, TOKEN).mailbox_token == (ID, TOKEN)
    assert "암구호" not in repr(Authorization.phrase("암구호"))
    bad = [
        (0, b"x"),
        (1, b""),
        (1, b"\xff"),
        (1, "e\u0301".encode()),
        (1, b"x" * (MAX_PHRASE + 1)),
        (2, bytes(31)),
        (2, bytes(33)),
        (3, bytes(47)),
        (3, bytes(49)),
        (4, b""),
        (4, bytes(31)),
        (4, bytes(33)),
        (5, b""),
        (5, bytes(32)),
        (255, b""),
    ]
    for kind, secret in bad:
        assert attempt(Authorization.decode, plain.authorization(kind, secret)) is None
    for phrase in ("", "\ud800", "x" * (MAX_PHRASE + 1)):
        with pytest.raises(WireError):
            Authorization.phrase(phrase)
    for kind in (AuthorizationKind.TICKET, AuthorizationKind.RENEWAL):
        with pytest.raises(WireError):
            Authorization(kind, b"")
    assert Authorization.renewal(TOKEN).encode() == plain.authorization(4, TOKEN)


@given(st.binary(max_size=70))
def test_the_answer_to_a_creation(answer: bytes) -> None:
    fits = len(answer) in (0, 32)
    assert attempt(decode_renewal, answer) == (answer if fits else None)


def test_verdicts() -> None:
    verdicts = list(Verdict)
    assert encode_verdicts(verdicts) == b"\0\1\2\3\4"
    assert decode_verdicts(b"\0\1\2\3\4", 5) == verdicts
    for data, count in ((b"", 1), (b"\0", 0), (b"\0", 2), (b"\5", 1), (b"\xff", 1)):
        assert attempt(lambda each, count=count: decode_verdicts(each, count), data) is None


def decoded(pieces: list[bytes]) -> list[Frame] | None:
    """Read a stream that ended; None when it is refused anywhere."""
    decoder = FrameDecoder()
    found: list[Frame] = []
    try:
        for piece in pieces:
            found += decoder.feed(piece)
        decoder.finish()
    except WireError:
        return None
    return found


@given(st.lists(frames, max_size=5), st.data())
def test_frames_in_any_pieces(several: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(map(encode_frame, several))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    ends = [0, *cuts, len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(ends)]
    assert decoded(pieces) == several


SHORT: list[Frame] = [Heartbeat(), RefusedFrame(7), CaughtUp(65_535), Goodbye()]


def test_every_damaged_stream_is_another_or_refused() -> None:
    stream = b"".join(map(encode_frame, SHORT)) + encode_frame(EnvelopeFrame(1, 2, SMALL))[:200]
    whole = b"".join(map(encode_frame, SHORT))
    for data in (*truncated(stream), *flipped(stream), *flipped(whole), whole + b"\0"):
        one_by_one = [data[at : at + 1] for at in range(len(data))]
        found = decoded([data])
        assert found == decoded(one_by_one)
        assert (found is None) == (plain.read_frames(data) is None)
        assert found != SHORT or data == whole


@given(st.binary(max_size=60))
def test_any_bytes_as_frames(data: bytes) -> None:
    expected = plain.read_frames(data)
    found = decoded([data])
    assert (found is None) == (expected is None)
    assert decoded([data[at : at + 1] for at in range(len(data))]) == found


def test_wrong_frame_is_refused_from_its_head_and_for_good() -> None:
    for head in (b"\x00\0\0\0\0", b"\x06\0\0\0\0", b"\x01\0\0\x10\x0b", b"\x02\0\0\0\x01"):
        decoder = FrameDecoder()
        assert decoder.feed(head[:4]) == []
        with pytest.raises(WireError):
            decoder.feed(head[4:])
        with pytest.raises(WireError):
            decoder.feed(encode_frame(Heartbeat()))
        with pytest.raises(WireError):
            decoder.finish()


def test_seq_beyond_its_limit_in_a_frame_is_refused() -> None:
    head = envelope_head(0, 2**63 - 1, 4096)
    assert decoded([head + SMALL]) == [EnvelopeFrame(0, 2**63 - 1, SMALL)]
    for seq in (2**63, 2**64 - 1):
        assert decoded([envelope_head(0, seq, 4096) + SMALL]) is None


def test_decoder_holds_no_more_than_one_frame() -> None:
    decoder = FrameDecoder()
    stream = encode_frame(EnvelopeFrame(0, 1, LARGE))
    tracemalloc.start()
    try:
        for _ in range(50):
            for at in range(0, len(stream), 1000):
                decoder.feed(stream[at : at + 1000])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 4 * len(stream)


def test_whole_chunk_is_not_copied_before_its_frames_are_cut() -> None:
    buffer = StreamBuffer()
    chunk = bytes(1 << 20)
    tracemalloc.start()
    try:
        buffer.feed(chunk)
        assert len(buffer) == len(chunk)
        buffer.take(4096)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16_384


@given(st.lists(blobs, min_size=1, max_size=4), authorizations, st.integers(1, 50))
def test_put_in_pieces(several: list[PutBlob], authorization: Authorization, size: int) -> None:
    body = PutBlobs(authorization, several).encode()
    decoder = PutBlobsDecoder()
    found: list[PutBlob] = []
    for at in range(0, len(body), size):
        found += decoder.feed(body[at : at + size])
        assert not found or decoder.authorization == authorization
    assert found == several
    assert decoder.finish() == authorization


def test_put_is_bounded() -> None:
    assert PutBlob(ID, HASH, 1, bytes(MAX_BLOB)).blob
    for size in (0, MAX_BLOB + 1):
        with pytest.raises(WireError):
            PutBlob(ID, HASH, 1, bytes(size))
    head = Authorization().encode() + ID + HASH + bytes(8)
    for length, right in (
        (1, True),
        (MAX_BLOB, True),
        (0, False),
        (MAX_BLOB + 1, False),
        (2**32 - 1, False),
    ):
        found = attempt(PutBlobsDecoder().feed, head + length.to_bytes(4, "big"))
        assert (found == []) == right
    decoder = PutBlobsDecoder(max_blob=10)
    with pytest.raises(WireError):
        decoder.feed(head + (11).to_bytes(4, "big"))
    with pytest.raises(WireError):
        PutBlobsDecoder().feed(b"\x01" + (MAX_PHRASE + 1).to_bytes(2, "big"))
    for body in (b"", b"\0\0", b"\0\0\0", head, head + b"\0\0\0\1"):
        decoder = PutBlobsDecoder()
        decoder.feed(body)
        with pytest.raises(WireError):
            decoder.finish()


@given(
    st.lists(st.none() | st.binary(min_size=1, max_size=100), min_size=1, max_size=5),
    st.integers(1, 60),
)
def test_blob_answers_in_pieces(several: list[bytes | None], size: int) -> None:
    body = b"".join(map(encode_blob_answer, several))
    decoder = BlobsDecoder(len(several))
    found: list[bytes | None] = []
    for at in range(0, len(body), size):
        found += decoder.feed(body[at : at + size])
    decoder.finish()
    assert found == several


@pytest.mark.parametrize(
    "body",
    [
        b"\2\0\0\0\0",
        b"\1\0\0\0\1",
        b"\0\0\0\0\0",
        b"\0\0\0\0\x0b",
        b"\0\xff\xff\xff\xff",
        encode_blob_answer(b"blob") + b"x",
        encode_blob_answer(b"blob") * 2,
    ],
)
def test_blob_answers_are_strict(body: bytes) -> None:
    with pytest.raises(WireError):
        BlobsDecoder(1, max_blob=10).feed(body)


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"\0\0\0\0", b"\0\0\0\0\5", encode_blob_answer(b"blob")[:-1]]
)
def test_blob_answers_must_be_whole(body: bytes) -> None:
    decoder = BlobsDecoder(1)
    assert decoder.feed(body) == []
    with pytest.raises(WireError):
        decoder.finish()


KEY = ec.generate_private_key(ec.SECP256R1())
STATED = Facts(
    software="exile-tui",
    build="1",
    retention_days=3,
    limits={"b": 2, "a": 1},
    access="phrase",
    jurisdiction="대한민국",
    date="2026-02-28",
    requests_received=0,
)


def spki_of(key: Any) -> bytes:
    encoded: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def sign(body: bytes) -> SignedFacts:
    signature = KEY.sign(facts_message(body), ec.ECDSA(SHA256()))
    return SignedFacts(spki_of(KEY), body, signature)


def test_facts_are_canonical_and_verified() -> None:
    body = encode_facts(STATED)
    assert body.startswith(b'{"access":"phrase","build":"1","date":"2026-02-28",')
    assert b'"limits":{"a":1,"b":2}' in body
    assert "대한민국".encode() in body
    signed = sign(body)
    signed.verify(sha256(signed.spki))
    assert signed.facts == STATED
    assert SignedFacts.decode(signed.encode()) == signed


def test_every_damaged_statement_fails_its_check() -> None:
    signed = sign(encode_facts(STATED))
    pin = sha256(signed.spki)
    encoded = signed.encode()

    def read(data: bytes) -> bool:
        SignedFacts.decode(data).verify(pin)
        return True

    assert read(encoded)
    for data in (*truncated(encoded), *flipped(encoded, bits=1), encoded + b"\0"):
        assert attempt(read, data) is None


def test_statement_by_another_key_fails_its_check() -> None:
    body = encode_facts(STATED)
    signed = sign(body)
    others: list[Any] = [
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ]
    with pytest.raises(WireError):
        signed.verify(bytes(32))
    for other in others:
        spki = spki_of(other)
        with pytest.raises(WireError):
            SignedFacts(spki, body, signed.signature).verify(sha256(spki))
    for spki in (b"", b"spki"):
        with pytest.raises(WireError):
            SignedFacts(spki, body, signed.signature).verify(sha256(spki))
    # A signature over the body alone, without the prefix, is none.
    bare = KEY.sign(body, ec.ECDSA(SHA256()))
    with pytest.raises(WireError):
        SignedFacts(signed.spki, body, bare).verify(sha256(signed.spki))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"phrase"', b'"secret"'),
        (b'"2026-02-28"', b'"yesterday"'),
        (b'"2026-02-28"', b'"2026-02-28\\n"'),
        (b'"retention_days":3', b'"retention_days":-3'),
        (b'"retention_days":3', b'"retention_days":"3"'),
        (b'"a":1', b'"a":null'),
        (b'"software"', b'"softwar"'),
        (b'"exile-tui"', b'"' + b"x" * 4097 + b'"'),
        (b'"exile-tui"', b'"\xff"'),
        (b"}", b""),
        (b'"build"', b'"x":' + b"[" * 50_000 + b',"build"'),
    ],
)
def test_statements_with_wrong_fields_are_refused(old: bytes, new: bytes) -> None:
    body = encode_facts(STATED)
    assert old in body
    with pytest.raises(WireError):
        _ = SignedFacts(b"", body.replace(old, new), b"").facts


def test_later_fields_of_a_statement_are_ignored() -> None:
    body = encode_facts(STATED)[:-1] + b',"operator":"someone"}'
    assert SignedFacts(b"", body, b"").facts == STATED


def test_answer_with_facts_is_bounded() -> None:
    signed = SignedFacts(b"s", b"b" * (MAX_FACTS - 2 - 1 - 4 - 1), b"g")
    assert SignedFacts.decode(signed.encode()) == signed
    longer = SignedFacts(b"s", signed.body + b"b", b"g")
    assert attempt(SignedFacts.decode, longer.encode()) is None
    for signature in (b"", bytes(73)):
        assert attempt(SignedFacts.decode, SignedFacts(b"s", b"b", signature).encode()) is None
