"""Changing the passphrase through the screen, on the real core and store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input
from textual.worker import WorkerCancelled

from exile_tui.clock import SystemClock
from exile_tui.config import Settings
from exile_tui.core.application import Application, FirstRun, RelayChoice, RelayChoiceKind
from exile_tui.errors import WrongPassphrase
from exile_tui.relay.service import RelaySettings
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.settings import SettingsScreen
from tests.integration.relay_support import serving
from tests.ui.conftest import settle as settle_once
from tests.ui.paint import screen_text
from tests.ui.test_real_core import PATIENCE, application

OLD, NEW = "말 수레 배터리 집게", "구름 사이 낡은 자전거"
TEXT = "이 말은 남아 있어야 해요"


async def settle(pilot: Any) -> None:
    """Wait for all workers; what a newer reading replaced was cancelled, which is no failure."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await settle_once(pilot)
            except WorkerCancelled:
                await pilot.pause()


async def history(profile: Application, passphrase: str) -> list[str]:
    """Unlock, read what was written, and close."""
    messenger = await profile.unlock(passphrase)
    try:
        (contact,) = await messenger.contacts()
        return [message.text for message in await messenger.messages(contact.id)]
    finally:
        await profile.lock()


@pytest.mark.parametrize("new_key", [False, True])
async def test_only_the_new_passphrase_opens_the_history(tmp_path: Path, new_key: bool) -> None:
    async with serving(RelaySettings(directory=tmp_path / "relay")) as (address, _):
        relay = RelayChoice(RelayChoiceKind.ADDRESS, address.url)
        ours, theirs = application(tmp_path, "ours"), application(tmp_path, "theirs")
        try:
            us = await ours.create(FirstRun("이서연", OLD, relay))
            them = await theirs.create(FirstRun("김하늘", OLD, relay))
            invite = await them.create_invite()
            await them.synchronize()
            contact = await us.join(invite.link)
            await us.send(contact.id, TEXT)
            vault = tmp_path / "profiles" / "ours" / "vault"
            before = vault.read_bytes()
            await change(ours, new_key)
            assert vault.read_bytes() != before
            with pytest.raises(WrongPassphrase):
                await ours.unlock(OLD)
            assert await history(ours, NEW) == [TEXT]
        finally:
            await theirs.close()
            await ours.close()


async def change(profile: Application, new_key: bool) -> None:
    """Drive the screen: first with a wrong passphrase, then with the right one."""
    app = ExileApp(profile, Settings(lang="ko"), SystemClock())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f9")
        await settle(pilot)
        app.screen.query_one("#passphrase").focus()
        await pilot.press("enter")
        await settle(pilot)
        await fill(app, "틀린 암호문구")
        await pilot.click("#change")
        await settle(pilot)
        assert "아무것도 바뀌지 않았어요" in screen_text(app)
        await fill(app, OLD)
        app.screen.query_one("#database-key").focus()
        await settle(pilot)
        await pilot.press(*(["down"] if new_key else []), "enter")
        await settle(pilot)
        assert "암호문구를 바꿨어요" in screen_text(app)
        assert ("새 키로" in screen_text(app)) == new_key
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, SettingsScreen)
    assert app.unexpected == []


async def fill(app: ExileApp, old: str) -> None:
    for name, text in (("#old", old), ("#first", NEW), ("#second", NEW)):
        app.screen.query_one(name, Input).value = text
