"""Programs by which the system refuses new connections: they cost the relay nothing then."""

from __future__ import annotations

import struct
from collections.abc import Sequence

MOST = 400
"""Addresses that one program holds: five instructions each, of 4,096."""

_LOAD, _LOAD_BYTE, _AND, _EQUALS, _ANY_BIT, _RETURN = 0x20, 0x30, 0x54, 0x15, 0x45, 0x06
_NETWORK = 0xFFF00000
"""SKF_NET_OFF: what follows is counted from the head of the IP packet, else from that of TCP."""

_TCP_FLAGS, _SYN = 13, 0x02
_PASS, _DROP = (_RETURN, 0, 0, 0xFFFFFFFF), (_RETURN, 0, 0, 0)

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand."""

DROP_ALL: list[Instruction] = [_DROP]
"""Takes nothing of any packet. Not of the first ones only: a connection that is half open, of which
there may be many, would be let in with its third."""


def program(addresses: Sequence[bytes]) -> list[Instruction]:
    """Make the program that drops the first packet from some addresses.

    Args:
        addresses: IPv4 addresses of 4 bytes, IPv6 networks of 8; the last 400 are taken.
    """
    addresses = addresses[-MOST:]
    fours = [one for one in addresses if len(one) == 4]
    sixes = [one for one in addresses if len(one) == 8]
    made: list[Instruction] = [
        (_LOAD_BYTE, 0, 0, _TCP_FLAGS),
        (_ANY_BIT, 1, 0, _SYN),
        _PASS,  # connections inherit the program: what they carry is nobody's business
        (_LOAD_BYTE, 0, 0, _NETWORK),
        (_AND, 0, 0, 0xF0),
        (_EQUALS, 1, 0, 0x60),
        (0x05, 0, 0, 5 * len(sixes) + 1),  # to IPv4's part
    ]
    for one in sixes:
        high, low = struct.unpack(">II", one)
        made += [
            (_LOAD, 0, 0, _NETWORK + 8),
            (_EQUALS, 0, 3, high),
            (_LOAD, 0, 0, _NETWORK + 12),
            (_EQUALS, 0, 1, low),
            _DROP,
        ]
    made += [_PASS, (_LOAD, 0, 0, _NETWORK + 12)]
    for one in fours:
        made += [(_EQUALS, 0, 1, *struct.unpack(">I", one)), _DROP]
    return [*made, _PASS]
