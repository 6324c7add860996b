"""The operator's file: dated, signed, followed by a running relay, and what is wrong with it."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from exile_tui import locale
from exile_tui.clock import DAY_MS
from exile_tui.errors import UsageError
from exile_tui.relay import operator
from exile_tui.relay.access import Access
from exile_tui.relay.facts import FactSheet
from exile_tui.relay.facts_file import (
    FACTS_FILE,
    FactsFile,
    OperatorFacts,
    dated,
    parse_facts,
    read_facts,
    template,
)
from exile_tui.relay.key import ensure_key, write_private
from exile_tui.relay.limits import Limits
from exile_tui.wire.facts import SignedFacts

DAY = datetime.date(2026, 11, 22)


@pytest.fixture(params=["en", "ko"], autouse=True)
def _language(request: pytest.FixtureRequest) -> Iterator[None]:
    before = locale.language()
    locale.set_language(request.param)
    yield
    locale.set_language(before)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, day: datetime.date = DAY) -> None:
        self.day = day

    def now_ms(self) -> int:
        return (self.day - datetime.date(1970, 1, 1)).days * DAY_MS + 7

    def monotonic(self) -> float:
        return 0.0


def options(facts: Path | None = None, phrase: Path | None = None) -> Any:
    return SimpleNamespace(facts=facts, access_phrase_file=phrase)


def test_the_template_is_a_file_that_states_nothing() -> None:
    assert parse_facts(template()) == OperatorFacts()


@pytest.mark.parametrize(
    "text",
    [
        template(),
        'jurisdiction = "x"',
        'jurisdiction = "x"\ndate = 2020-01-01\nrequests_received = 3\n',
        "date=2020-01-01 # old\n",
        "",
    ],
)
def test_dating_changes_the_day_and_nothing_else(text: str) -> None:
    before, after = parse_facts(text), parse_facts(dated(text, DAY))
    assert after.date == DAY
    assert (after.jurisdiction, after.operator, after.requests_received) == (
        before.jurisdiction,
        before.operator,
        before.requests_received,
    )
    assert dated(dated(text, DAY), DAY) == dated(text, DAY)
    kept = [line for line in text.splitlines() if line and not line.startswith("date")]
    assert [line for line in kept if line not in dated(text, DAY).splitlines()] == []


def test_it_writes_a_file_to_fill_in_then_dates_and_signs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, clock, file = ensure_key(tmp_path), Clock(), tmp_path / FACTS_FILE
    assert operator.state_facts(options(), tmp_path, clock) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert capsys.readouterr().out == ""
    with pytest.raises(UsageError):
        operator.state_facts(options(), tmp_path, clock)
    file.write_text(file.read_text().replace('jurisdiction = ""', 'jurisdiction = "대한민국"'))
    assert operator.state_facts(options(), tmp_path, clock) == 0
    shown = json.loads(capsys.readouterr().out)
    signed = SignedFacts.decode((tmp_path / operator.SIGNED_FILE).read_bytes())
    signed.verify(key.pin)
    assert json.loads(signed.body) == shown
    assert (shown["jurisdiction"], shown["date"], shown["access"]) == (
        "대한민국",
        "2026-11-22",
        "open",
    )
    clock.day += datetime.timedelta(days=3)
    operator.state_facts(options(), tmp_path, clock)
    assert json.loads(capsys.readouterr().out)["date"] == "2026-11-25"
    assert read_facts(file).date == clock.day


def test_another_file_and_an_access_phrase_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_key(tmp_path)
    file, phrase = tmp_path / "mine.toml", tmp_path / "phrase"
    file.write_text('jurisdiction = "x"\n')
    phrase.write_text("open sesame\n")
    assert operator.state_facts(options(file, phrase), tmp_path, Clock()) == 0
    assert json.loads(capsys.readouterr().out)["access"] == "phrase"
    assert not (tmp_path / FACTS_FILE).exists()


def test_without_a_relay_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(operator.NoRelay):
        operator.state_facts(options(), tmp_path / "absent", Clock())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["date = 1", 'date = "2026-11-22"', "secret = 1", "=", "requests_received = -1", "\0",
     'jurisdiction = "x"\noperator = """\ndate = x\n"""\ndate = nonsense'],
)  # fmt: skip
def test_a_bad_file_is_one_sentence_and_stays(tmp_path: Path, text: str) -> None:
    ensure_key(tmp_path)
    file = tmp_path / FACTS_FILE
    file.write_text(text)
    with pytest.raises(UsageError):
        operator.state_facts(options(), tmp_path, Clock())
    assert file.read_text() == text


HIDDEN = [
    'operator = """\ndate = mine\n"""\n',
    "operator = '''\ndate = 2020-01-01\n'''\n",
    'date = 2020-01-01\noperator = """\ndate = 2020-01-01\n"""\n',
    'operator = """\ndate = 2020-01-01\ndate = 2020-01-02\n"""\ndate = 2020-01-01\n',
    f'operator = """\ndate = 2020-01-01\n"""\ndate = {DAY}\n',
    f'operator = """\ndate = {DAY}\n"""\n',
    '"date" = 2020-01-01\noperator = """\n"date" = 2020-01-01"""\n',
    '  date = 2020-01-01  # last time\noperator = """date = 2020-01-01"""\n',
    'operator = """\\\ndate = 1\n"""\r\n"date"=2020-01-01\r\n',
]


@pytest.mark.parametrize("text", HIDDEN)
def test_a_text_that_looks_like_the_date_is_left_alone(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_key(tmp_path)
    file = tmp_path / FACTS_FILE
    file.write_text('jurisdiction = "x"\n' + text)
    before = read_facts(file)
    for _ in range(2):
        assert operator.state_facts(options(), tmp_path, Clock()) == 0
        after = read_facts(file)
        assert after == msgspec.structs.replace(before, date=DAY)
        assert json.loads(capsys.readouterr().out)["operator"] == before.operator


def test_a_date_in_no_usual_form_is_one_sentence(tmp_path: Path) -> None:
    ensure_key(tmp_path)
    file = tmp_path / FACTS_FILE
    text = 'jurisdiction = "x"\n"d\\u0061te" = 2020-01-01\n'
    file.write_text(text)
    with pytest.raises(UsageError):
        operator.state_facts(options(), tmp_path, Clock())
    assert file.read_text() == text


RELAY_USER, RELAY_GROUP = 4711, 4712


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_states_can_be_read_by_the_relay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "relay"
    directory.mkdir(mode=0o700)
    os.chown(directory, RELAY_USER, RELAY_GROUP)
    ensure_key(directory)
    elsewhere = tmp_path / "facts.toml"
    for chosen in (None, elsewhere):
        file = chosen or directory / FACTS_FILE
        assert operator.state_facts(options(chosen), directory, Clock()) == 0
        assert owned(file) == (RELAY_USER, RELAY_GROUP, 0o600)
        file.write_text('jurisdiction = "x"\n')
        assert operator.state_facts(options(chosen), directory, Clock()) == 0
        assert owned(file) == (RELAY_USER, RELAY_GROUP, 0o600)
    assert {owned(each) for each in directory.iterdir()} == {(RELAY_USER, RELAY_GROUP, 0o600)}
    for group, mode in ((RELAY_GROUP, 0o640), (0, 0o644)):
        os.chown(elsewhere, 0, group)
        elsewhere.chmod(mode)
        assert operator.state_facts(options(elsewhere), directory, Clock()) == 0
        assert owned(elsewhere) == (0, group, mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_link_in_place_of_a_file_leads_root_nowhere(tmp_path: Path) -> None:
    directory, secret = tmp_path / "relay", tmp_path / "secret"
    secret.write_text("secret")
    directory.mkdir()
    os.chown(directory, RELAY_USER, RELAY_GROUP)
    (directory / "file").symlink_to(secret)
    (directory / ".file.new").symlink_to(secret)
    write_private(directory / "file", b"new")
    assert (secret.read_text(), owned(secret)[:2]) == ("secret", (0, 0))
    assert (directory / "file").read_text() == "new"
    assert owned(directory / "file") == (RELAY_USER, RELAY_GROUP, 0o600)


def owned(file: Path) -> tuple[int, int, int]:
    status = os.lstat(file)
    return status.st_uid, status.st_gid, status.st_mode & 0o777


def test_a_running_relay_follows_its_file(tmp_path: Path) -> None:
    key, clock, file = ensure_key(tmp_path), Clock(), tmp_path / FACTS_FILE
    sheet = FactSheet(key, FactsFile(file, OperatorFacts()), Limits(), Access(), clock)

    def stated() -> dict[str, Any]:
        signed = SignedFacts.decode(sheet.answer())
        signed.verify(key.pin)
        found: dict[str, Any] = json.loads(signed.body)
        return found

    assert (stated()["date"], stated()["jurisdiction"]) == ("2026-11-22", "")
    file.write_text('jurisdiction = "x"\ndate = 2026-11-20\n')
    assert (stated()["date"], stated()["jurisdiction"]) == ("2026-11-20", "x")
    clock.day += datetime.timedelta(days=40)
    assert stated()["date"] == "2026-11-20"  # its operator has not looked since
    file.write_text("nonsense")
    assert stated()["jurisdiction"] == "x"
    file.unlink()
    assert (stated()["date"], stated()["jurisdiction"]) == ("2027-01-01", "")


def test_a_day_to_come_is_not_stated(tmp_path: Path) -> None:
    future = OperatorFacts(jurisdiction="x", date=DAY + datetime.timedelta(days=900))
    sheet = FactSheet(ensure_key(tmp_path), future, Limits(), Access(), Clock())
    assert SignedFacts.decode(sheet.answer()).facts.date == "2026-11-22"
