"""What people write, as the conversation draws it: long, wide, broken, endless."""

from __future__ import annotations

from typing import Any

import pytest

from exile_tui.core.model import Delivery
from tests.ui.conftest import MakeApp, settle
from tests.ui.doubles import FakeMessenger, at

SIZES = ((120, 40), (80, 24), (60, 20))
KOREAN = (
    "어제 저녁에 도서관 앞에서 만난 사람이 말하기를, 다음 주부터는 오후 세 시가 아니라"
    " 네 시에 모이기로 했대요. 장소는 그대로이고 준비할 것도 그대로예요."
    " 혹시 못 오게 되면 미리 알려 주세요!"
)
FAMILY = "👩‍👩‍👧‍👦 가족 사진 🤦🏽‍♀️ 🇰🇷 ❤️ 끝"
CODE = "def f(x):\n\tif x:\n\t\treturn [1, 2]  # 주석\n    raise ValueError('bad')"
WORD = "가나다라마바사" * 20 + "https://example.org/" + "a" * 120
ENDLESS = "\n".join(f"{number}번째 줄이에요" for number in range(1, 501))


def world(*texts: str) -> FakeMessenger:
    messenger = FakeMessenger()
    contact = messenger.add_contact("김하늘")
    for minute, text in enumerate(texts):
        moment = at(11, 21, 15, minute)
        if minute % 2:
            messenger.say(contact, text, moment, Delivery.DELIVERED)
        else:
            messenger.hear(contact, text, moment)
    return messenger


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(
    ("name", "texts", "keys"),
    [
        ("prose", (KOREAN, KOREAN), ()),
        ("emoji", (FAMILY, FAMILY, "🙏"), ()),
        ("code", (CODE, "고마워요", CODE), ()),
        ("words", (WORD, WORD), ()),
        ("endless", ("앞", ENDLESS), ()),
        ("endless-inside", ("앞", ENDLESS), ("pageup", "pageup")),
        ("chosen", (KOREAN, FAMILY, CODE), ("k", "k")),
        ("message", ("https://bank.example@evil.example/문서", FAMILY), ("k", "k", "enter")),
    ],
)
async def test_the_timeline(
    make_app: MakeApp, snap_sizes: Any, lang: str, name: str, texts: tuple[str, ...],
    keys: tuple[str, ...],
) -> None:  # fmt: skip
    async def prepare(pilot: Any) -> None:
        pilot.app.screen.open_conversation(1)
        await settle(pilot)
        pilot.app.screen.query_one("Conversation").focus()
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    await snap_sizes(make_app(world(*texts), lang=lang), before=prepare, sizes=SIZES)
