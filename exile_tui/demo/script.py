"""What the demo's contact says: topics with their words, and no more wit than fits into a table.

Pure: a text goes in, an `Answer` comes out. Nothing is said about the contact's safety number here,
since a number that came through the conversation proves nothing about the conversation.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.text import cut, one_line

QUOTED = 24
"""Cells of a message that are said back."""
OFFLINE_S = 12
"""Seconds that the relay stays away when somebody asks what happens then."""


class Deed(Enum):
    """What the contact does beside talking."""

    NONE = "none"
    STOP_RELAY = "stop-relay"
    """After the lines have arrived; the relay comes back after `OFFLINE_S`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the contact says to one message, in the language that is set."""

    lines: tuple[str, ...]
    deed: Deed = Deed.NONE


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that the contact can talk about."""

    lines: tuple[str, ...]
    """Catalog keys."""
    keywords: str
    """Whole words, and beginnings of Korean ones, apart by spaces; casefolded."""
    stop: str = ""
    """Catalog key of the word that leads here, for the topics of the tour."""
    deed: Deed = Deed.NONE


GREETING = (
    N_("You made it. Welcome to exile!"),
    N_(
        "I'm your companion: no human, only a short script in another process of this computer. "
        "But this message is real. It was sealed over there, carried by a relay, opened here."
    ),
    N_(
        "Write me anything and press Enter. Curious about something? Try 'verify', 'relay' or "
        "'offline'. 'menu' lists the rest."
    ),
)
BACK_ONLINE = N_(
    "And we're back! Whatever you wrote meanwhile was kept here and sent by itself. 'delivered' "
    "means that it is stored on my side too. Nothing to press, nothing lost."
)
CAUGHT_UP = N_("'{text}' arrived as well, though you wrote it when there was no relay.")
NEXT_STOP = N_("Next stop: '{word}'.")
SEEN_ALL = N_(
    "That was the last stop. Ctrl+Q ends the demo; then 'exile-tui' starts the real thing, with "
    "people who are funnier than I am."
)
SHRUG = (
    N_("My script has nothing for that. Try '{word}', I'm good at that one."),
    N_("I'm only a few lines of code, so let me change the subject: '{word}'?"),
    N_("Delivered and not understood, which is better than the other way round. Try '{word}'."),
)
MENU = N_("I can talk about: {words}.")

# What is asked most precisely stands first.
TOPICS = (
    Topic(
        keywords="number digits words 번호를 번호는 번호가 숫자",
        lines=(
            N_(
                "I won't tell you my number. A number that comes through this conversation "
                "proves nothing about it: whoever sat between us could change it on the way."
            ),
            N_("Look at my screen instead: Ctrl+G. A real friend should refuse just the same."),
        ),
    ),
    Topic(
        stop=N_("verify"),
        keywords="verify verified verification safety f3 ctrl+g qr 검증 확인 안전 인증",
        lines=(
            N_("How do you know that I am me? Good question. Most never ask."),
            N_(
                "F3 shows the safety number of the two of us. Don't ask me for mine in a message, "
                "though. If somebody sat between us, that message would lie as well."
            ),
            N_(
                "So look at my own screen. Here in the demo Ctrl+G does it, like a glance over my "
                "shoulder. The same number on both? Then press 'It is the same'."
            ),
        ),
    ),
    Topic(
        stop=N_("relay"),
        keywords="relay server f4 릴레이 서버",
        lines=(
            N_("F4 shows what the relay knows. Go on, it takes five seconds."),
            N_(
                "All it holds is mailboxes under random ids, and envelopes of the same size. Not "
                "my name, not yours, not who talks to whom."
            ),
            N_("Seize it, and you have a computer that is very good at forgetting."),
        ),
    ),
    Topic(
        stop=N_("offline"),
        keywords="offline disconnect disconnected 오프라인 끊 연결",
        lines=(
            N_(
                "All right, I'll pull the plug of the relay for {seconds} seconds. Watch the "
                "first line, write me something meanwhile, and see whether it gets lost."
            ),
        ),
        deed=Deed.STOP_RELAY,
    ),
    Topic(
        stop=N_("search"),
        keywords="search find ctrl+f 찾기 찾 검색",
        lines=(
            N_("Dandelion seeds. Keep that in mind."),
            N_(
                "Now press Ctrl+F and look for 'dandelion'. It is found on this device, inside the "
                "encrypted history. What you look for is sent to nobody."
            ),
        ),
    ),
    Topic(
        stop=N_("lock"),
        keywords="lock locked passphrase password ctrl+l 잠금 잠그 잠가 암호문구 비밀번호",
        lines=(
            N_(
                "Ctrl+L locks. The keys leave the memory, and only the passphrase brings them back."
            ),
            N_(
                "Because this is a demo the passphrase stands on the locked screen. For a real "
                "profile nobody can tell it to you. We can't either."
            ),
        ),
    ),
    Topic(
        stop=N_("themes"),
        keywords="theme themes color colour dark light f9 settings 설정 테마 색 다크 어둡 밝",
        lines=(
            N_(
                "F9 opens the settings. Try on a theme, it shows at once; pick what your eyes like."
            ),
            N_(
                "Whatever the colour: 'verified' is always a word here, never only a shade of "
                "green."
            ),
        ),
    ),
    Topic(
        stop=N_("invite"),
        keywords="invite invitation friend friends ctrl+n 초대 친구 링크",
        lines=(
            N_("Ctrl+N makes an invite: one link or QR code, one person, one day."),
            N_(
                "The demo's invites reach only this computer and die with the demo. For a real "
                "friend, close this, start 'exile-tui', and copy the text to send: it says how to "
                "install it, too."
            ),
        ),
    ),
    Topic(
        stop=N_("exile"),
        keywords="exile 2014 why history kakao telegram 망명 왜 카카오 카톡 검찰 텔레그램",
        lines=(
            N_(
                "In autumn 2014 prosecutors in Korea announced that they would watch messengers, "
                "and chats were handed over by the batch. 1.8 million people packed their bags and "
                "greeted each other with 'welcome to exile'."
            ),
            N_(
                "Promises were made after that, and broken, and made again. So this program "
                "promises less: what the relay can't know, it can't hand over."
            ),
        ),
    ),
    Topic(
        stop=N_("limits"),
        keywords="limit limits protect protects safe secure risk 한계 못 보호 지키 지켜 위험",
        lines=(
            N_("Honestly? A device that is taken while it is unlocked shows everything."),
            N_("Neither can it stop me from showing you around in a screenshot."),
            N_(
                "And a relay that secretly notes when you connect, and from where, can guess who "
                "talks to whom. docs/threat-model.md has the whole list."
            ),
        ),
    ),
    Topic(
        keywords="menu help list topics 메뉴 도움 뭐 무엇 목록 f1",
        lines=(MENU,),
    ),
    Topic(
        keywords="haha hahaha lol ㅋ ㅎㅎ ㅋㅋ 하하 웃",
        lines=(
            N_(
                "That laugh travelled in an envelope of 4,096 bytes. From outside it looks exactly "
                "like a sigh."
            ),
        ),
    ),
    Topic(
        keywords="who human bot robot ai name 누구 사람 로봇 봇 이름 인공지능",
        lines=(
            N_("Nobody, I'm afraid: a few if statements with a little charm poured over them."),
        ),
    ),
    Topic(
        keywords="bye goodbye quit exit thanks thank 안녕히 잘가 잘있 종료 끝 고마 감사 수고",
        lines=(
            N_(
                "Ctrl+Q, and all of it is deleted: this conversation, our keys, the relay. I'll "
                "forget you too. Don't take it personally, it's the whole point."
            ),
        ),
    ),
    Topic(
        keywords="hello hi hey yo 안녕 하이 반가 반갑 여보세요 ㅎㅇ",
        lines=(
            N_(
                "Hello! See how your line turned from 'sent' to 'delivered'? The first says that "
                "the relay has it, the second that I do."
            ),
        ),
    ),
)
TOUR = tuple(topic for topic in TOPICS if topic.stop)


def language_of(text: str, current: str) -> str:
    """Return the language to answer in: Hangul is Korean, two Latin words are English."""
    if re.search("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]", text):
        return "ko"
    if len(re.findall("[A-Za-z]{2,}", text)) >= 2:
        return "en"
    return current


def topic_of(text: str) -> Topic | None:
    """Return what a text is about, as far as single words tell."""
    text = unicodedata.normalize("NFC", text).casefold()
    words = re.findall(r"ctrl\+\w|\w+", text)
    for topic in TOPICS:
        for keyword in (*topic.keywords.split(), *_stop_words(topic)):
            if keyword.isascii():
                if keyword in words:
                    return topic
            elif any(word.startswith(keyword) for word in words):
                return topic
    return None


class Script:
    """One conversation: what was said already is not offered again."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._shrugs = 0

    def greeting(self) -> tuple[str, ...]:
        """Return the first words."""
        return tuple(tr(line) for line in GREETING)

    def answer(self, text: str) -> Answer:
        """Return what to say to a message."""
        topic = topic_of(text)
        if topic is None:
            shrug = SHRUG[self._shrugs % len(SHRUG)]
            self._shrugs += 1
            return Answer((tr(shrug, word=self._next() or tr(TOUR[0].stop)),))
        words = ", ".join(tr(each.stop) for each in TOUR)
        lines = [tr(line, seconds=OFFLINE_S, words=words) for line in topic.lines]
        if topic.stop:
            self._seen.add(topic.stop)
            if topic.deed is Deed.NONE:
                lines.append(self.onward())
        return Answer(tuple(lines), topic.deed)

    def back_online(self) -> tuple[str, ...]:
        """Return what to say when the relay runs again."""
        return (tr(BACK_ONLINE), self.onward())

    def caught_up(self, text: str) -> tuple[str, ...]:
        """Return what to say to a message that was written while the relay was away."""
        return (tr(CAUGHT_UP, text=cut(one_line(text), QUOTED)),)

    def onward(self) -> str:
        """Name the next stop of the tour."""
        word = self._next()
        return tr(NEXT_STOP, word=word) if word else tr(SEEN_ALL)

    def _next(self) -> str:
        return next((tr(topic.stop) for topic in TOUR if topic.stop not in self._seen), "")


def _stop_words(topic: Topic) -> tuple[str, ...]:
    return (tr(topic.stop).casefold(),) if topic.stop else ()
