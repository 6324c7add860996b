"""The operator's side of a real relay: its line, its statement, what it must hand over."""

from __future__ import annotations

import datetime
import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from exile_tui.relay.facts_file import FACTS_FILE
from exile_tui.wire.encoding import encode_base64url
from exile_tui.wire.facts import SignedFacts
from exile_tui.wire.relay import Append
from exile_tui.wire.relay import Path as Endpoint
from tests.integration import headless
from tests.integration.headless import Done
from tests.integration.relay_support import RelayProcess, ask, start
from tests.integration.terminal import TMUX, Terminal
from tests.integration.test_relay_server import creation
from tests.unit.relay.support import box, raw_files


async def run(*arguments: str) -> Done:
    return await (await headless.start(["--lang", "en", "relay", *arguments])).wait()


async def facts_of(relay: RelayProcess) -> dict[str, object]:
    status, body = await ask(relay.address, "GET", Endpoint.FACTS)
    assert status == 200
    signed = SignedFacts.decode(body)
    signed.verify(relay.address.pin)
    found: dict[str, object] = json.loads(signed.body)
    return found


async def test_a_statement_is_signed_beside_a_running_relay_which_takes_it_up(
    tmp_path: Path,
) -> None:
    relay = await start(tmp_path)
    at = ("--data-dir", str(tmp_path))
    first = await run("facts", *at)
    assert (first.code, first.text) == (0, "")
    assert str(tmp_path / FACTS_FILE) in first.error
    assert (await facts_of(relay))["jurisdiction"] == ""
    refused = await run("facts", *at)
    assert (refused.code, refused.error.count("\n")) == (2, 1)
    file = tmp_path / FACTS_FILE
    text = file.read_text()
    file.write_text(text.replace('jurisdiction = ""', 'jurisdiction = "대한민국"'))
    signed = await run("facts", *at)
    assert signed.code == 0
    shown = json.loads(signed.text)
    assert shown == await facts_of(relay)
    assert shown["jurisdiction"] == "대한민국"
    assert shown["date"] == datetime.datetime.now(datetime.UTC).date().isoformat()
    file.write_text("nonsense")
    assert await facts_of(relay) == shown  # what can't be used changes nothing
    refused = await run("facts", *at)
    assert (refused.code, refused.error.count("\n")) == (2, 1)
    assert await relay.end() == 0


async def test_all_about_a_mailbox_is_told_and_nothing_about_another(tmp_path: Path) -> None:
    source, relay = random.Random(20), await start(tmp_path)
    mailbox, other = box(source), box(source)
    for one in (mailbox, other):
        await ask(relay.address, "POST", Endpoint.CREATE, creation(one))
    envelopes = [source.randbytes(4096), source.randbytes(16384)]
    for one, some in ((mailbox, envelopes), (other, [source.randbytes(4096)])):
        body = Append(one.id, one.send_token, some).encode()
        assert (await ask(relay.address, "POST", Endpoint.APPEND, body))[1] == bytes(len(some))
    arguments = ("--data-dir", str(tmp_path), "--", encode_base64url(mailbox.id))
    running = await run("disclose", *arguments)
    assert running.code == 0
    held = json.loads(running.text)
    assert sorted(held) == ["bodies", "journal", "mailboxes", "slots"]
    (row,) = held["mailboxes"]
    assert row["id"] == encode_base64url(mailbox.id)
    assert row["receive_hash"] == encode_base64url(mailbox.receive_hash)
    bodies = {encode_base64url(envelope) for envelope in envelopes}
    assert {each["body"] for name in ("bodies", "journal") for each in held[name]} == bodies
    assert encode_base64url(other.id) not in running.text
    of = {each["mailbox"] for name in ("slots", "journal") for each in held[name]}
    assert of == {row["number"]}
    for secret in (mailbox.receive_token, mailbox.send_token):
        assert encode_base64url(secret) not in running.text
    assert await relay.end() == 0

    before = raw_files(tmp_path)
    stopped = await run("disclose", "--data-dir", str(tmp_path), mailbox.id.hex())
    assert stopped.code == 0
    held = json.loads(stopped.text)
    assert {each["body"] for each in held["bodies"]} == bodies
    assert sorted(slot["size"] for slot in held["slots"]) == [4096, 16384]
    assert held["journal"] == []
    assert raw_files(tmp_path) == before


async def test_what_can_not_be_told_is_one_sentence_and_makes_nothing(tmp_path: Path) -> None:
    relay = await start(tmp_path / "relay")
    here, nowhere = str(tmp_path / "relay"), str(tmp_path / "nowhere")
    unknown = encode_base64url(bytes(16))
    for code, words, arguments in (
        (1, "holds nothing about a mailbox", ("disclose", unknown, "--data-dir", here)),
        (1, "There is no relay in", ("disclose", unknown, "--data-dir", nowhere)),
        (1, "There is no relay in", ("facts", "--data-dir", nowhere)),
        (2, "is no mailbox id", ("disclose", "id", "--data-dir", here)),
        (2, "is no mailbox id", ("disclose", "g" * 32, "--data-dir", here)),
        (2, "MAILBOX-ID", ("disclose", "--data-dir", here)),
    ):
        done = await run(*arguments)
        assert (done.code, done.text, done.error.count("\n")) == (code, "", 1)
        assert words in done.error
    assert os.listdir(tmp_path) == ["relay"]
    assert await relay.end() == 0


async def test_a_bad_statement_in_its_directory_keeps_a_relay_from_starting(tmp_path: Path) -> None:
    (tmp_path / FACTS_FILE).write_text("secret = 1")
    done = await run("--data-dir", str(tmp_path))
    assert (done.code, done.text, done.error.count("\n")) == (2, "", 1)
    assert "The facts in" in done.error


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(
        f"exile-relay-{os.getpid()}", 100, 40, "--lang", "ko", "relay",
        "--data-dir", str(tmp_path / "relay"), shell=True,
    )  # fmt: skip
    yield opened
    opened.close()


def relay_in(terminal: Terminal) -> int:
    shell = terminal.process
    (relay,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    return int(relay)


@pytest.mark.skipif(TMUX is None or not Path("/proc").is_dir(), reason="needs tmux and Linux")
def test_a_terminal_shows_one_quiet_line_and_the_code_on_request(terminal: Terminal) -> None:
    screen = terminal.wait_for("우편함 0개   봉투 0개(0 B)   블롭 0개(0 B)")
    address, *others = [line for line in screen.splitlines() if line.strip()]
    assert address.startswith("https://127.0.0.1:")
    assert len(others) == 2
    assert "▀" not in screen
    terminal.press("q")
    terminal.wait_for(lambda screen: "▀" in screen and screen.count("우편함") == 1)
    os.kill(relay_in(terminal), signal.SIGTERM)  # Ctrl+C would end the shell around it too
    screen = terminal.wait_for("ended with 0")
    assert "우편함" not in screen


@pytest.mark.skipif(TMUX is None or not Path("/proc").is_dir(), reason="needs tmux and Linux")
def test_a_signal_asks_for_the_code_too(terminal: Terminal) -> None:
    terminal.wait_for("우편함 0개")
    os.kill(relay_in(terminal), signal.SIGUSR1)
    terminal.wait_for("▀")
