"""The puzzle against plain SHA-256, its vectors, and its two forms on the wire."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.core.puzzle import Solver
from exile_tui.errors import WireError
from exile_tui.wire.encoding import Reader
from exile_tui.wire.puzzle import MAX_KEYS, MAX_SOLUTION, PUZZLE_SIZE, Puzzle, Solution, fits
from exile_tui.wire.relay import MAX_REASON, Authorization, CreateMailbox
from tests.unit.wire.strategies import flipped, ids, tokens, truncated

CHALLENGE, MAILBOX, PIN = bytes(range(32)), bytes(range(0x40, 0x50)), bytes(range(0x80, 0xA0))
COOKIE = bytes.fromhex("0fea31b74bd0c99c2e7f1c9f46ed715d87cc56dc6df11bb108f4ecf4cc21a32a")
VECTORS = [
    (8, [598, 957, 1049, 1151, 1185, 1358, 1436, 1456]),
    (12, [1436, 6617]),
]
"""Zero bits, and the first keys that have them; made without this package."""

puzzles = st.builds(Puzzle, st.integers(1, 64), st.integers(1, MAX_KEYS), tokens)


@st.composite
def solutions(draw: st.DrawFn) -> Solution:
    puzzle = draw(puzzles)
    drawn = st.sets(st.integers(0, 2**64 - 1), min_size=puzzle.count, max_size=puzzle.count)
    return Solution(puzzle, [number.to_bytes(8, "big") for number in sorted(draw(drawn))])


def plain_hmac(key: bytes, message: bytes) -> bytes:
    """RFC 2104, over nothing but the hash."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in block) + message).digest()
    return hashlib.sha256(bytes(each ^ 0x5C for each in block) + inner).digest()


@given(st.binary(min_size=8, max_size=8), tokens, st.integers(1, 64))
def test_a_key_fits_as_the_document_says(key: bytes, cookie: bytes, bits: int) -> None:
    end = int.from_bytes(plain_hmac(key, cookie), "big")
    assert fits(key, cookie, bits) == (end % 2**bits == 0)


@given(tokens, ids, tokens)
def test_the_cookie_is_as_the_document_says(challenge: bytes, mailbox: bytes, pin: bytes) -> None:
    cookie = hashlib.sha256(b"exile-relay/1/puzzle/cookie" + challenge + mailbox + pin).digest()
    assert Puzzle(8, 8, challenge).cookie(mailbox, pin) == cookie


@pytest.mark.parametrize(("bits", "numbers"), VECTORS)
def test_vectors(bits: int, numbers: list[int]) -> None:
    puzzle = Puzzle(bits, len(numbers), CHALLENGE)
    assert puzzle.cookie(MAILBOX, PIN) == COOKIE
    solver = Solver(puzzle, COOKIE)
    solution, shares = None, [solver.share]
    while solution is None:
        assert solver.left == (len(numbers) - sum(n < solver.tried for n in numbers)) << bits
        solution = solver.run(100)
        shares.append(solver.share)
    assert [int.from_bytes(key, "big") for key in solution.keys] == numbers
    assert solver.tried == numbers[-1] + 1
    assert solution.solves(COOKIE)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert not solution.solves(puzzle.cookie(MAILBOX, CHALLENGE))
    assert not solution.solves(puzzle.cookie(PIN[:16], PIN))
    assert not any(solution.solves(each) for each in flipped(COOKIE))
    worse = [*solution.keys[:-1], (numbers[-1] + 1).to_bytes(8, "big")]
    assert not Solution(puzzle, worse).solves(COOKIE)


def read_whole(of: type[Any], data: bytes) -> Any:
    reader = Reader(data)
    try:
        found = of.read(reader)
        reader.end()
    except WireError:
        return None
    return found


@given(puzzles)
def test_puzzles_round_trip(puzzle: Puzzle) -> None:
    encoded = puzzle.encode()
    assert encoded == bytes((1, puzzle.bits, puzzle.count)) + puzzle.challenge
    assert len(encoded) == PUZZLE_SIZE <= MAX_REASON
    assert Puzzle.decode(encoded) == puzzle
    assert puzzle.tries == puzzle.count * 2**puzzle.bits
    with pytest.raises(WireError):
        Puzzle.decode(encoded + b"\0")


@given(solutions())
def test_solutions_round_trip(solution: Solution) -> None:
    encoded = solution.encode()
    assert encoded == solution.puzzle.encode() + b"".join(solution.keys)
    assert len(encoded) <= MAX_SOLUTION
    assert read_whole(Solution, encoded) == solution
    request = CreateMailbox(MAILBOX, PIN, CHALLENGE, Authorization.phrase("암구호"), solution)
    assert CreateMailbox.decode(request.encode()) == request


def test_damaged_ones_are_others_or_refused() -> None:
    puzzle = Puzzle(8, 3, CHALLENGE)
    solution = Solution(puzzle, [number.to_bytes(8, "big") for number in (1, 2, 4)])
    for whole in (puzzle, solution):
        encoded = whole.encode()
        for data in (*truncated(encoded), *flipped(encoded), encoded + b"\0"):
            damaged = read_whole(type(whole), data)
            assert damaged != whole
            assert damaged is None or damaged.encode() == data


@pytest.mark.parametrize("numbers", [(1, 2), (1, 2, 2), (2, 1, 3), (1, 2, 3, 4)])
def test_keys_are_as_many_as_asked_and_each_larger(numbers: tuple[int, ...]) -> None:
    keys = [number.to_bytes(8, "big") for number in numbers]
    with pytest.raises(WireError):
        Solution(Puzzle(8, 3, CHALLENGE), keys)
    data = Puzzle(8, 3, CHALLENGE).encode() + b"".join(keys)
    assert read_whole(Solution, data) is None


@pytest.mark.parametrize(
    ("bits", "count", "challenge"),
    [(0, 8, CHALLENGE), (65, 8, CHALLENGE), (8, 0, CHALLENGE), (8, 33, CHALLENGE), (8, 8, b"")],
)
def test_what_no_puzzle_is(bits: int, count: int, challenge: bytes) -> None:
    with pytest.raises(WireError):
        Puzzle(bits, count, challenge)
    with pytest.raises(WireError):
        Puzzle.decode(bytes((1, bits, count)) + challenge)


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    read_whole(Puzzle, data)
    read_whole(Solution, data)
    read_whole(Solution, Puzzle(8, 8, CHALLENGE).encode() + data)
