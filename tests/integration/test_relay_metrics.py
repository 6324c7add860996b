"""The operator's port of a real relay: its totals, and what none of them may tell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import socket
from pathlib import Path

import pytest

from exile_tui.clock import DAY_MS, SystemClock
from exile_tui.relay.binding import listen
from exile_tui.relay.main import main
from exile_tui.relay.metrics_port import bind_metrics
from exile_tui.relay.observing import observer
from exile_tui.relay.service import DATABASE_FILE, RelaySettings
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import Acknowledge, Append, MailboxToken, Receive
from exile_tui.wire.relay import Path as Endpoint
from tests.integration.documents import free_port
from tests.integration.relay_support import PATIENCE, Client, ask, serving, start
from tests.integration.test_relay_server import creation
from tests.unit.relay.support import Box, SettableClock, box

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="([A-Za-z0-9_.+]+)"\})? (-?\d+(?:\.\d+)?)')


async def get(port: int, path: str, request: str = "GET {} HTTP/1.1\r\n\r\n") -> tuple[int, str]:
    """Ask the operator's port as curl would; return the status and the body."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.format(path).encode())
        await writer.drain()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
    return int(head.split()[1]) if head else 0, body.decode()


async def totals(port: int) -> dict[str, float]:
    """Scrape, and take each line for what the format says it is."""
    status, text = await get(port, "/metrics")
    assert status == 200
    found: dict[str, float] = {}
    typed: set[str] = set()
    for line in text.splitlines():
        if line.startswith("#"):
            kind = re.fullmatch(r"# (?:HELP (\S+) .+|TYPE (\S+) (?:counter|gauge|histogram))", line)
            assert kind is not None, line
            typed |= {kind[2]} - {None}
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample is not None, line
        name, label, value, number = sample.groups()
        assert {name, re.sub(r"_(bucket|sum|count)$", "", name)} & typed, line
        key = name if label is None else f"{name} {value}"
        assert key not in found
        found[key] = float(number)
    assert text.endswith("\n")
    return found


async def made(address: RelayAddress, *mailboxes: Box) -> None:
    for mailbox in mailboxes:
        assert (await ask(address, "POST", Endpoint.CREATE, creation(mailbox)))[0] == 204


async def test_every_total_counts_what_happened(tmp_path: Path) -> None:
    rng, bound = random.Random(1), listen("127.0.0.1", 0)
    port = bound.getsockname()[1]
    settings = RelaySettings(directory=tmp_path)
    async with serving(settings, observer(bound, 0)) as (address, _):
        first, second = box(rng), box(rng)
        await made(address, first, second)
        for mailbox, count in ((first, 3), (second, 2)):
            for _ in range(count):
                body = Append(mailbox.id, mailbox.send_token, [rng.randbytes(4096)])
                await ask(address, "POST", Endpoint.APPEND, body.encode())
            await ask(address, "POST", Endpoint.APPEND, body.encode())  # again: not stored twice
        wrong = Append(first.id, bytes(32), [bytes(4096), bytes(4096)]).encode()
        assert (await ask(address, "POST", Endpoint.APPEND, wrong))[1][:1] == b"\2"
        assert (await ask(address, "POST", Endpoint.APPEND, b"x"))[0] == 400
        async with Client(address) as client:
            receive = Receive([(first.id, first.receive_token)]).encode()
            await client.send("POST", Endpoint.RECEIVE, receive)
            seqs = [frame.seq for frame in await client.until_caught_up()]
            acknowledge = Acknowledge(first.id, first.receive_token, seqs[:1] * 2).encode()
            await ask(address, "POST", Endpoint.ACKNOWLEDGE, acknowledge)
            found = await totals(port)
            assert found["exile_relay_streams"] == 1
        gone = MailboxToken(second.id, second.receive_token).encode()
        await ask(address, "POST", Endpoint.DELETE, gone)
        async with asyncio.timeout(PATIENCE):  # counting has its share of the time, no more
            while (after := await totals(port))["exile_relay_mailboxes"] == 2:
                pass
    assert found["exile_relay_mailboxes"] == 2
    assert found["exile_relay_envelopes_waiting"] == 4
    assert found["exile_relay_envelopes_waiting_bytes"] == 4 * 4096
    assert found["exile_relay_envelopes_appended_total"] == 5
    assert found["exile_relay_envelopes_delivered_total"] == 3
    assert found["exile_relay_envelopes_acknowledged_total"] == 1
    assert found["exile_relay_envelopes_deleted_total"] == 0
    assert found["exile_relay_appends_refused_total refused"] == 1
    assert found["exile_relay_requests_refused_total 400"] == 1
    assert found["exile_relay_commit_seconds_count"] >= 8
    assert (
        found["exile_relay_commit_seconds_bucket +Inf"]
        == (found["exile_relay_commit_seconds_count"])
    )
    assert found["exile_relay_commits_failed_total"] == 0
    assert found["exile_relay_database_bytes"] + found["exile_relay_log_bytes"] > 4 * 4096
    assert after["exile_relay_mailboxes"] == 1
    assert after["exile_relay_envelopes_deleted_total"] == 2
    assert after["exile_relay_envelopes_waiting"] == 2


async def test_what_expired_is_told_from_what_was_fetched(tmp_path: Path) -> None:
    rng, clock, bound = random.Random(2), SettableClock(), listen("127.0.0.1", 0)
    settings = RelaySettings(directory=tmp_path, clock=clock, wipe_interval=0.01)
    async with serving(settings, observer(bound, 0)) as (address, _):
        mailbox = box(rng)
        await made(address, mailbox)
        body = Append(mailbox.id, mailbox.send_token, [rng.randbytes(4096)]).encode()
        await ask(address, "POST", Endpoint.APPEND, body)
        clock.skip_days(5)
        async with asyncio.timeout(PATIENCE):
            while (found := await totals(bound_port(bound)))["exile_relay_envelopes_waiting"]:
                pass
    assert found["exile_relay_envelopes_expired_total"] == 1
    assert found["exile_relay_envelopes_acknowledged_total"] == 0


def bound_port(bound: socket.socket) -> int:
    port: int = bound.getsockname()[1]
    return port


async def test_no_two_answers_of_a_minute_differ_and_none_names_anything(tmp_path: Path) -> None:
    rng, port = random.Random(3), free_port()
    relay = await start(tmp_path, "--metrics", str(port))
    mailbox = box(rng)
    await made(relay.address, mailbox)
    first = await get(port, "/metrics")
    body = Append(mailbox.id, mailbox.send_token, [rng.randbytes(4096)]).encode()
    assert (await ask(relay.address, "POST", Endpoint.APPEND, body)) == (200, b"\0")
    assert await get(port, "/metrics") == first
    started = await totals(port)
    day = DAY_MS // 1000
    assert started["process_start_time_seconds"] % day == 0
    assert SystemClock().now_ms() // 1000 - started["process_start_time_seconds"] < 2 * day
    for secret in (mailbox.id, mailbox.receive_hash, mailbox.send_hash):
        assert secret.hex() not in first[1]
    assert "127.0.0.1" not in first[1]
    assert await relay.end() == 0
    assert relay.output == b""


async def test_nothing_but_its_pages_is_answered(tmp_path: Path) -> None:
    bound = listen("127.0.0.1", 0)
    port = bound_port(bound)
    async with serving(RelaySettings(directory=tmp_path), observer(bound)):
        assert (await get(port, "/"))[0] == 404
        assert (await get(port, Endpoint.FACTS))[0] == 404
        assert (await get(port, "/metrics?x=1"))[0] == 200
        for method in ("POST", "HEAD", "DELETE"):
            assert (await get(port, "/metrics", method + " {} HTTP/1.1\r\n\r\n"))[0] == 405
        assert (await get(port, "", "nonsense\r\n\r\n"))[0] == 400
        assert (await get(port, "", "x" * 70_000 + "\r\n\r\n"))[0] == 0  # no head is that long
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(16)]
        with contextlib.suppress(ConnectionError):
            assert await get(port, "/metrics") == (0, "")  # sixteen at once
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        async with asyncio.timeout(PATIENCE):
            while (await get(port, "/metrics"))[0] != 200:
                pass


def listening(process: int) -> list[str]:
    """Return where a process listens, as the kernel writes it."""
    files = [os.readlink(file) for file in Path(f"/proc/{process}/fd").iterdir()]
    rows = [line.split() for line in Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in files]


async def test_without_being_asked_for_there_is_no_port(tmp_path: Path) -> None:
    relay = await start(tmp_path)
    if Path("/proc").is_dir():  # noqa: ASYNC240 - a look at the kernel's own table
        assert listening(relay.process.pid) == [f"0100007F:{relay.address.port:04X}"]
    assert await relay.end() == 0


async def test_health_and_readiness_tell_a_full_disk_apart(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("needs Linux, whose limits of a running process can be changed")
    port = free_port()
    relay = await start(tmp_path, "--metrics", f"127.0.0.1:{port}")
    process, none = relay.process.pid, resource.RLIM_INFINITY
    assert await get(port, "/ready") == (200, "ready\n")
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, none))  # no write finds any room
    creating = creation(box(random.Random(4)))
    assert (await ask(relay.address, "POST", Endpoint.CREATE, creating))[0] == 503
    async with asyncio.timeout(PATIENCE):
        while await get(port, "/ready") != (503, "the database takes no commit\n"):
            assert (await get(port, "/health"))[0] == 200
    assert (await get(port, "/health"))[0] == 200
    assert (await totals(port))["exile_relay_commits_failed_total"] > 0
    resource.prlimit(process, resource.RLIMIT_FSIZE, (none, none))
    assert await get(port, "/ready") == (200, "ready\n")
    assert await relay.end() == 0
    assert relay.output == b""


async def test_a_relay_that_stops_is_healthy_and_not_ready(tmp_path: Path) -> None:
    bound = listen("127.0.0.1", 0)
    port = bound_port(bound)
    async with serving(RelaySettings(directory=tmp_path), observer(bound)) as (address, service):
        assert (await get(port, "/ready"))[0] == 200
        async with Client(address) as client:  # a body under way keeps it for a while
            lines = [f"POST {Endpoint.APPEND} HTTP/1.1", "host: relay", "content-length: 4"]
            client.writer.write("\r\n".join([*lines, "expect: 100-continue\r\n\r\n"]).encode())
            assert (await client.head())[0] == 100  # the relay waits for the body now
            service.stop()
            async with asyncio.timeout(PATIENCE):
                while await get(port, "/ready") != (503, "stopping\n"):
                    pass
            assert (await get(port, "/health"))[0] == 200
            client.writer.write(b"body")
            assert await client.answer() == (503, b"stopping")


async def test_asking_whether_it_is_ready_leaves_the_log_empty(tmp_path: Path) -> None:
    bound = listen("127.0.0.1", 0)
    port = bound_port(bound)
    settings = RelaySettings(directory=tmp_path, wipe_interval=0.05)
    async with serving(settings, observer(bound)):
        log = tmp_path / f"{DATABASE_FILE}-wal"
        assert (await get(port, "/health"))[0] == 200
        async with asyncio.timeout(PATIENCE):
            while log.stat().st_size:  # what making the tables left
                assert (await get(port, "/health"))[0] == 200
        assert (await get(port, "/ready"))[0] == 200
        assert (await totals(port))["exile_relay_commit_seconds_count"] >= 1
        async with asyncio.timeout(PATIENCE):
            while log.stat().st_size:
                assert (await get(port, "/health"))[0] == 200


def test_a_place_is_loopback_unless_it_says_otherwise() -> None:
    port = free_port()
    for text, host in ((f"{port}", "127.0.0.1"), (f"0.0.0.0:{port}", "0.0.0.0")):
        with bind_metrics(text) as bound:
            assert bound.getsockname() == (host, port)


def test_a_bad_place_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = bound_port(taken)
        for words, text in (
            ("is no place for --metrics", "0"),
            ("is no place for --metrics", "65536"),
            ("is no place for --metrics", "localhost"),
            ("is no place for --metrics", ":9464"),
            ("is no place for --metrics", "::1:9464"),
            ("is no place for --metrics", "UPPER:9464"),
            ("is no place for --metrics", "1.2.3.4:٣"),
            ("is taken by another program", f"127.0.0.1:{port}"),
            ("Can't listen on", "192.0.2.1:9464"),
        ):
            assert main(["--data-dir", str(tmp_path), "--metrics", text]) == 2
            out, said = capsys.readouterr()
            assert (out, said.count("\n")) == ("", 1)
            assert words in said
