"""When a relay asks for how much work, and what a solution is good for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from exile_tui.cli.parser import build_parser
from exile_tui.core.puzzle import Solver
from exile_tui.relay import engine as ops
from exile_tui.relay.access import Access
from exile_tui.relay.engine import EngineUnavailable
from exile_tui.relay.facts import FactSheet
from exile_tui.relay.facts_file import OperatorFacts
from exile_tui.relay.handlers import _CREATE_AT_ONCE, NO_CONTENT, Handlers
from exile_tui.relay.key import ensure_key
from exile_tui.relay.limits import Limits
from exile_tui.relay.renewal import Renewals
from exile_tui.relay.service import RelaySettings
from exile_tui.relay.work import KEYS, MAX_BITS, WINDOW_S, WorkGate, WorkMode, WorkPolicy
from exile_tui.wire.relay import MAX_TRIES, Authorization, CreateMailbox, Puzzle, Solution
from exile_tui.wire.relay import Path as Endpoint
from tests.unit.relay.support import SettableClock, box, open_engine

PIN = bytes(range(32))
EASY = WorkPolicy(mode=WorkMode.ALWAYS, bits=4)


def gate(policy: WorkPolicy, clock: SettableClock | None = None, pin: bytes = PIN) -> WorkGate:
    return WorkGate(policy, pin, clock or SettableClock(), random.Random(pin).randbytes)


def creation(rng: random.Random) -> CreateMailbox:
    mailbox = box(rng)
    hashes = mailbox.receive_hash, mailbox.send_hash
    return CreateMailbox(mailbox.id, *hashes, Authorization())


def solve(puzzle: Puzzle, request: CreateMailbox, pin: bytes = PIN) -> CreateMailbox:
    solver = Solver(puzzle, puzzle.cookie(request.mailbox_id, pin))
    solution = None
    while solution is None:
        solution = solver.run(1000)
    return replace(request, solution=solution)


def asked(of: WorkGate, request: CreateMailbox) -> Puzzle:
    puzzle = of.puzzle(request, 0, 0)
    assert puzzle is not None
    return puzzle


def bits(of: WorkGate, rng: random.Random, share: float = 0.0, made: int = 0) -> int:
    puzzle = of.puzzle(creation(rng), share, made)
    return 0 if puzzle is None else puzzle.bits


@pytest.fixture
def rng() -> random.Random:
    return random.Random(1)


def test_a_solution_makes_the_mailbox_it_was_asked_for(rng: random.Random) -> None:
    work, request = gate(EASY), creation(rng)
    puzzle = asked(work, request)
    assert (puzzle.bits, puzzle.count) == (4, KEYS)
    assert asked(work, request) == puzzle  # nothing is kept, nothing differs
    solved = solve(puzzle, request)
    assert work.puzzle(solved, 0, 0) is None
    assert work.puzzle(solved, 0, 0) is None  # again, as when the answer got lost
    assert work.totals == {"asked": 2, "solved": 2, "refused": 0}


def test_the_challenge_is_as_the_document_says(rng: random.Random) -> None:
    request, key = creation(rng), random.Random(PIN).randbytes(32)
    message = b"exile-relay/1/puzzle/challenge" + bytes((4, KEYS)) + request.mailbox_id
    expected = hmac.new(key, message, hashlib.sha256).digest()
    assert asked(gate(EASY), request).challenge == expected


def test_it_is_good_for_no_other_mailbox_relay_or_time(rng: random.Random) -> None:
    clock = SettableClock()
    work, request, other = gate(EASY, clock), creation(rng), creation(rng)
    solved = solve(asked(work, request), request)
    assert solved.solution is not None
    assert asked(work, replace(other, solution=solved.solution))
    elsewhere = gate(EASY, clock, bytes(32))
    assert asked(elsewhere, solved)
    # Nor does a relay profit whose clients are given another one's puzzle.
    assert asked(work, solve(asked(work, request), request, bytes(32)))
    assert work.totals["refused"] == 2
    clock.ms += int(WINDOW_S * 1000)
    assert work.puzzle(solved, 0, 0) is None
    clock.ms += int(WINDOW_S * 1000)
    assert asked(work, solved)


def test_it_ends_when_nobody_asked_meanwhile_too(rng: random.Random) -> None:
    clock = SettableClock()
    work, request = gate(EASY, clock), creation(rng)
    solved = solve(asked(work, request), request)
    clock.ms += int(2 * WINDOW_S * 1000)
    again = asked(work, solved)
    assert work.puzzle(solve(again, request), 0, 0) is None


def test_what_was_not_asked_for_is_no_solution(rng: random.Random) -> None:
    work, request = gate(EASY), creation(rng)
    puzzle = asked(work, request)
    made_up = [
        replace(puzzle, bits=1),
        replace(puzzle, count=1),
        replace(puzzle, challenge=rng.randbytes(32)),
    ]
    for each in made_up:
        assert asked(work, solve(each, request)) == puzzle
    solution = solve(puzzle, request).solution
    assert solution is not None
    for at in range(KEYS):
        keys = list(solution.keys)
        keys[at] = (int.from_bytes(keys[at], "big") + 1).to_bytes(8, "big")
        if keys == sorted(set(keys)):
            worse = replace(request, solution=Solution(puzzle, keys))
            assert not worse.solution.solves(puzzle.cookie(request.mailbox_id, PIN))
            assert asked(work, worse) == puzzle
    assert work.totals["solved"] == 0


def test_never_asks_nothing(rng: random.Random) -> None:
    work = gate(WorkPolicy(mode=WorkMode.NEVER, rate=1))
    assert [bits(work, rng, share) for share in (0, 0.5, 0.99, 1.0)] == [0] * 4
    assert [bits(work, rng, made=made) for made in range(100)] == [0] * 100


def test_each_doubling_of_the_rate_doubles_the_work_up_to_a_bound(rng: random.Random) -> None:
    clock = SettableClock()
    work = gate(WorkPolicy(mode=WorkMode.BUSY, rate=10, bits=12), clock)
    seen = [bits(work, rng, made=made) for made in range(400)]  # all in one moment
    assert seen == sorted(seen)
    steps = [seen.index(each) for each in (0, 12, 13, 14, 15, 16, 17)]
    assert steps == [0, 10, 20, 40, 80, 160, 320]
    clock.ms += 60_000  # a minute on, e times less
    assert bits(work, rng, made=399) == 15
    clock.ms += 600_000
    assert bits(work, rng, made=399) == 0
    assert bits(work, rng, made=400) == 0


def test_a_steady_rate_is_what_it_is(rng: random.Random) -> None:
    clock = SettableClock()
    work = gate(WorkPolicy(mode=WorkMode.BUSY, rate=10), clock)
    for made in range(100):  # 9 a minute, for 11 minutes
        assert bits(work, rng, made=made) == 0
        clock.ms += 60_000 // 9
    for made in range(100, 200):  # 12 a minute
        last = bits(work, rng, made=made)
        clock.ms += 5000
    assert last == 14


def test_requests_alone_make_nobody_busy(rng: random.Random) -> None:
    work = gate(WorkPolicy(mode=WorkMode.BUSY, rate=10))
    assert {bits(work, rng) for _ in range(100)} == {0}
    assert {bits(work, rng, made=10) for _ in range(100)} == {14}
    assert work.totals == {"asked": 100, "solved": 0, "refused": 0}


async def test_one_mailbox_made_and_deleted_all_the_time_makes_nobody_busy(
    tmp_path: Path, rng: random.Random
) -> None:
    """One solution is good for it again and again, and others would work for that."""
    clock, mine = SettableClock(), box(rng)
    work = gate(WorkPolicy(mode=WorkMode.BUSY, rate=10), clock)
    engine = await open_engine(tmp_path, clock)
    made = ops.CreateMailbox(mine.id, mine.receive_hash, mine.send_hash)
    for _ in range(40):
        assert bits(work, rng, made=engine.mailboxes().made) == 0
        await engine.submit(made)
        await engine.submit(ops.DeleteMailbox(mine.id, mine.receive_hash))
    assert engine.mailboxes() == (0, 0)
    await engine.close()


def test_what_was_deleted_is_no_credit(rng: random.Random) -> None:
    work = gate(WorkPolicy(mode=WorkMode.BUSY, rate=10))
    assert [bits(work, rng, made=made) for made in (-1000, -991, -990)] == [0, 0, 14]


async def test_what_a_failing_disk_did_not_make_does_not_count(
    tmp_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, mine = await open_engine(tmp_path, SettableClock()), box(rng)

    async def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as failing:
        failing.setattr(engine, "_commit_durably", fail)
        with pytest.raises(EngineUnavailable):
            await engine.submit(ops.CreateMailbox(mine.id, mine.receive_hash, mine.send_hash))
    assert engine.mailboxes() == (0, 0)
    await engine.close()


async def test_what_is_sent_together_is_counted_too(tmp_path: Path, rng: random.Random) -> None:
    clock, limits, access = SettableClock(), Limits(), Access()
    engine, key = await open_engine(tmp_path, clock), ensure_key(tmp_path)
    handlers = Handlers(
        engine,
        access,
        Renewals(key.private),
        gate(WorkPolicy(mode=WorkMode.BUSY, rate=10), clock, key.pin),
        FactSheet(key, OperatorFacts(), limits, access, clock),
        limits,
        clock,
    )
    create, _ = handlers.routes["POST", Endpoint.CREATE.value]
    asked = [creation(rng).encode() for _ in range(300)]
    answers = await asyncio.gather(*(create(each) for each in asked))
    created = [answer for answer in answers if answer == NO_CONTENT]
    assert 10 <= len(created) <= 10 + _CREATE_AT_ONCE
    assert engine.mailboxes().held == len(created)
    await engine.close()


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, 0), (0.49, 0), (0.5, 14), (0.74, 14), (0.75, 15), (0.875, 16), (0.94, 17), (0.9999, 17)],
)
def test_each_halving_of_the_room_doubles_the_work(
    rng: random.Random, share: float, expected: int
) -> None:
    assert bits(gate(WorkPolicy(mode=WorkMode.BUSY)), rng, share) == expected


def test_a_full_relay_asks_for_nothing_in_vain(rng: random.Random) -> None:
    assert bits(gate(WorkPolicy(mode=WorkMode.BUSY)), rng, 1.0) == 0


def test_always_asks_from_the_first_on_and_more_when_busy(rng: random.Random) -> None:
    work = gate(WorkPolicy(mode=WorkMode.ALWAYS))
    assert [bits(work, rng, share) for share in (0, 0.5, 0.75)] == [14, 14, 15]


def test_a_relay_of_ones_own_computer_asks_for_nothing(tmp_path: Path) -> None:
    assert RelaySettings(directory=tmp_path).work.mode is WorkMode.NEVER  # as `detached` makes it


def test_a_relay_for_others_asks_when_it_is_busy() -> None:
    options = build_parser().parse_args(["relay"])
    assert (options.work, options.work_rate, options.work_bits) == ("busy", None, None)


def test_the_hardest_puzzle_is_the_one_that_clients_solve() -> None:
    assert Puzzle(MAX_BITS, KEYS, bytes(32)).tries == MAX_TRIES
