"""Reading a relay's file beside the relay: what SQLite itself would read, and nothing changed."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from exile_tui.relay import snapshot
from exile_tui.relay.schema import DamagedDatabase, open_database, random_number
from exile_tui.relay.snapshot import NotReadable, open_snapshot


def content(connection: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    return [
        [tuple(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1")]
        for table in ("mailboxes", "slots", "bodies", "blobs", "tickets")
    ]


def change(connection: sqlite3.Connection, source: random.Random, end: str = "COMMIT") -> None:
    connection.execute("BEGIN")
    for _ in range(source.randint(1, 4)):
        body = source.randbytes(source.choice((4096, 16384, 65536)))
        (slot,) = connection.execute("SELECT coalesce(max(slot), 0) + 1 FROM slots").fetchone()
        connection.execute(
            "INSERT INTO slots VALUES (?, ?, 5, ?, 1, NULL, NULL)", (slot, len(body), slot)
        )
        connection.execute("INSERT INTO bodies VALUES (?, ?)", (slot, body))
    row = (random_number(), source.randbytes(16), source.randbytes(32), bytes(32), 1, 1)
    connection.execute("INSERT INTO mailboxes VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.execute(
        "DELETE FROM bodies WHERE slot IN (SELECT slot FROM bodies ORDER BY random() LIMIT 1)"
    )
    connection.execute(end)


def test_it_is_what_the_relay_itself_sees_after_every_step(tmp_path: Path) -> None:
    source, path = random.Random(5), tmp_path / "relay.db"
    relay = open_database(path)
    steps = ["change"] * 6 + ["PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(RESTART)",
                              "PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"]  # fmt: skip
    for _ in range(60):
        step = source.choice(steps)
        if step == "change":
            change(relay, source, source.choice(["COMMIT", "COMMIT", "ROLLBACK"]))
        else:
            relay.execute(step).fetchall()
        files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        held = open_snapshot(path)
        assert content(held) == content(relay)
        held.close()
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files
    relay.close()
    held = open_snapshot(path)
    again = open_database(path)
    assert content(held) == content(again)
    held.close()
    again.close()


def test_what_was_not_committed_and_what_a_crash_tore_is_not_there(tmp_path: Path) -> None:
    source, path = random.Random(6), tmp_path / "relay.db"
    relay = open_database(path)
    relay.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    change(relay, source)
    whole = content(relay)
    log = tmp_path / "relay.db-wal"
    first = log.read_bytes()
    change(relay, source)
    change(relay, source)
    later = log.read_bytes()
    main = path.read_bytes()
    relay.close()
    for length in (len(first), len(first) + 100, len(first) + (len(later) - len(first)) // 3):
        path.write_bytes(main)
        log.write_bytes(later[:length])
        held = open_snapshot(path)
        found = content(held)
        held.close()
        oracle = sqlite3.connect(path)
        assert found == content(oracle)
        oracle.close()
    path.write_bytes(main)
    log.write_bytes(first[:-1] + bytes([first[-1] ^ 1]) + later[len(first) :])
    held = open_snapshot(path)
    assert content(held) != whole
    held.close()


def test_it_can_not_be_written(tmp_path: Path) -> None:
    open_database(tmp_path / "relay.db").close()
    held = open_snapshot(tmp_path / "relay.db")
    with pytest.raises(sqlite3.OperationalError):
        held.execute("DELETE FROM mailboxes")
    held.close()


@pytest.mark.parametrize("data", [b"", b"no database" * 100, b"SQLite format 3\0" + bytes(4080)])
def test_a_file_that_is_none_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "relay.db"
    path.write_bytes(data)
    with pytest.raises(DamagedDatabase):
        open_snapshot(path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "relay.db"
    relay = open_database(path)
    relay.execute("PRAGMA user_version = 99")
    relay.close()
    with pytest.raises(DamagedDatabase):
        open_snapshot(path)


def test_too_large_and_never_still_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "relay.db"
    open_database(path).close()
    monkeypatch.setattr(snapshot, "LARGEST", 10)
    with pytest.raises(NotReadable, match="too large"):
        open_snapshot(path)
    monkeypatch.undo()
    logs = iter(range(10_000))
    monkeypatch.setattr(snapshot, "_log", lambda _: str(next(logs)).encode())
    with pytest.raises(NotReadable, match="too fast"):
        open_snapshot(path)
