"""The codes on the invite and verify screens, read off the screen as a camera would."""

from __future__ import annotations

import pytest

from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger
from tests.ui.qr_reading import read_screen

SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize(("theme", "no_color"), [("exile-dark", False), ("exile-light", True)])
@pytest.mark.parametrize("size", SIZES)
async def test_the_invite(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    no_color: bool,
    theme: str,
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    messenger = FakeMessenger()
    app = make_app(messenger, theme=theme)
    async with app.run_test(size=size) as pilot:
        app.open_screen("invite")
        await settle(pilot)
        seen = read_screen(app, app.screen.query_one("#code"))
        (invite,) = await messenger.invites()
        assert seen.payload == messenger.link_bytes(invite.link)
        assert seen.modules == 37
        assert min(seen.quiet) >= 3
        assert max(seen.quiet) <= 5


@pytest.mark.parametrize(("theme", "no_color"), [("exile-dark", False), ("exile-light", True)])
@pytest.mark.parametrize("size", SIZES)
async def test_the_safety_number(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    no_color: bool,
    theme: str,
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    messenger = FakeMessenger()
    kim = messenger.add_contact("김하늘")
    app = make_app(messenger, theme=theme)
    async with app.run_test(size=size) as pilot:
        app.open_screen("verify", contact_id=kim.id)
        await settle(pilot)
        seen = read_screen(app, app.screen.query_one("#code"))
        assert seen.payload == (await messenger.safety_number(kim.id)).scannable
        assert seen.modules == 33
        assert min(seen.quiet) == 4


@pytest.mark.parametrize(("size", "margin"), [((80, 24), 4), ((60, 20), 2)])
@pytest.mark.parametrize("place", ["verify", "relay"])
async def test_the_large_code(
    make_app: MakeApp, size: tuple[int, int], margin: int, place: str
) -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("김하늘")
    app = make_app(messenger)
    async with app.run_test(size=size) as pilot:
        arguments = {"contact_id": kim.id} if place == "verify" else {}
        app.open_screen(place, **arguments)
        await settle(pilot)
        await pilot.press("f6")
        await settle(pilot)
        seen = read_screen(app, app.screen.query_one("#large-code"))
        wanted = {
            "verify": (await messenger.safety_number(kim.id)).scannable,
            "relay": messenger.relay_address.url.encode(),
        }
        assert seen.payload == wanted[place]
        assert min(seen.quiet) >= margin
        await pilot.press("escape")
        await settle(pilot)
        assert not app.screen.query("#large-code")


async def test_a_narrow_window_says_how_to_see_the_code(make_app: MakeApp) -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("김하늘")
    app = make_app(messenger)
    async with app.run_test(size=(60, 20)) as pilot:
        app.open_screen("verify", contact_id=kim.id)
        await settle(pilot)
        code = app.screen.query_one("#code")
        said = " ".join(code.render_line(y).text.strip() for y in range(code.size.height))
        assert "F6 shows the code alone" in said
        assert app.screen.query_one("#same").region.width
