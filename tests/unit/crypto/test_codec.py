"""The stored form of a session is strict."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exile_tui.crypto.session import Session
from exile_tui.errors import CryptoError
from tests.unit.crypto.support import (
    DAY,
    EXAMPLES,
    SYSTEM,
    body,
    established,
    invited,
    requested,
    send_many,
)


def kinds() -> dict[str, Session]:
    """Return a session in each shape that can be stored."""
    invite = invited()
    asking, inviter = requested()
    joiner, sending = established()
    joiner, envelopes = send_many(joiner, 4)
    late = sending.open(envelopes[3], DAY).session
    late, answer = late.seal(body("answer"), SYSTEM)
    joiner = joiner.open(answer, DAY).session
    joiner, step = joiner.seal(body("step"), SYSTEM)
    return {
        "fresh": invite.joiner,
        "asking": asking,
        "pending": inviter,
        "sending": sending,
        "skipped": late,
        "old chain": late.open(step, DAY).session,
    }


KINDS = kinds()


@pytest.mark.parametrize("name", KINDS)
def test_every_shape_survives_storage(name: str) -> None:
    session = KINDS[name]
    raw = session.to_bytes()
    again = Session.from_bytes(raw)
    assert again.to_bytes() == raw
    for attribute in ("role", "local_identity", "remote_identity", "bundle_hash", "transcript"):
        assert getattr(again, attribute) == getattr(session, attribute)
    assert again.in_request_form == session.in_request_form
    assert again.requests_sent == session.requests_sent
    assert again.can_seal == session.can_seal
    assert again.body_sizes == session.body_sizes


@pytest.mark.parametrize("name", KINDS)
def test_cut_or_longer_bytes_are_refused(name: str) -> None:
    raw = KINDS[name].to_bytes()
    for length in {*range(0, len(raw), 37), *range(40), len(raw) - 1}:
        with pytest.raises(CryptoError):
            Session.from_bytes(raw[:length])
    with pytest.raises(CryptoError):
        Session.from_bytes(raw + b"\0")


@settings(EXAMPLES, max_examples=300)
@given(name=st.sampled_from(sorted(KINDS)), data=st.data())
def test_damaged_bytes_are_refused_or_are_another_state(name: str, data: st.DataObject) -> None:
    raw = bytearray(KINDS[name].to_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    try:
        session = Session.from_bytes(bytes(raw))
    except CryptoError:
        return
    assert session.to_bytes() == bytes(raw)


@settings(EXAMPLES, max_examples=300)
@given(raw=st.binary(max_size=400))
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(CryptoError):
        Session.from_bytes(b"\x01" + raw)


def test_other_versions_and_roles_are_refused() -> None:
    raw = KINDS["sending"].to_bytes()
    for at, value in ((0, 0), (0, 2), (1, 2), (1, 255)):
        changed = bytearray(raw)
        changed[at] = value
        with pytest.raises(CryptoError):
            Session.from_bytes(bytes(changed))
    # An inviter has sent no requests.
    assert raw[1] == 1
    for at, value in ((162, 1), (163, 0x0A)):
        changed = bytearray(raw)
        changed[at] = value
        with pytest.raises(CryptoError):
            Session.from_bytes(bytes(changed))
