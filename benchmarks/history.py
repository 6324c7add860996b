"""Write a long history into a real profile: `python -m benchmarks.history DIRECTORY --messages N`.

    python -m benchmarks.history /tmp/profile --messages 1000000 --passphrase benchmark

The profile is `bench`; `exile-tui --data-dir DIRECTORY --profile bench` opens it. Its first contact
has all N lines, ten more share a hundredth of them (40 each at least), mixed in as time goes by.
The same seed gives the same people, texts and times; keys and content ids are drawn anew. Every
contact is active and has a real session, so that writing to it works; its relay is a loopback
address where nothing listens, so what is written waits.

A line is as people write: Korean mostly, English, emoji, links, code, now and then a page. Words
are drawn from the two BIP-39 lists with a frequency that falls with their rank (Zipf), between the
short words of every chat. Lines come in bursts of a dozen within minutes, then hours of nothing; a
million of them take eleven years, back from 20 November 2026.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
import unicodedata
from bisect import bisect
from collections.abc import Iterator
from importlib import resources
from itertools import accumulate, islice
from pathlib import Path

from exile_tui.clock import DAY_MS, HOUR_MS
from exile_tui.core.context import Own
from exile_tui.core.model import (
    Contact,
    ContactState,
    Delivery,
    Direction,
    Message,
    MessageKind,
    Reason,
)
from exile_tui.core.ports import Transaction
from exile_tui.core.settings import write_own
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.handshake import bundle_hash, generate_invite, join, open_request
from exile_tui.crypto.passphrase import Argon2Parameters
from exile_tui.crypto.safety_number import session_safety_number
from exile_tui.crypto.session import Session
from exile_tui.paths import data_home, profile_directory
from exile_tui.store import ProfileVault
from exile_tui.store.store import ProfileStore
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.body import pack_body
from exile_tui.wire.mailbox import MailboxDescriptor

PROFILE = "bench"
END_MS = 1_795_132_800_000
"""20 November 2026, 00:00 UTC: when the newest line was written."""
BURST = 12
"""Lines of a burst, on average."""
BATCH = 5_000
"""Lines of the first contact in one transaction."""
NAMES = ("김하늘", "박서준", "이나래", "최민준", "정은별", "강도윤", "한지우", "윤서아")
ENGLISH_NAMES = ("Amina", "Joao", "Marta")
RELAY = RelayAddress("127.0.0.1", 9, bytes(32))
ENTROPY = SystemEntropy()


def _each(words: str) -> list[str]:
    return words.split()


_SHORT = _each(
    "네 넵 응 ㅋㅋ ㅋㅋㅋ ㅋㅋㅋㅋㅋ ㅎㅎ ㅠㅠ ㅇㅋ ㄴㄴ ㄱㄱ 아니 진짜? 대박 좋아요 알겠어요 "
    "확인했어요 고마워요 미안해요 잠깐만 어디야? 도착했어 먹었어? 안녕 내일봐 그래 ok lol yes "
    "thanks 👍 🙏 😂 ❤️ 😭 👏👏👏 🎉 👨‍👩‍👧‍👦 🇰🇷 🤦🏽‍♀️ ☕ 🔥"
)
_PARTICLES = _each("이 가 을 를 은 는 에 에서 으로 로 도 만 까지 부터 하고 의")
_ENDINGS = _each(
    "했어요 할까요? 해요 중이에요 했는데 못했어요 하면돼요 하자 했다 한대 하나요? 해야해요 "
    "하고있어요 때문에요 이에요 예요 없어요 있어요 좋겠어요 몰라요"
)
_GLUE = _each("the a to of and in it is that for on we you with at this be not")
_EMOJI = _each("😀 😅 🥲 🤔 🙌 💜 ✨ 🌸 🍜 🚲 📎 👩‍💻 🏳️‍🌈 👋🏼")
_HOSTS = _each("news.example.kr blog.example.com www.example.org 위키.example maps.example.net")
_CODE = (
    "for each in range({n}):\n    print(each, total[{n}])",
    "git commit -m '{w} {n}'",
    "SELECT * FROM {w} WHERE id = {n};",
    "def {w}(x):\n    if x > {n}:\n        return x - {n}\n    return None",
    '{{"{w}": {n}, "ok": true}}',
    "Traceback: KeyError: '{w}' ({n})",
)


class Words:
    """Words of one language, drawn with a frequency that falls with their rank."""

    def __init__(self, file: str, rng: random.Random) -> None:
        source = resources.files("exile_tui.crypto").joinpath("wordlists", file)
        self._words = unicodedata.normalize("NFC", source.read_text(encoding="utf-8")).split()
        rng.shuffle(self._words)
        self._sums = list(accumulate(1 / (rank + 3) for rank in range(len(self._words))))

    def draw(self, rng: random.Random) -> str:
        """Return a word."""
        return self._words[bisect(self._sums, rng.random() * self._sums[-1])]


class Writer:
    """Lines as people write them, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._korean = Words("korean.txt", self._rng)
        self._english = Words("english.txt", self._rng)

    def text(self) -> str:
        """Return one text."""
        rng = self._rng
        chance = rng.random()
        if chance < 0.22:
            return rng.choice(_SHORT) + rng.choice(("", "", "", " ", "~", "!")).rstrip(" ")
        if chance < 0.78:
            return self._sentence()
        if chance < 0.90:
            return self._in_english()
        if chance < 0.94:
            return f"{self._sentence()} {rng.choice(_EMOJI) * rng.randint(1, 3)}"
        if chance < 0.97:
            path = "/".join(self._english.draw(rng) for _ in range(rng.randint(1, 3)))
            before = f"{self._sentence()} " if rng.random() < 0.5 else ""
            return f"{before}https://{rng.choice(_HOSTS)}/{path}?id={rng.randrange(100_000)}"
        if chance < 0.985:
            code = rng.choice(_CODE)
            return code.format(w=self._english.draw(rng), n=rng.randrange(10_000))
        if chance < 0.999:
            return "\n".join(self._sentence() for _ in range(rng.randint(2, 8)))
        return "\n\n".join(
            " ".join(self._sentence() for _ in range(rng.randint(3, 12)))
            for _ in range(rng.randint(3, 15))
        )

    def _sentence(self) -> str:
        rng = self._rng
        words = []
        for _ in range(min(int(rng.expovariate(0.5)) + 1, 12)):
            particle = rng.choice(_PARTICLES) if rng.random() < 0.7 else ""
            words.append(self._korean.draw(rng) + particle)
        words.append(self._korean.draw(rng) + rng.choice(_ENDINGS))
        return " ".join(words) + rng.choice(("", "", ".", "?", "!", "...", " ㅋㅋ", "~"))

    def _in_english(self) -> str:
        rng = self._rng
        words = [
            rng.choice(_GLUE) if rng.random() < 0.4 else self._english.draw(rng)
            for _ in range(rng.randint(2, 14))
        ]
        return " ".join(words).capitalize() + rng.choice(("", ".", "?", "!", "..."))


def times(count: int, seed: int) -> Iterator[int]:
    """Return when each line was written, in milliseconds of the epoch, in order, END_MS last."""
    rng = random.Random(seed)
    gaps, left = [], count
    while left > 0:
        burst = min(int(rng.expovariate(1 / BURST)) + 1, left)
        # Eleven years for a million: a bit over an hour a burst, of which a third are nights.
        gaps.append(int(rng.expovariate(1 / (1.2 * HOUR_MS))) + 60_000)
        gaps += [1_000 + int(rng.expovariate(1 / 20_000)) for _ in range(burst - 1)]
        left -= burst
    now = END_MS - sum(gaps)
    for gap in gaps:
        now += gap
        yield now


def lines(count: int, seed: int, *, unread: int = 0) -> Iterator[Message]:
    """Return the lines of a conversation.

    Args:
        count: How many.
        seed: Of texts and times.
        unread: How many of the newest, if the peer wrote them, were not on a screen yet.
    """
    writer, rng = Writer(seed), random.Random(seed + 1)
    direction = Direction.IN
    for number, stored_ms in enumerate(times(count, seed + 2)):
        if rng.random() < 0.4:
            direction = Direction.OUT if direction is Direction.IN else Direction.IN
        mine = direction is Direction.OUT
        yield Message(
            id=0,
            contact_id=0,
            seq=0,
            direction=direction,
            kind=MessageKind.TEXT,
            content_id=ENTROPY.bytes(16),
            text=writer.text(),
            sent_ms=stored_ms if mine else stored_ms - rng.randrange(200, 4_000),
            stored_ms=stored_ms,
            delivery=Delivery.DELIVERED if mine else None,
            reason=Reason.NONE,
            read=mine or number < count - unread,
        )


def _session(number: int) -> tuple[Session, bytes]:
    """Return a session in which both sides have spoken, and its bundle's hash."""
    secret = generate_invite(ENTROPY)
    bh = bundle_hash(b"benchmark %d" % number + ENTROPY.bytes(16))
    joiner = join(secret.public, bh, bytes(1024), ENTROPY)
    joiner, envelope = joiner.seal(pack_body([], joiner.body_sizes), ENTROPY)
    inviter = open_request(secret, bh, envelope, END_MS // DAY_MS).session
    inviter, envelope = inviter.seal(pack_body([], inviter.body_sizes), ENTROPY)
    return joiner.open(envelope, END_MS // DAY_MS).session, bh


async def _insert_contact(tx: Transaction, number: int, name: str) -> int:
    session, bh = _session(number)
    contact = await tx.contacts.insert(
        Contact(
            id=0,
            state=ContactState.ACTIVE,
            name=name,
            name_serial=1,
            created_ms=END_MS - 4_000 * DAY_MS,
            safety_digits=session_safety_number(session).digits,
            bundle_hash=bh,
            expiry_ms=END_MS,
            peer_mailbox=MailboxDescriptor(RELAY, ENTROPY.bytes(16), ENTROPY.bytes(32)),
            peer_mailbox_serial=1,
            answered=True,
        )
    )
    await tx.sessions.insert(contact.id, session.to_bytes())
    return contact.id


async def write(store: ProfileStore, messages: int, seed: int) -> None:
    """Fill a new profile: see the module's docstring."""
    names = (*NAMES, *ENGLISH_NAMES)
    async with store.transaction() as tx:
        await write_own(tx, Own("나", 1, RELAY, embedded=False))
        contacts = [await _insert_contact(tx, *each) for each in enumerate(names)]
    small = max(40, messages // 100 // len(names[1:]))
    batches = -(-messages // BATCH)
    long = lines(messages, seed)
    others = {
        contact: lines(small, seed + 10 * contact, unread=contact % 4 * 3)
        for contact in contacts[1:]
    }
    for batch in range(batches):
        async with store.transaction() as tx:
            for contact, source in others.items():
                share = small * (batch + 1) // batches - small * batch // batches
                if share:
                    await tx.messages.append_many(contact, list(islice(source, share)))
            await tx.messages.append_many(contacts[0], list(islice(long, BATCH)))
    await store.truncate_wal()


async def build(directory: Path, messages: int, passphrase: str, seed: int, cheap: bool) -> None:
    """Make the profile and tell how long it took and how large it is, as one line of JSON."""
    profile = profile_directory(data_home(directory), PROFILE)
    parameters = Argon2Parameters(memory_kib=64, passes=1, lanes=1) if cheap else None
    begun, cpu = time.perf_counter(), time.process_time()
    store = await ProfileVault(profile, argon2=parameters).create(passphrase)
    try:
        await write(store, messages, seed)
    finally:
        await store.close()
    record = {
        "messages": messages,
        "seconds": round(time.perf_counter() - begun, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "database_bytes": (profile / "database").stat().st_size,
        "text_bytes": sum(len(line.text.encode()) for line in lines(messages, seed)),
    }
    print(json.dumps(record))


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path, help="the data directory; made when missing")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--passphrase", default="benchmark")
    parser.add_argument("--seed", type=int, default=2014)
    parser.add_argument(
        "--cheap", action="store_true", help="a key slot that costs nothing to open (64 KiB)"
    )
    given = parser.parse_args()
    asyncio.run(build(given.directory, given.messages, given.passphrase, given.seed, given.cheap))


if __name__ == "__main__":
    main()
