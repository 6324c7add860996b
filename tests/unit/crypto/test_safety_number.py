import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exile_tui.crypto.safety_number import (
    SafetyNumber,
    fingerprint_id,
    numeric_fingerprint,
    session_safety_number,
)
from exile_tui.errors import CryptoError
from tests.reference import fingerprint
from tests.unit.crypto.support import EXAMPLES, established

ALICE = b"\x05" + bytes(range(32))
BOB = b"\x05" + bytes(range(32, 64))


def pair() -> tuple[SafetyNumber, SafetyNumber]:
    return (
        numeric_fingerprint(b"a", ALICE, b"b", BOB),
        numeric_fingerprint(b"b", BOB, b"a", ALICE),
    )


def test_both_sides_show_the_same_digits_and_match_crosswise() -> None:
    one, other = pair()
    assert one.digits == other.digits
    assert len(one.digits) == 60
    assert one.digits.isascii()
    assert one.digits.isdigit()
    assert len(one.scannable) == 74
    assert one.matches(other.scannable)
    assert other.matches(one.scannable)
    assert not one.matches(one.scannable)


def test_every_byte_of_a_scanned_code_counts() -> None:
    one, other = pair()
    for at in range(74):
        for bit in range(8):
            changed = bytearray(other.scannable)
            changed[at] ^= 1 << bit
            assert not one.matches(bytes(changed))
    for length in range(74):
        assert not one.matches(other.scannable[:length])
    assert not one.matches(other.scannable + b"\0")
    assert not one.matches(b"exile:something else")


def test_a_session_has_one_number() -> None:
    joiner, inviter = established()
    one, other = session_safety_number(joiner), session_safety_number(inviter)
    assert one.digits == other.digits
    assert one.matches(other.scannable)
    stranger = session_safety_number(established()[0])
    assert stranger.digits != one.digits
    assert not stranger.matches(one.scannable)


def test_another_bundle_gives_another_number() -> None:
    ik = bytes(range(32))
    assert fingerprint_id(ik, bytes(32)) != fingerprint_id(ik, b"\x01" + bytes(31))
    assert fingerprint_id(ik, bytes(32)) == fingerprint.fingerprint_id(ik, bytes(32))


@pytest.mark.parametrize("key", [b"", ALICE[1:], b"\x04" + ALICE[1:], ALICE + b"\0"])
def test_keys_of_another_form_are_refused(key: bytes) -> None:
    with pytest.raises(CryptoError):
        numeric_fingerprint(b"", key, b"", BOB)
    with pytest.raises(CryptoError):
        numeric_fingerprint(b"", ALICE, b"", key)


@settings(EXAMPLES, max_examples=20)
@given(
    local_id=st.binary(max_size=40),
    local=st.binary(min_size=32, max_size=32),
    remote_id=st.binary(max_size=40),
    remote=st.binary(min_size=32, max_size=32),
)
def test_numbers_are_the_references(
    local_id: bytes, local: bytes, remote_id: bytes, remote: bytes
) -> None:
    keys = (local_id, b"\x05" + local, remote_id, b"\x05" + remote)
    number = numeric_fingerprint(*keys)
    assert (number.digits, number.scannable) == fingerprint.numeric_fingerprint(*keys)
