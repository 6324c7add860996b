"""Headless commands over the real core and store, with a relay in memory."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exile_tui import assembly, locale, paths
from exile_tui.cli import main as entry
from exile_tui.clock import SystemClock
from exile_tui.config import Settings
from exile_tui.core.application import Application
from exile_tui.core.deleting import Deletion, What
from exile_tui.core.ports import EmbeddedRelay
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.passphrase import Argon2Parameters
from exile_tui.errors import RelayUnreachable
from exile_tui.store import ProfileVault
from exile_tui.wire.address import RelayAddress
from tests.unit.core.fake_relay import FakeRelay

ADDRESS = RelayAddress("127.0.0.1", 4433, bytes(range(32)))
CHEAP = Argon2Parameters(memory_kib=8, passes=1, lanes=1)


class FakeEmbedded:
    """This computer's relay: the one in memory, running or not."""

    def __init__(self, relay: FakeRelay, *, start: bool) -> None:
        self._relay = relay
        self._start = start

    async def ensure(self) -> RelayAddress:
        if self._start:
            self._relay.up = True
        if not self._relay.up:
            raise RelayUnreachable(address="the embedded relay")
        return ADDRESS

    def address(self) -> RelayAddress | None:
        return ADDRESS

    async def release(self) -> None:
        return None

    async def listen_on(self, host: str) -> None:
        raise AssertionError(host)

    def hosts(self) -> list[str]:
        return []


@dataclass
class Done:
    """What a command did."""

    code: int
    records: list[dict[str, Any]]
    text: str
    error: str

    @property
    def record(self) -> dict[str, Any]:
        (record,) = self.records
        return record


Command = Callable[..., Done]


@pytest.fixture
def relay() -> FakeRelay:
    return FakeRelay(ADDRESS, random.Random(1))


@pytest.fixture
def command(
    relay: FakeRelay,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(locale, "_language", "en")
    phrase = tmp_path / "passphrase"
    phrase.write_text("열려라 참깨\n")

    def make_embedded(settings: Settings, *, start: bool = True) -> EmbeddedRelay:
        return FakeEmbedded(relay, start=start)

    def make_application(settings: Settings, embedded: EmbeddedRelay) -> Application:
        directory = paths.profile_directory(tmp_path, settings.profile)
        vault = ProfileVault(directory, argon2=CHEAP)
        profile = settings.profile
        entropy = SystemEntropy()
        return Application(profile, vault, lambda _: relay, embedded, entropy, SystemClock())

    monkeypatch.setattr(assembly, "make_embedded", make_embedded)
    monkeypatch.setattr(assembly, "make_application", make_application)

    def run(profile: str, *arguments: str, as_json: bool = True, stdin: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        name, *rest = arguments
        options = ["--profile", profile, "--passphrase-file", str(phrase)]
        options += ["--json"] if as_json else []
        code = entry.main([name, *options, *rest])
        printed = capsys.readouterr()
        lines = printed.out.splitlines()
        records = [json.loads(line) for line in lines] if as_json else []
        if as_json:
            assert printed.err.count("\n") == (1 if code else 0)
        return Done(code, records, printed.out, printed.err)

    return run


@pytest.fixture
def pair(command: Command) -> Command:
    """Make two profiles, `a` and `b`, and let them meet."""
    for profile, name in (("a", "가람"), ("b", "나루")):
        assert command(profile, "init", "--name", name, "--relay", ADDRESS.url).code == 0
    link = command("a", "invite").record["link"]
    assert command("b", "add", link).code == 0
    assert command("a", "accept", "나루").code == 0
    return command


def test_two_people_meet_and_talk(command: Command) -> None:
    made = command("a", "init", "--name", "가람", "--relay", f" {ADDRESS.url}\n").record
    assert made == {"profile": "a", "name": "가람", "relay": ADDRESS.url}
    command("b", "init", "--name", "나루", "--relay", ADDRESS.url)
    invite = command("a", "invite", "--hours", "2").record
    assert invite["expires_ms"] - invite["created_ms"] == pytest.approx(7_200_000, abs=2000)
    assert invite["state"] == "open"
    joined = command("b", "add", "-", stdin=invite["link"] + "\n").record
    assert (joined["state"], joined["name"]) == ("joining", "")
    request = command("a", "requests").record
    assert (request["state"], request["name"]) == ("requested", "나루")
    assert command("a", "contacts").records == []
    assert command("a", "accept", "나루").record["state"] == "active"
    assert command("a", "requests").records == []

    sent = command("b", "send", "가람", "안녕하세요").record  # asks the relay who 가람 is
    assert (sent["delivery"], sent["text"], sent["name"]) == ("sent", "안녕하세요", "가람")
    received = command("a", "receive").record
    assert (received["text"], received["name"], received["seq"]) == ("안녕하세요", "나루", 1)
    assert command("a", "receive").records == []
    sent = command("a", "send", "#1", stdin="두 줄\n반가워요\n").record
    assert sent["text"] == "두 줄\n반가워요"
    assert command("b", "receive").record["text"] == "두 줄\n반가워요"

    history = command("b", "history", "가").records
    assert [line["direction"] for line in history] == ["out", "in"]
    assert history[0]["delivery"] == "delivered"
    assert command("b", "history", "가람", "--limit", "1").record["direction"] == "in"
    assert command("b", "search", "반가").record["text"] == "두 줄\n반가워요"
    assert command("b", "search", "없는 말").records == []
    search = ("b", "search", "요")
    assert len(command(*search).records) == 2
    assert command(*search, "--with", "가람", "--from", "me").record["text"] == "안녕하세요"
    assert command(*search, "--from", "them", "--limit", "9").record["text"] == "두 줄\n반가워요"
    assert command(*search, "--until", "2014-10-01").records == []
    assert len(command(*search, "--since", "2014-10-01").records) == 2
    assert command("b", "search", "", "--link").records == []


def test_both_read_the_same_number_and_mark_it(pair: Command) -> None:
    first, second = pair("a", "verify", "나루").record, pair("b", "verify", "가람").record
    assert first["digits"] == second["digits"]
    assert len(first["digits"]) == 60
    assert first["words"] == second["words"]
    assert (first["trust"], first["verified_ms"]) == ("unverified", None)
    marked = pair("a", "verify", "나루", "--mark").record
    assert (marked["trust"], marked["verified_how"]) == ("verified", "digits")
    assert pair("a", "contacts").record["trust"] == "verified"
    text = pair("b", "verify", "가람", as_json=False)
    assert "--mark" in text.error
    digits = [word for word in text.text.split() if word.isdigit()]
    assert "".join(digits) == first["digits"]


def test_a_message_that_waits_is_kept_and_says_why(pair: Command, relay: FakeRelay) -> None:
    pair("b", "receive")
    relay.up = False
    waiting = pair("b", "send", "가람", "나중에")
    assert waiting.code == 4
    assert waiting.record["delivery"] == "waiting"
    assert waiting.record["reason"] == "offline"
    assert pair("b", "receive").code == 4
    relay.up = True
    assert pair("b", "receive").code == 0
    assert pair("a", "receive").record["text"] == "나중에"


def test_a_ninth_request_waits_for_the_answer(command: Command) -> None:
    command("a", "init", "--name", "가람", "--relay", ADDRESS.url)
    command("b", "init", "--name", "나루", "--relay", ADDRESS.url)
    command("b", "add", command("a", "invite").record["link"])
    codes = [command("b", "send", "1", f"요청 {number}").code for number in range(8)]
    assert codes == [0] * 7 + [4]
    assert command("b", "history", "1").records[-1]["reason"] == "not-accepted"


def test_what_was_received_meanwhile_is_printed_by_receive(pair: Command) -> None:
    pair("b", "receive")
    for number in range(3):
        pair("b", "send", "가람", f"소식 {number}")
    pair("a", "send", "나루", "받는 김에")  # fetches too, prints only its own
    texts = [record["text"] for record in pair("a", "receive").records]
    assert texts == ["소식 0", "소식 1", "소식 2"]


def test_a_request_is_announced_by_receive(command: Command) -> None:
    command("a", "init", "--name", "가람", "--relay", ADDRESS.url)
    command("b", "init", "--name", "나루", "--relay", ADDRESS.url)
    command("b", "add", command("a", "invite").record["link"])
    command("b", "send", "1", "먼저 인사해요")
    record = command("a", "receive").record
    assert (record["state"], record["name"]) == ("requested", "나루")
    assert command("a", "decline", "나루").record == {"contact": 1, "state": "declined"}
    assert command("a", "requests").records == []
    assert command("a", "accept", "나루").code == 5


def test_an_invite_that_could_not_be_published_is_taken_back(
    command: Command, relay: FakeRelay
) -> None:
    command("a", "init", "--name", "가람", "--relay", ADDRESS.url)
    relay.up = False
    failed = command("a", "invite")
    assert (failed.code, failed.records) == (4, [])
    assert [invite["state"] for invite in command("a", "invites").records] == ["revoked"]
    relay.up = True
    link = command("a", "invite").record["link"]
    assert command("a", "revoke", "2").record["state"] == "revoked"
    assert command("a", "revoke", "7").code == 2
    command("b", "init", "--name", "나루", "--relay", ADDRESS.url)
    assert command("b", "add", link).code == 6


@pytest.mark.parametrize("link", ["exile:AAAA", "exile:", "nothing", "exile:한글"])
def test_what_is_no_invite_is_refused(command: Command, link: str) -> None:
    command("a", "init", "--name", "가람", "--relay", ADDRESS.url)
    refused = command("a", "add", link)
    assert (refused.code, refused.records) == (6, [])


def test_a_wrong_relay_address_makes_no_profile(command: Command, relay: FakeRelay) -> None:
    for address in ("https://127.0.0.1:1/", "http://x", "", ADDRESS.url + "="):
        assert command("a", "init", "--name", "가람", "--relay", address).code == 2
    assert command("a", "init", "--name", " ", "--relay", ADDRESS.url).code == 2
    relay.up = False
    assert command("a", "init", "--name", "가람", "--relay", ADDRESS.url).code == 4
    missing = command("a", "contacts")
    assert missing.code == 1
    assert "no profile" in missing.error
    relay.up = True
    assert command("a", "init", "--name", "가람", "--relay", ADDRESS.url).code == 0
    again = command("a", "init", "--name", "가람", "--relay", ADDRESS.url)
    assert again.code == 1
    assert "already" in again.error


def test_this_computers_relay_is_started_only_when_told(command: Command, relay: FakeRelay) -> None:
    relay.up = False
    assert command("a", "init", "--name", "가람", "--embedded").code == 0
    invited = command("a", "invite", as_json=False)
    assert invited.code == 0
    assert invited.text.startswith("exile:")
    assert "this computer" in invited.error
    relay.up = False
    assert command("a", "invite").code == 4
    assert command("a", "receive").code == 4
    assert command("a", "receive", "--follow").code == 4
    assert command("a", "contacts").code == 0
    assert command("a", "receive", "--start-relay").code == 0


IMPOSSIBLE: tuple[tuple[list[str], int], ...] = (
    (["send", "아무도", "x"], 5),
    (["history", "아무도"], 5),
    (["verify", "#9"], 5),
    (["accept", "아무도"], 5),
    (["send", "나루", " \n"], 2),
    (["send", "나루", "가" * 40_000], 2),
    (["history", "나루", "--limit", "0"], 2),
    (["search", "x", "--limit", "-1"], 2),
    (["search", "x", "--since", "2014-13-01"], 2),
    (["search", "x", "--from", "anybody"], 2),
    (["search", "x", "--with", "아무도"], 5),
    (["accept", "나루"], 2),
    (["invite", "--hours", "0"], 2),
    (["invite", "--hours", "337"], 2),
)


def test_what_can_not_be_done_changes_nothing(pair: Command) -> None:
    before = [pair("a", name).records for name in ("contacts", "invites")]
    for arguments, code in IMPOSSIBLE:
        failed = pair("a", *arguments)
        assert (failed.code, failed.records) == (code, []), arguments
    assert [pair("a", name).records for name in ("contacts", "invites")] == before


def test_a_peers_words_stay_in_their_line(pair: Command) -> None:
    pair("b", "receive")
    pair("b", "send", "가람", "a\x1b]0;title\x07b\n\x9b31mc\u202ed")
    text = pair("a", "receive", as_json=False).text
    assert not any(character in text for character in "\x1b\x07\x9b\u202e")
    assert pair("a", "history", "나루").record["text"].startswith("a")


def test_what_was_to_be_deleted_is_gone_after_any_command(pair: Command, tmp_path: Path) -> None:
    assert pair("b", "send", "가람", "지울 말").code == 0

    async def note() -> None:
        directory = paths.profile_directory(tmp_path, "b")
        store = await ProfileVault(directory, argon2=CHEAP).open("열려라 참깨")
        async with store.transaction() as tx:
            (contact,) = await tx.contacts.all()
            deletion = Deletion(What.CONVERSATION, contact.id, 1, 9)
            await tx.settings.set(deletion.note, "")
        await store.close()

    asyncio.run(note())
    done = pair("b", "contacts", as_json=False)
    assert done.code == 0
    assert "가람" in done.text
    assert "not all gone yet" in done.error
    assert pair("b", "history", "가람").records == []
    assert pair("b", "contacts", as_json=False).error == ""
    assert pair("b", "send", "가람", "또 지울 말").code == 0
    asyncio.run(note())
    assert pair("b", "verify", "이도윤").code == 5, "a command that fails does so after it"
    assert pair("b", "history", "가람").records == []
