"""Requests of 32 envelopes to one mailbox beside requests of one."""

from __future__ import annotations

from benchmarks.relay.http import Http2
from benchmarks.relay.posts import BATCH, post_to_relay
from benchmarks.relay.rounds import Bar, Report, Sample, interleave

SINGLE_IN_FLIGHT, BATCHES_IN_FLIGHT = 64, 16
"""16 batches are the 512 envelopes that the relay takes into one transaction."""
_CONNECTIONS = 8


async def _post(seconds: float, batch: int, in_flight: int) -> Sample:
    sample = await post_to_relay(Http2, _CONNECTIONS, seconds, batch=batch, in_flight=in_flight)
    return {"envelopes/s": sample["posts/s"] * batch, **sample}


async def measure(rounds: int, seconds: float) -> Report:
    """Measure both."""
    report = Report(
        "batches",
        f"Envelopes of 4 KiB in requests of one ({SINGLE_IN_FLIGHT} in flight) and of {BATCH} "
        f"({BATCHES_IN_FLIGHT} in flight), HTTP/2",
        [
            Bar(f"batches of {BATCH} over single posts", (f"batches of {BATCH}", "envelopes/s"),
                ("single posts", "envelopes/s"), least=3.0),
        ],
    )  # fmt: skip
    return await interleave(
        {
            "single posts": lambda: _post(seconds, 1, SINGLE_IN_FLIGHT),
            f"batches of {BATCH}": lambda: _post(seconds, BATCH, BATCHES_IN_FLIGHT),
        },
        rounds,
        report,
    )
