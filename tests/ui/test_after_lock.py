"""After locking nothing of the profile is shown, can be pasted, or stays in a screen's memory."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from textual.widgets import Input, TextArea

from exile_tui.errors import ProfileError
from exile_tui.ui.screens.chats import ChatsScreen
from exile_tui.ui.screens.search import SearchScreen
from exile_tui.ui.screens.unlock import UnlockScreen
from exile_tui.ui.widgets.talk import Talk
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import MINUTE, PASSPHRASE, FakeApplication
from tests.ui.paint import screen_text
from tests.ui.worlds import english

SIZE = (100, 30)


async def test_notices_of_before_are_gone(make_app: MakeApp) -> None:
    app = make_app(english())
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        app.notify("Haneul is a contact now. Say hello.")
        await settle(pilot)
        assert "Haneul is a contact" in screen_text(app)
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert app.application.messenger is None
        assert "Haneul" not in screen_text(app)


async def test_what_was_copied_cant_be_pasted(make_app: MakeApp) -> None:
    application = FakeApplication(english())
    app = make_app(application=application, auto_lock_minutes=1)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.copy_to_clipboard("what we wrote")
        application.inside.clock.now += MINUTE
        assert app.autolock.check()
        await settle(pilot)
        assert app.clipboard == ""


async def test_nothing_is_shown_while_it_closes(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = FakeApplication(english())
    app = make_app(application=application)
    closing, done = asyncio.Event(), asyncio.Event()
    lock = application.lock

    async def slowly() -> None:
        closing.set()
        await done.wait()
        await lock()

    monkeypatch.setattr(application, "lock", slowly)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "Haneul" in screen_text(app)
        app.action_lock()
        async with asyncio.timeout(30):
            await closing.wait()
        await pilot.pause()
        assert "Haneul" not in screen_text(app)
        done.set()
        await settle(pilot)
        assert isinstance(app.screen, UnlockScreen)


async def test_a_profile_that_does_not_close_well_is_not_shown_either(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = FakeApplication(english())
    app = make_app(application=application)
    lock = application.lock

    async def badly() -> None:
        await lock()
        raise ProfileError

    monkeypatch.setattr(application, "lock", badly)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert isinstance(app.screen, UnlockScreen)
        assert "Haneul" not in screen_text(app)


async def test_no_screen_of_the_open_profile_stays(make_app: MakeApp) -> None:
    application = FakeApplication(english())
    application.messenger = None
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.screen.query_one(Input).value = PASSPHRASE
        await pilot.press("enter")
        await settle(pilot)
        base = app.screen
        assert isinstance(base, ChatsScreen)
        base.open_conversation((await app.open_messenger.contacts())[0].id)
        await settle(pilot)
        base.query_one(TextArea).insert("half a draft")
        await pilot.press("ctrl+f", "h", "e")
        await settle(pilot)
        assert isinstance(app.screen, SearchScreen)
        # Ours alone: what other tests left behind in this process says nothing.
        held = [weakref.ref(each) for each in (base, base.query_one(Talk), app.screen)]
        del base
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert app.application.messenger is None
        gc.collect()
        assert [each() for each in held] == [None, None, None]


async def test_the_first_run_forgets_the_passphrase(make_app: MakeApp) -> None:
    application = FakeApplication(exists=False, opened=False)
    app = make_app(application=application)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter", *"horse battery", "enter", *"horse battery", "enter", "enter")
        fields = list(app.screen.query(Input))
        await pilot.press("enter")
        await settle(pilot)
        assert application.first_run.passphrase == "horse battery"
        assert [field.value for field in fields if field.value] == []
