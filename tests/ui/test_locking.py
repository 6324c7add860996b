"""Nothing of a profile is shown, and nothing breaks, when it is locked in the middle."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exile_tui.core.events import ContactChanged
from exile_tui.errors import ExileError
from exile_tui.ui.messages import Happened
from tests.ui.conftest import MakeApp, settle
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
        found = await messenger.conversations()

        async def slow() -> Any:
            reading.set()
            await may_end.wait()
            if error is not None:
                raise error
            return found

        messenger.conversations = slow  # type: ignore[method-assign]
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
