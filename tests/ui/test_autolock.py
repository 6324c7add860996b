"""Locking by itself: by the clock that goes on while a laptop sleeps, and by no other."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import MINUTE, PASSPHRASE, FakeApplication
from tests.ui.paint import screen_text
from tests.ui.worlds import english

SIZE = (100, 30)


async def test_it_locks_when_the_time_is_up_and_not_before(make_app: MakeApp) -> None:
    application = FakeApplication(english())
    clock = application.inside.clock
    app = make_app(application=application, auto_lock_minutes=5)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        clock.now += 5 * MINUTE - 1
        assert not app.autolock.check()
        clock.now += 1
        assert app.autolock.check()
        await settle(pilot)
        assert application.messenger is None
        assert "Haneul" not in screen_text(app)
        assert "nobody was here for 5 minutes" in screen_text(app)
        clock.now += 60 * MINUTE
        assert not app.autolock.check()
        app.screen.query_one(Input).value = PASSPHRASE
        await pilot.press("enter")
        await settle(pilot)
        assert application.messenger is not None
        assert not app.autolock.check()


@pytest.mark.parametrize(
    "event",
    [
        events.Key("a", "a"),
        events.Paste("x"),
        events.MouseMove(None, 1, 1, 1, 1, 0, False, False, False),
        events.MouseDown(None, 1, 1, 0, 0, 1, False, False, False),
    ],
)
async def test_a_key_the_mouse_or_a_paste_begins_the_time_anew(
    make_app: MakeApp, event: events.Event
) -> None:
    application = FakeApplication(english())
    clock = application.inside.clock
    app = make_app(application=application, auto_lock_minutes=5)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        clock.now += 4 * MINUTE
        app.post_message(event)
        await settle(pilot)
        clock.now += 4 * MINUTE
        assert not app.autolock.check()


async def test_what_arrives_is_no_sign_of_anybody(make_app: MakeApp) -> None:
    messenger = english()
    application = FakeApplication(messenger)
    app = make_app(application=application, auto_lock_minutes=5)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for _ in range(5):
            messenger.clock.now += MINUTE
            messenger.arrive((await messenger.contacts())[0], "hello?")
            await settle(pilot)
        assert app.autolock.check()
        await settle(pilot)


async def test_the_first_key_after_a_long_sleep_locks_and_does_nothing_else(
    make_app: MakeApp,
) -> None:
    application = FakeApplication(english())
    app = make_app(application=application, auto_lock_minutes=5)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        application.inside.clock.now += 8 * 60 * MINUTE
        await pilot.press("f2")
        await settle(pilot)
        assert application.messenger is None
        assert type(app.screen).__name__ == "UnlockScreen"


async def test_off_is_off(make_app: MakeApp) -> None:
    application = FakeApplication(english())
    app = make_app(application=application, auto_lock_minutes=0)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        application.inside.clock.now += 999 * 60 * MINUTE
        assert not app.autolock.check()
