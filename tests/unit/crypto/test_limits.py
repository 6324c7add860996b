"""Each limit of docs/protocol.md, section 5, at its exact boundary."""

import pytest

from exile_tui.crypto.session import Session
from exile_tui.errors import CryptoError
from tests.unit.crypto.support import (
    DAY,
    SMALL,
    SYSTEM,
    advanced,
    body,
    established,
    forge,
    reload,
    send_many,
    skipped_count,
    with_sent,
)


def exchange(sender: Session, receiver: Session, text: str = "x") -> tuple[Session, Session]:
    sender, envelope = sender.seal(body(text), SYSTEM)
    return sender, receiver.open(envelope, DAY).session


def test_n_ends_at_19_999_for_the_sender() -> None:
    joiner, inviter = exchange(*established())
    joiner = reload(advanced(joiner, 19_999))
    assert joiner.can_seal
    joiner, envelope = joiner.seal(body("last"), SYSTEM)
    assert not joiner.can_seal
    before = joiner.to_bytes()
    with pytest.raises(CryptoError):
        joiner.seal(body("one too many"), SYSTEM)
    assert joiner.to_bytes() == before
    opened = inviter.open(envelope, DAY)
    assert opened.body == body("last")
    assert opened.lapsed == 19_998 - 1_000
    # An answer opens the way again.
    inviter, joiner = exchange(reload(opened.session), reload(joiner))
    assert joiner.can_seal
    joiner, inviter = exchange(joiner, inviter)


def test_n_above_19_999_is_refused_by_the_receiver() -> None:
    joiner, inviter = exchange(*established())
    joiner = advanced(joiner, 20_000)
    before = inviter.to_bytes()
    with pytest.raises(CryptoError):
        inviter.open(forge(joiner, bytes), DAY)
    assert inviter.to_bytes() == before


@pytest.mark.parametrize(("gap", "taken"), [(25_000, True), (25_001, False)])
def test_a_gap_of_25_000_is_taken(gap: int, taken: bool) -> None:
    joiner, inviter = exchange(*established())
    inviter, joiner = exchange(inviter, joiner)
    # One message of the joiner's chain was received, so its claimed length is one more.
    joiner, envelope = with_sent(joiner, 1 + gap).seal(body("step"), SYSTEM)
    before = inviter.to_bytes()
    if taken:
        opened = inviter.open(envelope, DAY)
        assert opened.body == body("step")
        assert opened.lapsed == gap - 1_000
        assert skipped_count(opened.session) == 1_000
        assert reload(opened.session).to_bytes() == opened.session.to_bytes()
    else:
        with pytest.raises(CryptoError):
            inviter.open(envelope, DAY)
        assert inviter.to_bytes() == before


def test_the_newest_1_000_keys_of_a_gap_are_kept() -> None:
    joiner, inviter = established()
    joiner, envelopes = send_many(joiner, 1_002)
    exact = inviter.open(envelopes[1_000], DAY)
    assert exact.lapsed == 0
    assert exact.session.open(envelopes[0], DAY).body == body("m0")
    over = inviter.open(envelopes[1_001], DAY)
    assert over.lapsed == 1
    assert skipped_count(over.session) == 1_000
    with pytest.raises(CryptoError):
        over.session.open(envelopes[0], DAY)
    assert over.session.open(envelopes[1], DAY).body == body("m1")


def test_beyond_2_000_keys_the_oldest_go() -> None:
    joiner, inviter = established()
    joiner, envelopes = send_many(joiner, 2_006)
    inviter = inviter.open(envelopes[1_000], DAY).session
    opened = inviter.open(envelopes[2_001], DAY)
    assert opened.lapsed == 0
    inviter = opened.session
    assert skipped_count(inviter) == 2_000
    opened = inviter.open(envelopes[2_005], DAY)
    assert opened.lapsed == 3
    inviter = reload(opened.session)
    assert skipped_count(inviter) == 2_000
    for lost in (0, 1, 2):
        with pytest.raises(CryptoError):
            inviter.open(envelopes[lost], DAY)
    for kept in (3, 999, 1_001, 2_004):
        inviter = inviter.open(envelopes[kept], DAY).session
    assert skipped_count(inviter) == 1_996


def test_the_oldest_keys_go_from_the_oldest_chain() -> None:
    joiner, inviter = established()
    joiner, first = send_many(joiner, 1_001, "a")
    inviter = inviter.open(first[1_000], DAY).session
    inviter, joiner = exchange(inviter, joiner)
    joiner, second = send_many(joiner, 1_001, "b")
    inviter = inviter.open(second[1_000], DAY).session
    assert skipped_count(inviter) == 2_000
    inviter, joiner = exchange(inviter, joiner)
    joiner, third = send_many(joiner, 3, "c")
    opened = inviter.open(third[2], DAY)
    assert opened.lapsed == 2
    for lost in (0, 1):
        with pytest.raises(CryptoError):
            opened.session.open(first[lost], DAY)
    for kept in (first[2], second[0], third[0]):
        assert opened.session.open(kept, DAY)


def test_64_old_header_keys_are_kept() -> None:
    joiner, inviter = established()
    kept = []
    for _ in range(66):
        joiner, (late, sent) = send_many(joiner, 2)
        kept.append(late)
        opened = inviter.open(sent, DAY)
        # The newest chain is the current one: 64 old ones are there at the 65th.
        assert opened.lapsed == (1 if len(kept) == 66 else 0)
        inviter, joiner = exchange(opened.session, joiner)
    assert len(inviter._ratchet.old) == 64
    with pytest.raises(CryptoError):
        inviter.open(kept[0], DAY)
    assert reload(inviter).open(kept[1], DAY).body == body("m0")


def test_a_skipped_key_lives_14_days() -> None:
    joiner, inviter = established()
    joiner, (late, later, newest) = send_many(joiner, 3)
    joiner_after, inviter = joiner, inviter.open(newest, DAY).session
    assert inviter.expire(DAY + 14) == (inviter, 0)
    assert inviter.open(late, DAY + 14).lapsed == 0
    expired, lapsed = inviter.expire(DAY + 15)
    assert lapsed == 2
    assert skipped_count(expired) == 0
    assert expired.expire(DAY + 15) == (expired, 0)
    for session in (inviter, expired):
        before = session.to_bytes()
        with pytest.raises(CryptoError):
            session.open(late, DAY + 15)
        assert session.to_bytes() == before
    # An old key lapses with the next message that opens, whatever its chain.
    joiner_after, fresh = joiner_after.seal(bytes(SMALL), SYSTEM)
    opened = inviter.open(fresh, DAY + 15)
    assert opened.lapsed == 2
    with pytest.raises(CryptoError):
        opened.session.open(later, DAY)


def test_old_chains_expire_whole_and_in_part() -> None:
    joiner, inviter = established()
    joiner, envelopes = send_many(joiner, 5)
    inviter = inviter.open(envelopes[1], DAY).session
    inviter = inviter.open(envelopes[4], DAY + 10).session
    inviter, answer = inviter.seal(bytes(SMALL), SYSTEM)
    joiner = joiner.open(answer, DAY).session
    joiner, step = joiner.seal(bytes(SMALL), SYSTEM)
    inviter = reload(inviter.open(step, DAY + 10).session)
    partly, lapsed = inviter.expire(DAY + 20)
    assert lapsed == 1
    assert partly.open(envelopes[2], DAY + 20).body == body("m2")
    gone, lapsed = partly.expire(DAY + 30)
    assert lapsed == 2
    assert gone._ratchet.old == ()


def test_a_clock_that_went_back_lapses_nothing() -> None:
    joiner, inviter = established()
    joiner, (late, newest) = send_many(joiner, 2)
    inviter = inviter.open(newest, DAY).session
    assert inviter.open(late, 0).body == body("m0")


@pytest.mark.parametrize("day", [-1, -(2**40), 2**32, 2**63])
def test_a_clock_centuries_off_stops_no_message(day: int) -> None:
    joiner, inviter = established()
    joiner, (late, newest) = send_many(joiner, 2)
    inviter = reload(inviter.open(newest, day).session)
    assert inviter.open(late, day).body == body("m0")


def test_a_gap_is_counted_before_the_body_is_known_but_nothing_is_kept() -> None:
    joiner, inviter = exchange(*established())
    joiner, envelope = advanced(joiner, 19_999).seal(body("far"), SYSTEM)
    before = inviter.to_bytes()
    with pytest.raises(CryptoError):
        inviter.open(envelope[:-1] + bytes((envelope[-1] ^ 1,)), DAY)
    assert inviter.to_bytes() == before
