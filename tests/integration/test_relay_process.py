"""The relay as a process: killed, stopped, started twice, searched for what it must not hold."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import random
import signal
import socket
from pathlib import Path as FilePath

import pytest
import zxingcpp
from PIL import Image

from exile_tui.relay.key import CERTIFICATE_FILE, KEY_FILE
from exile_tui.relay.listening import LISTENING_FILE
from exile_tui.relay.main import announce, main, qr_code
from exile_tui.relay.placing import Placement, allowed
from exile_tui.relay.service import DATABASE_FILE, RelayDirectory, RelaySettings
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.relay import (
    Acknowledge,
    Append,
    Authorization,
    CreateMailbox,
    Goodbye,
    MailboxToken,
    Path,
    Receive,
)
from tests.integration.relay_support import PATIENCE, Client, ask, launch, serving, start
from tests.unit.relay.support import Box, box, raw_files


def creation(mailbox: Box) -> bytes:
    request = CreateMailbox(mailbox.id, mailbox.receive_hash, mailbox.send_hash, Authorization())
    return request.encode()


def receiving(mailbox: Box) -> bytes:
    return Receive([(mailbox.id, mailbox.receive_token)]).encode()


async def test_acknowledged_bytes_and_all_secrets_are_in_no_file(tmp_path: FilePath) -> None:
    rng = random.Random(10)
    directory = tmp_path / "relay"
    async with serving(RelaySettings(directory=directory, wipe_interval=0.05)) as (address, _):
        mailbox, other = box(rng), box(rng)
        for one in (mailbox, other):
            await ask(address, "POST", Path.CREATE, creation(one))
        envelopes = [rng.randbytes(size) for size in (4096, 16384, 65536)]
        await ask(
            address,
            "POST",
            Path.APPEND,
            Append(mailbox.id, mailbox.send_token, envelopes).encode(),
        )
        assert all(envelope[-64:] in raw_files(directory) for envelope in envelopes)
        async with Client(address) as client:
            await client.send("POST", Path.RECEIVE, receiving(mailbox))
            seqs = [frame.seq for frame in await client.until_caught_up()]
        acknowledging = Acknowledge(mailbox.id, mailbox.receive_token, seqs).encode()
        await ask(address, "POST", Path.ACKNOWLEDGE, acknowledging)
        gone = MailboxToken(other.id, other.receive_token).encode()
        await ask(address, "POST", Path.DELETE, gone)
        wal = directory / f"{DATABASE_FILE}-wal"
        async with asyncio.timeout(PATIENCE):
            while wal.stat().st_size:  # the truncation, whenever it comes
                await ask(address, "GET", Path.FACTS)
        raw = raw_files(directory)
    for envelope in envelopes:
        assert not [at for at in range(0, len(envelope), 256) if envelope[at : at + 32] in raw]
    for secret in (mailbox.receive_token, mailbox.send_token, other.id, other.receive_hash):
        assert secret not in raw
    assert mailbox.id in raw


async def test_sigterm_says_goodbye_and_ends_in_time(tmp_path: FilePath) -> None:
    rng, relay = random.Random(11), await start(tmp_path)
    mailbox = box(rng)
    await ask(relay.address, "POST", Path.CREATE, creation(mailbox))
    async with Client(relay.address) as client:
        await client.send("POST", Path.RECEIVE, receiving(mailbox))
        await client.until_caught_up()
        relay.process.send_signal(signal.SIGTERM)
        assert [frame async for frame in client.frames()] == [Goodbye()]
    assert await relay.end(signal.SIGTERM) == 0
    assert relay.output == b""


async def test_nothing_is_written_whatever_is_asked(tmp_path: FilePath) -> None:
    rng, relay = random.Random(12), await start(tmp_path)
    mailbox = box(rng)
    await ask(relay.address, "POST", Path.CREATE, creation(mailbox))
    for path in Path:
        await ask(relay.address, "POST", path, rng.randbytes(100))
    body = Append(mailbox.id, mailbox.send_token, [bytes(4096)]).encode()
    await ask(relay.address, "POST", Path.APPEND, body)
    _, writer = await asyncio.open_connection(relay.address.host, relay.address.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")  # no TLS
    await writer.drain()
    writer.close()
    async with Client(relay.address) as client:
        client.writer.write(b"\0\1\2 nonsense\r\n\r\n")
        await client.writer.drain()
        await client.reader.read()
    assert await relay.end(signal.SIGINT) == 0
    assert relay.output == b""
    files = set(os.listdir(tmp_path))
    assert files == {"lock", KEY_FILE, CERTIFICATE_FILE, DATABASE_FILE, LISTENING_FILE}


async def test_the_key_makes_the_address_and_outlives_the_database(tmp_path: FilePath) -> None:
    relay = await start(tmp_path)
    await relay.end()
    (tmp_path / DATABASE_FILE).unlink()
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    again = await start(tmp_path, "--port", str(relay.address.port))
    await again.end()
    assert again.address == relay.address


def test_what_cannot_start_says_one_sentence(
    tmp_path: FilePath, capsys: pytest.CaptureFixture[str]
) -> None:
    bad_facts, empty = tmp_path / "facts.toml", tmp_path / "phrase"
    bad_facts.write_text("secret = 1")
    empty.write_text("\n")
    (tmp_path / "file").write_text("")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / KEY_FILE).write_text("no key")
    used = RelayDirectory(tmp_path / "used")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        cases = [
            (1, "Another relay runs in", ("--data-dir", str(tmp_path / "used"))),
            (1, f"Port {port} of 127.0.0.1 is taken", ("--port", port)),
            (2, "There is no engine", ("--engine", "redis://x")),
            (2, "is no port", ("--port", "65536")),
            (2, "can't be a relay's host", ("--host", "UPPER")),
            (1, "Can't listen on", ("--host", "192.0.2.1")),
            (2, "The facts in", ("--facts", str(bad_facts))),
            (2, "The facts in", ("--facts", str(tmp_path / "none"))),
            (2, "has no access phrase", ("--access-phrase-file", str(empty))),
            (1, "can't be used", ("--data-dir", str(tmp_path / "file"))),
            (1, "can't be read", ("--data-dir", str(tmp_path / "damaged"))),
        ]
        for code, words, arguments in cases:
            fresh = () if "--data-dir" in arguments else ("--data-dir", str(tmp_path / "fresh"))
            assert main([*arguments, *fresh]) == code
            out, said = capsys.readouterr()
            assert (out, said.count("\n")) == ("", 1)
            assert words in said
    used.release()


async def test_a_directory_serves_one_process(tmp_path: FilePath) -> None:
    relay = await start(tmp_path)
    process = await launch("--data-dir", str(tmp_path))
    async with asyncio.timeout(PATIENCE):
        out, said = await process.communicate()
    assert (process.returncode, out, said.count(b"\n")) == (1, b"", 1)
    assert (await ask(relay.address, "GET", Path.FACTS))[0] == 200
    assert await relay.end() == 0


def test_the_qr_code_is_the_address(tmp_path: FilePath) -> None:
    """Black on white in half blocks, whatever the terminal's colours are, and readable."""

    address = RelayAddress("127.0.0.1", 443, bytes(range(32)))
    rows: list[list[int]] = []
    for line in qr_code(address.url).splitlines():
        cells = line.removeprefix("\x1b[30;107m").removesuffix("\x1b[0m")
        halves = [(c in "▀█", c in "▄█") for c in cells]
        rows += [[255 * (not top) for top, _ in halves], [255 * (not low) for _, low in halves]]
    image = Image.new("L", (len(rows[0]), len(rows)))
    image.putdata([pixel for row in rows for pixel in row])
    (found,) = zxingcpp.read_barcodes(image.resize((4 * len(rows[0]), 4 * len(rows)), 0))
    assert found.text == address.url


def test_a_terminal_without_half_blocks_gets_the_address() -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    raw, address = io.BytesIO(), RelayAddress("127.0.0.1", 443, bytes(range(32)))
    terminal = Terminal(raw, "iso-8859-1", write_through=True)
    announce(address, terminal)
    assert raw.getvalue().startswith(address.url.encode() + b"\n")


def test_two_relays_never_share_a_key(tmp_path: FilePath) -> None:
    from exile_tui.relay.key import ensure_key

    first, second = tmp_path / "a", tmp_path / "b"
    for path in (first, second):
        path.mkdir()
    key = ensure_key(first)
    assert key.pin == hashlib.sha256(key.spki).digest()
    assert key.pin == ensure_key(first).pin != ensure_key(second).pin


async def test_the_port_is_drawn_once_and_kept(tmp_path: FilePath) -> None:
    relay = await start(tmp_path)
    assert await relay.end() == 0
    again = await start(tmp_path)
    assert again.address == relay.address
    assert await again.end() == 0


async def test_an_address_for_all_of_them_is_explained(tmp_path: FilePath) -> None:
    relay = await start(tmp_path, "--host", "0.0.0.0")
    assert await relay.end() == 0
    assert b"in the place of 0.0.0.0" in relay.output


@pytest.mark.skipif(len(allowed()) < 2, reason="one processor, or no way to choose")
async def test_what_holds_the_interpreters_lock_shares_a_processor(tmp_path: FilePath) -> None:
    placement = Placement(allowed())
    relay = await start(tmp_path)

    await ask(relay.address, "POST", Path.CREATE, creation(box(random.Random(3))))
    process = relay.process.pid
    threads = [int(name) for name in os.listdir(f"/proc/{process}/task")]
    places = {thread: os.sched_getaffinity(thread) for thread in threads}
    assert places[process] == placement.home
    # The other one is the server's in which it calls Python.
    assert list(places.values()).count(placement.home) >= 2
    assert placement.rest in places.values()
    assert await relay.end() == 0
