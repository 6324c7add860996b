"""Whether an unknown mailbox and a wrong token are answered in the same time.

One keep-alive connection of HTTP/1.1, one request at a time, both kinds in turn; a coin says which
of a pair goes first. The error is that of the mean of the differences of the medians of 100 blocks.
"""

from __future__ import annotations

import math
import random
import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable

from benchmarks.relay.connection import Broken, client_context
from benchmarks.relay.mailboxes import SIZE, keys_of
from benchmarks.relay.rounds import Bar, Report, Sample, percentile
from benchmarks.relay.servers import RelayServer

ASKED = 100_000
"""Requests of each kind, for each operation."""
ALLOWED_US, ALLOWED_PERCENT = 2.0, 2.0
_MAILBOXES = 1000
_BLOCKS = 100
_WARM_UP = 2000

Body = Callable[[bytes, bytes], bytes]
"""Makes a request's body of a mailbox id and a token."""


class _Asker:
    """Asks over one connection and waits for each answer."""

    def __init__(self, relay: RelayServer) -> None:
        plain = socket.create_connection(relay.address, 30.0)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket: ssl.SSLSocket = client_context(["http/1.1"]).wrap_socket(plain)

    def ask(self, path: bytes, body: bytes) -> tuple[float, bytes]:
        """Return the microseconds until the answer was there, and all of the answer."""
        head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
        request = head % (path, len(body)) + body
        began = time.perf_counter()
        self._socket.sendall(request)
        answer = self._socket.recv(65_536)
        taken = (time.perf_counter() - began) * 1e6
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(65_536)
        return taken, answer

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


async def measure(rounds: int, seconds: float) -> Report:
    """Measure both kinds of refusal; neither rounds nor seconds count here."""
    report = Report(
        "constant",
        f"An unknown mailbox against a wrong token, {ASKED:,} of each in turn, one connection",
        [
            Bar(f"{name}, difference of medians (1 is {ALLOWED_US:g} us or {ALLOWED_PERCENT:g} %, "
                "whichever is more)", (f"{name}: difference", "of what is allowed"), most=1.0)
            for name in _OPERATIONS
        ],
    )  # fmt: skip
    found: dict[str, Sample] = {}
    with await RelayServer.started(_MAILBOXES) as relay:
        assert isinstance(relay, RelayServer)
        asker = _Asker(relay)
        try:
            for name, (path, body) in _OPERATIONS.items():
                sys.stderr.write(f"constant: {name}\n")
                found |= _compare(asker, name, path, body)
        finally:
            asker.close()
    report.rounds.append(found)
    return report


def _append(mailbox: bytes, token: bytes) -> bytes:
    return mailbox + token + b"\0" + bytes(SIZE)


def _acknowledge(mailbox: bytes, token: bytes) -> bytes:
    return mailbox + token + bytes(8)


_OPERATIONS: dict[str, tuple[bytes, Body]] = {
    "append": (b"/v1/append", _append),
    "acknowledge": (b"/v1/acknowledge", _acknowledge),
}


def _compare(asker: _Asker, name: str, path: bytes, body: Body) -> dict[str, Sample]:
    draw = random.Random(7)
    known = [keys_of(number).id for number in range(_MAILBOXES)]
    unknown: list[float] = []
    wrong: list[float] = []
    answers: set[bytes] = set()
    for number in range(_WARM_UP + ASKED):
        kinds = [(unknown, draw.randbytes(16)), (wrong, draw.choice(known))]
        if draw.random() < 0.5:
            kinds.reverse()
        for times, mailbox in kinds:
            taken, answer = asker.ask(path, body(mailbox, draw.randbytes(32)))
            answers.add(_without_date(answer))
            if number >= _WARM_UP:
                times.append(taken)
    if len(answers) != 1:
        raise Broken(f"answers differ: {answers}")
    size = ASKED // _BLOCKS
    differences = [
        statistics.median(unknown[at : at + size]) - statistics.median(wrong[at : at + size])
        for at in range(0, ASKED, size)
    ]
    medians = statistics.median(unknown), statistics.median(wrong)
    difference = abs(medians[0] - medians[1])
    percent = 100 * difference / min(medians)
    return {
        f"{name}: unknown mailbox": _times(unknown),
        f"{name}: wrong token": _times(wrong),
        f"{name}: difference": {
            "median us": difference,
            "error us": statistics.stdev(differences) / math.sqrt(_BLOCKS),
            "percent": percent,
            "of what is allowed": min(difference / ALLOWED_US, percent / ALLOWED_PERCENT),
        },
    }


def _times(times: list[float]) -> Sample:
    return {"median us": statistics.median(times), "p99 us": percentile(times, 0.99)}


def _without_date(answer: bytes) -> bytes:
    lines = answer.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(b"date:"))
