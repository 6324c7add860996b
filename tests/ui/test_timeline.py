"""How a conversation is laid out, without any widget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.core.model import ContactState, Delivery, MessageKind, Reason
from exile_tui.locale import set_language
from exile_tui.text import cell_len
from exile_tui.ui.timeline import Timeline
from exile_tui.ui.words import contact_name
from tests.ui.doubles import NOW_MS, FakeMessenger, at


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


async def lay_out(messenger: FakeMessenger, width: int = 50, first_unread: int = 0) -> list[str]:
    contact = await messenger.contact(1)
    timeline = Timeline(contact, width, NOW_MS, "Me", first_unread)
    return [line.plain.rstrip() for line in timeline.lines(await messenger.messages(1))]


async def test_days_senders_times_and_delivery() -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    messenger.hear(kim, "one", at(11, 20, 9, 0))
    messenger.hear(kim, "two", at(11, 20, 9, 1))
    messenger.say(kim, "three", at(11, 21, 10, 0))
    messenger.say(kim, "four", at(11, 21, 10, 0), Delivery.SENT)
    messenger.say(kim, "five", at(11, 21, 10, 0), Delivery.SENT)
    messenger.say(kim, "six", at(11, 21, 10, 0), Delivery.WAITING, Reason.FULL)
    lines = await lay_out(messenger)
    assert lines[0].strip(" ─") == "Friday, November 20, 2026"
    assert lines[6].strip(" ─") == "Saturday, November 21, 2026"
    assert lines[1:6] + lines[7:] == [
        "",
        "   9:00 AM ▎ Kim",
        "           ▎ one",
        "   9:01 AM ▎ two",
        "",
        "",
        "  10:00 AM ▎ Me",
        " delivered ▎ three",
        "           ▎ four",
        "      sent ▎ five",
        "     waits ▎ six",
        "           ▎ waiting: the mailbox of Kim is full",
    ]


async def test_an_unread_line_stands_before_the_first_unread_message() -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    messenger.hear(kim, "old", at(11, 21, 9, 0))
    messenger.hear(kim, "new", at(11, 21, 9, 0), read=False)
    lines = await lay_out(messenger, first_unread=2)
    unread = next(number for number, line in enumerate(lines) if "unread from here" in line)
    assert [line.strip() for line in lines[unread - 2 : unread]] == ["▎ old", ""]
    assert lines[unread + 2 :] == ["   9:00 AM ▎ Kim", "           ▎ new"]


async def test_lines_of_ours_about_what_did_not_come() -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    messenger.hear(kim, "3", at(11, 21, 9, 0), kind=MessageKind.MISSING)
    messenger.hear(kim, "", at(11, 21, 9, 1), kind=MessageKind.NEWER)
    messenger.say(kim, "gone", at(11, 21, 9, 2), Delivery.FAILED)
    text = "\n".join(await lay_out(messenger, 80))
    assert "Up to 3 messages never arrived." in text
    assert "A newer version of exile-tui is needed to read this." in text
    assert "failed ▎ gone" in text
    assert "Not delivered within 14 days." in text


async def test_a_possible_copy_is_told_under_no_name() -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    messenger.hear(kim, "before", at(11, 21, 9, 0))
    messenger.hear(kim, "", at(11, 21, 9, 1), kind=MessageKind.POSSIBLE_COPY)
    messenger.hear(kim, "after", at(11, 21, 9, 2))
    for width in (40, 60, 120):
        lines = await lay_out(messenger, width)
        assert all(cell_len(line) <= width for line in lines)
        text = " ".join(" ".join(lines).split())
        assert text.count("Kim") == 2
        assert "contradicts earlier ones; it was not taken." in text
        assert "Nothing that stands here was lost." in text
        assert "compare the safety number again" in text


async def test_who_has_not_answered_has_no_name() -> None:
    messenger = FakeMessenger()
    somebody = messenger.add_contact("", ContactState.JOINING)
    messenger.say(somebody, "hello?", at(11, 21, 9, 2), Delivery.QUEUED, Reason.NOT_ACCEPTED)
    assert "the other person has to accept first" in "\n".join(await lay_out(messenger, 80))


async def test_a_claimed_time_is_believed_only_on_the_day_it_came() -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    message = messenger.hear(kim, "x", at(11, 21, 9, 30))
    stored = messenger._messages[1]
    for claimed, shown in [
        (at(11, 21, 9, 0), "9:00 AM"),
        (at(11, 20, 23, 0), "9:30 AM"),
        (at(11, 21, 23, 0), "9:30 AM"),
        (0, "9:30 AM"),
        (2**62, "9:30 AM"),
    ]:
        stored[0] = replace(message, sent_ms=claimed)
        assert shown in "\n".join(await lay_out(messenger))


@given(st.text(max_size=200), st.integers(min_value=30, max_value=120))
async def test_no_text_is_wider_than_the_view(text: str, width: int) -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact(text)
    messenger.hear(kim, text)
    messenger.say(kim, text, delivery=Delivery.WAITING, reason=Reason.FULL)
    assert all(cell_len(line) <= width for line in await lay_out(messenger, width))


@pytest.mark.parametrize("long", ["\n" * 65_000, "word " * 13_000, "가" * 20_001])
async def test_of_an_endless_message_the_beginning_is_shown(long: str) -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    messenger.hear(kim, long, at(11, 21, 9, 0))
    messenger.hear(kim, "short", at(11, 21, 9, 0))
    lines = await lay_out(messenger)
    assert len(lines) < 1_300
    assert lines[-3].endswith("This goes on. Copy the message to")
    assert lines[-2].endswith("read all.")
    assert lines[-1].endswith("short")


async def test_a_long_message_is_shown_whole() -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    messenger.hear(kim, "\n".join(f"line {number}" for number in range(500)), at(11, 21, 9, 0))
    lines = await lay_out(messenger)
    assert lines[-1].endswith("line 499")


def test_many_hits_are_each_marked_once() -> None:
    """Once every row looked at every hit: half a minute for 60 KB that are full of them."""
    contact = FakeMessenger().add_contact("Kim")
    timeline = Timeline(contact, 50, NOW_MS, "Me", query="e")
    text = "e " * 30_000
    rows = [text[at : at + 30].rstrip() for at in range(0, len(text), 30)]
    marked = list(timeline._hits(text, rows))
    assert sum(map(len, marked)) == 30_000
    assert marked[1][:2] == [(0, 1), (2, 3)]


@pytest.mark.parametrize("name", ["Me", "me.", "나", "ＭＥ", "\u041c\u0435", "\u200bMe\u3164"])
async def test_nobody_else_stands_under_the_word_for_oneself(name: str) -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact(name)
    messenger.hear(kim, "I did it", at(11, 21, 9, 0))
    messenger.say(kim, "no", at(11, 21, 9, 0))
    named = [line for line in await lay_out(messenger) if "9:00 AM ▎" in line]
    assert named[0].endswith("(the other person)")
    assert named[1].endswith("▎ Me")


def test_a_name_bears_no_mark_of_being_verified() -> None:
    messenger = FakeMessenger()
    assert contact_name(messenger.add_contact("✔ verified Kim")) == "verified Kim"
    assert contact_name(messenger.add_contact("✔")) == "Unknown"
    assert contact_name(messenger.add_contact("Mel")) == "Mel"
