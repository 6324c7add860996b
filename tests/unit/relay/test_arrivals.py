"""What the journal's files say after a crash, each record by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exile_tui.relay.arrivals import Arrivals
from exile_tui.relay.replay import nothing_noted
from exile_tui.relay.staying import blank_each
from exile_tui.relay.waiting import mark_of

BODIES = [bytes([number + 1]) * 4096 for number in range(4)]
ONE, TWO = 71, 72
"""Mailboxes."""


def add(arrivals: Arrivals, mailbox: int, seq: int, body: bytes) -> None:
    arrivals.add(mailbox, seq, 30, body, mark_of(body))


def store(arrivals: Arrivals) -> None:
    arrivals.write()
    arrivals.keep()


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The files of a relay that took four envelopes; one was acknowledged, one sent again."""
    arrivals = Arrivals(tmp_path / "relay.db")
    arrivals.begin()
    for number, body in enumerate(BODIES[:3]):
        add(arrivals, ONE, 10 + number, body)
    store(arrivals)
    arrivals.close_current()
    arrivals.begin()
    add(arrivals, TWO, 5, BODIES[3])
    assert arrivals.delete(ONE, 11)
    arrivals.renew(ONE, 12, 34)
    store(arrivals)
    add(arrivals, TWO, 6, BODIES[0])  # of a batch that was not written
    arrivals.close()
    return tmp_path / "relay.db"


def recovered(database: Path, next_seq: Callable[[int], int | None]) -> Arrivals:
    arrivals = Arrivals(database)
    arrivals.recover(next_seq)
    return arrivals


def test_what_waited_waits_again(killed: Path) -> None:
    arrivals = recovered(killed, {ONE: 10, TWO: 5}.get)
    found = {
        mailbox: [
            (seq, each.read(), each.expires, each.mark)
            for seq, each in arrivals.index.of(mailbox).items()
        ]
        for mailbox in (ONE, TWO)
    }
    assert found == {
        ONE: [(10, BODIES[0], 30, mark_of(BODIES[0])), (12, BODIES[2], 34, mark_of(BODIES[2]))],
        TWO: [(5, BODIES[3], 30, mark_of(BODIES[3]))],
    }
    assert (arrivals.index.count, arrivals.index.bytes) == (3, 3 * 4096)
    assert [arrivals.next_seq(mailbox, 1) for mailbox in (ONE, TWO, 73)] == [13, 6, 1]
    arrivals.close()


@pytest.mark.parametrize(
    ("settled", "left"),
    [
        ({ONE: 10, TWO: 5}, [BODIES[0], BODIES[2], BODIES[3]]),  # one was acknowledged
        ({ONE: 12, TWO: 5}, [BODIES[2], BODIES[3]]),  # a part was moved to the database
        ({ONE: 13, TWO: 6}, []),  # all was
        ({TWO: 5}, [BODIES[3]]),  # a mailbox was deleted
    ],
)
def test_what_is_settled_or_nobodys_is_not_there_and_leaves_the_files(
    killed: Path, settled: dict[int, int], left: list[bytes]
) -> None:
    arrivals = recovered(killed, settled.get)
    found = [each.read() for mailbox in (ONE, TWO) for each in arrivals.index.of(mailbox).values()]
    assert found == left
    blank_each(arrivals.files(), nothing_noted)
    raw = b"".join(path.read_bytes() for path in killed.parent.glob("relay.db-journal-*"))
    assert [body for body in BODIES if body[:64] in raw] == left
    arrivals.close()
    again = recovered(killed, settled.get)
    assert again.index.count == len(left)
    assert again.next_seq(TWO, 1) == (6 if settled[TWO] == 5 else 1)
    again.close()


def test_numbers_that_were_acknowledged_and_blanked_are_given_to_no_other(killed: Path) -> None:
    arrivals = recovered(killed, {ONE: 10, TWO: 5}.get)
    arrivals.begin()
    assert arrivals.delete(ONE, 12)
    assert arrivals.delete(TWO, 5)
    store(arrivals)
    blank_each(arrivals.files(), nothing_noted)
    arrivals.close()
    arrivals = recovered(killed, {ONE: 10, TWO: 5}.get)
    assert [each.size for each in arrivals.index.of(ONE).values()] == [4096]
    assert (arrivals.next_seq(ONE, 10), arrivals.next_seq(TWO, 5)) == (13, 6)
    arrivals.close()


def test_what_a_batch_did_is_taken_back(killed: Path) -> None:
    arrivals = recovered(killed, {ONE: 10, TWO: 5}.get)
    before = {seq: (each, each.expires) for seq, each in arrivals.index.of(ONE).items()}
    arrivals.begin()
    add(arrivals, ONE, 13, BODIES[1])
    assert arrivals.delete(ONE, 13)
    assert arrivals.delete(ONE, 10)
    assert not arrivals.delete(ONE, 10)
    arrivals.renew(ONE, 12, 40)
    add(arrivals, ONE, 14, BODIES[1])
    assert arrivals.drop(ONE) == 2
    arrivals.undo()
    assert {seq: (each, each.expires) for seq, each in arrivals.index.of(ONE).items()} == before
    assert list(arrivals.index.of(ONE)) == sorted(before)
    assert arrivals.index.count == 3
    assert not arrivals.pending
    assert all(not segment.deleted or len(segment.deleted) == 1 for segment in arrivals.closed)
    arrivals.close()
