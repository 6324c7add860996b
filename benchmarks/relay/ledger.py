"""A relay as its command runs it, that writes down what each step of a message takes.

    python -m benchmarks.relay.ledger FILE --port 4443 --data-dir DIRECTORY

Serves until SIGTERM, then writes to FILE what each of `STEPS` took in the event loop, as JSON.
Times are of the processor, not of the clock.
"""

from __future__ import annotations

import argparse
import functools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exile_tui.relay import envelopes, handlers, server
from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.bodies import Body
from exile_tui.relay.clients import Clients
from exile_tui.relay.envelopes import Envelopes
from exile_tui.relay.journal import Segment
from exile_tui.relay.mailboxes import Mailboxes
from exile_tui.relay.main import main as relay
from exile_tui.relay.rows import MailboxRows
from exile_tui.relay.streams import ReceiveStream
from exile_tui.relay.watchers import Watchers
from exile_tui.relay.work import WorkMode
from exile_tui.wire.relay import Acknowledge, Append

_SHARES = "who takes up how much: connections, addresses, memory"
_TOKENS = "tokens: hash, find the mailbox and compare"
_JOURNAL = "the journal's record, with its checksum"
_INDEX = "the index of what waits, what was read of the mailbox"

STEPS: tuple[tuple[Any, str, str], ...] = (
    (server, "_send", "hand answers to the server"),
    *((Clients, name, _SHARES) for name in ("enter", "must_wait", "count_body", "hold", "leave")),
    (Body, "__init__", _SHARES),
    (Body, "release", _SHARES),
    (Append, "decode", "decode requests"),
    (Acknowledge, "decode", "decode requests"),
    (handlers, "_hash", _TOKENS),
    (MailboxRows, "read_for", _TOKENS),
    (MailboxRows, "sent_to_by", _TOKENS),
    (MailboxRows, "received_by", _TOKENS),
    (envelopes, "mark_of", "find the same envelope: SipHash"),
    (Envelopes, "append", _INDEX),
    (Arrivals, "add", _INDEX),
    (Envelopes, "delete", _INDEX),
    (Segment, "append", _JOURNAL),
    (Segment, "write", "write what came together: encrypt the heads, the system's part"),
    (Mailboxes, "append", "verdicts, quotas, expiry"),
    (Mailboxes, "acknowledge", "verdicts, quotas, expiry"),
    (Watchers, "call", "tell the streams"),
    (ReceiveStream, "_wake", "tell the streams"),
)
"""What is measured: where it is, and what it is called here; some together."""

_SAMPLES = 20_000


class Ledger:
    """Counts for each function what it takes without those that it calls.

    Only what runs in the thread that made it: a function that another one calls is just called.
    """

    def __init__(self) -> None:
        self.ns: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._inner = [0]
        self._thread = threading.get_ident()

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same and is counted under a name."""

        @functools.wraps(function)
        def counted(*arguments: Any, **options: Any) -> Any:
            if threading.get_ident() != self._thread:
                return function(*arguments, **options)
            self._inner.append(0)
            began = time.thread_time_ns()
            try:
                return function(*arguments, **options)
            finally:
                taken = time.thread_time_ns() - began
                self.ns[name] += taken - self._inner.pop()
                self._inner[-1] += taken
                self.calls[name] += 1

        return counted

    def attach(self) -> None:
        """Count all of `STEPS` in this process from now on."""
        for owner, attribute, _ in STEPS:
            whole = vars(owner)[attribute]
            counted: Any = self.wrap(name_of(owner, attribute), getattr(owner, attribute))
            is_bound = isinstance(whole, classmethod)
            setattr(owner, attribute, staticmethod(counted) if is_bound else counted)

    def as_data(self) -> dict[str, Any]:
        """Return it for JSON, with the nanoseconds that counting a call took in it, and around."""
        inside, around = _cost_of_counting()
        return {
            "ns": dict(self.ns), "calls": dict(self.calls), "inside": inside, "around": around,
        }  # fmt: skip


def name_of(owner: Any, attribute: str) -> str:
    """Return the name of a step."""
    return f"{owner.__name__.rpartition('.')[2]}.{attribute}"


def _cost_of_counting() -> tuple[float, float]:
    empty = Ledger()
    counted = empty.wrap("nothing", int)
    began = time.thread_time_ns()
    for _ in range(_SAMPLES):
        counted()
    whole = (time.thread_time_ns() - began) / _SAMPLES
    inside = empty.ns["nothing"] / _SAMPLES
    return inside, whole - inside


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    arguments, of_relay = parser.parse_known_args()
    ledger = Ledger()
    ledger.attach()
    relay([*of_relay, "--work", WorkMode.NEVER])
    arguments.file.write_text(json.dumps(ledger.as_data()))


if __name__ == "__main__":
    main()
