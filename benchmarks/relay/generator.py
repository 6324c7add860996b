"""Whether the generator is the limit: h2load (nghttp2's, in C) posts to the same nginx beside it.

h2load posts the same bytes each time, which nginx doesn't mind; the relay would not store them
twice. So it can't load the relay, and is a cross-check only.
"""

from __future__ import annotations

import asyncio
import re

from benchmarks.relay.connection import Broken
from benchmarks.relay.http import Http2
from benchmarks.relay.mailboxes import SIZE
from benchmarks.relay.posts import HTTP2_CONNECTIONS, IN_FLIGHT, post_to_nginx
from benchmarks.relay.processes import find_program
from benchmarks.relay.rounds import Bar, Meter, Report, Sample, interleave
from benchmarks.relay.servers import Nginx

PROGRAMS = ("nginx", "h2load")
_SAME_LENGTH = 16 + 32 + 1 + SIZE
"""Bytes of an append of one envelope."""


async def _h2load(program: str, nginx: Nginx, seconds: float) -> Sample:
    body = nginx.directory / "posted"
    await asyncio.to_thread(body.write_bytes, bytes(_SAME_LENGTH))
    command = [program, "--duration", str(round(seconds)), "--warm-up-time", "1"]
    command += ["--clients", str(HTTP2_CONNECTIONS)]
    command += ["--max-concurrent-streams", str(IN_FLIGHT // HTTP2_CONNECTIONS)]
    command += ["--data", str(body), f"https://127.0.0.1:{nginx.port}/v1/append"]
    meter = Meter(nginx)
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await child.communicate()
    found = re.search(rb"finished in [^,]*, ([\d.]+) req/s", told)
    if found is None or b" 0 failed, 0 errored" not in told:
        raise Broken(f"h2load: {told.decode(errors='replace')[-500:]}")
    return {"posts/s": float(found.group(1)), "server cores": meter.read()["server cores"]}


async def measure(rounds: int, seconds: float) -> Report:
    """Measure both generators."""
    program = find_program("h2load")
    report = Report(
        "generator",
        f"Posts of 4 KiB to nginx over HTTP/2, {IN_FLIGHT} in flight, by two generators",
        [
            Bar("this generator over h2load", ("this generator", "posts/s"),
                ("h2load", "posts/s")),
        ],
    )  # fmt: skip
    with Nginx() as nginx:
        assert isinstance(nginx, Nginx)
        contestants = {
            "this generator": lambda: post_to_nginx(nginx, Http2, HTTP2_CONNECTIONS, seconds),
            "h2load": lambda: _h2load(program, nginx, seconds),
        }
        return await interleave(contestants, rounds, report)
