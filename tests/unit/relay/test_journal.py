"""The journal's files: what was kept is read back, and nothing of what was not."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exile_tui.relay import journal
from exile_tui.relay.journal import Segment
from exile_tui.relay.records import (
    BATCH,
    HEAD,
    MAGIC,
    TAG,
    ForeignJournal,
    Kind,
    Record,
    records,
)

Entry = tuple[Kind, int, int, int, bytes]
ENTRIES = st.tuples(
    st.sampled_from(Kind),
    st.integers(1, 2**62),
    st.integers(0, 2**63),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 1, 100, 4096, 65536]).flatmap(
        lambda size: st.binary(min_size=8, max_size=8).map(lambda seed: (seed * size)[:size])
    ),
)


def recorded(data: bytes) -> list[Record]:
    return list(records(io.BytesIO(data)))


def entry(record: Record) -> Entry:
    assert record.body is not None
    assert len(record.body) == record.size
    return record.kind, record.mailbox, record.seq, record.expires, record.body


def test_an_empty_file_is_its_owners_alone(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path / "one")
    assert segment.empty
    assert not segment.pending
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600
    assert list(recorded((tmp_path / "one").read_bytes())) == []
    segment.remove()
    assert not (tmp_path / "one").exists()


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(
        st.tuples(st.lists(ENTRIES, max_size=4), st.sampled_from(["keep", "undo", "unwritten"])),
        max_size=8,
    ),
    truncates=st.booleans(),
)
def test_what_was_kept_is_what_is_read(
    batches: list[tuple[list[Entry], str]],
    truncates: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Also where a failed batch could not be cut off: what is written over it tells it apart."""
    path = tmp_path_factory.mktemp("journal") / "one"
    segment = Segment.create(path)
    kept: list[Entry] = []
    tail: list[Entry] = []
    with pytest.MonkeyPatch.context() as patch:
        if not truncates:
            patch.setattr(journal.os, "ftruncate", _fail)
        for batch, outcome in batches:
            places = [segment.append(*each) for each in batch]
            if outcome != "unwritten":
                segment.write()
            if outcome == "keep":
                segment.keep()
                kept += batch
                tail = tail if not batch else []
                read = [
                    segment.read(at, len(each[4])) for at, each in zip(places, batch, strict=True)
                ]
                assert read == [each[4] for each in batch]
            else:
                segment.undo()
                tail = batch if outcome == "undo" and not truncates and batch else tail
    segment.close()
    found = [entry(record) for record in recorded(path.read_bytes())]
    # Of a batch that failed last, and could not be cut off, it may be all: nobody was told of it.
    assert found[: len(kept)] == kept
    assert not found[len(kept) :] or (not truncates and tail)


def _fail(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_small_batches_overwrite_zeros(tmp_path: Path) -> None:
    """A synchronisation takes half of the time where the file does not get longer."""
    path, kept, sizes = tmp_path / "one", [], set()
    segment = Segment.create(path)
    while segment.size < 3 * journal._AHEAD:
        kept.append((Kind.STORED, 7, len(kept), 3, bytes([len(kept) % 255 + 1]) * 4096))
        segment.append(*kept[-1])
        segment.write()
        segment.keep()
        sizes.add(path.stat().st_size)
        assert segment.size <= path.stat().st_size <= segment.size + journal._AHEAD
    assert len(sizes) < len(kept) / 8
    segment.close()
    assert [entry(record) for record in recorded(path.read_bytes())] == kept


def test_a_large_batch_leaves_no_zeros_behind_it(tmp_path: Path) -> None:
    path, each = tmp_path / "one", (Kind.STORED, 7, 1, 3, b"1" * 65536)
    segment = Segment.create(path)
    for _ in range(8):
        segment.append(*each)
        segment.write()
        segment.keep()
    assert segment.size == path.stat().st_size
    segment.close()
    assert [entry(record) for record in recorded(path.read_bytes())] == [each] * 8


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_system_that_can_not_do_both_in_one_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def can_not(*_: object) -> int:
        raise OSError(number, "can't")

    synchronised: list[int] = []
    monkeypatch.setattr(journal.os, "pwritev", can_not, raising=False)
    monkeypatch.setattr(journal, "_DSYNC", 2)
    monkeypatch.setattr(journal, "_synchronise", synchronised.append)
    segment = Segment.create(tmp_path / "one")
    for seq in range(2):
        segment.append(Kind.STORED, 7, seq, 3, b"1" * 4096)
        segment.write()
        segment.keep()
        assert len(synchronised) == 2 + seq
    segment.close()
    assert len(list(recorded((tmp_path / "one").read_bytes()))) == 2


def test_no_room_for_zeros_is_no_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def short(file: int, data: memoryview) -> int:
        if not any(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(journal.os, "write", short)
    segment = Segment.create(tmp_path / "one")
    segment.append(Kind.STORED, 7, 1, 3, b"1" * 4096)
    segment.write()
    segment.keep()
    assert (tmp_path / "one").stat().st_size == segment.size
    segment.close()


def test_reading_ends_at_what_was_torn(tmp_path: Path) -> None:
    """A batch is read whole or not at all, and none behind one that is not."""
    segment, whole, ends, bodies = Segment.create(tmp_path / "one"), [], [], []
    for number in range(6):
        whole.append((Kind.STORED, 7, number, 3, bytes([number + 1]) * 60))
        bodies.append(segment.append(*whole[-1]))
        if number % 2:
            segment.write()
            segment.keep()
            ends.append(segment.size)
    segment.close()
    data = (tmp_path / "one").read_bytes()
    for length in range(ends[-1] + 100):  # some zeros are behind it
        found = [entry(record) for record in recorded(data[:length])]
        assert found == whole[: 2 * sum(length >= end for end in ends)]
    for at in range(ends[0], ends[1]):
        damaged = bytearray(data)
        damaged[at] ^= 0x40
        found = [(record.seq, record.body is None) for record in recorded(bytes(damaged))]
        hit = [seq for seq in (2, 3) if 0 <= at - bodies[seq] < 60]
        assert found == [(seq, seq in hit) for seq in range(6 if hit else 2)]


def test_a_length_that_a_crash_left_is_not_believed(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path / "one")
    segment.close()
    beginning = (tmp_path / "one").read_bytes()[:HEAD]
    for lengths in ((0, 2**32 - 1), (2**32 - 1, TAG), (0, TAG), (0, TAG + 1), (0, 3)):
        assert recorded(beginning + BATCH.pack(bytes(12), *lengths) + bytes(99)) == []


def test_where_the_records_are_forgotten_only_bodies_are_left(tmp_path: Path) -> None:
    path = tmp_path / "one"
    segment = Segment.create(path)
    kept = [(Kind.STORED, 7, seq, 3, bytes([seq + 1]) * 4096) for seq in range(40)]
    places = []
    for at, each in enumerate(kept):
        places.append(segment.append(*each))
        if at % 5 == 4:
            segment.append(Kind.DELETED, 7, at, 0)
            segment.write()
            segment.keep()
    key = path.read_bytes()[len(MAGIC) : HEAD]
    segment.forget_records()
    segment.close()
    again, found = Segment.open(path)
    assert (found, again.forgot, again.size) == ([], True, path.stat().st_size)
    assert key not in path.read_bytes()
    assert [again.read(at, 4096) for at in places] == [each[4] for each in kept]
    again.blank_all_but([(at, 4096) for at in places[::2]])
    again.close()
    data = bytearray(path.read_bytes())
    assert data[: len(MAGIC)] == MAGIC
    for at, each in zip(places[::2], kept[::2], strict=True):
        assert data[at : at + 4096] == each[4]
        data[at : at + 4096] = bytes(4096)
    assert not any(data[len(MAGIC) :])


def test_what_is_zeros_already_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = Segment.create(tmp_path / "one")
    place = segment.append(Kind.STORED, 7, 1, 3, b"1" * 4096)
    segment.write()
    segment.keep()
    segment.blank_all_but([(place, 4096)])
    monkeypatch.setattr(journal, "_write", _fail)
    segment.blank_all_but([(place, 4096)])
    with pytest.raises(OSError, match="error"):
        segment.blank_all_but([])
    segment.close()


OLD = bytes.fromhex(
    "6578696c652d72656c6179206a6f75726e616c20310a" + "07" * 16
)  # fmt: skip


def test_a_file_of_the_version_before_is_read(tmp_path: Path) -> None:
    data, total = OLD, zlib.crc32(OLD[-16:])
    kept = [(Kind.STORED, 7, seq, 3, bytes([seq + 1]) * 100) for seq in range(3)]
    for kind, mailbox, seq, expires, body in kept:
        rest = struct.pack(">BQQIII", kind, mailbox, seq, expires, len(body), zlib.crc32(body))
        total = zlib.crc32(rest, total)
        data += total.to_bytes(4, "big") + rest + body
    assert [entry(record) for record in recorded(data + bytes(99))] == kept
    assert [entry(record) for record in recorded(data[:-1])] == kept[:2]
    blanked = [record.body for record in recorded(data[:-1] + b"x")]
    assert blanked == [kept[0][4], kept[1][4], None]
    (tmp_path / "one").write_bytes(data)
    segment, found = Segment.open(tmp_path / "one")
    assert (len(found), segment.forgot, segment.forgetful) == (3, False, False)
    segment.close()


def test_a_blanked_body_is_none_and_what_follows_stays(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path / "one")
    places = [segment.append(Kind.STORED, 7, seq, 3, bytes([seq + 1]) * 4096) for seq in range(3)]
    segment.write()
    segment.keep()
    segment.blank([(places[1], 4096)])
    segment.close()
    data = (tmp_path / "one").read_bytes()
    assert b"\2" * 16 not in data
    found = [(record.seq, record.body and record.body[0], record.size) for record in recorded(data)]
    assert found == [(0, 1, 4096), (1, None, 4096), (2, 3, 4096)]


def test_what_is_no_journal_is_not_read(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path / "one")
    segment.append(9, 1, 1, 1)  # type: ignore[arg-type]  # what only a newer version writes
    segment.write()
    segment.close()
    newer = (tmp_path / "one").read_bytes()
    for data in (newer, newer[:20] + b"3" + newer[21:], b"something else" * 9):
        with pytest.raises(ForeignJournal):
            list(recorded(data))


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_file_that_can_not_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(journal.os, call, _fail)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(OSError, match="error"):
        Segment.create(tmp_path / "one")
    assert list(tmp_path.iterdir()) == []
    if before:
        assert len(os.listdir("/proc/self/fd")) == before
