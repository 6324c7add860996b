"""Comparing safety numbers: every way marks what it should, and nothing else does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from textual.widgets import ContentSwitcher, Input

from exile_tui.core.model import Contact, Trust, VerifiedHow
from exile_tui.errors import ProfileError
from exile_tui.ui.comparing import same_number
from exile_tui.ui.screens.read_aloud import ReadAloud
from exile_tui.ui.screens.verify import VerifyScreen
from exile_tui.ui.widgets.qr import save_png
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import NOW_MS, FakeMessenger
from tests.ui.paint import screen_text

SIZE = (80, 24)


def world(**how: bool) -> tuple[FakeMessenger, Contact]:
    messenger = FakeMessenger()
    return messenger, messenger.add_contact("김하늘", **how)


async def open_verify(app: object, pilot: object, contact: Contact) -> VerifyScreen:
    app.open_screen("verify", contact_id=contact.id)  # type: ignore[attr-defined]
    await settle(pilot)
    screen = app.screen  # type: ignore[attr-defined]
    assert isinstance(screen, VerifyScreen)
    return screen


async def now(messenger: FakeMessenger, contact: Contact) -> Contact:
    return await messenger.contact(contact.id)


@pytest.mark.parametrize(
    ("forms", "how"), [(0, VerifiedHow.DIGITS), (1, VerifiedHow.WORDS), (2, VerifiedHow.WORDS)]
)
async def test_the_same_marks_date_and_way(make_app: MakeApp, forms: int, how: VerifiedHow) -> None:
    messenger, kim = world()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_verify(app, pilot, kim)
        for _ in range(forms):
            await pilot.press("f7")
        await pilot.click("#same")
        await settle(pilot)
        verification = (await now(messenger, kim)).verification
        assert verification is not None
        assert (verification.how, verification.at_ms) == (how, NOW_MS)
        assert verification.digits == kim.safety_digits
        assert "verified" in screen_text(app)
        assert screen.query_one("#unverify").display


async def test_everything_by_keyboard(make_app: MakeApp) -> None:
    messenger, kim = world()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await open_verify(app, pilot, kim)
        await pilot.press("right", "tab", "enter")
        await settle(pilot)
        verification = (await now(messenger, kim)).verification
        assert verification is not None
        assert verification.how is VerifiedHow.WORDS


async def test_words_in_both_languages_and_digits(make_app: MakeApp) -> None:
    messenger, kim = world()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await open_verify(app, pilot, kim)
        for group in (await messenger.safety_number(kim.id)).groups:
            assert group in screen_text(app)
        for language in ("ko", "en"):
            await pilot.press("f7")
            await settle(pilot)
            for word in messenger.words(kim.safety_digits, language):
                assert word in screen_text(app)


async def test_different_explains_and_changes_nothing(make_app: MakeApp) -> None:
    messenger, kim = world(verified=True)
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_verify(app, pilot, kim)
        await pilot.click("#different")
        await settle(pilot)
        assert "The numbers differ" in screen_text(app)
        assert (await now(messenger, kim)).trust is Trust.VERIFIED
        await pilot.press("enter")
        await settle(pilot)
        assert screen.query_one("#steps", ContentSwitcher).current == "ask"
        await pilot.click("#unverify")
        await settle(pilot)
        assert (await now(messenger, kim)).trust is Trust.UNVERIFIED


async def test_a_changed_number_warns_until_compared_again(make_app: MakeApp) -> None:
    messenger, kim = world(changed=True)
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_verify(app, pilot, kim)
        assert screen.query_one("#changed").display
        assert "safety number changed" in screen_text(app)
        await pilot.click("#same")
        await settle(pilot)
        assert not screen.query_one("#changed").display
        assert (await now(messenger, kim)).trust is Trust.VERIFIED


async def check(screen: VerifyScreen, pilot: object, text: str) -> None:
    await pilot.click("#compare")  # type: ignore[attr-defined]
    await settle(pilot)
    screen.query_one("#code-text", Input).value = text
    await pilot.press("enter")  # type: ignore[attr-defined]
    await settle(pilot)


async def test_a_picture_of_the_other_code(make_app: MakeApp, tmp_path: Path) -> None:
    messenger, kim = world()
    save_png((await messenger.safety_number(kim.id)).scannable, tmp_path / "code.png")
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_verify(app, pilot, kim)
        await check(screen, pilot, str(tmp_path / "code.png"))
        verification = (await now(messenger, kim)).verification
        assert verification is not None
        assert verification.how is VerifiedHow.QR


async def test_a_picture_of_another_code(make_app: MakeApp, tmp_path: Path) -> None:
    messenger, kim = world()
    save_png(b"something else", tmp_path / "code.png")
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_verify(app, pilot, kim)
        await check(screen, pilot, str(tmp_path / "code.png"))
        assert screen.query_one("#steps", ContentSwitcher).current == "not-same"
        assert (await now(messenger, kim)).verification is None


async def test_pasted_digits_and_words(make_app: MakeApp) -> None:
    messenger, kim = world()
    words = " ".join(messenger.words(kim.safety_digits, "ko"))
    app = make_app(messenger)
    for text, how in ((kim.safety_digits, VerifiedHow.DIGITS), (words, VerifiedHow.WORDS)):
        messenger, kim = world()
        app = make_app(messenger)
        async with app.run_test(size=SIZE) as pilot:
            screen = await open_verify(app, pilot, kim)
            await check(screen, pilot, text)
            verification = (await now(messenger, kim)).verification
            assert verification is not None
            assert verification.how is how


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("12345", "This is not a safety number"),
        ("", "Paste it here"),
        ("/no/such/code.png", "There is no file"),
    ],
)
async def test_what_is_no_number_is_said_and_kept(
    make_app: MakeApp, text: str, sentence: str
) -> None:
    messenger, kim = world()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_verify(app, pilot, kim)
        await check(screen, pilot, text)
        assert sentence in screen_text(app)
        assert screen.query_one("#code-text", Input).value == text
        assert (await now(messenger, kim)).verification is None


async def test_without_a_camera_it_says_how_to_get_one(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    messenger, kim = world()
    app = make_app(messenger)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_verify(app, pilot, kim)
        await pilot.click("#compare")
        await settle(pilot)
        await pilot.click("#code-camera")
        await settle(pilot)
        assert "exile-tui[camera]" in "".join(screen_text(app).split())


async def test_reading_aloud_walks_every_word_and_asks(make_app: MakeApp) -> None:
    messenger, kim = world()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await open_verify(app, pilot, kim)
        await pilot.press("f7", "f8")
        await settle(pilot)
        assert isinstance(app.screen, ReadAloud)
        for number, word in enumerate(messenger.words(kim.safety_digits, "ko")):
            assert f"{number + 1} of 12" in screen_text(app)
            assert word in screen_text(app)
            await pilot.press("right")
            await pilot.pause()
        await pilot.press("left", "right", "enter")
        await settle(pilot)
        verification = (await now(messenger, kim)).verification
        assert verification is not None
        assert verification.how is VerifiedHow.WORDS


async def test_one_different_word_is_enough(make_app: MakeApp) -> None:
    messenger, kim = world()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_verify(app, pilot, kim)
        await pilot.press("f8")
        await settle(pilot)
        await pilot.click("#one-different")
        await settle(pilot)
        assert screen.query_one("#steps", ContentSwitcher).current == "not-same"
        await pilot.press("enter", "f8")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert (await now(messenger, kim)).verification is None


async def test_a_failure_changes_nothing(make_app: MakeApp) -> None:
    messenger, kim = world()
    messenger.refuse = ProfileError("The disk is full.")
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await open_verify(app, pilot, kim)
        await pilot.click("#same")
        await settle(pilot)
        assert "The disk is full." in [notice.message for notice in app._notifications]
        assert (await now(messenger, kim)).verification is None


async def test_a_contact_that_is_gone_closes_the_screen(make_app: MakeApp) -> None:
    messenger, kim = world()
    app = make_app(messenger)
    async with app.run_test(size=SIZE) as pilot:
        await open_verify(app, pilot, kim)
        await messenger.remove_contact(kim.id)
        await settle(pilot)
        assert not isinstance(app.screen, VerifyScreen)


DIGITS = "".join(f"{number:05}" for number in range(12))
KOREAN = tuple(f"가나{letter}" for letter in "다라마바사아자차카타파하")
ENGLISH = tuple(f"word{letter}" for letter in "abcdefghijkl")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (DIGITS, True),
        (" ".join(DIGITS[at : at + 5] for at in range(0, 60, 5)), True),
        (DIGITS[:-1] + "9", False),
        (DIGITS[:-1], None),
        ("", None),
        ("  ".join(KOREAN), True),
        ("\n".join(f"{number}. {word}" for number, word in enumerate(ENGLISH, 1)), True),
        (" ".join(ENGLISH).upper(), True),
        (" ".join(word[:2] for word in KOREAN), True),
        (" ".join(word[:2] for word in ENGLISH), False),
        (" ".join(ENGLISH[::-1]), False),
        (" ".join(ENGLISH[:11]), None),
        ("exile:abc", None),
    ],
)
def test_same_number(text: str, same: bool | None) -> None:
    assert same_number(text, DIGITS, [KOREAN, ENGLISH]) is same
