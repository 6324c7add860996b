import pytest

from exile_tui.crypto.failures import PossibleRestoredCopy
from exile_tui.crypto.session import Session
from exile_tui.errors import CryptoError
from tests.unit.crypto.support import (
    BODIES,
    DAY,
    SYSTEM,
    body,
    established,
    forge,
    reload,
    requested,
    send_many,
    sending_chain,
    skipped_count,
)


def refused(session: Session, envelope: bytes) -> None:
    """Check that an envelope is refused and leaves the same bytes, here and after a reload."""
    before = session.to_bytes()
    with pytest.raises(CryptoError):
        session.open(envelope, DAY)
    assert session.to_bytes() == before
    again = Session.from_bytes(before)
    with pytest.raises(CryptoError):
        again.open(envelope, DAY)
    assert again.to_bytes() == before


@pytest.mark.parametrize("size", BODIES)
def test_every_size_both_ways(size: int) -> None:
    joiner, inviter = established()
    joiner, envelope = joiner.seal(body("안녕", size), SYSTEM)
    assert len(envelope) == size + 2413
    assert len(envelope) in (4096, 16384, 65536)
    opened = inviter.open(envelope, DAY)
    assert opened.body == body("안녕", size)
    assert opened.lapsed == 0
    inviter, answer = opened.session.seal(body("응", size), SYSTEM)
    assert joiner.open(answer, DAY).body == body("응", size)


def test_a_session_is_a_value() -> None:
    joiner, inviter = established()
    before = joiner.to_bytes()
    _, one = joiner.seal(body("one"), SYSTEM)
    _, two = joiner.seal(body("two"), SYSTEM)
    assert joiner.to_bytes() == before
    # Two futures of one state; the peer could follow either.
    assert inviter.open(one, DAY).body == body("one")
    assert inviter.open(two, DAY).body == body("two")
    for name in ("role", "transcript", "can_seal", "something"):
        with pytest.raises(AttributeError):
            setattr(joiner, name, None)


@pytest.mark.parametrize("stepping", [True, False])
def test_every_byte_of_an_envelope_counts(stepping: bool) -> None:
    joiner, inviter = established()
    joiner, envelope = joiner.seal(body("first"), SYSTEM)
    if not stepping:
        inviter = inviter.open(envelope, DAY).session
        joiner, envelope = joiner.seal(body("second"), SYSTEM)
    before = inviter.to_bytes()
    for at in range(len(envelope)):
        changed = bytearray(envelope)
        changed[at] ^= 1 << at % 8
        with pytest.raises(CryptoError):
            inviter.open(bytes(changed), DAY)
    assert inviter.to_bytes() == before
    for length in (0, 1, 2340, 2341, 2412, 2413, 4095, 4097, 16384, 65536):
        refused(inviter, envelope.ljust(length, b"\0")[:length])
    assert inviter.open(envelope, DAY).body == body("first" if stepping else "second")


def test_a_late_message_is_tampered_with_in_vain() -> None:
    joiner, inviter = established()
    joiner, (late, _, newest) = send_many(joiner, 3)
    inviter = inviter.open(newest, DAY).session
    for session in (inviter, reload(inviter)):
        for at in range(0, len(late), 5):
            changed = bytearray(late)
            changed[at] ^= 0x80
            with pytest.raises(CryptoError):
                session.open(bytes(changed), DAY)
        assert session.to_bytes() == inviter.to_bytes()
        assert session.open(late, DAY).body == body("m0")


def test_a_replay_is_refused_also_after_reload_and_after_steps() -> None:
    joiner, inviter = established()
    joiner, envelopes = send_many(joiner, 4)
    for envelope in (envelopes[2], envelopes[0], envelopes[1]):
        inviter = inviter.open(envelope, DAY).session
        refused(inviter, envelope)
    inviter, answer = inviter.seal(body("answer"), SYSTEM)
    joiner = joiner.open(answer, DAY).session
    refused(joiner, answer)
    joiner, fresh = joiner.seal(body("fresh"), SYSTEM)
    inviter = inviter.open(fresh, DAY).session
    for envelope in (*envelopes[:3], fresh):
        refused(inviter, envelope)
    inviter = inviter.open(envelopes[3], DAY).session
    refused(inviter, envelopes[3])


def test_messages_of_several_steps_arrive_in_any_order() -> None:
    joiner, inviter = established()
    waiting = []
    for round_ in range(5):
        joiner, (kept, sent) = send_many(joiner, 2, f"{round_}-")
        waiting.append((kept, body(f"{round_}-0")))
        inviter = reload(inviter.open(sent, DAY).session)
        inviter, answer = inviter.seal(body("answer"), SYSTEM)
        joiner = joiner.open(answer, DAY).session
    assert skipped_count(inviter) == 5
    for envelope, text in reversed(waiting):
        opened = inviter.open(envelope, DAY)
        assert opened.body == text
        inviter = reload(opened.session)
    assert skipped_count(inviter) == 0
    assert inviter._ratchet.old == ()


def test_both_send_before_either_received() -> None:
    joiner, inviter = established()
    joiner, envelope = joiner.seal(body("step"), SYSTEM)
    inviter = inviter.open(envelope, DAY).session
    inviter, from_inviter = send_many(inviter, 3, "i")
    joiner, from_joiner = send_many(joiner, 3, "j")
    for i in (1, 0, 2):
        opened = inviter.open(from_joiner[i], DAY)
        assert opened.body == body(f"j{i}")
        inviter = opened.session
        opened = joiner.open(from_inviter[i], DAY)
        assert opened.body == body(f"i{i}")
        joiner = opened.session


def test_the_root_never_forks() -> None:
    """A send after a receive that was no step continues the chain; only a step leads to a step."""
    joiner, inviter = established()
    joiner, (first, second) = send_many(joiner, 2)
    inviter = inviter.open(first, DAY).session
    inviter, answer = inviter.seal(body("answer"), SYSTEM)
    root, head = inviter._ratchet.roots.root_key, sending_chain(inviter).head
    inviter = inviter.open(second, DAY).session
    inviter, more = inviter.seal(body("more"), SYSTEM)
    assert inviter._ratchet.roots.root_key == root
    assert sending_chain(inviter).head is head
    joiner = joiner.open(more, DAY).session
    assert joiner.open(answer, DAY).body == body("answer")
    joiner, back = joiner.seal(body("back"), SYSTEM)
    assert inviter.open(back, DAY).body == body("back")


def test_a_receiving_step_wipes_the_own_keys() -> None:
    joiner, inviter = established()
    own = sending_chain(inviter).stepped.own
    joiner, envelope = joiner.seal(body("step"), SYSTEM)
    assert own.dh.raw in inviter.to_bytes()
    after = inviter.open(envelope, DAY).session.to_bytes()
    assert own.dh.raw not in after
    assert own.kem.raw not in after


def test_while_pending_the_next_header_key_is_not_tried() -> None:
    joiner, inviter = established()
    joiner, envelope = joiner.seal(body("step"), SYSTEM)
    inviter = inviter.open(envelope, DAY).session
    next_key = inviter._ratchet.roots.receiving_next
    forged = next_key.seal(bytes(2313), inviter._pairing.ad, SYSTEM) + bytes(1755)
    refused(inviter, forged)


@pytest.mark.parametrize("at", [4, 9, 40, 41, 1224, 1225, 2312])
@pytest.mark.parametrize("old", [True, False])
def test_a_header_that_contradicts_its_chain_is_a_possible_restored_copy(
    at: int, old: bool
) -> None:
    joiner, inviter = established()
    joiner, (_, second) = send_many(joiner, 2)
    inviter = inviter.open(second, DAY).session
    forger = joiner
    if old:
        inviter, answer = inviter.seal(body("answer"), SYSTEM)
        joiner = joiner.open(answer, DAY).session
        joiner, stepped = joiner.seal(body("step"), SYSTEM)
        inviter = inviter.open(stepped, DAY).session
    forged = forge(forger, lambda h: h[:at] + bytes((h[at] ^ 1,)) + h[at + 1 :])
    before = inviter.to_bytes()
    with pytest.raises(PossibleRestoredCopy):
        inviter.open(forged, DAY)
    assert inviter.to_bytes() == before


def test_a_restored_peer_that_steps_again_is_noticed() -> None:
    joiner, inviter = established()
    _, one = joiner.seal(body("one"), SYSTEM)
    _, two = reload(joiner).seal(body("two"), SYSTEM)
    inviter = inviter.open(one, DAY).session
    with pytest.raises(PossibleRestoredCopy):
        inviter.open(two, DAY)


def test_another_header_version_is_refused() -> None:
    joiner, inviter = established()
    joiner, _ = joiner.seal(body("step"), SYSTEM)
    for version in (0, 2, 255):
        refused(inviter, forge(joiner, lambda h, v=version: bytes((v,)) + h[1:]))
    assert inviter.open(forge(joiner, bytes), DAY).body == body("forged")


class ChosenKey:
    """The system's randomness, but for the first key of 32 bytes."""

    def __init__(self, chosen: bytes) -> None:
        self._chosen = [chosen]

    def bytes(self, length: int) -> bytes:
        return self._chosen.pop() if self._chosen else SYSTEM.bytes(length)

    encapsulate_768 = SYSTEM.encapsulate_768
    encapsulate_1024 = SYSTEM.encapsulate_1024


def test_a_step_with_a_known_key_is_refused() -> None:
    """Also when the peer that takes it holds the private half and does all else right."""
    joiner, inviter = requested()
    current = sending_chain(joiner).stepped.own.dh.raw
    inviter, answer = inviter.seal(body("answer"), SYSTEM)
    own = sending_chain(inviter).stepped.own.dh.raw
    joiner = joiner.open(answer, DAY).session
    for private in (own, current):
        _, envelope = joiner.seal(body("step"), ChosenKey(private))
        refused(inviter, envelope)
    _, envelope = joiner.seal(body("step"), ChosenKey(bytes(range(32))))
    assert inviter.open(envelope, DAY).body == body("step")


def test_a_first_message_with_an_earlier_chain_is_refused() -> None:
    """Without a receiving chain pn must be 0."""
    joiner, inviter = requested()
    inviter, _ = inviter.seal(body("answer"), SYSTEM)
    refused(joiner, forge(inviter, lambda h: h[:4] + b"\x01" + h[5:]))
    assert joiner.open(forge(inviter, bytes), DAY).body == body("forged")


def test_a_pn_below_what_was_received_is_refused() -> None:
    joiner, inviter = established()
    joiner, envelopes = send_many(joiner, 3)
    inviter = inviter.open(envelopes[2], DAY).session
    inviter, answer = inviter.seal(body("answer"), SYSTEM)
    joiner = joiner.open(answer, DAY).session
    joiner, _ = joiner.seal(body("step"), SYSTEM)
    refused(inviter, forge(joiner, lambda h: h[:4] + b"\x02" + h[5:]))
    assert inviter.open(forge(joiner, bytes), DAY).body == body("forged")


def test_swapped_parts_of_two_envelopes_are_refused() -> None:
    joiner, inviter = established()
    joiner, (one, two) = send_many(joiner, 2)
    refused(inviter, one[:2341] + two[2341:])
    refused(inviter, two[:2341] + one[2341:])


def test_own_envelopes_sent_back_are_refused() -> None:
    joiner, inviter = established()
    joiner, envelope = joiner.seal(body("mine"), SYSTEM)
    refused(joiner, envelope)
    inviter, envelope = inviter.seal(body("mine"), SYSTEM)
    refused(inviter, envelope)


def test_sessions_of_other_contacts_open_nothing() -> None:
    joiner, inviter = established()
    _, stranger = established()
    joiner, envelope = joiner.seal(body("text"), SYSTEM)
    refused(stranger, envelope)
    assert inviter.open(envelope, DAY)
