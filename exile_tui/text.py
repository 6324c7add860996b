"""Make text from outside safe to show, and measure and cut it the way a terminal does.

Textual and Rich pass ESC, C1 and bidi controls through to the terminal; nothing that a peer, a
relay or a file says reaches a widget without `sanitize_terminal_text`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

ZWJ = "\u200d"
MARKS_SHOWN = 8
"""Combining marks kept on one character; more would paint over the lines above and below."""
JOINED = 4
"""Joiners of one emoji at most; the longest that there is has three."""

_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_DROPPED = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls
    "\u2028\u2029\ufeff\ufff9-\ufffb"  # separators, byte order mark, annotations
    "\ud800-\udfff"  # surrogates can't be encoded: they would end the driver
    "]"
)
_INVISIBLE_IN_NAMES = re.compile(
    "[\u00ad\u034f\u180e\u200b\u200c\u2060-\u206f\U000e0000-\U000e0fff]"
)
_WORDS = re.compile(r"[^ ]+ *| +")
_FILLERS = {0x3164: "\u3000", 0xFFA0: " "}
"""Blanks that terminals give cells to and Rich none, and others that both measure alike."""
_BLANK_IN_NAMES = re.compile(r"[\s\u115f\u1160\u2800\u3164\uffa0]+")


@cache
def _compile(pattern: str) -> Any:
    """Compile a pattern of the package `regex`, which knows graphemes and properties."""
    # Imported when first needed: it costs start-up time that the first frame doesn't have.
    return import_module("regex").compile(pattern)


def _grapheme_pattern() -> Any:
    # Flags by hand: of each letter of a flag, `\X` counts those before it, seconds for a long row.
    return _compile(r"[\U0001f1e6-\U0001f1ff]{2}[\p{GCB=EX}\p{GCB=ZWJ}\p{GCB=SM}]*|\X")


def _stacked_marks() -> Any:
    # All that takes no cell of its own, or else a joiner among the marks would begin a new stack.
    mark = r"[\p{M}\p{DI}\u1160-\u11ff\ud7b0-\ud7ff]"
    return _compile(rf"({mark}{{{MARKS_SHOWN}}}){mark}+")


def _stray_joiner() -> Any:
    # Behind a joiner Rich measures nothing, whatever stands there: it must be a part of an emoji.
    before = r"(?<!\p{Extended_Pictographic}[\ufe0f\U0001f3fb-\U0001f3ff]?)"
    return _compile(rf"{ZWJ}(?!\p{{Extended_Pictographic}})|{before}{ZWJ}")


def _stray_tone() -> Any:
    return _compile(r"(?<!\p{Extended_Pictographic}\ufe0f?)[\U0001f3fb-\U0001f3ff]")


def _long_chain() -> Any:
    part = r"\p{Extended_Pictographic}[\ufe0f\U0001f3fb-\U0001f3ff]?"
    return _compile(rf"((?:{part}{ZWJ}){{{JOINED}}}{part}){ZWJ}")


def prepare() -> None:
    """Compile what the first text with anything else than ASCII needs: some milliseconds."""
    for pattern in (_grapheme_pattern, _stacked_marks, _stray_joiner, _stray_tone, _long_chain):
        pattern()


def nfc(text: str) -> str:
    """Return the text composed (macOS hands over decomposed Hangul)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def sanitize_terminal_text(text: str) -> str:
    """Return the text without anything that a terminal would act on; newlines and tabs stay.

    Every kind of line break becomes a newline. Applying it twice changes nothing more.
    """
    text = _DROPPED.sub("", _BREAKS.sub("\n", text))
    if text.isascii():
        return text
    text = _stray_tone().sub("", text)
    if ZWJ in text:
        text = _long_chain().sub(r"\1", _stray_joiner().sub("", text))
    return str(_stacked_marks().sub(r"\1", text.translate(_FILLERS)))


def sanitize_name(text: str, placeholder: str = "?") -> str:
    """Return a name on one line, composed, without invisible characters.

    Args:
        text: A name, title or file name from outside.
        placeholder: What stands for a name with nothing to see in it.
    """
    previous = None
    while text != previous:  # dropping one thing may let others meet
        previous = text
        text = nfc(sanitize_terminal_text(text))
        text = _INVISIBLE_IN_NAMES.sub("", text)
        text = _BLANK_IN_NAMES.sub(" ", text).strip()
    visible = any(unicodedata.category(character)[0] in "LNPS" for character in text)
    return text if visible else placeholder


def unjoined(text: str) -> str:
    """Return sanitised text with the first part of each joined emoji, without its skin's tone.

    A terminal that draws the parts apart gives them more cells than are measured; where something
    of ours stands behind, it would be pushed aside.
    """
    if text.isascii():
        return text
    joined = rf"{ZWJ}\p{{Extended_Pictographic}}[\ufe0f\U0001f3fb-\U0001f3ff]?"
    return str(_compile(rf"{joined}|[\U0001f3fb-\U0001f3ff]").sub("", text))


def one_line(text: str) -> str:
    """Return sanitised text on one line, for lists and titles."""
    return " ".join(sanitize_terminal_text(text).split())


def graphemes(text: str) -> list[str]:
    """Split into what a person calls characters."""
    return list(text) if text.isascii() else _grapheme_pattern().findall(text)


def next_boundary(text: str, index: int) -> int:
    """Return where the grapheme at `index` ends; the length of the text at its end."""
    for match in _grapheme_pattern().finditer(text):
        if match.end() > index:
            return int(match.end())
    return len(text)


def previous_boundary(text: str, index: int) -> int:
    """Return where the grapheme before `index` starts; 0 at the start of the text."""
    start = 0
    for match in _grapheme_pattern().finditer(text):
        if match.start() >= index:
            break
        start = match.start()
    return start


def cell_len(text: str) -> int:
    """Return how many cells the text takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    from rich.cells import cell_len as measure

    return measure(text)


def cut(text: str, cells: int, mark: str = "..") -> str:
    """Return at most `cells` cells of the text, whole graphemes, ending in a mark when cut.

    The mark is ASCII since CJK terminals give an ellipsis two cells.
    """
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text
    mark = mark[:cells]
    room = cells - len(mark)
    kept, used = [], 0
    for cluster in graphemes(text):
        width = cell_len(cluster)
        if used + width > room:
            break
        kept.append(cluster)
        used += width
    return "".join(kept) + mark


def fit(text: str, cells: int) -> str:
    """Return the text in exactly `cells` cells: cut, or filled up with spaces."""
    text = cut(text, cells).rstrip(ZWJ)  # a joiner at the end would join the filling
    return text + " " * (cells - cell_len(text))


def wrap_offsets(text: str, cells: int) -> list[int]:
    """Return where one paragraph breaks: at spaces if it can, never inside a grapheme.

    Args:
        text: One paragraph without tabs.
        cells: The width, at least one.

    Returns:
        The index of each line's first character but the first line's.
    """
    cells = max(1, cells)
    if cell_len(text) <= cells:
        return []
    offsets: list[int] = []
    used = 0
    for word in _WORDS.finditer(text):
        width = cell_len(word[0].rstrip(" "))
        if used and used + width > cells:
            offsets.append(word.start())
            used = 0
        if width > cells:
            used = _fold(word[0], word.start(), cells, used, offsets)
        else:
            used += cell_len(word[0])
    return offsets


def _fold(word: str, start: int, cells: int, used: int, offsets: list[int]) -> int:
    """Break a word that is wider than a line; return the cells used of its last line."""
    for cluster in _pieces(word, cells):
        width = cell_len(cluster)
        if used and used + width > cells and cluster != " ":
            offsets.append(start)
            used = 0
        used += width
        start += len(cluster)
    return used


def _pieces(word: str, cells: int) -> Iterator[str]:
    """Yield what stays on one line: graphemes, of those wider than any line the characters."""
    for cluster in graphemes(word):
        if len(cluster) > 2 and cell_len(cluster) > max(cells, 2):
            yield from cluster
        else:
            yield cluster


def wrap(text: str, cells: int) -> list[str]:
    """Return the text in lines of at most `cells` cells; a grapheme that is wider stands alone."""
    lines = []
    for paragraph in text.expandtabs(4).split("\n"):
        at = 0
        for offset in [*wrap_offsets(paragraph, cells), len(paragraph)]:
            lines.append(paragraph[at:offset].rstrip(" "))
            at = offset
    return lines
