"""Nothing of a profile is shown, and nothing breaks, when it is locked in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from exile_tui.core.events import ContactChanged
from exile_tui.errors import ExileError
from exile_tui.ui.app import ExileApp
from exile_tui.ui.messages import Happened
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import PASSPHRASE, FakeApplication, FakeMessenger
from tests.ui.paint import screen_text
from tests.ui.worlds import korean


@pytest.mark.parametrize("error", [None, ExileError(), RuntimeError("closed")])
async def test_what_is_read_while_the_profile_is_locked_is_dropped(
    make_app: MakeApp, error: Exception | None
) -> None:
    messenger = korean()
    app = make_app(messenger, lang="ko")
    async with app.run_test() as pilot:
        await settle(pilot)
        reading, may_end = asyncio.Event(), asyncio.Event()
        found = await messenger.overview()

        async def slow() -> Any:
            reading.set()
            await may_end.wait()
            if error is not None:
                raise error
            return found

        messenger.overview = slow  # type: ignore[method-assign]
        messenger.emit(ContactChanged(1))
        async with asyncio.timeout(5):
            await reading.wait()
        await app.application.lock()
        may_end.set()
        await settle(pilot)
        assert app.is_running
        assert not list(app._notifications)


async def test_what_was_said_before_the_lock_is_not_looked_at_after_it(make_app: MakeApp) -> None:
    app = make_app(korean(), lang="ko")
    async with app.run_test() as pilot:
        await settle(pilot)
        app.open_screen("contacts")
        await settle(pilot)
        await app.application.lock()
        app.screen.post_message(Happened(ContactChanged(1)))
        await settle(pilot)
        assert app.is_running
        assert not list(app._notifications)


class SlowToLock(FakeApplication):
    """A profile whose closing waits until it may end."""

    def __init__(self, messenger: FakeMessenger) -> None:
        super().__init__(messenger)
        self.closing, self.may_end = asyncio.Event(), asyncio.Event()

    async def lock(self) -> None:
        self.messenger = None
        self.closing.set()
        await self.may_end.wait()


@asynccontextmanager
async def closing(
    make_app: MakeApp, lang: str, size: tuple[int, int], *places: str
) -> AsyncIterator[tuple[ExileApp, Pilot[int], SlowToLock]]:
    """Begin a lock that does not end yet; then let it, and look for the locked screen."""
    application = SlowToLock(korean())
    app = make_app(application=application, lang=lang)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        app.show_chats(1)
        await settle(pilot)
        for place in places:
            app.open_screen(place)
            await settle(pilot)
        await pilot.press("ctrl+l")
        async with asyncio.timeout(5):
            await application.closing.wait()
        await pilot.pause()
        yield app, pilot, application
        application.may_end.set()
        await settle(pilot)
        if app.is_running:
            assert app.screen.place == "unlock"  # type: ignore[attr-defined]  # ours
            assert len(app.screen_stack) == 1
            assert "Locking" not in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
@pytest.mark.parametrize(("lang", "said"), [("ko", "잠그는 중..."), ("en", "Locking...")])
async def test_a_slow_lock_shows_that_it_is_one_and_nothing_else(
    make_app: MakeApp, size: tuple[int, int], lang: str, said: str
) -> None:
    async with closing(make_app, lang, size, "contacts") as (app, pilot, _):
        for _ in range(2):
            assert screen_text(app).split() == said.split()
            await pilot.resize_terminal(100, 26)
            await pilot.pause()


@pytest.mark.parametrize("places", [(), ("contacts",), ("invite",), ("settings",)])
async def test_no_key_reaches_what_a_slow_lock_hides(
    make_app: MakeApp, places: tuple[str, ...]
) -> None:
    """Not even those that reach the app: the hidden screens stay what they were."""
    async with closing(make_app, "ko", (80, 24), *places) as (app, pilot, application):
        stack = list(app.screen_stack)
        focused = [screen.focused for screen in stack]
        keys = ("ctrl+k", "ctrl+p", "f1", "f2", "f4", "f9", "ctrl+n", "ctrl+f", "tab", "escape")
        for key in keys:
            await pilot.press(key)
        await pilot.press(*"secret", "enter", "delete", "f5", "ctrl+l", "down", "enter")
        app.post_message(events.Paste("secret"))
        await pilot.click(offset=(10, 4))
        await pilot.pause()
        assert list(app.screen_stack) == stack
        assert [screen.focused for screen in stack] == focused
        assert screen_text(app).split() == ["잠그는", "중..."]
    talked = [each.text for each in await application.inside.messages(1)]
    assert not any("secret" in text for text in talked)
    assert "secret" not in application.inside.drafts.get(1, "")
    assert len(await application.inside.invites()) == (1 if places == ("invite",) else 0)


async def test_what_was_under_way_shows_nothing_in_the_middle_of_a_slow_lock(
    make_app: MakeApp,
) -> None:
    done, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        await may_end.wait()
        done.set()

    application = SlowToLock(korean())
    app = make_app(application=application)
    shown: list[str] = []
    async with app.run_test() as pilot:
        await pilot.pause()
        app.services.load(app, "a", slow, lambda _: shown.append("read"))
        app.services.command(app.screen, "b", slow, lambda _: shown.append("changed"))
        await pilot.press("ctrl+l")
        async with asyncio.timeout(5):
            await application.closing.wait()
        may_end.set()
        async with asyncio.timeout(5):
            await done.wait()
        await pilot.pause()
        application.may_end.set()
        await settle(pilot)
        assert shown == []
        assert app.screen.place == "unlock"  # type: ignore[attr-defined]  # ours


@pytest.mark.parametrize("keys", [{}, {"app.quit": "f12"}])
async def test_a_lock_that_never_ends_can_be_left(make_app: MakeApp, keys: dict[str, str]) -> None:
    application = SlowToLock(korean())
    app = make_app(application=application, keys=keys)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("ctrl+l")
        async with asyncio.timeout(5):
            await application.closing.wait()
        if keys:
            await pilot.press("ctrl+q")
            assert app.is_running
            assert app._exit is False
        await pilot.press(keys.get("app.quit", "ctrl+q"))
        assert app._exit
        application.may_end.set()


async def test_the_second_lock_is_like_the_first(make_app: MakeApp) -> None:
    application = SlowToLock(korean())
    app = make_app(application=application)
    async with app.run_test() as pilot:
        await settle(pilot)
        for _ in range(2):
            application.may_end.clear()
            application.closing.clear()
            await pilot.press("ctrl+l", "ctrl+l")
            async with asyncio.timeout(5):
                await application.closing.wait()
            application.may_end.set()
            await settle(pilot)
            assert app.screen.place == "unlock"  # type: ignore[attr-defined]  # ours
            await pilot.press(*PASSPHRASE, "enter")
            await settle(pilot)
            assert app.screen.place == "chats"  # type: ignore[attr-defined]  # ours
            assert not app.locking.under_way
