from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.kdf import sha256
from exile_tui.crypto.passphrase import Argon2Parameters
from exile_tui.errors import CryptoError, ExileError, ProfileError, WrongPassphrase
from exile_tui.store import problems, vaultfile
from exile_tui.store.vaultfile import VaultFile
from tests.unit.store.samples import CHEAP

KEY, NEXT = b"K" * 32, b"N" * 32
VAULT_ID = b"V" * 16
ENTROPY = SystemEntropy()


def sealed(*keys: bytes, passphrase: str = "암호문구") -> VaultFile:
    return VaultFile.seal(VAULT_ID, keys, passphrase, CHEAP, ENTROPY)


def with_checksum(content: bytes) -> bytes:
    return content + sha256(content)


def decode(data: bytes) -> VaultFile:
    return VaultFile.decode(data, "vault")


def test_keys_come_back() -> None:
    vault = decode(sealed(KEY, NEXT).encode())
    assert vault.vault_id == VAULT_ID
    assert vault.unlock("암호문구") == (KEY, NEXT)


def test_the_passphrase_is_normalised() -> None:
    vault = sealed(KEY)
    assert vault.unlock(unicodedata.normalize("NFD", "암호문구")) == (KEY,)


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(WrongPassphrase):
        sealed(KEY).unlock("암호문구 ")


def test_every_slot_is_tried() -> None:
    first, second = sealed(KEY, passphrase="a"), sealed(KEY, passphrase="b")
    both = decode(VaultFile(VAULT_ID, first.slots + second.slots).encode())
    assert both.unlock("a") == both.unlock("b") == (KEY,)


def test_a_slot_is_bound_to_its_vault_and_its_key_count() -> None:
    vault = sealed(KEY, NEXT)
    slot = vault.slots[0]
    for other in (
        replace(vault, vault_id=b"W" * 16),
        replace(vault, slots=(replace(slot, wrapped=slot.wrapped[:1]),)),
        replace(vault, slots=(replace(slot, wrapped=slot.wrapped[::-1]),)),
        replace(vault, slots=(replace(slot, parameters=replace(CHEAP, passes=2)),)),
    ):
        with pytest.raises(WrongPassphrase):
            other.unlock("암호문구")


def test_every_flipped_or_missing_byte_is_damage() -> None:
    data = sealed(KEY).encode()
    for index in range(len(data)):
        for damaged in (
            data[:index] + bytes((data[index] ^ 1,)) + data[index + 1 :],
            data[:index],
        ):
            with pytest.raises(ProfileError):
                decode(damaged)
    with pytest.raises(ProfileError):
        decode(data + b"\0")


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 100, 4096, 4097, 100_000])
def test_garbage_is_damage(size: int) -> None:
    with pytest.raises(ProfileError):
        decode(bytes(size))
    with pytest.raises(ProfileError):
        decode(with_checksum(bytes(size)))


def test_a_newer_version_says_so() -> None:
    content = bytearray(sealed(KEY).encode()[:-32])
    content[11] = 2
    with pytest.raises(ProfileError, match="newer"):
        decode(with_checksum(bytes(content)))
    content[11] = 0
    with pytest.raises(ProfileError, match="damaged"):
        decode(with_checksum(bytes(content)))


@pytest.mark.parametrize(
    "parameters",
    [
        Argon2Parameters(2**32 - 1, 1, 1),
        Argon2Parameters(1024 * 1024 + 1, 1, 1),
        Argon2Parameters(64, 17, 1),
        Argon2Parameters(64, 0, 1),
        Argon2Parameters(64, 1, 0),
        Argon2Parameters(1024, 1, 17),
        Argon2Parameters(7, 1, 1),
        Argon2Parameters(15, 1, 2),
    ],
)
def test_no_foreign_file_makes_us_work_beyond_reason(parameters: Argon2Parameters) -> None:
    slot = replace(sealed(KEY).slots[0], parameters=parameters)
    with pytest.raises(ProfileError, match="damaged"):
        decode(VaultFile(VAULT_ID, (slot,)).encode())


def test_counts_and_lengths_are_bounded() -> None:
    slot = sealed(KEY).slots[0]
    for slots in (
        (),
        (slot,) * 9,
        (replace(slot, wrapped=()),),
        (replace(slot, wrapped=slot.wrapped * 3),),
        (replace(slot, wrapped=(b"short",)),),
        (replace(slot, wrapped=(bytes(257),)),),
    ):
        with pytest.raises(ProfileError, match="damaged"):
            decode(VaultFile(VAULT_ID, slots).encode())
    trailing = sealed(KEY).encode()[:-32] + b"x"
    with pytest.raises(ProfileError, match="damaged"):
        decode(with_checksum(trailing))


def test_a_machine_without_the_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = sealed(KEY)

    def refuse(*_: object) -> bytes:
        raise CryptoError

    monkeypatch.setattr(vaultfile, "derive_key", refuse)
    with pytest.raises(ProfileError, match="memory"):
        vault.unlock("암호문구")


def test_nothing_secret_is_readable() -> None:
    vault = sealed(KEY)
    assert b"K" * 8 not in vault.encode()
    assert "wrapped" not in repr(vault)


def test_every_sentence_formats() -> None:
    values = {"path": "p", "reason": "r", "megabytes": 64}
    for name in dir(problems):
        sentence = getattr(problems, name)
        if name.isupper() and isinstance(sentence, str):
            assert str(ExileError(sentence, **values))
