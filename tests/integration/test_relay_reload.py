"""SIGHUP to a real relay: what its operator wrote is looked at again, nobody's stream ends."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exile_tui.relay.facts_file import FACTS_FILE
from exile_tui.relay.key import KEY_FILE, ensure_key
from exile_tui.wire.relay import Append, EnvelopeFrame, Receive
from exile_tui.wire.relay import Path as Endpoint
from tests.integration.documents import Typed
from tests.integration.relay_support import PATIENCE, Client, RelayProcess, ask, start
from tests.integration.test_relay_operator import facts_of
from tests.integration.test_relay_server import creation
from tests.unit.relay.support import box

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP")


async def said_on_hangup(relay: RelayProcess) -> str:
    """Send SIGHUP, return the sentence that comes of it."""
    assert relay.process.stderr is not None
    relay.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(PATIENCE):
        return (await relay.process.stderr.readline()).decode()


async def test_bad_files_are_a_sentence_each_and_the_old_stay(tmp_path: Path) -> None:
    rng, facts, key_file = random.Random(5), tmp_path / FACTS_FILE, tmp_path / KEY_FILE
    facts.write_text('jurisdiction = "A"\n')
    relay = await start(tmp_path)
    mailbox = box(rng)
    assert (await ask(relay.address, "POST", Endpoint.CREATE, creation(mailbox)))[0] == 204
    async with Client(relay.address) as client:
        receive = Receive([(mailbox.id, mailbox.receive_token)]).encode()
        await client.send("POST", Endpoint.RECEIVE, receive)
        await client.until_caught_up()
        before = await facts_of(relay)
        assert before["jurisdiction"] == "A"
        facts.write_text("secret = 1")
        assert "The facts in" in await said_on_hangup(relay)
        assert await facts_of(relay) == before
        facts.write_text('jurisdiction = "B"\n')
        key = key_file.read_bytes()
        key_file.write_text("no key")
        assert "can't be read" in await said_on_hangup(relay)
        key_file.unlink()
        assert "can't be read" in await said_on_hangup(relay)
        (tmp_path / "other").mkdir()
        key_file.write_bytes(ensure_key(tmp_path / "other").key_file.read_bytes())
        assert "holds another key now" in await said_on_hangup(relay)
        assert (await facts_of(relay))["jurisdiction"] == "B"  # signed with the old key, too
        key_file.write_bytes(key)
        relay.process.send_signal(signal.SIGHUP)
        body = Append(mailbox.id, mailbox.send_token, [rng.randbytes(4096)]).encode()
        assert (await ask(relay.address, "POST", Endpoint.APPEND, body)) == (200, b"\0")
        async for frame in client.frames():  # on the stream that was opened before all of it
            assert isinstance(frame, EnvelopeFrame)
            break
    assert await relay.end() == 0
    assert relay.output == b""  # good files are no news


def test_a_terminal_that_goes_away_ends_the_relay(tmp_path: Path) -> None:
    running = Typed("exec exile-tui relay", tmp_path, "")
    running.until(r"Ctrl\+C")  # the line of totals, once it serves
    os.close(running._terminal)
    _, status = os.waitpid(running._pid, 0)
    assert os.WIFEXITED(status)  # not killed: what closing wipes is wiped
    (directory,) = tmp_path.rglob("served-relay")
    assert {file.name for file in directory.glob("relay.db*")} == {"relay.db"}


def test_nohup_is_obeyed(tmp_path: Path) -> None:
    line = 'trap \'\' HUP; exec "$0" -m exile_tui.relay --data-dir "$1"'  # what nohup does
    with subprocess.Popen(
        ["sh", "-c", line, sys.executable, str(tmp_path / "relay")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().startswith("https://")
        (tmp_path / "relay" / FACTS_FILE).write_text("secret = 1")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, said) == (0, "", "")
