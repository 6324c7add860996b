"""Network addresses as the relay tells them apart: packed, and hashed under a salt that changes."""

from __future__ import annotations

import hashlib
import socket

_MAPPED = bytes(10) + b"\xff\xff"
_NETWORK = 8
"""Bytes of an IPv6 address that count."""


def hashed(address: bytes, salt: bytes) -> bytes:
    """Return what stands for an address as long as the salt is known, 16 bytes."""
    return hashlib.blake2b(address, key=salt, digest_size=16).digest()


def address_of(client: str) -> bytes:
    """Return what counts of `1.2.3.4:5` or `[::1]:5`."""
    return packed(client.rpartition(":")[0].strip("[]").partition("%")[0])


def packed(address: str) -> bytes:
    """Return an IPv4 address, or the network of an IPv6 address; ::1 is all of its own."""
    try:
        if ":" not in address:
            return socket.inet_pton(socket.AF_INET, address)
        whole = socket.inet_pton(socket.AF_INET6, address)
    except OSError:
        return b""
    if whole.startswith(_MAPPED):
        return whole[len(_MAPPED) :]
    return whole if whole[:15] == bytes(15) else whole[:_NETWORK]
