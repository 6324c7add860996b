"""What a selection with the mouse takes out of a conversation: messages as they were written."""

from __future__ import annotations

from textual.geometry import Offset
from textual.selection import Selection

from exile_tui.text import sanitize_terminal_text
from exile_tui.ui.blocks import Blocks
from exile_tui.ui.timeline import Line

NOT_THERE = "[...]"
"""What stands for selected messages that are not laid out any more."""


def selected_text(blocks: Blocks, selection: Selection) -> str:
    """Return the selected text: of messages their own only, else the rows as they are."""
    rows: list[str] = []
    picked: dict[int, tuple[int, int]] = {}
    """Of each message how many characters stand before, and how many are selected; no spaces."""
    reached = 0
    for top, block in blocks.laid_out():
        if _between(selection, reached, top):
            picked[-top] = (0, 0)
        reached = top + len(block.lines)
        seq = passed = 0
        for number, line in enumerate(block.lines, start=top):
            if line.seq != seq:
                seq, passed = line.seq, 0
            span = selection.get_span(number)
            if span is not None:
                start, end = span
                rows.append(line.plain[start : None if end == -1 else end])
                if inside := _solid(_own(line, start, end)):
                    before = passed + _solid(_own(line, 0, start))
                    skipped, taken = picked.get(seq, (before, 0))
                    picked[seq] = skipped, taken + inside
            passed += _solid(_own(line))
    if _between(selection, reached, blocks.heights.total):
        picked[-reached] = (0, 0)
    if not picked:
        return "\n".join(rows)
    return "\n".join(
        _part(_body(blocks, seq), *place) if seq > 0 else NOT_THERE for seq, place in picked.items()
    )


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


def _between(selection: Selection, row: int, end: int) -> bool:
    """Tell whether something is selected of the rows from one to before another."""
    return row < end and any(selection.get_span(each) is not None for each in (row, end - 1))


def _own(line: Line, start: int = 0, end: int = -1) -> str:
    """Return what stands of a message's own text between two places; -1 is the row's end."""
    found, at = "", 0
    for span in line.spans:
        if span.style in ("text", "hit"):
            stop = len(span.text) if end == -1 else max(0, end - at)
            found += span.text[max(0, start - at) : stop]
        at += len(span.text)
    return found


def _solid(text: str) -> int:
    return len("".join(text.split()))


def _part(body: str, skipped: int, taken: int) -> str:
    """Return a part of a body, its own spaces and line breaks in it: rows differ only in those."""
    places = [place for place, character in enumerate(body) if not character.isspace()]
    part = places[skipped : skipped + taken]
    return body[part[0] : part[-1] + 1] if part else ""
