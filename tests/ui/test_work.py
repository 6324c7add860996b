"""What a person sees of the work that a busy relay asks for, and how it is put off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Static

from exile_tui.core.events import InvitesChanged, Work
from exile_tui.ui.app import ExileApp
from exile_tui.ui.widgets.status_line import StatusLine
from exile_tui.ui.widgets.work_pane import WorkPane
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import RELAY, FakeMessenger

Snap = Callable[..., Awaitable[None]]
WORK = Work(replace(RELAY, host="relay.example.org", port=443), 0.45, 7.2)
SIZES = ((80, 24), (60, 20))


def far() -> FakeMessenger:
    messenger = FakeMessenger()
    messenger.embedded, messenger.relay_address = False, WORK.relay
    messenger.add_contact("김하늘")
    return messenger


async def opened(app: ExileApp, pilot: Pilot[int], name: str = "invite") -> None:
    app.open_screen(name)
    await settle(pilot)


def said(app: ExileApp) -> str:
    return str(app.screen.query_one("#work-words", Static).render())


@pytest.mark.parametrize("name", ["invite", "relay"])
async def test_it_is_shown_where_it_matters_and_can_be_put_off(
    make_app: MakeApp, name: str
) -> None:
    messenger = far()
    app = make_app(messenger)
    async with app.run_test(size=(80, 40)) as pilot:
        await opened(app, pilot, name)
        pane = app.screen.query_one(WorkPane)
        assert not pane.display
        messenger.do_work(WORK)
        await settle(pilot)
        assert pane.display
        assert "The relay is busy and asks this computer for some work" in said(app)
        assert "about 8 s." in said(app)
        assert "=====-------  45%" in said(app)
        assert "work for the relay 45%" in str(app.screen.query_one(StatusLine).render())
        messenger.do_work(replace(WORK, share=0.76, seconds=0.2))
        await settle(pilot)
        assert "about 1 s." in said(app)
        assert "=========---  76%" in said(app)
        pane.query_one(Button).press()
        await settle(pilot)
        assert messenger.work_problem is not None
        assert "asks for work, which you put off" in said(app)
        assert "work for the relay" not in str(app.screen.query_one(StatusLine).render())
        pane.query_one(Button).press()
        await settle(pilot)
        assert messenger.work_problem is None
        assert not pane.display


async def test_a_key_does_it_too_and_only_while_there_is_work(make_app: MakeApp) -> None:
    messenger = far()
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("ctrl+x")
        assert messenger.work_problem is None
        messenger.do_work(WORK)
        await settle(pilot)
        await pilot.press("ctrl+x")
        await settle(pilot)
        assert messenger.work_problem is not None
        await pilot.press("ctrl+x")
        await settle(pilot)
        assert messenger.work_problem is None
        assert messenger.reconnects == 1


async def test_elsewhere_a_notice_says_it_once_a_minute(make_app: MakeApp) -> None:
    messenger = far()
    app = make_app(messenger)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)

        def notices() -> list[str]:
            return [each.message for each in app._notifications]

        for share in (0.1, 0.2, 0.3):
            messenger.do_work(replace(WORK, share=share))
            messenger.do_work(None)
        await settle(pilot)
        (notice,) = notices()
        assert notice.endswith("about 8 s. F4 shows how far it is.")
        messenger.clock.now += 61_000
        messenger.do_work(WORK)
        await settle(pilot)
        assert len(notices()) == 2
        messenger.do_work(None)
        await opened(app, pilot)
        messenger.clock.now += 61_000
        messenger.do_work(WORK)  # this screen shows it itself
        await settle(pilot)
        assert len(notices()) == 2


@pytest.mark.parametrize("name", ["invite", "relay"])
async def test_it_is_shown_to_who_comes_while_it_goes_on(make_app: MakeApp, name: str) -> None:
    messenger = far()
    messenger.work = WORK
    app = make_app(messenger)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, name)
        assert app.screen.query_one(WorkPane).display
        assert "about 8 s." in said(app)
        await app.choose_language("ko")
        await settle(pilot)
        assert app.screen.query_one(WorkPane).display
        assert said(app).startswith("릴레이 서버가 붐벼서")


@pytest.mark.parametrize(
    ("state", "lang"),
    [("invite", "ko"), ("invite", "en"), ("relay", "ko"), ("relay", "en"), ("put-off", "ko")],
)
async def test_pictures(snap_sizes: Snap, make_app: MakeApp, state: str, lang: str) -> None:
    messenger = far()

    async def before(pilot: Pilot[int]) -> None:
        await opened(make_app_, pilot, "invite" if state == "invite" else "relay")
        if state == "invite":
            (invite,) = await messenger.invites()
            messenger._invites = [replace(invite, relay=WORK.relay, published=False)]
            messenger.emit(InvitesChanged())
        messenger.do_work(WORK)
        if state == "put-off":
            messenger.put_off_work()

    make_app_ = make_app(messenger, lang=lang)
    await snap_sizes(make_app_, before, SIZES, simplify=True)
