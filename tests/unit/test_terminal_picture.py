"""Captured terminals become cells: colours, weights, wide cells, line drawing."""

from __future__ import annotations

import pytest

from tests.integration.terminal_picture import (
    BRIGHT,
    NORMAL,
    Cell,
    Style,
    changed,
    indexed,
    read,
)
from tests.painting import BACKGROUND, FOREGROUND, Look


def only(captured: str) -> list[Cell]:
    (row,) = read(captured)
    return row


def test_plain_text_has_the_terminals_own_colours() -> None:
    cells = only("ab\n")
    assert [(cell.cluster, cell.column, cell.cells) for cell in cells] == [
        ("a", 0, 1),
        ("b", 1, 1),
    ]
    assert cells[0].style.look == Look(FOREGROUND, BACKGROUND)


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ("31", Style(front=NORMAL[1])),
        ("97", Style(front=BRIGHT[7])),
        ("40", Style(back=NORMAL[0])),
        ("104", Style(back=BRIGHT[4])),
        ("38;5;9", Style(front=BRIGHT[1])),
        ("38;5;16", Style(front=(0, 0, 0))),
        ("38;5;208", Style(front=(255, 135, 0))),
        ("48;5;231", Style(back=(255, 255, 255))),
        ("48;5;232", Style(back=(8, 8, 8))),
        ("38;5;255", Style(front=(238, 238, 238))),
        ("38;2;1;2;3", Style(front=(1, 2, 3))),
        ("48:2::4:5:6", Style(back=(4, 5, 6))),
        ("1;4;38;2;1;2;3;48;5;232", Style((1, 2, 3), (8, 8, 8), bold=True, underline=True)),
        ("58;2;9;9;9;7", Style(reverse=True)),
        ("4:3", Style(underline=True)),
        ("5", Style()),
        ("", Style()),
    ],
)
def test_a_sequence_changes_the_style(parameters: str, wanted: Style) -> None:
    assert changed(Style(), parameters) == wanted


@pytest.mark.parametrize(
    ("on", "off"),
    [
        ("1", "22"), ("2", "22"), ("4", "24"), ("4", "4:0"), ("7", "27"), ("8", "28"),
        ("31", "39"), ("41", "49"), ("38;2;1;2;3", "39"), ("1;7;48;5;99", "0"), ("1;31", ""),
    ],
)  # fmt: skip
def test_what_is_set_can_be_taken_back(on: str, off: str) -> None:
    style = changed(Style(), on)
    assert style != Style()
    assert changed(style, off) == Style()


def test_all_256_colours_are_there_and_the_cube_is_the_known_one() -> None:
    assert len({indexed(number) for number in range(16, 256)}) == 240
    assert [indexed(number) for number in (17, 22, 52)] == [(0, 0, 95), (0, 95, 0), (95, 0, 0)]


def test_reverse_changes_the_colours_for_each_other_also_the_own_ones() -> None:
    assert Style(reverse=True).look == Look(BACKGROUND, FOREGROUND)
    assert Style((1, 2, 3), reverse=True, bold=True).look == Look(BACKGROUND, (1, 2, 3), bold=True)


def test_faint_and_hidden_text() -> None:
    assert Style((200, 100, 0), (0, 0, 0), dim=True).look.front == (100, 50, 0)
    assert Style((200, 100, 0), (0, 0, 7), hidden=True).look.front == (0, 0, 7)


def test_wide_cells_move_what_follows() -> None:
    cells = only("가a👍b")
    assert [(cell.cluster, cell.column, cell.cells) for cell in cells] == [
        ("가", 0, 2),
        ("a", 2, 1),
        ("👍", 3, 2),
        ("b", 5, 1),
    ]


def test_a_style_runs_on_into_the_next_row() -> None:
    first, second = read("\x1b[1;32mone\ntwo\x1b[0m!\n")
    assert first[0].style == second[0].style == Style(NORMAL[2], bold=True)
    assert second[-1] == Cell("!", 3, 1, Style())


def test_blank_cells_keep_their_ground() -> None:
    cells = only("\x1b[48;2;9;8;7m   \x1b[49m")
    assert [cell.style.back for cell in cells] == [(9, 8, 7)] * 3


def test_line_drawing_and_links_are_no_text() -> None:
    cells = only("\x0elqk\x0f\x1b]8;;https://example.org\x1b\\q\x1b]8;;\x1b\\")
    assert "".join(cell.cluster for cell in cells) == "┌─┐q"
    assert [cell.column for cell in cells] == [0, 1, 2, 3]
