"""A busy relay and those who create mailboxes there: real processes, real TLS, little work."""

from __future__ import annotations

import asyncio
import os
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exile_tui.clock import SystemClock
from exile_tui.core.puzzle import Solver
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.kdf import sha256
from exile_tui.errors import RelayUnreachable
from exile_tui.relay import engine
from exile_tui.relay.access import Access
from exile_tui.relay.binding import listen
from exile_tui.relay.limits import Limits
from exile_tui.relay.main import main
from exile_tui.relay.observing import observer
from exile_tui.relay.service import RelaySettings, Running
from exile_tui.relay.work import WorkMode, WorkPolicy
from exile_tui.transport.client import HttpRelay
from exile_tui.transport.failures import refusal
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.mailbox import MailboxKeys
from exile_tui.wire.relay import (
    CONTENT_TYPE,
    MAX_REASON,
    Authorization,
    CreateMailbox,
    MailboxToken,
    PutTicket,
    Puzzle,
    Solution,
)
from exile_tui.wire.relay import (
    Path as Endpoint,
)
from tests.integration.headless import Profile, start, start_relay
from tests.integration.relay_support import Client, ask, serving
from tests.integration.test_relay_metrics import totals
from tests.unit.relay.support import Box, SettableClock, box
from tests.unit.transport.servers import GUARD, answer, fixed, scripted

OPEN = Authorization()
ALWAYS = WorkPolicy(mode=WorkMode.ALWAYS, bits=4)


class Spy:
    """Runs beside a relay and counts what its engine is asked."""

    def __init__(self) -> None:
        self.operations: list[engine.Operation[Any]] = []

    async def __call__(self, running: Running) -> None:
        submit = running.engine.submit

        async def watched(operation: engine.Operation[Any]) -> Any:
            self.operations.append(operation)
            return await submit(operation)

        running.engine.submit = watched  # type: ignore[method-assign]  # of this relay only
        await asyncio.Event().wait()


def creation(
    mailbox: Box, authorization: Authorization = OPEN, solution: Solution | None = None
) -> bytes:
    hashes = mailbox.receive_hash, mailbox.send_hash
    return CreateMailbox(mailbox.id, *hashes, authorization, solution).encode()


def solve(puzzle: Puzzle, mailbox: Box, address: RelayAddress) -> Solution:
    solver, solution = Solver(puzzle, puzzle.cookie(mailbox.id, address.pin)), None
    while solution is None:
        solution = solver.run(1000)
    return solution


async def test_nothing_reaches_the_database_before_the_work_is_done(tmp_path: Path) -> None:
    rng, spy = random.Random(1), Spy()
    mailbox, other = box(rng), box(rng)
    bound = listen("127.0.0.1", 0)
    port = bound.getsockname()[1]
    settings = RelaySettings(directory=tmp_path, work=ALWAYS)
    async with serving(settings, spy, observer(bound, 0)) as (address, _):
        async with Client(address) as client:
            await client.send("POST", Endpoint.CREATE, creation(mailbox))
            status, headers = await client.head()
            body = await client.reader.readexactly(int(headers["content-length"]))
        assert (status, headers["content-type"]) == (503, CONTENT_TYPE)
        assert len(body) <= MAX_REASON
        puzzle = Puzzle.decode(body)
        assert (puzzle.bits, puzzle.count) == (4, 8)
        solution = solve(puzzle, mailbox, address)
        keys = [number.to_bytes(8, "big") for number in range(8)]
        for wrong in (
            creation(other, solution=solution),
            creation(mailbox, solution=Solution(puzzle, keys)),
            # At an open relay anybody may leave a ticket: none opens anything there.
            creation(mailbox, Authorization.ticket(rng.randbytes(32))),
            creation(mailbox, Authorization.renewal(rng.randbytes(32))),
            creation(mailbox, Authorization.phrase("아무 말")),
        ):
            assert (await ask(address, "POST", Endpoint.CREATE, wrong))[0] == 503
        creations = [each for each in spy.operations if isinstance(each, engine.CreateMailbox)]
        assert creations == []
        right = creation(mailbox, solution=solution)
        assert await ask(address, "POST", Endpoint.CREATE, right) == (204, b"")
        assert await ask(address, "POST", Endpoint.CREATE, right) == (204, b"")
        assert await ask(address, "POST", Endpoint.CREATE, right[:-1]) == (400, b"malformed")
        found = await totals(port)
    assert found["exile_relay_work_total asked"] == 6
    assert found["exile_relay_work_total solved"] == 2
    assert found["exile_relay_work_total refused"] == 2


async def test_only_mailboxes_that_are_new_make_a_relay_busy(tmp_path: Path) -> None:
    rng = random.Random(3)
    first, second, third = box(rng), box(rng), box(rng)
    policy = WorkPolicy(mode=WorkMode.BUSY, rate=2, bits=4)
    settings = RelaySettings(directory=tmp_path, work=policy, clock=SettableClock())
    async with serving(settings) as (address, _):
        for mailbox in (first, first, first, second):
            assert await ask(address, "POST", Endpoint.CREATE, creation(mailbox)) == (204, b"")
        status, body = await ask(address, "POST", Endpoint.CREATE, creation(third))
        assert status == 503
        puzzle = Puzzle.decode(body)
        assert puzzle.bits == 4
        solved = creation(third, solution=solve(puzzle, third, address))
        assert await ask(address, "POST", Endpoint.CREATE, solved) == (204, b"")
        gone = MailboxToken(third.id, third.receive_token).encode()
        assert (await ask(address, "POST", Endpoint.DELETE, gone))[0] == 204
        assert (await ask(address, "POST", Endpoint.CREATE, creation(third)))[0] == 503


async def test_half_of_the_room_taken_is_busy_and_full_is_full(tmp_path: Path) -> None:
    rng = random.Random(4)
    settings = RelaySettings(
        directory=tmp_path,
        work=WorkPolicy(mode=WorkMode.BUSY, bits=4),
        limits=Limits(mailboxes=4),
        clock=SettableClock(),
    )
    seen = []
    async with serving(settings) as (address, _):
        for _ in range(5):
            mailbox = box(rng)
            status, body = await ask(address, "POST", Endpoint.CREATE, creation(mailbox))
            seen.append(Puzzle.decode(body).bits if status == 503 else status)
            if status == 503:
                solution = solve(Puzzle.decode(body), mailbox, address)
                solved = creation(mailbox, solution=solution)
                assert await ask(address, "POST", Endpoint.CREATE, solved) == (204, b"")
    assert seen == [204, 204, 4, 5, 429]


async def test_a_relay_without_room_for_any_mailbox_is_full(tmp_path: Path) -> None:
    work = WorkPolicy(mode=WorkMode.BUSY, bits=4)
    settings = RelaySettings(directory=tmp_path, work=work, limits=Limits(mailboxes=0))
    async with serving(settings) as (address, _):
        asked = creation(box(random.Random(5)))
        assert (await ask(address, "POST", Endpoint.CREATE, asked))[0] == 429


async def test_who_was_let_in_is_asked_for_nothing(tmp_path: Path) -> None:
    rng = random.Random(2)
    first, friend, ticket = box(rng), box(rng), rng.randbytes(32)
    phrase = Authorization.phrase("우리끼리 아는 말")
    settings = RelaySettings(
        directory=tmp_path, access=Access("우리끼리 아는 말"), work=replace(ALWAYS, bits=17)
    )
    async with serving(settings) as (address, _):
        status, renewal = await ask(address, "POST", Endpoint.CREATE, creation(first, phrase))
        assert (status, len(renewal)) == (200, 32)
        left = PutTicket(phrase, sha256(ticket), SystemClock().now_ms() // 1000 + 60)
        assert (await ask(address, "POST", Endpoint.TICKET, left.encode()))[0] == 204
        for mailbox, shown, expected in (
            (friend, Authorization.ticket(ticket), 200),
            (first, Authorization.renewal(renewal), 200),
            (box(rng), Authorization.ticket(bytes(32)), 403),
            (box(rng), OPEN, 403),
        ):
            answer = await ask(address, "POST", Endpoint.CREATE, creation(mailbox, shown))
            assert answer[0] == expected


async def test_a_command_does_the_work_and_says_so(tmp_path: Path) -> None:
    options = ("--work", "always", "--work-bits", "12")
    relay, address = await start_relay(tmp_path / "relay", 0, *options)
    haneul = Profile(tmp_path / "1", "haneul")
    await haneul.run("init", "--name", "김하늘", "--relay", address)
    command = [each for each in haneul.command("invite", "--lang", "ko") if each != "--json"]
    invited = await (await start(command)).wait()
    assert invited.code == 0
    assert invited.text.startswith("exile:")
    said = [line for line in invited.error.splitlines() if "붐벼서" in line]
    assert len(said) == 1
    assert re.fullmatch(
        r"릴레이 서버가 붐벼서 이 컴퓨터에 계산을 조금 부탁했어요\. 약 \d+초 걸려요\.", said[0]
    )
    assert (await relay.end()).code == 0


@pytest.mark.parametrize(
    "options", [("--work-bits", "7"), ("--work-bits", "18"), ("--work-rate", "nan")]
)
def test_what_can_not_be_asked_for(
    tmp_path: Path, options: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data-dir", str(tmp_path), *options]) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert os.listdir(tmp_path) == []


async def test_the_client_takes_a_puzzle_it_does_not_know_for_a_busy_relay() -> None:
    keys = MailboxKeys.generate(SystemEntropy())
    typed = f"content-type: {CONTENT_TYPE}\r\n"
    outcomes = []
    for body, headers in (
        (Puzzle(9, 3, bytes(32)).encode(), typed),
        (b"\2" + bytes(34), typed),
        (Puzzle(9, 3, bytes(32)).encode(), "content-type: text/plain\r\n"),
    ):
        said = answer(body, "503 Service Unavailable", headers)
        async with asyncio.timeout(GUARD), scripted(fixed(said)) as server:
            relay = HttpRelay(server.address)
            try:
                outcomes.append(
                    await relay.create_mailbox(
                        keys.id, keys.receive_hash, keys.send_hash, OPEN.encode()
                    )
                )
            except RelayUnreachable as error:
                outcomes.append(error.sentence)
            finally:
                await relay.close()
    busy = refusal(503, server.address).sentence
    assert outcomes == [Puzzle(9, 3, bytes(32)), busy, busy]
