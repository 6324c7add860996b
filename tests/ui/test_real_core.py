"""The screens on the real core, store, transport and relay: one conversation both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from exile_tui.assembly import make_application, make_embedded
from exile_tui.clock import SystemClock
from exile_tui.config import Settings
from exile_tui.core.application import Application, FirstRun, RelayChoice, RelayChoiceKind
from exile_tui.core.model import ContactState, Delivery
from exile_tui.relay.service import RelaySettings
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.chats import ChatsScreen
from tests.integration.relay_support import serving
from tests.ui.conftest import settle
from tests.ui.paint import screen_text

PATIENCE = 60
"""Seconds; only a failure waits that long."""


def application(home: Path, profile: str) -> Application:
    settings = Settings(profile=profile, data_dir=home)
    return make_application(settings, make_embedded(settings, start=False))


async def until(pilot: Any, messenger: Any, condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, looking again after every event of a messenger."""
    happened = asyncio.Event()
    unsubscribe = messenger.events.subscribe(lambda _: happened.set())
    try:
        async with asyncio.timeout(PATIENCE):
            while not await condition():
                await happened.wait()
                happened.clear()
    finally:
        unsubscribe()
    await settle(pilot)


async def test_two_people_talk(tmp_path: Path) -> None:
    async with serving(RelaySettings(directory=tmp_path / "relay")) as (address, _):
        relay = RelayChoice(RelayChoiceKind.ADDRESS, address.url)
        ours, theirs = application(tmp_path, "ours"), application(tmp_path, "theirs")
        us = await ours.create(FirstRun("이서연", "말 수레 배터리 집게", relay))
        them = await theirs.create(FirstRun("김하늘", "말 수레 배터리 집게", relay))
        invite = await us.create_invite()
        await us.synchronize()
        app = ExileApp(ours, Settings(lang="ko"), SystemClock())
        try:
            async with app.run_test(size=(100, 30)) as pilot:
                await talk(pilot, us, them, invite.link)
            assert app.unexpected == []
        finally:
            await theirs.close()
            await ours.close()


async def talk(pilot: Any, us: Any, them: Any, link: str) -> None:
    app = pilot.app
    await us.start()
    await settle(pilot)
    contact = await them.join(link)
    await them.send(contact.id, "처음 뵙겠습니다")
    await them.synchronize()

    async def requested() -> bool:
        return bool(await us.contacts())

    await until(pilot, us, requested)
    assert "연락처 요청 1개: F2" in screen_text(app)
    (request,) = await us.contacts()
    assert request.state is ContactState.REQUESTED
    await us.accept(request.id)
    await settle(pilot)
    assert isinstance(app.screen, ChatsScreen)
    app.screen.open_conversation(request.id)
    await settle(pilot)
    assert "처음 뵙겠습니다" in screen_text(app)
    assert "김하늘" in screen_text(app)
    await pilot.press(*"hello", "enter")

    async def stored() -> bool:
        return (await us.messages(request.id))[-1].delivery is Delivery.SENT

    await until(pilot, us, stored)
    assert "보냄" in screen_text(app)
    await them.synchronize()
    assert (await them.messages(contact.id))[-1].text == "hello"

    async def delivered() -> bool:
        return (await us.messages(request.id))[-1].delivery is Delivery.DELIVERED

    await until(pilot, us, delivered)
    assert "전달됨" in screen_text(app)
    await pilot.press("ctrl+l")
    await settle(pilot)
    assert app.screen.place == "unlock"
