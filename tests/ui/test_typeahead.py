"""Letters behind Enter wait for what it leads to, whoever answers on the way."""

from __future__ import annotations

import asyncio

import pytest
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from exile_tui.ui import typeahead
from exile_tui.ui.typeahead import Settled, TypeAhead

NEVER = 1_000_000


class Deaf(Widget, can_focus=True):
    """Takes Enter, and lets nothing that is said in it get out."""

    @on(Settled)
    def _swallow(self, message: Message) -> None:
        message.stop()


class Fields(TypeAhead):
    """A place that answers nothing, and a field."""

    def compose(self) -> ComposeResult:
        yield Deaf()
        yield Input()


async def type_behind_enter(pilot: Pilot[int]) -> Input:
    """Press Enter where nothing is answered, move the focus, and type."""
    pilot.app.query_one(Deaf).focus()
    await pilot.pause()
    for key in ("enter", "h", "i"):
        pilot.app.post_message(events.Key(key, "\r" if key == "enter" else key))
    field = pilot.app.query_one(Input)
    field.focus()
    await pilot.pause()
    return field


async def test_what_is_removed_on_the_way_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(typeahead, "LOOK_S", 0.001)
    monkeypatch.setattr(typeahead, "MOST_LOOKS", NEVER)
    app = Fields()
    async with app.run_test() as pilot, asyncio.timeout(30):
        field = await type_behind_enter(pilot)
        assert not field.value
        await app.query_one(Deaf).remove()
        while field.value != "hi":
            await pilot.pause()


async def test_who_never_answers_does_not_keep_the_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(typeahead, "LOOK_S", 0.001)
    monkeypatch.setattr(typeahead, "MOST_LOOKS", 500)
    app = Fields()
    async with app.run_test() as pilot, asyncio.timeout(30):
        field = await type_behind_enter(pilot)
        while field.value != "hi":
            await pilot.pause()
        assert app.query_one(Deaf).is_running
