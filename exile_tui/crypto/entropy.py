"""Randomness as an argument, so that every result can be recorded and computed again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:  # the first frame has a source of randomness, and does without the library
    from exile_tui.crypto.keys import MlKem768Public, MlKem1024Public

_Bytes: TypeAlias = bytes


class Entropy(Protocol):
    """A source of random bytes and of encapsulations.

    Encapsulation is here because the library draws its randomness itself: a replaying source
    returns recorded pairs.
    """

    def bytes(self, length: int) -> _Bytes:
        """Return `length` random bytes."""
        ...

    def encapsulate_768(self, public: MlKem768Public) -> tuple[_Bytes, _Bytes]:
        """Return a shared secret (32 bytes) and its ciphertext (1088 bytes)."""
        ...

    def encapsulate_1024(self, public: MlKem1024Public) -> tuple[_Bytes, _Bytes]:
        """Return a shared secret (32 bytes) and its ciphertext (1568 bytes)."""
        ...


class SystemEntropy:
    """The operating system's generator."""

    def bytes(self, length: int) -> _Bytes:
        """Return `length` random bytes."""
        return os.urandom(length)

    def encapsulate_768(self, public: MlKem768Public) -> tuple[_Bytes, _Bytes]:
        """Return a shared secret (32 bytes) and its ciphertext (1088 bytes)."""
        return public.encapsulate()

    def encapsulate_1024(self, public: MlKem1024Public) -> tuple[_Bytes, _Bytes]:
        """Return a shared secret (32 bytes) and its ciphertext (1568 bytes)."""
        return public.encapsulate()
