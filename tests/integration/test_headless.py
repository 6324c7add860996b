"""Two people talk from the command line: real processes, TLS, databases and passphrases."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.headless import Profile, Running, introduce, start_relay


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[tuple[Running, str]]:
    running, address = await start_relay(tmp_path / "relay-home")
    yield running, address
    with contextlib.suppress(ProcessLookupError):
        assert (await running.end()).code == 0


@pytest.fixture
async def embedded_home(tmp_path: Path) -> AsyncIterator[Path]:
    """A data directory whose relay is ended with the test, not a minute later."""
    home = tmp_path / "home"
    yield home
    for pid in _holders(home / "relay"):
        os.kill(pid, signal.SIGTERM)


def _holders(directory: Path) -> list[int]:
    """Return the processes that have this directory on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.fsencode(directory) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


async def talk(first: Profile, second: Profile, third: Profile, where: list[str]) -> None:
    """Let two people meet, verify each other and talk; a third finds their invite spent."""
    for profile, name in ((first, "김하늘"), (second, "박서준"), (third, "이도윤")):
        made = (await profile.run("init", "--name", name, *where)).record
        assert made["name"] == name
        assert made["relay"].startswith("https://127.0.0.1:")
    link = (await first.run("invite")).record["link"]
    assert (await second.run("add", link)).record["state"] == "joining"
    assert (await first.run("requests")).record["name"] == "박서준"
    assert (await first.run("accept", "박서준")).record["state"] == "active"

    sent = (await second.run("send", "김하늘", "안녕하세요, 서준이에요 👋")).record
    assert sent["delivery"] == "sent"
    assert (await first.run("receive")).record["text"] == "안녕하세요, 서준이에요 👋"
    sent = (await first.run("send", "박서준", "-", stdin="반가워요.\n줄이 둘이에요.\n")).record
    assert sent["delivery"] == "sent"
    assert (await second.run("receive")).record["text"] == "반가워요.\n줄이 둘이에요."

    history = (await second.run("history", "김하늘")).records
    lines = [(line["direction"], line["delivery"], line["text"]) for line in history]
    assert lines == [
        ("out", "delivered", "안녕하세요, 서준이에요 👋"),
        ("in", None, "반가워요.\n줄이 둘이에요."),
    ]
    one = (await first.run("verify", "박서준", "--mark")).record
    two = (await second.run("verify", "김하늘", "--mark")).record
    assert one["digits"] == two["digits"]
    assert len(one["digits"]) == 60
    assert one["trust"] == two["trust"] == "verified"
    await third.run("add", link, code=6)


async def test_two_profiles_with_a_relay(relay: tuple[Running, str], tmp_path: Path) -> None:
    people = [Profile(tmp_path / name, name) for name in ("haneul", "seojun", "doyun")]
    await talk(people[0], people[1], people[2], ["--relay", relay[1]])


async def test_two_profiles_with_the_embedded_relay(embedded_home: Path) -> None:
    people = [Profile(embedded_home, name) for name in ("haneul", "seojun", "doyun")]
    await talk(people[0], people[1], people[2], ["--embedded"])


async def test_this_computers_relay_is_not_started_unless_told(embedded_home: Path) -> None:
    haneul = Profile(embedded_home, "haneul")
    await haneul.run("init", "--name", "김하늘", "--embedded")
    (relay,) = _holders(embedded_home / "relay")
    os.kill(relay, signal.SIGKILL)
    assert "--start-relay" in (await haneul.run("invite", code=4)).error
    assert not _holders(embedded_home / "relay")
    assert (await haneul.run("invite", "--start-relay")).record["state"] == "open"


async def test_what_goes_wrong_has_its_exit_code(
    relay: tuple[Running, str], tmp_path: Path
) -> None:
    running, address = relay
    haneul, seojun = Profile(tmp_path / "1", "haneul"), Profile(tmp_path / "2", "seojun")
    await haneul.run("init", "--name", "김하늘", "--relay", address)
    await seojun.run("init", "--name", "박서준", "--relay", address)
    await introduce(haneul, seojun, "박서준")
    await haneul.run("send", "아무도", "x", code=5)
    wrong = Profile(tmp_path / "1", "wrong", "틀린 암호문구")
    wrong.profile = "haneul"
    await wrong.run("contacts", code=3)

    following = await haneul.start("receive", "--follow")
    await seojun.run("send", "김하늘", "첫째")
    assert "첫째" in await following.line()
    await seojun.run("send", "김하늘", "둘째")
    assert "둘째" in await following.line()
    in_use = await haneul.run("contacts", code=7)
    assert str(following.pid) in in_use.error
    ended = await following.end(signal.SIGINT)
    assert (ended.code, ended.text, ended.error) == (0, "", "")

    assert (await running.end()).code == 0
    waiting = await seojun.run("send", "김하늘", "셋째", code=4)
    assert (waiting.record["delivery"], waiting.record["reason"]) == ("waiting", "offline")
    port = int(address.rsplit(":", 1)[1].split("/")[0])
    again, same = await start_relay(tmp_path / "relay-home", port)
    try:
        assert same == address
        following = await haneul.start("receive", "--follow")
        await seojun.run("receive")
        assert "셋째" in await following.line()
        assert (await following.end(signal.SIGTERM)).code == 0
        assert (await haneul.run("receive")).records == []
    finally:
        await again.end()


async def test_another_key_at_the_relays_address_is_noticed(
    relay: tuple[Running, str], tmp_path: Path
) -> None:
    _, address = relay
    impostor = address[:-43] + "A" * 43
    haneul = Profile(tmp_path / "1", "haneul")
    refused = await haneul.run("init", "--name", "김하늘", "--relay", impostor, code=4)
    assert "key" in refused.error
    await haneul.run("contacts", code=1)


async def test_many_commands_at_once_leave_the_profile_whole(
    relay: tuple[Running, str], tmp_path: Path
) -> None:
    haneul = Profile(tmp_path / "1", "haneul")
    await haneul.run("init", "--name", "김하늘", "--relay", relay[1])
    started = [await haneul.start("invites") for _ in range(3)]
    codes = [done.code for done in await asyncio.gather(*(one.wait() for one in started))]
    assert set(codes) <= {0, 7}
    assert 0 in codes
    assert (await haneul.run("invites")).records == []
