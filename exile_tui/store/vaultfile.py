"""The vault file: the database key, wrapped under a passphrase.

    magic "exile-vault" 11 | version 1 | vault id 16 | slots 1 | slot ... | SHA-256 of all that 32
    slot: memory 4 (KiB) | passes 4 | lanes 4 | salt 16 | keys 1 | key ...
    key:  length 2 | wrapped key

Integers are big-endian. A slot holds one key; two while the database is being encrypted anew, the
present one first: whichever opens the database is the one. The checksum tells damage from a wrong
passphrase; that nobody changed anything on purpose is for the wrapping to tell.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from exile_tui.crypto.entropy import Entropy
from exile_tui.crypto.kdf import sha256
from exile_tui.crypto.passphrase import Argon2Parameters, derive_key, unwrap_key, wrap_key
from exile_tui.errors import CryptoError, ProfileError, UsageError, WrongPassphrase
from exile_tui.store import problems

MAX_FILE_BYTES = 4096
KEY_BYTES = 32
VAULT_ID_BYTES = 16

_MAGIC = b"exile-vault"
_VERSION = 1
_SALT_BYTES = 16
_CHECKSUM_BYTES = 32
_HEAD = struct.Struct(">11sB16sB")
_SLOT = struct.Struct(">III16sB")
_MAX_SLOTS = 8
_MAX_KEYS = 2
_MAX_WRAPPED = 256
_MAX_MEMORY_KIB = 1024 * 1024
_MAX_PASSES = 16
_MAX_LANES = 16


@dataclass(frozen=True, slots=True)
class KeySlot:
    """Keys under one passphrase."""

    parameters: Argon2Parameters
    salt: bytes
    wrapped: tuple[bytes, ...] = field(repr=False)

    def encode(self) -> bytes:
        """Encode as the module's docstring has it."""
        keys = b"".join(struct.pack(">H", len(key)) + key for key in self.wrapped)
        return self._head(len(self.wrapped)) + keys

    def associated_data(self, vault_id: bytes) -> bytes:
        """Return what the wrapping binds: this vault, this slot's parameters and its key count."""
        return _HEAD.pack(_MAGIC, _VERSION, vault_id, 0) + self._head(len(self.wrapped))

    def _head(self, keys: int) -> bytes:
        parameters = self.parameters
        return _SLOT.pack(
            parameters.memory_kib, parameters.passes, parameters.lanes, self.salt, keys
        )


@dataclass(frozen=True, slots=True)
class VaultFile:
    """A vault's content."""

    vault_id: bytes
    """16 bytes, in the database too."""
    slots: tuple[KeySlot, ...]

    @classmethod
    def seal(
        cls,
        vault_id: bytes,
        keys: Sequence[bytes],
        passphrase: str,
        parameters: Argon2Parameters,
        entropy: Entropy,
    ) -> VaultFile:
        """Wrap database keys under a passphrase; takes as long as Argon2id is told to take."""
        salt = entropy.bytes(_SALT_BYTES)
        kek = _derive(passphrase, salt, parameters)
        slot = KeySlot(parameters, salt, (b"",) * len(keys))
        bound = slot.associated_data(vault_id)
        wrapped = tuple(
            wrap_key(kek, key, bound + bytes((index,)), entropy) for index, key in enumerate(keys)
        )
        return cls(vault_id, (KeySlot(parameters, salt, wrapped),))

    def unlock(self, passphrase: str) -> tuple[bytes, ...]:
        """Return the keys of the slot that a passphrase opens, the present one first.

        Raises:
            WrongPassphrase: It opens none.
            ProfileError: The machine lacks the memory that a slot was made with.
        """
        for slot in self.slots:
            kek = _derive(passphrase, slot.salt, slot.parameters)
            bound = slot.associated_data(self.vault_id)
            try:
                return tuple(
                    unwrap_key(kek, wrapped, bound + bytes((index,)))
                    for index, wrapped in enumerate(slot.wrapped)
                )
            except CryptoError:
                continue
        raise WrongPassphrase

    def encode(self) -> bytes:
        """Encode as the module's docstring has it."""
        head = _HEAD.pack(_MAGIC, _VERSION, self.vault_id, len(self.slots))
        content = head + b"".join(slot.encode() for slot in self.slots)
        return content + sha256(content)

    @classmethod
    def decode(cls, data: bytes, path: str) -> VaultFile:
        """Read a vault; `path` is for the error.

        Raises:
            ProfileError: Damaged, or written by a newer version. No number in it is believed
                before it was compared with what a machine can bear.
        """
        damaged = ProfileError(problems.VAULT_DAMAGED, path=path)
        content, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
        if not _HEAD.size <= len(content) <= MAX_FILE_BYTES or sha256(content) != checksum:
            raise damaged
        magic, version, vault_id, count = _HEAD.unpack_from(content)
        if magic != _MAGIC:
            raise damaged
        if version > _VERSION:
            raise ProfileError(problems.NEWER)
        if version != _VERSION or not 1 <= count <= _MAX_SLOTS:
            raise damaged
        try:
            slots, rest = [], content[_HEAD.size :]
            for _ in range(count):
                slot, rest = _read_slot(rest)
                slots.append(slot)
        except (ValueError, struct.error):
            raise damaged from None
        if rest:
            raise damaged
        return cls(vault_id, tuple(slots))


def is_text(passphrase: str) -> bool:
    """Tell whether a passphrase can be encoded; half a surrogate pair can't."""
    try:
        passphrase.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def require_passphrase(passphrase: str) -> None:
    """Refuse what can't become a passphrase.

    Raises:
        UsageError: It is empty or no Unicode text.
    """
    if not passphrase or not is_text(passphrase):
        raise UsageError(problems.PASSPHRASE)


def _derive(passphrase: str, salt: bytes, parameters: Argon2Parameters) -> bytes:
    try:
        return derive_key(passphrase, salt, parameters)
    except CryptoError:
        # Parameters and salt were checked, so it is the memory.
        megabytes = parameters.memory_kib // 1024
        raise ProfileError(problems.NO_MEMORY, megabytes=megabytes) from None


def _read_slot(data: bytes) -> tuple[KeySlot, bytes]:
    memory_kib, passes, lanes, salt, keys = _SLOT.unpack_from(data)
    fits = (
        1 <= passes <= _MAX_PASSES
        and 1 <= lanes <= _MAX_LANES
        and 8 * lanes <= memory_kib <= _MAX_MEMORY_KIB
        and 1 <= keys <= _MAX_KEYS
    )
    if not fits:
        raise ValueError("out of bounds")
    rest, wrapped = data[_SLOT.size :], []
    for _ in range(keys):
        (length,) = struct.unpack_from(">H", rest)
        key, rest = rest[2 : 2 + length], rest[2 + length :]
        if len(key) != length or not KEY_BYTES <= length <= _MAX_WRAPPED:
            raise ValueError("cut short")
        wrapped.append(key)
    return KeySlot(Argon2Parameters(memory_kib, passes, lanes), salt, tuple(wrapped)), rest
