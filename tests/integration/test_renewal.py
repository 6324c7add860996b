"""A relay with an access phrase loses its data, but not its key: real processes, all of it."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

from tests.integration.headless import Profile, introduce, start_relay


async def fetch(*people: Profile) -> dict[str, list[str]]:
    """Let everybody fetch until each has made its mailboxes again and answered the others."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for _ in range(2):
        for person in people:
            for record in (await person.run("receive")).records:
                found[person.profile].append(record["text"])
    return found


async def test_who_joined_with_a_ticket_comes_back_to_a_relay_that_lost_everything(
    tmp_path: Path,
) -> None:
    home, phrase = tmp_path / "relay", tmp_path / "phrase"
    phrase.write_text("우리끼리 아는 말\n")
    asked = ("--access-phrase-file", str(phrase))
    relay, address = await start_relay(home, 0, *asked)
    haneul, seojun = Profile(tmp_path / "1", "haneul"), Profile(tmp_path / "2", "seojun")
    await haneul.run("init", "--name", "김하늘", "--relay", address, *asked)
    await seojun.run("init", "--name", "박서준", "--relay", address)
    await introduce(haneul, seojun, "박서준")
    await haneul.run("receive")
    assert (await seojun.run("send", "김하늘", "하나")).record["delivery"] == "sent"
    assert (await seojun.run("send", "김하늘", "둘")).record["delivery"] == "sent"
    assert (await haneul.run("send", "박서준", "셋")).record["delivery"] == "sent"

    assert (await relay.end()).code == 0
    key = (home / "key.pem").read_bytes()
    shutil.rmtree(home)
    home.mkdir()
    (home / "key.pem").write_bytes(key)
    phrase.write_text("그사이 바뀐 말\n")
    port = int(address.rsplit(":", 1)[1].split("/")[0])
    relay, same = await start_relay(home, port, *asked)
    assert same == address
    found = await fetch(seojun, haneul)
    assert found == {"haneul": ["하나", "둘"], "seojun": ["셋"]}
    assert (await seojun.run("send", "김하늘", "넷")).record["delivery"] == "sent"
    assert (await haneul.run("receive")).record["text"] == "넷"
    # Nobody gets in who has neither the phrase nor a mailbox.
    stranger = Profile(tmp_path / "3", "doyun")
    await stranger.run("init", "--name", "이도윤", "--relay", address)
    await stranger.run("invite", code=4)
    assert (await relay.end()).code == 0
