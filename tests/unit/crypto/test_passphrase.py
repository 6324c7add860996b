import unicodedata

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from exile_tui.crypto.passphrase import Argon2Parameters, derive_key, unwrap_key, wrap_key
from exile_tui.errors import CryptoError
from tests.unit.crypto.support import SYSTEM

CHEAP = Argon2Parameters(memory_kib=64, passes=1)
SALT = bytes(range(16))


def test_the_defaults_are_64_mib_3_passes_1_lane() -> None:
    assert Argon2Parameters() == Argon2Parameters(memory_kib=65536, passes=3, lanes=1)
    peer = Argon2id(salt=SALT, length=32, iterations=3, lanes=1, memory_cost=65536)
    assert derive_key("비밀", SALT, Argon2Parameters()) == peer.derive("비밀".encode())


def test_composed_and_decomposed_hangul_are_one_passphrase() -> None:
    text = "망명 2014 é"
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert derive_key(composed, SALT, CHEAP) == derive_key(decomposed, SALT, CHEAP)


def test_passphrase_salt_and_parameters_count() -> None:
    keys = {
        derive_key("a", SALT, CHEAP),
        derive_key("b", SALT, CHEAP),
        derive_key("", SALT, CHEAP),
        derive_key("a", SALT[::-1], CHEAP),
        derive_key("a", SALT, Argon2Parameters(memory_kib=64, passes=2)),
        derive_key("a", SALT, Argon2Parameters(memory_kib=128, passes=1)),
        derive_key("a", SALT, Argon2Parameters(memory_kib=64, passes=1, lanes=2)),
    }
    assert len(keys) == 7
    assert {len(key) for key in keys} == {32}


@pytest.mark.parametrize(
    ("text", "salt", "parameters"),
    [
        ("a", b"short", CHEAP),
        ("a", SALT, Argon2Parameters(memory_kib=1)),
        ("a", SALT, Argon2Parameters(memory_kib=-1)),
        ("a", SALT, Argon2Parameters(memory_kib=2**40)),
        ("a", SALT, Argon2Parameters(memory_kib=64, passes=0)),
        ("a", SALT, Argon2Parameters(memory_kib=64, lanes=0)),
        ("\ud800", SALT, CHEAP),
    ],
)
def test_what_is_out_of_range_is_refused(
    text: str, salt: bytes, parameters: Argon2Parameters
) -> None:
    with pytest.raises(CryptoError):
        derive_key(text, salt, parameters)


def test_a_wrapped_key_opens_only_with_its_key_and_context() -> None:
    kek, key = SYSTEM.bytes(32), SYSTEM.bytes(32)
    wrapped = wrap_key(kek, key, b"slot", SYSTEM)
    assert unwrap_key(kek, wrapped, b"slot") == key
    assert wrap_key(kek, key, b"slot", SYSTEM) != wrapped
    assert key not in wrapped
    for at in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[at] ^= 1
        with pytest.raises(CryptoError):
            unwrap_key(kek, bytes(changed), b"slot")
    for other_kek, data, ad in (
        (SYSTEM.bytes(32), wrapped, b"slot"),
        (kek, wrapped, b"other"),
        (kek, wrapped[:-1], b"slot"),
        (kek, b"", b"slot"),
    ):
        with pytest.raises(CryptoError):
            unwrap_key(other_kek, data, ad)
