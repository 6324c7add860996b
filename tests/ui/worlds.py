"""Filled doubles that several tests look at."""

from __future__ import annotations

from exile_tui.core.model import ContactState, Delivery, MessageKind, Reason
from tests.ui.doubles import FakeMessenger, at

FAMILY = "👨\u200d👩\u200d👧\u200d👦"


def korean() -> FakeMessenger:
    """Return a profile with everything that a list of chats can show, in Korean."""
    messenger = FakeMessenger()
    kim = messenger.add_contact("김하늘", verified=True)
    park = messenger.add_contact("박서준")
    choi = messenger.add_contact("최유나 🎉", changed=True)
    waiting = messenger.add_contact("", ContactState.JOINING)
    messenger.add_contact("정우", ContactState.REQUESTED)
    messenger.hear(kim, "지난번에 말한 책 다 읽었어요?", at(11, 20, 21, 10))
    messenger.say(kim, "거의요. 마지막 장만 남았어요.", at(11, 20, 21, 12))
    messenger.hear(kim, "안녕하세요, 오늘 회의는 세 시에 시작해요.", at(11, 21, 15, 2))
    messenger.hear(kim, "자료 미리 읽어 주세요", at(11, 21, 15, 2))
    messenger.say(kim, "네 확인했어요", at(11, 21, 15, 5))
    messenger.say(
        kim,
        "그런데 두 번째 표의 숫자가 지난주에 받은 것과 조금 달라 보여서요. "
        "혹시 최신 자료가 맞는지 회의 전에 한 번만 확인해 주실 수 있을까요?",
        at(11, 21, 15, 6),
        Delivery.SENT,
    )
    messenger.hear(kim, "세 시에 시작해요", at(11, 21, 15, 27), read=False)
    messenger.hear(kim, "늦지 마세요 👍🏽", at(11, 21, 15, 28), read=False)
    messenger.hear(park, "그 문서 말인데, 다음 주까지 괜찮을까요?", at(11, 20, 9, 30))
    messenger.hear(choi, "2", at(11, 3), kind=MessageKind.MISSING)
    messenger.hear(choi, "", at(11, 3), kind=MessageKind.NEWER)
    messenger.hear(choi, "새 폰으로 바꿨어요", at(11, 3))
    messenger.say(waiting, "안녕하세요!", at(11, 21, 15, 20), Delivery.SENT)
    messenger.say(
        waiting, "초대해 주셔서 고마워요", at(11, 21, 15, 21), Delivery.QUEUED, Reason.NOT_ACCEPTED
    )
    return messenger


def english() -> FakeMessenger:
    """Return the same in English."""
    messenger = FakeMessenger(name="Seoyeon")
    kim = messenger.add_contact("Haneul Kim", verified=True)
    park = messenger.add_contact("Seojun Park")
    choi = messenger.add_contact("Yuna 🎉", changed=True)
    waiting = messenger.add_contact("", ContactState.JOINING)
    messenger.add_contact("Jungwoo", ContactState.REQUESTED)
    messenger.hear(kim, "Did you finish that book?", at(11, 20, 21, 10))
    messenger.say(kim, "Almost. One chapter to go.", at(11, 20, 21, 12))
    messenger.hear(kim, "Hello, the meeting starts at three today.", at(11, 21, 15, 2))
    messenger.hear(kim, "Please read the papers before", at(11, 21, 15, 2))
    messenger.say(kim, "Yes, I read them", at(11, 21, 15, 5))
    messenger.say(
        kim,
        "One thing though: the numbers in the second table look different from last week's. "
        "Could you check before the meeting whether these are the newest ones?",
        at(11, 21, 15, 6),
        Delivery.SENT,
    )
    messenger.hear(kim, "We start at three", at(11, 21, 15, 27), read=False)
    messenger.hear(kim, "Don't be late 👍🏽", at(11, 21, 15, 28), read=False)
    messenger.hear(park, "About that document, is next week fine?", at(11, 20, 9, 30))
    messenger.hear(choi, "2", at(11, 3), kind=MessageKind.MISSING)
    messenger.hear(choi, "", at(11, 3), kind=MessageKind.NEWER)
    messenger.hear(choi, "I have a new phone", at(11, 3))
    messenger.say(waiting, "Hello!", at(11, 21, 15, 20), Delivery.SENT)
    messenger.say(
        waiting,
        "Thank you for the invite",
        at(11, 21, 15, 21),
        Delivery.QUEUED,
        Reason.NOT_ACCEPTED,
    )
    return messenger


HOSTILE = (
    "\x1b]0;pwned\x07\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[31mred\x9b31m\x90q\x9c"
    "\x1b]8;;https://evil.example/\x1b\\link\x1b]8;;\x1b\\ [bold]x[/bold] [@click=app.quit]y[/] [/"
    "\u202egnp.exe\u202c \u2066a\u2069\u2028b\u2029c\x85d\x7f\x00\x08\r\u3164\u115f\u200fz"
)
"""Everything that a terminal or a markup parser would act on."""


def hostile() -> FakeMessenger:
    """Return a profile whose every text comes from an enemy."""
    messenger = FakeMessenger(name=HOSTILE)
    enemy = messenger.add_contact(HOSTILE, verified=True)
    messenger.add_contact(HOSTILE, ContactState.REQUESTED)
    messenger.add_contact(HOSTILE, ContactState.JOINING)
    changed = messenger.add_contact("e\u0301" + "\u0301" * 40 + HOSTILE, changed=True)
    messenger.hear(enemy, HOSTILE, at(11, 21, 15, 1))
    messenger.say(enemy, HOSTILE, at(11, 21, 15, 2), Delivery.WAITING, Reason.FULL)
    messenger.hear(enemy, "x" * 300, at(11, 21, 15, 3))
    messenger.hear(enemy, FAMILY * 40, at(11, 21, 15, 4))
    messenger.hear(enemy, "한" * 300, at(11, 21, 15, 5))
    messenger.hear(enemy, "9" * 40, at(11, 21, 15, 6), kind=MessageKind.MISSING)
    messenger.hear(enemy, "\n\n\t\ttab\n\n", at(11, 21, 15, 7), read=False)
    messenger.hear(changed, HOSTILE, at(11, 21, 15, 8), read=False)
    messenger.add_invite()
    return messenger
