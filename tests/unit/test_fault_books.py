"""What the fault scripts (`benchmarks/faults`) compare with would notice what they look for."""

from __future__ import annotations

import random
import sqlite3
import struct
from pathlib import Path
from typing import Literal

import pytest

from benchmarks.faults import scan
from benchmarks.faults.books import Books, Box
from benchmarks.faults.traces import times, times_in_rows

SPAN = (1_790_000_000.25, 1_790_000_300.5)


@pytest.fixture
def books() -> Books:
    return Books(1, random.Random(1))


def posted(books: Books, count: int, *, answered: bool = True, sender: int = 0) -> list[int]:
    (box,) = books.boxes
    numbers = books.make(box, sender, count)
    books.post(box, numbers)
    if answered:
        for number in numbers:
            books.store(box, number)
    return numbers


def arrive(books: Books, *numbers: int) -> Box:
    """Let envelopes arrive in this order."""
    (box,) = books.boxes
    for number in numbers:
        envelope = books.envelope(number, box.posted[number].size)
        books.receive(box, max(box.received, default=-1) + 1, envelope)
    return box


def test_books_that_balance(books: Books) -> None:
    first, second = posted(books, 2), posted(books, 3, answered=False)
    arrive(books, *first, *second[:1])  # of one batch without an answer some, which nobody promised
    books.check()
    assert (books.count(), books.count_again(), books.duplicates) == (5, 0, 0)


def test_a_lost_envelope_is_noticed(books: Books) -> None:
    arrive(books, *posted(books, 3)[1:])
    with pytest.raises(AssertionError, match="lost"):
        books.check()


def test_order_is_noticed_of_one_sender_and_between_two(books: Books) -> None:
    one, two = posted(books, 2, answered=False)
    arrive(books, two, one)
    with pytest.raises(AssertionError, match="out of order of its sender"):
        books.check()
    others = Books(1, random.Random(2))
    (before,), (after,) = posted(others, 1), posted(others, 1, sender=1)
    arrive(others, after, before)
    with pytest.raises(AssertionError, match=r"out of order$"):
        others.check()


def test_twice_is_right_only_for_what_was_posted_again(books: Books) -> None:
    (number,) = posted(books, 1, answered=False)
    box = arrive(books, number, number)
    with pytest.raises(AssertionError, match="doubled"):
        books.check()
    books.post(box, [number])
    books.check()
    assert (books.count_again(), books.duplicates) == (1, 1)


def test_damage_and_what_comes_back_are_noticed(books: Books) -> None:
    first, second = posted(books, 2)
    box = arrive(books, first, second)
    size = box.posted[first].size
    with pytest.raises(AssertionError, match="damaged"):
        books.receive(box, 2, books.envelope(first, size)[:-1] + b"\xff\xff")
    with pytest.raises(AssertionError, match="other bytes"):
        books.receive(box, 1, books.envelope(first, size))
    with pytest.raises(AssertionError, match="nobody"):
        books.receive(box, 2, books.envelope(77, 4096))
    box.acknowledged.add(0)
    with pytest.raises(AssertionError, match="back"):
        books.receive(box, 0, books.envelope(first, size))


def test_a_secret_is_noticed_however_it_is_written() -> None:
    rng = random.Random(3)
    secrets = {"one": rng.randbytes(16), "two": rng.randbytes(32), "host": b"127.16.0.77"}
    clean = {Path("file"): rng.randbytes(5000)}
    assert scan.find_many(clean, secrets) == []
    for label, secret in secrets.items():
        for form in scan.forms(secret):
            for data in (form, b"x" * 99 + form + b"x", b"\0" * 7 + form):
                found = scan.find_many(clean | {Path("other"): data}, secrets)
                assert f"{label} in other" in found
                assert all(each.endswith("in other") for each in found)
        assert scan.find_many({Path("other"): secret[:-1]}, secrets) == []


@pytest.mark.parametrize(
    "written",
    [
        b"at 1790000123 it",
        b"1790000123456",
        b"14:15:23",  # 1790000123 in words, UTC
        struct.pack("<Q", 1_790_000_123),
        struct.pack(">Q", 1_790_000_123_456),
        (1_790_000_123_456_789).to_bytes(8, "little"),
        (1_790_000_123_456).to_bytes(6, "big") + b"\x01\x02",
        struct.pack(">d", 1_790_000_123.5),
    ],
)
def test_a_time_is_noticed_however_it_is_written(written: bytes) -> None:
    assert list(times(bytes(99) + b"x" + written + bytes(99), SPAN))
    assert not list(times(bytes(99) + b"x" + written + bytes(99), (1.8e9, 1.8e9 + 300)))


@pytest.mark.parametrize("order", ["big", "little"])
def test_what_a_hash_that_may_be_there_spells_is_no_time(order: Literal["big", "little"]) -> None:
    """But beside one, and across its ends by more than a byte, a time is noticed."""
    time = (1_790_000_123_456).to_bytes(6, order)
    rest = bytes(range(1, 27))
    for hashed, before, after in (
        (rest + time, b"", b""),
        (rest[:9] + time + rest[9:], b"", b""),
        (time[1:] + rest + b"x", time[:1], b""),
        (b"x" + rest + time[:-1], b"", time[-1:]),
    ):
        data = b"-" * 50 + before + hashed + after + b"-" * 50
        assert len(hashed) == 32
        assert list(times(data, SPAN))
        assert not list(times(data, SPAN, {hashed}))
        for near in (hashed + time, time + hashed, hashed + b"x" + time, time + b"x" + hashed):
            assert list(times(bytes(50) + near + bytes(50), SPAN, {hashed}))
    for hashed, before, after in (
        (time[2:] + rest + b"xx", time[:2], b""),
        (b"xx" + rest + time[:-2], b"", time[-2:]),
    ):
        assert list(times(bytes(50) + before + hashed + after + bytes(50), SPAN, {hashed}))


def test_a_time_in_a_row_is_noticed(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "relay.db") as connection:
        connection.execute("CREATE TABLE days (day)")
        connection.execute("INSERT INTO days VALUES (20718), (x'01')")
        connection.commit()
        assert list(times_in_rows(tmp_path, SPAN)) == []
        connection.execute("INSERT INTO days VALUES (1790000123)")
        connection.commit()
        assert list(times_in_rows(tmp_path, SPAN)) == ["1790000123, days"]
    connection.close()
