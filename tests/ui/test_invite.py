"""Inviting: one invite shown, copied, saved, revoked, listed."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, ContentSwitcher, Input

from exile_tui.core.events import InvitesChanged
from exile_tui.core.model import Contact, ContactState, Invite, InviteState
from exile_tui.errors import RelayUnreachable
from exile_tui.ui.app import ExileApp
from exile_tui.ui.scan import read_image
from exile_tui.ui.widgets.qr import QrCode
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import NOW_MS, FakeMessenger, at
from tests.ui.paint import screen_text

SIZE = (80, 24)


async def opened(app: ExileApp, pilot: Pilot[int]) -> None:
    app.open_screen("invite")
    await settle(pilot)


def view(app: ExileApp) -> str | None:
    return app.screen.query_one("#views", ContentSwitcher).current


def put(messenger: FakeMessenger, invite: Invite) -> None:
    messenger._invites[invite.id - 1] = invite
    messenger.emit(InvitesChanged())


async def test_the_first_visit_makes_one_and_says_what_matters(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        (invite,) = await messenger.invites()
        text = screen_text(app)
        assert invite.link[:30] in text
        assert "One person, until Nov 22 3:30 PM" in text
        assert "Whoever holds it can use it" in text
        assert "Nobody on another computer can" in text
        assert app.screen.query_one("#code", QrCode).payload == messenger.link_bytes(invite.link)


async def test_an_invite_says_whom_it_does_not_reach(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        (invite,) = await messenger.invites()
        assert app.screen.query_one("#only-here").display
        put(messenger, replace(invite, relay=replace(invite.relay, host="relay.example.org")))
        await settle(pilot)
        assert not app.screen.query_one("#only-here").display


@pytest.mark.parametrize(("key", "panel"), [("ctrl+e", "ReachPanel"), ("ctrl+r", "MovePanel")])
async def test_it_leads_to_a_relay_that_others_reach(
    make_app: MakeApp, key: str, panel: str
) -> None:
    app = make_app(FakeMessenger())
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        await pilot.press(key)
        await settle(pilot)
        assert type(app.screen).__name__ == panel
        await pilot.press("escape", "escape")
        await settle(pilot)
        app.screen.query_one("#reach" if key == "ctrl+e" else "#move", Button).press()
        await settle(pilot)
        assert type(app.screen).__name__ == panel


async def test_it_says_whether_it_is_published(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        (invite,) = await messenger.invites()
        put(messenger, replace(invite, published=False))
        await settle(pilot)
        assert "Not at the relay yet" in screen_text(app)
        put(messenger, invite)
        await settle(pilot)
        assert "At the relay" in screen_text(app)


def use(
    messenger: FakeMessenger, invite: Invite, name: str, state: ContactState, at_ms: int
) -> Contact:
    """Let somebody use an invite, as the core stores it."""
    contact = messenger.add_contact(name, state, created_ms=at_ms)
    contact = replace(contact, bundle_hash=invite.bundle_hash)
    messenger._contacts[contact.id] = contact
    put(messenger, replace(invite, state=InviteState.SPENT, link="", secret=b"", blob=b""))
    return contact


def shown_buttons(app: ExileApp) -> list[str | None]:
    views = app.screen.query_one("#views", ContentSwitcher).visible_content
    assert views is not None
    return [each.id for each in views.query(Button) if each.region]


def text_of(app: ExileApp) -> str:
    return " ".join(screen_text(app).split())


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
@pytest.mark.parametrize(
    ("lang", "request_said", "contact_said"),
    [
        ("en", "Used by 김하늘, 3:30 PM; waiting for your answer.", "Used by 김하늘, 3:30 PM."),
        ("ko", "오후 3:30에 김하늘 님이 썼고, 수락을 기다려요.", "오후 3:30에 김하늘 님이 썼어요."),
    ],
)
async def test_an_invite_says_who_used_it_while_it_is_looked_at(
    make_app: MakeApp, size: tuple[int, int], lang: str, request_said: str, contact_said: str
) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger, lang=lang)
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        (invite,) = await messenger.invites()
        contact = use(messenger, invite, "김하늘", ContactState.REQUESTED, NOW_MS)
        await settle(pilot)
        assert app.screen.query_one("#code", QrCode).payload == b""
        assert "exile:" not in screen_text(app)
        assert request_said in text_of(app)
        assert shown_buttons(app) == ["contacts", "again", "list"]
        assert app.focused is not None
        assert app.focused.id == "list"
        await pilot.press("c", "s", "f6", "f8", "delete")
        await settle(pilot)
        assert app.screen.place == "invite"
        assert app.clipboard == ""
        await messenger.accept(contact.id)
        await settle(pilot)
        assert contact_said in text_of(app)
        await pilot.press("enter")
        await settle(pilot)
        assert view(app) == "all"
        assert contact_said in text_of(app)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.click("#contacts")
        await settle(pilot)
        assert app.screen.place == "contacts"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("\x1b]0;x\x07[b]Mallory\u202e\n둘째", "Used by ]0;x[b]Mallory 둘째, Nov 20 9:00 AM."),
        ("\u3164\u200b", "Used, Nov 20 9:00 AM."),
        ("", "Used, Nov 20 9:00 AM."),
        ("하" * 100, f"Used by {'하' * 11}.., Nov 20 9:00 AM."),
    ],
)
async def test_the_name_of_who_used_it_is_made_safe(
    make_app: MakeApp, name: str, said: str
) -> None:
    messenger = FakeMessenger()
    invite = messenger.add_invite(created_ms=at(11, 20, 8))
    use(messenger, invite, name, ContactState.ACTIVE, at(11, 20, 9))
    messenger.add_invite()
    app = make_app(messenger)
    async with app.run_test(size=(100, 26)) as pilot:
        await opened(app, pilot)
        assert said in screen_text(app)


async def test_an_invite_of_a_removed_contact_says_no_name(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    invite = messenger.add_invite()
    contact = use(messenger, invite, "Mallory", ContactState.REQUESTED, NOW_MS)
    messenger.add_invite()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert "Mallory" in screen_text(app)
        await messenger.decline(contact.id)
        await settle(pilot)
        assert "Mallory" not in screen_text(app)
        assert "Used by someone who is not in your contacts now." in text_of(app)
        assert shown_buttons(app) == ["again", "list"]


@pytest.mark.parametrize("state", [InviteState.REVOKED, InviteState.EXPIRED])
async def test_an_invite_that_nobody_used_offers_a_new_one(
    make_app: MakeApp, state: InviteState
) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        (invite,) = await messenger.invites()
        put(messenger, replace(invite, state=state))
        await settle(pilot)
        assert "exile:" not in screen_text(app)
        assert f"can't be used any more. {state.value}" in text_of(app)
        await pilot.click("#again")
        await settle(pilot)
        (new, _) = await messenger.invites()
        assert new.link[:30] in screen_text(app)
        assert shown_buttons(app)[0] == "copy"
        assert app.focused is not None
        assert app.focused.id == "copy"


@pytest.mark.parametrize("lang", ["en", "ko"])
async def test_pictures_of_a_used_invite(
    make_app: MakeApp, snap_sizes: Callable[..., Awaitable[None]], lang: str
) -> None:
    messenger = FakeMessenger()
    invite = messenger.add_invite(created_ms=at(11, 21, 9))
    name = "김하늘" if lang == "ko" else "Haneul Kim"
    use(messenger, invite, name, ContactState.REQUESTED, at(11, 21, 14, 5))
    messenger.add_invite()

    async def look(pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        await pilot.press("down", "enter")

    app = make_app(messenger, lang=lang)
    await snap_sizes(app, look)


async def test_copying_goes_to_the_clipboard(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        (invite,) = await messenger.invites()
        await pilot.press("c")
        await settle(pilot)
        assert app.clipboard == invite.link
        assert base64.b64encode(invite.link.encode())


async def test_saving_a_picture(make_app: MakeApp, tmp_path: Path) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        (invite,) = await messenger.invites()
        for text, sentence in (
            ("", "with a file name"),
            (str(tmp_path / "no" / "such"), "can't be written"),
        ):
            await pilot.press("s")
            await settle(pilot)
            app.screen.query_one("#file", Input).value = text
            await pilot.press("enter")
            await settle(pilot)
            assert sentence in screen_text(app)
            await pilot.press("escape")
            await settle(pilot)
        await pilot.click("#save")
        await settle(pilot)
        app.screen.query_one("#file", Input).value = str(tmp_path / "code")
        await pilot.press("enter")
        await settle(pilot)
        assert read_image(tmp_path / "code.png") == [messenger.link_bytes(invite.link)]
        assert app.screen.place == "invite"


async def test_revoking_asks_first(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        await pilot.press("delete")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert (await messenger.invites())[0].state is InviteState.OPEN
        app.screen.query_one("#revoke", Button).press()
        await settle(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        assert (await messenger.invites())[0].state is InviteState.REVOKED
        assert "can't be used any more" in " ".join(screen_text(app).split())


async def test_open_invites_are_listed_first_and_none_is_made(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    first = messenger.add_invite()
    messenger.add_invite(InviteState.SPENT)
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        assert view(app) == "all"
        assert len(await messenger.invites()) == 2
        await pilot.press("down", "enter")
        await settle(pilot)
        assert view(app) == "one"
        assert app.screen.query_one("#code", QrCode).payload == messenger.link_bytes(first.link)
        await pilot.press("f7")
        await settle(pilot)
        assert view(app) == "all"
        await pilot.press("f5")
        await settle(pilot)
        assert view(app) == "one"
        assert len(await messenger.invites()) == 3


async def test_only_open_invites_can_be_revoked_from_the_list(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    messenger.add_invite()
    messenger.add_invite(InviteState.SPENT)
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        assert app.screen.query_one("#revoke-listed", Button).disabled
        await pilot.press("delete", "down")
        await settle(pilot)
        assert app.screen.place == "invite"
        await pilot.press("delete")
        await settle(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        states = [invite.state for invite in await messenger.invites()]
        assert states == [InviteState.SPENT, InviteState.REVOKED]


async def test_a_failure_is_said(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    messenger.refuse = RelayUnreachable(address="127.0.0.1:1")
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        (notice,) = app._notifications
        assert "127.0.0.1:1 is out of reach" in notice.message
        assert await messenger.invites() == []


@pytest.mark.parametrize("lang", ["en", "ko"])
async def test_the_language_changes_in_place(make_app: MakeApp, lang: str) -> None:
    app = make_app(FakeMessenger(), lang=lang)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        await app.choose_language("ko" if lang == "en" else "en")
        await settle(pilot)
        wanted = "한 사람만" if lang == "en" else "One person"
        assert wanted in screen_text(app)
