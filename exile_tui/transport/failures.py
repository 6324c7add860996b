"""What can go wrong between a client and its relay, as errors that a person can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from exile_tui.errors import (
    N_,
    RelayError,
    RelayKeyMismatch,
    RelayRefused,
    RelayUnreachable,
    TryLater,
    WireError,
)
from exile_tui.transport.pin import PinMismatch
from exile_tui.wire.address import RelayAddress

_BUSY = N_("The relay {address} has no room for now. Your messages are kept and tried again.")
_NOT_UNDERSTOOD = N_(
    "The relay {address} did not understand. Its program and this one may differ in age; "
    "your messages are kept."
)


class WorkAsked(RelayUnreachable):
    """A relay's answer that asks for work first; `puzzle` is its encoded puzzle."""

    def __init__(self, puzzle: bytes, address: RelayAddress) -> None:
        super().__init__(_BUSY, address=address.authority, status=503)
        self.puzzle = puzzle


class BadAnswer(RelayError, WireError):
    """A relay's answer that is not exile/1: to the user a relay's failure like any other."""


@contextmanager
def relay_errors(address: RelayAddress) -> Iterator[None]:
    """Turn whatever happens on the way to a relay and back into this program's errors.

    The libraries below raise more than they document when the other end is hostile (assertions,
    key errors), so that everything but a cancellation counts as "out of reach".
    """
    where = address.authority
    try:
        yield
    except RelayError:
        raise
    except WireError:
        raise BadAnswer(address=where) from None
    except Exception as error:
        if _is_mismatch(error):
            raise RelayKeyMismatch(address=where) from error
        raise RelayUnreachable(address=where) from error


def refusal(status: int, address: RelayAddress, retry_after: str = "") -> RelayError:
    """Make the error for a status that is not a success; its parameter `status` says which.

    Args:
        status: The HTTP status.
        address: The relay.
        retry_after: What its header field of this name says; seconds count, a date doesn't.
    """
    where = address.authority
    if status == 403:
        return RelayRefused(address=where, status=status)
    if status == 429:
        seconds = re.fullmatch("[0-9]{1,6}", retry_after)
        after = int(seconds[0]) if seconds else 0
        return TryLater(address=where, status=status, after=after)
    if status in (400, 404, 405, 411, 413):
        return RelayRefused(_NOT_UNDERSTOOD, address=where, status=status)
    if 500 <= status <= 599:
        return RelayUnreachable(_BUSY, address=where, status=status)
    return BadAnswer(address=where, status=status)


def _is_mismatch(error: BaseException | None) -> bool:
    seen = 0
    while error is not None and seen < 16:
        if isinstance(error, PinMismatch):
            return True
        error = error.__cause__ or error.__context__
        seen += 1
    return False
