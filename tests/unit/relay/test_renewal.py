"""Renewal tokens against a plain computation, and what they are bound to."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.relay.renewal import Renewals
from exile_tui.wire.relay import Authorization, CreateMailbox

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
scalars = st.integers(1, ORDER - 1)
mailboxes = st.tuples(*(st.binary(min_size=size, max_size=size) for size in (16, 32, 32)))


def sha256_hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def renewals(scalar: int) -> Renewals:
    return Renewals(ec.derive_private_key(scalar, ec.SECP256R1()))


def creation(mailbox: tuple[bytes, ...], shown: bytes = bytes(32)) -> CreateMailbox:
    mailbox_id, receive_hash, send_hash = mailbox
    return CreateMailbox(mailbox_id, receive_hash, send_hash, Authorization.renewal(shown))


@given(scalars, mailboxes)
def test_tokens_are_as_the_document_says(scalar: int, mailbox: tuple[bytes, ...]) -> None:
    extracted = sha256_hmac(bytes(32), scalar.to_bytes(32, "big"))
    key = sha256_hmac(extracted, b"exile-relay/1/renewal/key" + b"\x01")
    token = sha256_hmac(key, b"exile-relay/1/renewal/token" + b"".join(mailbox))
    assert renewals(scalar).token(creation(mailbox)) == token
    assert renewals(scalar).fits(creation(mailbox, token))


@given(scalars, mailboxes, st.integers(0, 79), st.integers(1, 255), st.integers(0, 31))
def test_a_token_is_for_one_mailbox_and_one_key(
    scalar: int, mailbox: tuple[bytes, ...], at: int, change: int, token_at: int
) -> None:
    own = renewals(scalar)
    token = own.token(creation(mailbox))
    changed = bytearray(b"".join(mailbox))
    changed[at] ^= change
    other = bytes(changed[:16]), bytes(changed[16:48]), bytes(changed[48:])
    assert not own.fits(creation(other, token))
    damaged = bytearray(token)
    damaged[token_at] ^= change
    assert not own.fits(creation(mailbox, bytes(damaged)))
    assert not renewals(scalar % (ORDER - 1) + 1).fits(creation(mailbox, token))
