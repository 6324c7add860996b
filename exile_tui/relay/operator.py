"""What a relay's operator asks for: `relay facts` and `relay disclose`, beside a running relay."""

from __future__ import annotations

import datetime
import json
import sqlite3
import sys
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from exile_tui.clock import Clock, SystemClock
from exile_tui.errors import N_, ExileError, UsageError, WireError
from exile_tui.locale import tr
from exile_tui.relay.access import Access, read_phrase
from exile_tui.relay.facts import FactSheet
from exile_tui.relay.facts_file import (
    BAD_FACTS,
    FACTS_FILE,
    dated,
    parse_facts,
    read_facts,
    template,
)
from exile_tui.relay.key import load_key, write_private
from exile_tui.relay.limits import Limits, today
from exile_tui.relay.records import Record
from exile_tui.relay.service import DATABASE_FILE
from exile_tui.relay.snapshot import Found, look_into
from exile_tui.wire.encoding import decode_base64url, encode_base64url
from exile_tui.wire.facts import SignedFacts

SIGNED_FILE = "facts.signed"
"""The statement as it was signed: what `GET /v1/facts` answers, to be published elsewhere too."""
MAILBOX_ID = 16

_NO_RELAY = N_("There is no relay in {path}. --data-dir says where it is.")
_NO_SUCH_MAILBOX = N_(
    "The relay in {path} holds nothing about a mailbox {mailbox}: it never was, or it is gone."
)
_BAD_ID = N_("{text} is no mailbox id: 22 characters as the relay screen shows them, or 32 of hex.")
_WROTE = N_("Wrote {path}. Fill it in, then run the same command again to date and sign it.")
_EMPTY = N_("The facts in {path} name no jurisdiction. Fill it in, then run this again.")
_STRANGE_DATE = N_("its 'date' stands where it can't be replaced; delete it")
_SIGNED = N_(
    "Dated {date} and signed; also in {path}. A relay that runs has taken it up already, and shows "
    "it under {pin}."
)
_ALL = N_(
    "That is all that the relay's files hold about this mailbox, each column of each row. The "
    "bodies are what the relay was given: encrypted, it has no key for them."
)


class NoRelay(ExileError):
    """The directory holds no relay."""

    sentence = _NO_RELAY


class NoSuchMailbox(ExileError):
    """Nothing is held about the mailbox."""

    sentence = _NO_SUCH_MAILBOX


class Options(Protocol):
    """What the command line gives to both commands."""

    facts: Path | None
    access_phrase_file: Path | None


def state_facts(options: Options, directory: Path, clock: Clock | None = None) -> int:
    """Date and sign what the operator states, or write a file to fill in; return the exit code.

    Args:
        options: As parsed.
        directory: The relay's.
        clock: Today's.

    Raises:
        NoRelay: There is no key to sign with.
        UsageError: The file can't be used, or lacks the jurisdiction.
    """
    clock = clock or SystemClock()
    key = load_key(directory)
    if key is None:
        raise NoRelay(path=directory)
    path = options.facts or directory / FACTS_FILE
    if not path.exists():
        write_private(path, template().encode(), home=directory)
        _tell(tr(_WROTE, path=path))
        return 0
    if not read_facts(path).jurisdiction.strip():
        raise UsageError(_EMPTY, path=path)
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=today(clock))
    text = _dated(path, day)
    operator = parse_facts(text)
    write_private(path, text.encode(), home=directory)
    phrase = options.access_phrase_file
    access = Access(None if phrase is None else read_phrase(phrase))
    answer = FactSheet(key, operator, Limits(), access, clock).answer()
    write_private(directory / SIGNED_FILE, answer)
    signed = SignedFacts.decode(answer)
    signed.verify(key.pin)
    _print(json.loads(signed.body))
    pin = encode_base64url(key.pin)
    _tell(tr(_SIGNED, date=day.isoformat(), path=directory / SIGNED_FILE, pin=pin))
    return 0


def _dated(path: Path, day: datetime.date) -> str:
    try:
        return dated(path.read_text("utf-8"), day)
    except ValueError:
        raise UsageError(BAD_FACTS, path=path, reason=tr(_STRANGE_DATE)) from None


def disclose(text: str, directory: Path) -> int:
    """Print every byte that is held about a mailbox; return the exit code.

    Args:
        text: The mailbox's id, base64url or hex.
        directory: The relay's.

    Raises:
        UsageError: That is no id.
        NoRelay: There is no database.
        NoSuchMailbox: It holds nothing about this mailbox.
    """
    mailbox = _mailbox_id(text)
    try:
        held = look_into(directory / DATABASE_FILE, partial(rows_about, mailbox))
    except FileNotFoundError:
        raise NoRelay(path=directory) from None
    if not held["mailboxes"]:
        raise NoSuchMailbox(path=directory, mailbox=text)
    _print(held)
    _tell(tr(_ALL))
    return 0


def rows_about(mailbox_id: bytes, found: Found) -> dict[str, list[Any]]:
    """Return every row that has to do with a mailbox, by table, with all of its columns.

    The journal's records are as a table: what was acknowledged is among them until its file is
    deleted, and what says so. Blobs and tickets are not told: nothing in the files says whose they
    are.
    """
    execute = found.database.execute
    mailboxes = execute("SELECT * FROM mailboxes WHERE id = ?", (mailbox_id,)).fetchall()
    numbers = [row["number"] for row in mailboxes]
    slots = [
        row
        for number in numbers
        for row in execute("SELECT * FROM slots WHERE mailbox = ?", (number,))
    ]
    bodies = [
        row
        for slot in slots
        for row in execute("SELECT * FROM bodies WHERE slot = ?", (slot["slot"],))
    ]
    tables = {"mailboxes": mailboxes, "slots": slots, "bodies": bodies}
    held = {name: [_record(row) for row in rows] for name, rows in tables.items()}
    held["bodies"] += [
        {"slot": row["slot"], "body": encode_base64url(found.body(row))}
        for row in slots
        if _stays(row)
    ]
    held["journal"] = [_of_journal(record) for record in found.journal if record.mailbox in numbers]
    return held


def _stays(row: sqlite3.Row) -> bool:
    """Tell whether a slot's body lies in the journal; a file of a version before has none there."""
    return "file" in row.keys() and row["file"] is not None  # noqa: SIM118 - as below


def _of_journal(record: Record) -> dict[str, Any]:
    return {
        "kind": record.kind.name.lower(),
        "mailbox": record.mailbox,
        "seq": record.seq,
        "expires": record.expires,
        "body": encode_base64url(record.body or b""),
    }


def _record(row: sqlite3.Row) -> dict[str, Any]:
    return {
        name: encode_base64url(row[name]) if isinstance(row[name], bytes) else row[name]
        for name in row.keys()  # noqa: SIM118 - iterating over a Row gives its values
    }


def _mailbox_id(text: str) -> bytes:
    try:
        if len(text) == 2 * MAILBOX_ID:
            return bytes.fromhex(text)
        found = decode_base64url(text)
    except (ValueError, WireError):
        found = b""
    if len(found) != MAILBOX_ID:
        raise UsageError(_BAD_ID, text=text)
    return found


def _print(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def _tell(sentence: str) -> None:
    """Say something to the person, apart from what may be piped into a file."""
    sys.stderr.write(sentence + "\n")
