"""What a contact writes stays in its pane, on a terminal that joins no characters."""

from __future__ import annotations

import re
import unicodedata

import pytest

from exile_tui.config import Settings
from tests.ui.conftest import settle
from tests.ui.doubles import FakeApplication, FakeMessenger, at
from tests.ui.recording import RecordedApp

SIZE = (100, 30)
_PART = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|(.)", re.DOTALL)


def drawn(output: str, columns: int, rows: int) -> list[str]:
    """Return the rows of a terminal that draws each character for itself and wraps no line."""
    cells = [[" "] * columns for _ in range(rows)]
    column = row = 0
    for match in _PART.finditer(output):
        if match[1]:
            row, column = int(match[1]) - 1, int(match[2]) - 1
        elif match[3] == "\n":
            row, column = row + 1, 0
        elif match[3] and row < rows:
            wide = unicodedata.east_asian_width(match[3]) in "WF"
            nothing = unicodedata.category(match[3]) in ("Mn", "Me", "Cf")
            if not nothing:
                cells[row][min(column, columns - 1)] = match[3]
                column += 2 if wide else 1
    return ["".join(row) for row in cells]


@pytest.mark.parametrize(
    "hostile",
    [
        "".join(f"\u200d{letter}" for letter in "FORGED " * 12),
        "\u3164" * 40 + "FORGED",
        "\U0001f3fd" * 40 + "FORGED",
        "👩‍👩‍👧‍👦👋🏽🤦🏽‍♀️" * 3 + "FORGED",
    ],
    ids=["joiners", "fillers", "skin tones", "emoji"],
)
async def test_the_last_message_in_the_list_reaches_no_other_pane(hostile: str) -> None:
    messenger = FakeMessenger()
    kim = messenger.add_contact("Kim")
    messenger.hear(kim, "hello", at(11, 21, 9, 0), read=True)
    mallory = messenger.add_contact("Mallory")
    messenger.hear(mallory, hostile, at(11, 21, 9, 30), read=True)
    double = FakeApplication(messenger)
    app = RecordedApp(double, Settings(lang="en"), messenger.clock)  # type: ignore[arg-type]
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.screen.open_conversation(kim.id)
        await settle(pilot)
        pane = app.screen.query_one("#talk").region.x
        rows = drawn(app.output, *SIZE)
        assert any(row[pane:].startswith(" ") and "hello" in row[pane:] for row in rows)
        assert any("not verified   Kim" in row[pane : pane + 30] for row in rows)
        assert not any("FOR" in row[pane:] for row in rows)
