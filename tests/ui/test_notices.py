"""When something is told outside of the screen, and that nothing of it stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual import events

from exile_tui.config import Settings
from exile_tui.core.events import RequestArrived
from exile_tui.ui.driver import ExileDriver
from exile_tui.ui.escapes import Protocol, Terminal
from exile_tui.ui.notices import LOOKING_S, PAUSE_S, places
from tests.ui.conftest import settle
from tests.ui.doubles import FakeApplication, FakeMessenger
from tests.ui.recording import RecordedApp
from tests.ui.worlds import HOSTILE, korean

SOME = "\x1b]777;notify;exile-tui;새 메시지가 왔어요\x07\x07"
WHO = "\x1b]777;notify;exile-tui;김하늘 님의 새 메시지\x07\x07"
NOTICE = "\x1b]777"
MakeRecorded = Callable[..., RecordedApp]


@pytest.fixture
def make_recorded(messenger: FakeMessenger) -> MakeRecorded:
    def make(protocol: Protocol = Protocol.OSC_777, **settings: Any) -> RecordedApp:
        application = FakeApplication(messenger)
        app = RecordedApp(
            application,  # type: ignore[arg-type]  # the double has the same face
            Settings(lang="ko", **settings),
            messenger.clock,
        )
        app.terminal = Terminal(protocol)
        return app

    return make


@pytest.fixture
def messenger() -> FakeMessenger:
    return korean()


async def look_away(pilot: Any) -> None:
    pilot.app.post_message(events.AppBlur())
    await settle(pilot)


async def arrive(pilot: Any, messenger: FakeMessenger, contact_id: int = 1) -> None:
    messenger.arrive(await messenger.contact(contact_id), "비밀스러운 본문")
    await settle(pilot)


async def test_who_looks_is_not_told(make_recorded: MakeRecorded, messenger: FakeMessenger) -> None:
    app = make_recorded()
    async with app.run_test() as pilot:
        await settle(pilot)
        await arrive(pilot, messenger)
    assert NOTICE not in app.output
    assert "\x07\x07" not in app.output


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, SOME),
        ({"notifications": "some"}, SOME),
        ({"notifications": "who"}, WHO),
        ({"notifications": "who", "bell": False}, WHO.removesuffix("\x07")),
        ({"notifications": "some", "bell": False}, SOME.removesuffix("\x07")),
    ],
)
async def test_who_looks_away_is_told_once_as_chosen(
    make_recorded: MakeRecorded, messenger: FakeMessenger, settings: dict[str, Any], told: str
) -> None:
    app = make_recorded(**settings)
    async with app.run_test() as pilot:
        await settle(pilot)
        await look_away(pilot)
        await arrive(pilot, messenger)
    assert [each for each in app.recording.written if NOTICE in each] == [told]
    outside = [each for each in app.recording.written if each.startswith("\x1b]")]
    assert "본문" not in "".join(outside)


async def test_none_is_silent(make_recorded: MakeRecorded, messenger: FakeMessenger) -> None:
    app = make_recorded(notifications="none")
    async with app.run_test() as pilot:
        await settle(pilot)
        await look_away(pilot)
        await arrive(pilot, messenger)
        messenger.emit(RequestArrived(5))
        await settle(pilot)
    assert NOTICE not in app.output
    assert not any(each.endswith("\x07\x07") or each == "\x07" for each in app.recording.written)


async def test_a_burst_is_one_notice(make_recorded: MakeRecorded, messenger: FakeMessenger) -> None:
    app = make_recorded(notifications="who")
    async with app.run_test() as pilot:
        await settle(pilot)
        await look_away(pilot)
        for _ in range(5):
            await arrive(pilot, messenger)
        assert app.output.count(NOTICE) == 1
        messenger.clock.now += int(PAUSE_S * 1000)
        await arrive(pilot, messenger, 2)
        assert app.output.count(NOTICE) == 2
        messenger.clock.now += int(PAUSE_S * 1000)
        app.post_message(events.AppFocus())
        await settle(pilot)
        await arrive(pilot, messenger)
    assert app.output.count(NOTICE) == 2


async def test_a_request_is_told_without_a_name(
    make_recorded: MakeRecorded, messenger: FakeMessenger
) -> None:
    app = make_recorded(notifications="who")
    async with app.run_test() as pilot:
        await settle(pilot)
        await look_away(pilot)
        messenger.emit(RequestArrived(5))
        await settle(pilot)
    assert "\x1b]777;notify;exile-tui;연락처 요청이 왔어요\x07\x07" in app.recording.written


async def test_a_silent_terminal_is_looked_at_until_nothing_was_touched_for_a_minute(
    make_recorded: MakeRecorded, messenger: FakeMessenger
) -> None:
    """Inside tmux focus is not reported unless its options say so."""
    app = make_recorded()
    async with app.run_test() as pilot:
        await settle(pilot)
        messenger.clock.now += int(LOOKING_S * 1000)
        await pilot.press("down")
        await arrive(pilot, messenger)
        assert NOTICE not in app.output
        messenger.clock.now += int(LOOKING_S * 1000)
        await arrive(pilot, messenger)
        assert SOME in app.recording.written


async def test_the_title_counts_what_is_unread(
    make_recorded: MakeRecorded, messenger: FakeMessenger
) -> None:
    app = make_recorded()
    async with app.run_test() as pilot:
        await settle(pilot)
        assert "\x1b]0;exile-tui (2)\x07" in app.recording.written
        await look_away(pilot)
        await arrive(pilot, messenger, 2)
        assert "\x1b]0;exile-tui (3)\x07" in app.recording.written
        await messenger.mark_read(2, 1, 2)
        await settle(pilot)
        titles = [each for each in app.recording.written if each.startswith("\x1b]0;")]
        assert titles[-1] == "\x1b]0;exile-tui (2)\x07"


async def test_locking_takes_title_and_notice_back(
    make_recorded: MakeRecorded, messenger: FakeMessenger
) -> None:
    app = make_recorded(Protocol.OSC_99, notifications="who")
    async with app.run_test() as pilot:
        await settle(pilot)
        await look_away(pilot)
        await arrive(pilot, messenger)
        assert "김하늘 님의 새 메시지\x1b\\" in app.output
        await pilot.press("ctrl+l")
        await settle(pilot)
        outside = [each for each in app.recording.written if each.startswith("\x1b]")]
        withdrawn = outside.index("\x1b]99;i=exile-tui:p=close;\x1b\\")
        assert outside[withdrawn + 1] == "\x1b]0;exile-tui\x07"
        assert not any("99;" in each for each in outside[withdrawn + 1 :])


async def test_a_hostile_name_stays_inside_its_notice(make_recorded: MakeRecorded) -> None:
    messenger = FakeMessenger()
    enemy = messenger.add_contact(HOSTILE + ";x\x1b\\\x9c")
    application = FakeApplication(messenger)
    app = RecordedApp(
        application,  # type: ignore[arg-type]  # the double has the same face
        Settings(lang="ko", notifications="who", bell=False),
        messenger.clock,
    )
    app.terminal = Terminal(Protocol.OSC_777)
    async with app.run_test() as pilot:
        await settle(pilot)
        await look_away(pilot)
        await arrive(pilot, messenger, enemy.id)
    (told,) = [each for each in app.recording.written if NOTICE in each]
    body = told.removeprefix("\x1b]777;notify;exile-tui;").removesuffix("\x07")
    assert body.endswith(".. 님의 새 메시지")
    assert body.isprintable()
    assert ";" not in body


async def test_copying_goes_through_the_driver(make_recorded: MakeRecorded) -> None:
    app = make_recorded()
    async with app.run_test() as pilot:
        await settle(pilot)
        app.copy_to_clipboard("복사")
        assert app.recording.written[-1] == "\x1b]52;c;67O17IKs\x07"


def test_a_crash_shows_places_and_no_values() -> None:
    def inner(message: str) -> None:
        raise ValueError(message)

    def outer(message: str) -> None:
        try:
            inner(message)
        except ValueError as error:
            raise KeyError(message) from error

    with pytest.raises(KeyError) as caught:
        outer("비밀스러운 본문")
    lines = list(places(caught.value))
    assert lines[0] == "KeyError"
    assert "ValueError" in lines
    assert any(line.endswith(" inner") for line in lines)
    assert "본문" not in "\n".join(lines)


async def test_a_crash_prints_no_local_variable(
    make_recorded: MakeRecorded, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_recorded()
    secret = "비밀스러운 본문"

    def crash() -> None:
        private = secret
        raise ValueError(private)

    async def run() -> None:
        async with app.run_test() as pilot:
            await settle(pilot)
            app.call_later(crash)
            await settle(pilot)

    with pytest.raises(ValueError, match=secret):
        await run()
    printed = capsys.readouterr().err
    assert "ValueError" in printed
    assert " crash" in printed
    assert secret not in printed


def test_the_driver_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells, title and notice go before the alternate screen is left."""
    monkeypatch.setenv("TERM", "xterm-kitty")
    written: list[str] = []
    base = ExileDriver.__mro__[1]
    monkeypatch.setattr(base, "write", lambda self, data: written.append(data))
    monkeypatch.setattr(base, "stop_application_mode", lambda self: self.write("\x1b[?1049l"))
    driver = ExileDriver.__new__(ExileDriver)
    driver.stop_application_mode()
    assert written == [
        "\x1b[m\x1b[H\x1b[J\x1b]99;i=exile-tui:p=close;\x1b\\\x1b]0;\x07\x1b[23;0t",
        "\x1b[?1049l",
    ]
