import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.crypto import aead, kdf
from exile_tui.errors import CryptoError
from tests.reference import tools
from tests.unit.crypto.support import EXAMPLES, SYSTEM, ReplayEntropy

KEY = bytes(range(32))


@EXAMPLES
@given(key=st.binary(max_size=128), data=st.binary(max_size=300))
def test_hmac_is_hmac(key: bytes, data: bytes) -> None:
    assert kdf.hmac_sha512(key, data) == hmac.digest(key, data, "sha512")


@EXAMPLES
@given(ikm=st.binary(max_size=200), info=st.binary(max_size=80), length=st.integers(1, 300))
def test_hkdf_is_the_librarys_hkdf(ikm: bytes, info: bytes, length: int) -> None:
    peer = HKDF(SHA512(), length, salt=bytes(64), info=info).derive(ikm)
    assert kdf.hkdf(ikm, info, length) == peer


def test_kdf_rk_is_hkdf_with_the_root_key_as_salt() -> None:
    th = hashlib.sha256(b"th").digest()
    peer = HKDF(SHA512(), 96, salt=KEY, info=b"exile/1/rk" + th).derive(bytes(64))
    assert b"".join(kdf.kdf_rk(KEY, bytes(64), th)) == peer


@EXAMPLES
@given(
    text=st.binary(max_size=200),
    ad=st.binary(max_size=64),
    random=st.binary(min_size=32, max_size=32),
)
def test_seal_is_what_the_reference_makes(text: bytes, ad: bytes, random: bytes) -> None:
    sealed = aead.seal(KEY, text, ad, ReplayEntropy([random]))
    assert sealed == tools.seal(KEY, text, ad, random)
    assert len(sealed) == len(text) + aead.SEAL_OVERHEAD == len(text) + 72
    assert aead.open_sealed(KEY, sealed, ad) == text
    header = aead.seal_header(KEY, text, ad, ReplayEntropy([random]))
    assert header == tools.seal_header(KEY, text, ad, random)
    assert aead.open_header(KEY, header, ad) == text


def test_every_byte_of_a_seal_counts() -> None:
    sealed = aead.seal(KEY, b"text", b"ad", SYSTEM)
    header = aead.seal_header(KEY, b"text", b"ad", SYSTEM)
    blob = aead.aead_encrypt(KEY, b"text", b"ad")
    for opener, data in (
        (aead.open_sealed, sealed),
        (aead.open_header, header),
        (aead.aead_decrypt, blob),
    ):
        for at in range(len(data)):
            for bit in range(8):
                changed = bytearray(data)
                changed[at] ^= 1 << bit
                with pytest.raises(CryptoError):
                    opener(KEY, bytes(changed), b"ad")
        for length in range(len(data)):
            with pytest.raises(CryptoError):
                opener(KEY, data[:length], b"ad")
        with pytest.raises(CryptoError):
            opener(KEY, data + b"\0", b"ad")
        with pytest.raises(CryptoError):
            opener(KEY, data, b"AD")
        with pytest.raises(CryptoError):
            opener(bytes(32), data, b"ad")


def test_two_texts_under_one_message_key_and_random_value_share_no_nonce() -> None:
    one = aead.seal(KEY, b"one", b"", ReplayEntropy([bytes(32)]))
    two = aead.seal(KEY, b"two", b"", ReplayEntropy([bytes(32)]))
    other_ad = aead.seal(KEY, b"one", b"x", ReplayEntropy([bytes(32)]))
    assert len({one[:24], two[:24], other_ad[:24]}) == 3
