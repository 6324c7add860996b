"""`export` and `import` without a screen."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from exile_tui.cli.files import Percentage
from tests.unit.cli.test_headless import ADDRESS, Command, command, pair, relay

__all__ = ["command", "pair", "relay"]


def test_one_s_history_moves_to_a_new_profile(pair: Command, tmp_path: Path) -> None:
    pair("b", "send", "가람", "학교에서 만나요")
    pair("a", "receive")
    pair("a", "send", "나루", "네, 세 시에요")
    file = tmp_path / "messages.jsonl"
    exported = pair("a", "export", str(file), "--with", "나루").record
    assert exported == {"file": str(file), "conversations": 1, "messages": 2}
    assert len(file.read_text().splitlines()) == 5
    assert pair("new", "init", "--name", "가람", "--relay", ADDRESS.url).code == 0
    imported = pair("new", "import", str(file)).record
    assert (imported["messages"], imported["known"]) == (2, 0)
    (contact,) = pair("new", "contacts").records
    assert (contact["name"], contact["state"], contact["trust"]) == (
        "나루",
        "archived",
        "unverified",
    )
    history = pair("new", "history", "나루").records
    assert [line["text"] for line in history] == ["학교에서 만나요", "네, 세 시에요"]
    assert [line["direction"] for line in history] == ["in", "out"]
    assert all(line["imported"] for line in history)
    found = pair("new", "search", "만나").record
    assert (found["name"], found["imported"]) == ("나루", True)
    for told in (("search", "만나"), ("history", "나루")):
        for shown in pair("new", *told, as_json=False).text.splitlines():
            assert " 나루 (imported): " in shown or " You (imported): " in shown
    assert not pair("a", "search", "만나").record["imported"]
    again = pair("new", "import", str(file)).record
    assert (again["messages"], again["known"]) == (0, 2)
    refused = pair("new", "send", "나루", "거기 있어요?")
    assert refused.code == 2
    assert "imported from a file" in refused.error
    assert pair("new", "verify", "나루").code == 2
    shown = pair("new", "contacts", as_json=False).text
    assert "(imported messages)" in shown
    assert "verified" not in shown


def test_what_is_said_to_people(pair: Command, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    pair("b", "send", "가람", "안녕")
    exported = pair("b", "export", str(file), as_json=False)
    assert exported.text == f"1 message written to {file}\n"
    assert exported.error == (
        "The file is NOT encrypted: whoever gets it can read everything in it.\n"
    )
    imported = pair("a", "import", str(file), as_json=False)
    assert imported.text == "1 message imported\n"
    again = pair("a", "import", str(file), as_json=False)
    assert (again.text, again.error) == ("0 messages imported\n", "1 was here already\n")


def test_errors_are_one_sentence(pair: Command, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text("mine")
    refused = pair("a", "export", str(file))
    assert (refused.code, file.read_text()) == (2, "mine")
    assert "already" in refused.error
    assert pair("a", "export", str(file), "--force").code == 0
    assert json.loads(file.read_text().splitlines()[0])["version"] == 1
    assert pair("a", "export", str(tmp_path / "x"), "--with", "아무도").code == 5
    assert pair("a", "import", str(tmp_path / "nowhere")).code == 2
    file.write_text(file.read_text().replace('"end"', '"\x1b[2J"'))
    broken = pair("a", "import", str(file))
    assert broken.code == 2
    assert "Line 3" in broken.error
    assert "Nothing was imported" in broken.error
    assert "\x1b" not in broken.error


def test_the_percentage_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, as_json, shown in (
        (Terminal(), False, "\r  0 %\r 50 %\r     \r"),
        (Terminal(), True, ""),
        (io.StringIO(), False, ""),
    ):
        monkeypatch.setattr("sys.stderr", stream)
        percentage = Percentage(as_json=as_json)
        for done in (0, 1, 500):
            percentage(done, 1_000)
        percentage.end()
        assert stream.getvalue() == shown
