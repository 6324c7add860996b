"""What the demo's contact says: to whom, in which language, and what it never says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from exile_tui import locale
from exile_tui.demo.script import (
    GREETING,
    OFFLINE_S,
    TOPICS,
    TOUR,
    Deed,
    Script,
    language_of,
    topic_of,
)
from exile_tui.text import cell_len


@pytest.fixture(params=["ko", "en"], autouse=True)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    before = locale.language()
    locale.set_language(request.param)
    yield request.param
    locale.set_language(before)


@pytest.mark.parametrize(
    ("text", "stop"),
    [
        ("검증은 어떻게 해요?", "verify"),
        ("How do I verify you?", "verify"),
        ("릴레이 서버는 뭘 알아요", "relay"),
        ("What does the relay know?", "relay"),
        ("오프라인", "offline"),
        ("OFFLINE", "offline"),
        ("찾기", "search"),
        ("잠가 줘", "lock"),
        ("암호문구를 잊으면요?", "lock"),
        ("테마 바꾸고 싶어요", "themes"),
        ("친구를 초대할래요", "invite"),
        ("왜 망명이에요?", "exile"),
        ("what happened in 2014", "exile"),
        ("한계가 있나요", "limits"),
        ("is it safe", "limits"),
    ],
)
def test_a_word_leads_to_its_topic(text: str, stop: str) -> None:
    topic = topic_of(text)
    assert topic is not None
    assert topic.stop == stop


@pytest.mark.parametrize("text", ["번호를 알려 줘", "tell me your number", "숫자만 불러 주세요"])
def test_the_number_is_never_told(text: str) -> None:
    said = " ".join(Script().answer(text).lines)
    assert "Ctrl+G" in said
    assert not re.search(r"\d{5}", said)


def test_every_word_of_the_menu_leads_to_its_stop(language: str) -> None:
    (menu,) = Script().answer({"ko": "메뉴", "en": "menu"}[language]).lines
    words = menu.partition(":")[2].strip(" .").split(", ")
    assert len(words) == len(TOUR)
    for word, stop in zip(words, TOUR, strict=True):
        assert topic_of(word) is stop


def test_the_tour_names_every_stop_once_and_ends() -> None:
    script, named = Script(), []
    word = re.findall("'([^']+)'", script.answer("zzz").lines[0])[-1]
    while word != "exile-tui":
        assert word not in named
        named.append(word)
        answer = script.answer(word)
        last = answer.lines[-1] if answer.deed is Deed.NONE else script.back_online()[-1]
        word = re.findall("'([^']+)'", last)[-1]
    assert [topic_of(word) for word in named] == list(TOUR)


def test_everything_is_said_in_the_language_that_is_set(language: str) -> None:
    script = Script()
    lines = [*script.greeting(), *script.back_online(), *script.caught_up("hm")]
    for topic in TOPICS:
        lines += script.answer(topic.keywords.split()[0]).lines
    for line in lines:
        assert bool(re.search("[가-힣]", line)) == (language == "ko"), line
        assert "{" not in line


def test_messages_are_short() -> None:
    for topic in TOPICS:
        for line in topic.lines:
            assert cell_len(locale.tr(line, words="", seconds=OFFLINE_S)) <= 240, line
    assert all(cell_len(locale.tr(line)) <= 240 for line in GREETING)


def test_what_it_does_not_know_changes_the_subject_each_time_in_other_words() -> None:
    script = Script()
    said = {script.answer("xyzzy").lines[0] for _ in range(3)}
    assert len(said) == 3


def test_what_it_says_back_is_cut_and_on_one_line() -> None:
    (line,) = Script().caught_up("가나다 " * 50 + "\n\x1b[2J")
    assert cell_len(line) < 160
    assert "\n" not in line
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("안녕", "en", "ko"),
        ("ㅋㅋ", "en", "ko"),
        ("F3", "ko", "ko"),
        ("ok", "ko", "ko"),
        ("how are you", "ko", "en"),
        ("relay 뭐예요", "en", "ko"),
        ("👍", "en", "en"),
    ],
)
def test_it_answers_in_the_language_that_was_written(text: str, before: str, after: str) -> None:
    assert language_of(text, before) == after
