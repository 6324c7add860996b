"""What headless commands print: shapes of the records, words for people, nothing hostile."""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace

import pytest

from exile_tui import errors, locale
from exile_tui.cli import output
from exile_tui.cli.arguments import wrap_cells
from exile_tui.cli.output import Printer
from exile_tui.core.model import (
    Contact,
    ContactState,
    Delivery,
    Direction,
    Invite,
    InviteState,
    Message,
    MessageKind,
    Reason,
    Trust,
    Verification,
    VerifiedHow,
)
from exile_tui.wire.address import RelayAddress

HOSTILE = "a\x1b]0;t\x07b\x9bc\u202ed\u2028e\x7f"
CONTACT = Contact(
    id=3,
    state=ContactState.ACTIVE,
    name="민준",
    name_serial=1,
    created_ms=1_700_000_000_000,
    safety_digits="0" * 60,
    bundle_hash=bytes(32),
    expiry_ms=0,
)
MESSAGE = Message(
    id=9,
    contact_id=3,
    seq=2,
    direction=Direction.IN,
    kind=MessageKind.TEXT,
    content_id=bytes(16),
    text="안녕",
    sent_ms=1,
    stored_ms=1_700_000_000_000,
)
OWN = replace(MESSAGE, direction=Direction.OUT, delivery=Delivery.WAITING, reason=Reason.OFFLINE)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locale, "_language", "en")
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()


def test_a_record_is_one_line_that_reads_back_whole() -> None:
    stream = io.StringIO()
    record = output.message_record(replace(MESSAGE, text=HOSTILE + "\n두 줄\ud800"), HOSTILE)
    Printer(as_json=True, stream=stream).result(record, "for people")
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert json.loads(line) == record
    assert "두 줄" in line
    line.encode()
    assert not any(c in line for c in "\x1b\x07\x7f\x9b\u202e\u2028")


def test_every_key_of_a_record() -> None:
    assert output.message_record(OWN, "민준") == {
        "message": 9,
        "contact": 3,
        "name": "민준",
        "imported": False,
        "seq": 2,
        "direction": "out",
        "kind": "text",
        "text": "안녕",
        "sent_ms": 1,
        "stored_ms": 1_700_000_000_000,
        "delivery": "waiting",
        "reason": "offline",
    }
    assert output.contact_record(CONTACT) == {
        "contact": 3,
        "name": "민준",
        "state": "active",
        "trust": "unverified",
        "created_ms": 1_700_000_000_000,
    }
    invite = Invite(
        id=1,
        state=InviteState.OPEN,
        created_ms=1,
        expires_ms=2,
        link="exile:x",
        bundle_hash=b"",
        secret=b"",
        blob=b"",
        blob_id=b"",
        delete_token=b"",
        relay=RelayAddress("127.0.0.1", 1, bytes(32)),
    )
    assert output.invite_record(invite) == {
        "invite": 1,
        "state": "open",
        "link": "exile:x",
        "created_ms": 1,
        "expires_ms": 2,
    }
    assert output.invite_line(invite) == "#1 open, until 1970-01-01 09:00: exile:x"
    spent = replace(invite, state=InviteState.SPENT, link="")
    assert output.invite_line(spent) == "#1 used, until 1970-01-01 09:00"


def test_lines_for_people() -> None:
    assert output.contact_line(CONTACT) == "#3 민준 (contact, not verified)"
    changed = Verification("1" * 60, 1, VerifiedHow.QR)
    line = output.contact_line(replace(CONTACT, name="", verification=changed))
    assert line == "#3 Unknown (contact, safety number changed)"
    assert output.message_line(MESSAGE, CONTACT) == "[2023-11-15 07:13] 민준: 안녕"
    line = output.message_line(OWN, CONTACT)
    assert line == "[2023-11-15 07:13] You: 안녕 (waiting: the relay is out of reach)"
    sent = replace(OWN, delivery=Delivery.SENT)
    assert output.message_line(sent, CONTACT).endswith("(sent)")
    missing = replace(MESSAGE, kind=MessageKind.MISSING, text="4")
    assert "up to 4 messages never arrived" in output.message_line(missing, CONTACT)
    copied = replace(MESSAGE, kind=MessageKind.POSSIBLE_COPY, text="")
    assert "[A message came that contradicts" in output.message_line(copied, CONTACT)
    assert output.message_record(copied, "민준")["kind"] == "possible-copy"
    newer = replace(MESSAGE, kind=MessageKind.NEWER, text="")
    assert "newer version" in output.message_line(newer, CONTACT)


def test_a_peer_writes_neither_to_the_terminal_nor_a_line_of_another() -> None:
    contact = replace(CONTACT, name=HOSTILE + "\nroot")
    message = replace(MESSAGE, text=HOSTILE + "\n[2023-11-15 07:13] You: I owe you")
    for text in (output.contact_line(contact), output.message_line(message, contact)):
        assert not any(c in text for c in "\x1b\x07\x7f\x9b\u202e\u2028")
    assert "\n" not in output.contact_line(contact)
    head, *rest = output.message_line(message, contact).split("\n")
    assert head.startswith("[")
    assert all(line.startswith("    ") for line in rest)


@pytest.mark.parametrize("name", ["You", "ＹＯＵ", "Уou", "You.", "나", "me"])
def test_nobody_else_stands_under_the_word_for_oneself(name: str) -> None:
    line = output.message_line(MESSAGE, replace(CONTACT, name=name))
    assert line.partition("] ")[2].startswith(f"{name} (the other person): ")


def test_nobody_bears_the_mark_of_being_verified() -> None:
    assert "✔" not in output.contact_line(replace(CONTACT, name="✔ 검증됨"))


def test_an_error_keeps_what_fills_it_on_its_line() -> None:
    error = errors.NoSuchContact(name=HOSTILE + "\nexile-tui: all is well")
    sentence = output.error_sentence(error)
    assert "\n" not in sentence
    assert "\x1b" not in sentence
    assert "There is no contact a" in sentence


def test_notes_are_for_people_only(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(as_json=True).note("note")
    Printer(as_json=False).note("note")
    assert capsys.readouterr() == ("", "note\n")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_state_has_its_word(language: str) -> None:
    locale.set_language(language)
    assert set(output.STATE_WORDS) == {state.value for state in ContactState}
    assert set(output.TRUST_WORDS) == {trust.value for trust in Trust}
    assert set(output.DELIVERY_WORDS) == {delivery.value for delivery in Delivery}
    assert set(output.REASON_WORDS) | {""} == {reason.value for reason in Reason}
    assert set(output.INVITE_WORDS) == {state.value for state in InviteState}


def test_a_time_that_no_calendar_holds_is_no_error() -> None:
    assert output.local_time(2**62) == "?"


def test_help_is_wrapped_by_cells() -> None:
    assert wrap_cells("가나다 라마바 사", 13) == ["가나다 라마바", "사"]
    assert wrap_cells("가나다 라마바 사", 12) == ["가나다", "라마바 사"]
    assert wrap_cells("abcdefgh ij", 4) == ["abcdefgh", "ij"]
    assert wrap_cells("", 4) == [""]


@pytest.mark.parametrize("as_json", [False, True])
def test_what_the_terminals_encoding_lacks_is_printed_nevertheless(as_json: bool) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "euc-kr", newline="\n")
    Printer(as_json=as_json, stream=stream).result({"text": "안녕 😀"}, "안녕 😀")
    line = raw.getvalue().decode("euc-kr")
    if as_json:
        assert json.loads(line) == {"text": "안녕 😀"}
    else:
        assert line == "안녕 \\U0001f600\n"
