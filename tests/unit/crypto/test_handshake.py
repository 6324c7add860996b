import pytest

from exile_tui.crypto.aead import HeaderKey
from exile_tui.crypto.handshake import (
    InviteSecret,
    bundle_hash,
    generate_invite,
    join,
    open_request,
)
from exile_tui.crypto.request import request_key
from exile_tui.crypto.session import Role
from exile_tui.errors import CryptoError
from tests.unit.crypto.support import (
    DAY,
    PROFILE,
    REQUEST_BODY,
    SMALL,
    SYSTEM,
    body,
    invited,
    reload,
)


def rewrapped(key: HeaderKey, bh: bytes, content: bytes, at: int, bit: int = 1) -> bytes:
    changed = bytearray(content)
    changed[at] ^= bit
    return key.seal(bytes(changed), bh, SYSTEM)


def test_any_one_of_the_eight_requests_makes_the_session() -> None:
    invite = invited()
    joiner, envelopes = invite.joiner, []
    for i in range(8):
        assert joiner.in_request_form
        assert joiner.requests_sent == i
        assert joiner.body_sizes == (REQUEST_BODY,)
        joiner, envelope = joiner.seal(body(f"r{i}", REQUEST_BODY), SYSTEM)
        assert len(envelope) == 16384
        envelopes.append(envelope)
    for first in range(8):
        opened = open_request(invite.secret, invite.bh, envelopes[first], DAY)
        assert opened.profile_block == PROFILE
        assert opened.body == body(f"r{first}", REQUEST_BODY)
        assert opened.lapsed == 0
        inviter = opened.session
        for other in (7, 3, 5, 0, 6, 1, 4, 2):
            if other != first:
                result = inviter.open(envelopes[other], DAY)
                assert result.body == body(f"r{other}", REQUEST_BODY)
                inviter = reload(result.session)


def test_both_sides_name_the_same_handshake() -> None:
    invite = invited()
    joiner, envelope = invite.joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    inviter = open_request(invite.secret, invite.bh, envelope, DAY).session
    assert (joiner.role, inviter.role) == (Role.JOINER, Role.INVITER)
    assert joiner.local_identity == inviter.remote_identity
    assert joiner.remote_identity == inviter.local_identity == invite.secret.ik.public()
    assert joiner.transcript == inviter.transcript
    assert len(joiner.transcript) == 64
    assert joiner.bundle_hash == inviter.bundle_hash == invite.bh
    assert inviter.body_sizes == (1683, 13971, 63123)
    assert not inviter.in_request_form
    assert inviter.requests_sent == 0


def test_the_ninth_request_waits() -> None:
    joiner = invited().joiner
    for _ in range(8):
        assert joiner.can_seal
        joiner, _ = joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    before = joiner.to_bytes()
    assert joiner.requests_sent == 8
    assert not joiner.can_seal
    with pytest.raises(CryptoError):
        joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    assert joiner.to_bytes() == before


def test_the_answer_ends_the_request_form() -> None:
    invite = invited()
    joiner, envelope = invite.joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    for _ in range(7):
        joiner, last = joiner.seal(body("before", REQUEST_BODY), SYSTEM)
    inviter = open_request(invite.secret, invite.bh, envelope, DAY).session
    inviter, answer = inviter.seal(body("answer", 13971), SYSTEM)
    joiner = reload(joiner).open(answer, DAY).session
    assert not joiner.in_request_form
    assert joiner.requests_sent == 8
    assert joiner.can_seal
    assert joiner.body_sizes == (1683, 13971, 63123)
    joiner, after = joiner.seal(body("after"), SYSTEM)
    assert len(after) == 4096
    # The last request arrives after a message of the next chain.
    inviter = inviter.open(after, DAY).session
    assert inviter.open(last, DAY).body == body("before", REQUEST_BODY)


def test_the_first_2728_bytes_of_every_request_are_the_same() -> None:
    invite = invited()
    key, contents = request_key(invite.bh), []
    joiner = invite.joiner
    for _ in range(3):
        joiner, envelope = reload(joiner).seal(bytes(REQUEST_BODY), SYSTEM)
        content = key.try_open(envelope, invite.bh)
        assert content is not None
        contents.append(content)
    assert len({content[:2728] for content in contents}) == 1
    assert {len(content) for content in contents} == {16356}


def test_a_replayed_request_does_nothing_also_after_reload() -> None:
    invite = invited()
    joiner, envelope = invite.joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    inviter = open_request(invite.secret, invite.bh, envelope, DAY).session
    joiner, second = joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    inviter = inviter.open(second, DAY).session
    for session in (inviter, reload(inviter)):
        before = session.to_bytes()
        for replay in (envelope, second):
            with pytest.raises(CryptoError):
                session.open(replay, DAY)
        assert session.to_bytes() == before


def test_another_joiner_with_the_same_link_is_refused() -> None:
    invite = invited()
    _, envelope = invite.joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    inviter = open_request(invite.secret, invite.bh, envelope, DAY).session
    late = join(invite.secret.public, invite.bh, PROFILE, SYSTEM)
    _, other = late.seal(bytes(REQUEST_BODY), SYSTEM)
    for session in (inviter, reload(inviter)):
        before = session.to_bytes()
        with pytest.raises(CryptoError):
            session.open(other, DAY)
        assert session.to_bytes() == before


def test_every_byte_of_a_request_counts() -> None:
    invite = invited()
    joiner, envelope = invite.joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    session = open_request(invite.secret, invite.bh, envelope, DAY).session
    _, repeated = joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    before, secret_before = session.to_bytes(), invite.secret.to_bytes()
    for at in range(16384):
        changed = bytearray(envelope)
        changed[at] ^= 1 << at % 8
        with pytest.raises(CryptoError):
            open_request(invite.secret, invite.bh, bytes(changed), DAY)
        changed = bytearray(repeated)
        changed[at] ^= 1 << at % 8
        with pytest.raises(CryptoError):
            session.open(bytes(changed), DAY)
    assert session.to_bytes() == before
    assert invite.secret.to_bytes() == secret_before
    assert session.open(repeated, DAY).body == bytes(REQUEST_BODY)


def test_whoever_holds_the_link_cannot_change_what_is_inside_a_request() -> None:
    """The outer layer is opened and sealed again, as a relay with the link could."""
    invite = invited()
    _, envelope = invite.joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    key = request_key(invite.bh)
    content = key.try_open(envelope, invite.bh)
    assert content is not None
    # Every byte of the keys, a stride over the rest, and every byte of what frames a ciphertext.
    inner = 2728
    positions = {*range(64), *range(64, len(content), 13), *range(1632, 1632 + 56)}
    positions |= {*range(inner, inner + 12), *range(inner + 2341, inner + 2341 + 56)}
    for at in sorted(positions):
        with pytest.raises(CryptoError):
            open_request(invite.secret, invite.bh, rewrapped(key, invite.bh, content, at), DAY)
    assert open_request(invite.secret, invite.bh, key.seal(content, invite.bh, SYSTEM), DAY)


def test_another_invites_keys_or_hash_open_nothing() -> None:
    invite = invited()
    _, envelope = invite.joiner.seal(bytes(REQUEST_BODY), SYSTEM)
    with pytest.raises(CryptoError):
        open_request(generate_invite(SYSTEM), invite.bh, envelope, DAY)
    with pytest.raises(CryptoError):
        open_request(invite.secret, bundle_hash(b"another"), envelope, DAY)
    for length in (0, 4096, 16383, 16385, 65536):
        with pytest.raises(CryptoError):
            open_request(invite.secret, invite.bh, envelope.ljust(length, b"\0")[:length], DAY)


def test_join_takes_exact_lengths() -> None:
    public = generate_invite(SYSTEM).public
    for bh, profile in (
        (bytes(31), PROFILE),
        (bytes(32), PROFILE[:-1]),
        (bytes(32), PROFILE + b"x"),
    ):
        with pytest.raises(CryptoError):
            join(public, bh, profile, SYSTEM)


def test_an_invites_keys_survive_storage() -> None:
    secret = generate_invite(SYSTEM)
    raw = secret.to_bytes()
    again = InviteSecret.from_bytes(raw)
    assert again.to_bytes() == raw
    assert again.public == secret.public
    for bad in (b"", raw[:-1], raw + b"\0", b"\x02" + raw[1:]):
        with pytest.raises(CryptoError):
            InviteSecret.from_bytes(bad)


def test_bodies_of_another_length_are_not_sealed() -> None:
    joiner = invited().joiner
    for length in (0, SMALL, REQUEST_BODY - 1, REQUEST_BODY + 1):
        with pytest.raises(CryptoError):
            joiner.seal(bytes(length), SYSTEM)
