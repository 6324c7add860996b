"""Make the documents' pictures from the program's own screens: `python -m tests.pictures`.

Each picture is the cell grid of the real app, its content invented. With a directory as argument
the pictures go there; without one into docs/pictures. The same program gives the same bytes.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update(TZ="Asia/Seoul", TEXTUAL_ANIMATIONS="none", COLORTERM="truecolor")
time.tzset()

from PIL import Image  # noqa: E402  # after the environment that Textual reads on import
from textual.widgets import Input  # noqa: E402

from exile_tui.config import Settings  # noqa: E402
from exile_tui.core.model import ContactState, Delivery  # noqa: E402
from exile_tui.ui.app import ExileApp  # noqa: E402
from tests.painting import missing_packages, save  # noqa: E402
from tests.ui.conftest import settle  # noqa: E402
from tests.ui.doubles import PASSPHRASE, FakeApplication, FakeMessenger, at  # noqa: E402
from tests.ui.paint import paint  # noqa: E402

DIRECTORY = Path(__file__).resolve().parent.parent / "docs" / "pictures"
LARGEST = 150_000
"""Bytes of a picture."""
WIDE, NORMAL = (110, 30), (100, 26)
THEMES = ("exile-dark", "exile-light", "hanji", "dancheong", "dusk", "exile-contrast")
GAP = 12
"""Pixels between the screens of a joined picture."""

Prepare = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True)
class Picture:
    """One screen to paint."""

    name: str
    prepare: Prepare
    size: tuple[int, int] = NORMAL
    theme: str | None = None


def world(lang: str) -> FakeMessenger:
    """Return a profile with a day's talk in one language."""
    ko = lang == "ko"
    messenger = FakeMessenger(name="이서연" if ko else "Seoyeon")
    kim = messenger.add_contact("김하늘" if ko else "Haneul Kim", verified=True)
    park = messenger.add_contact("박서준" if ko else "Seojun Park", verified=True)
    choi = messenger.add_contact("최유나 🎉" if ko else "Yuna Choi 🎉")
    jung = messenger.add_contact("정우" if ko else "Jungwoo", ContactState.JOINING)
    for contact, own, korean, english, when, read in (
        (choi, False, "새 노트북으로 바꿨어요", "I have a new laptop", at(11, 18, 20, 11), True),
        (jung, True, "초대해 줘서 고마워요", "Thank you for the invite", at(11, 19, 9, 2), True),
        (park, False, "그 문서 말인데, 다음 주까지 괜찮을까요?",
         "About that document, is next week fine?", at(11, 20, 9, 30), False),
        (kim, False, "지난번에 말한 책 다 읽었어요?", "Did you finish that book?",
         at(11, 20, 21, 10), True),
        (kim, True, "거의요. 마지막 장만 남았어요.", "Almost. One chapter to go.",
         at(11, 20, 21, 12), True),
        (kim, False, "안녕하세요, 오늘 모임은 세 시에 시작해요.", "Hello, we meet at three today.",
         at(11, 21, 15, 2), True),
        (kim, False, "국수는 제가 살게요 🍜", "The noodles are on me 🍜", at(11, 21, 15, 2), True),
        (kim, True, "그럼 저는 커피요. 지난번에 못 한 이야기, 오늘은 끝까지 들려주세요. "
         "여기서는 아무도 엿듣지 않으니까요.",
         "Coffee is mine, then. And today I want to hear the end of that story; nobody listens in "
         "here.", at(11, 21, 15, 6), True),
        (kim, False, "망명을 환영합니다 😄", "Welcome to exile 😄", at(11, 21, 15, 27), False),
    ):  # fmt: skip
        text = korean if ko else english
        if own:
            messenger.say(contact, text, when, Delivery.DELIVERED)
        else:
            messenger.hear(contact, text, when, read=read)
    messenger.add_invite(created_ms=at(11, 21, 9))
    return messenger


async def talk(pilot: Any) -> None:
    """Open the first conversation."""
    pilot.app.screen.open_conversation(1)


def place(name: str, **arguments: Any) -> Prepare:
    """Return what opens a place by its name."""

    async def prepare(pilot: Any) -> None:
        pilot.app.open_screen(name, **arguments)

    return prepare


async def invite(pilot: Any) -> None:
    """Make a fresh invite."""
    pilot.app.open_screen("invite")
    await settle(pilot)
    await pilot.press("f5")


async def first_run(pilot: Any) -> None:
    """Go to the last question, where the mailboxes are to be."""
    await pilot.press("enter")
    for field in ("#first", "#second"):
        await settle(pilot)
        pilot.app.screen.query_one(field, Input).value = PASSPHRASE
    await pilot.press("enter")
    await settle(pilot)
    await pilot.press(*pilot.app.application.inside.name, "enter")


PICTURES = (
    Picture("chats", talk, WIDE),
    Picture("first-run", first_run),
    Picture("invite", invite, WIDE),
    Picture("verify", place("verify", contact_id=3), WIDE),
    Picture("relay", place("relay"), WIDE),
    Picture("settings", place("settings"), WIDE),
)


async def draw(picture: Picture, lang: str, file: Path) -> None:
    """Run the app up to a screen and write it as a picture."""
    fresh = picture.name == "first-run"
    application = FakeApplication(world(lang), exists=not fresh, opened=not fresh)
    app = ExileApp(
        application,  # type: ignore[arg-type]  # the double has the same face
        Settings(lang=lang, theme=picture.theme),
        application.inside.clock,
        file.parent,
    )
    async with app.run_test(size=picture.size) as pilot:
        await settle(pilot)
        await picture.prepare(pilot)
        await settle(pilot)
        paint(app, file)
    if app.unexpected:
        raise app.unexpected[0]


async def draw_themes(file: Path) -> None:
    """Write the same conversation in each theme, two in a row."""
    parts = []
    for theme in THEMES:
        await draw(Picture(theme, talk, (80, 20), theme), "ko", file)
        with Image.open(file) as image:
            parts.append(image.convert("RGB"))
    width, height = parts[0].size
    rows = -(-len(parts) // 2)
    joined = Image.new("RGB", (2 * width + GAP, rows * (height + GAP) - GAP), (128, 128, 128))
    for number, part in enumerate(parts):
        joined.paste(part, (number % 2 * (width + GAP), number // 2 * (height + GAP)))
    save(joined.reduce(2), file)


async def draw_all(directory: Path) -> None:
    """Write every picture in both languages, and that of the themes."""
    for lang in ("ko", "en"):
        for picture in PICTURES:
            await draw(picture, lang, directory / f"{picture.name}-{lang}.png")
    await draw_themes(directory / "themes.png")


def main(arguments: list[str]) -> int:
    """Write the pictures and return the exit code."""
    if absent := missing_packages():
        print(f"The fonts are missing: apt install {' '.join(absent)}", file=sys.stderr)
        return 1
    directory = Path(arguments[0]) if arguments else DIRECTORY
    directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw_all(directory))
    large = [file.name for file in directory.glob("*.png") if file.stat().st_size > LARGEST]
    print(f"Too large: {', '.join(large)}" if large else f"Written to {directory}", file=sys.stderr)
    return bool(large)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
