"""What a selection with the mouse takes out of a conversation: messages as they were written."""

from __future__ import annotations

import re

from textual.geometry import Offset
from textual.selection import Selection

from exile_tui.text import sanitize_terminal_text
from exile_tui.ui.blocks import Blocks
from exile_tui.ui.timeline import Line


def selected_text(blocks: Blocks, selection: Selection) -> str:
    """Return the selected text: of messages their own only, else the rows as they are."""
    rows: list[str] = []
    picked: dict[int, list[str]] = {}
    for top, block in blocks.laid_out():
        for number, line in enumerate(block.lines, start=top):
            span = selection.get_span(number)
            if span is None:
                continue
            start, end = span
            rows.append(line.plain[start : None if end == -1 else end])
            if text := _within(line, span):
                picked.setdefault(line.seq, []).append(text)
    if not picked:
        return "\n".join(rows)
    return "\n".join(_unwrapped(rows, _body(blocks, seq)) for seq, rows in picked.items())


def selected_rows(selection: Selection | None) -> tuple[int, int] | None:
    """Return the first and the last row of a selection that has both."""
    if selection is None or selection.start is None or selection.end is None:
        return None
    return selection.start.y, selection.end.y


def moved(selection: Selection, rows: int) -> Selection:
    """Return a selection of the same text, which now stands further down."""
    offset = Offset(0, rows)
    return Selection(*(each if each is None else each + offset for each in selection))


def _body(blocks: Blocks, seq: int) -> str:
    message = blocks.message(seq)
    return sanitize_terminal_text(message.text) if message is not None else ""


def _within(line: Line, selected: tuple[int, int]) -> str:
    """Return what of a message's own text is selected on a row; -1 stands for the row's end."""
    found, at = "", 0
    start, end = selected
    for span in line.spans:
        if span.style in ("text", "hit"):
            stop = len(span.text) if end == -1 else max(0, end - at)
            found += span.text[max(0, start - at) : stop]
        at += len(span.text)
    return found.strip()


def _unwrapped(rows: list[str], body: str) -> str:
    """Return the part of a body that was wrapped into these rows, its own line breaks in it."""
    words = [re.escape(word) for row in rows for word in row.split()]
    part = re.search(r"\s*".join(words), body)
    return part[0] if part else "\n".join(rows)
