"""A QR code in half blocks, black on white whatever the theme."""

from __future__ import annotations

import os
from itertools import groupby
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from exile_tui.errors import N_, UsageError
from exile_tui.locale import tr

WIDEST_MARGIN = 4
"""Modules of quiet zone that the standard asks for (ISO/IEC 18004, section 6.3.8)."""
NARROWEST_MARGIN = 2
"""What readers still take from a screen, measured with zxing-cpp."""
PNG_SCALE = 8
"""Pixels a module in a saved picture."""

_UPPER_HALF = "▀"
_COLOURS = ("#ffffff", "#000000")
_STYLES = {
    (upper, lower): Style(color=_COLOURS[upper], bgcolor=_COLOURS[lower])
    for upper in (0, 1)
    for lower in (0, 1)
}

TOO_SMALL = N_(
    "The QR code needs a window of {columns} columns and {rows} rows. F6 shows the code alone."
)
NOT_SAVED = N_("The picture {file} can't be written: {problem}. Choose another place.")


def qr_matrix(payload: bytes) -> tuple[tuple[int, ...], ...]:
    """Return the modules of a code, 1 for dark, without a quiet zone: level L, byte mode."""
    import segno

    code = segno.make(payload, error="l", mode="byte", boost_error=False, micro=False)
    return tuple(tuple(1 if module else 0 for module in row) for row in code.matrix)


def save_png(payload: bytes, path: Path) -> None:
    """Write a code as a picture with the full quiet zone, for its owner's eyes only.

    Raises:
        UsageError: The file is there already or can't be written.
    """
    from PIL import Image

    matrix = qr_matrix(payload)
    side = len(matrix) + 2 * WIDEST_MARGIN
    image = Image.new("1", (side, side), 1)
    for y, row in enumerate(matrix):
        for x, module in enumerate(row):
            if module:
                image.putpixel((x + WIDEST_MARGIN, y + WIDEST_MARGIN), 0)
    large = image.resize((side * PNG_SCALE, side * PNG_SCALE), Image.Resampling.NEAREST)
    try:
        with open(path, "xb", opener=_private) as file:
            large.save(file, format="PNG")
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise UsageError(NOT_SAVED, file=path.name, problem=problem) from error


def _private(path: str, flags: int) -> int:
    """Open a new file that only its owner can read: a link's picture is a bearer secret."""
    return os.open(path, flags, 0o600)


class QrCode(Widget):
    """Shows bytes as a QR code as large as its container allows, or says what room it needs."""

    DEFAULT_CSS = """
    QrCode { width: auto; height: auto; }
    """

    def __init__(
        self,
        payload: bytes = b"",
        *,
        spare_columns: int = 0,
        window_rows: int = 0,
        id: str | None = None,
    ) -> None:
        """Make the widget.

        Args:
            payload: What the code holds; nothing is shown while it is empty.
            spare_columns: Columns of the container that the code must leave free beside it.
            window_rows: Rows of the window around the container, for the sentence on its size.
            id: The widget's id.
        """
        super().__init__(id=id)
        self._payload = payload
        self._matrix = qr_matrix(payload) if payload else ()
        self._margin: int | None = WIDEST_MARGIN
        self._spare_columns = spare_columns
        self._window_rows = window_rows

    @property
    def payload(self) -> bytes:
        """What the code holds."""
        return self._payload

    @payload.setter
    def payload(self, payload: bytes) -> None:
        if payload != self._payload:
            self._payload = payload
            self._matrix = qr_matrix(payload) if payload else ()
            self.refresh(layout=True)

    @property
    def margin(self) -> int | None:
        """Modules of quiet zone that are shown, or None when the code does not fit."""
        return self._margin

    def margin_within(self, room: Size) -> int | None:
        """Return the widest quiet zone that fits into this many cells, or None."""
        for margin in range(WIDEST_MARGIN, NARROWEST_MARGIN - 1, -1):
            columns, rows = self._extent(margin)
            if columns <= room.width - self._spare_columns and rows <= room.height:
                return margin
        return None

    def fits_beside(self, room: Size) -> bool:
        """Tell whether there is room for the code and for what stands beside it."""
        return not self._matrix or self.margin_within(room) is not None

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the columns that the code or its excuse takes."""
        if not self._matrix:
            return 0
        self._margin = self.margin_within(container)
        if self._margin is None:
            return max(1, container.width)
        return self._extent(self._margin)[0]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows that the code or its excuse takes."""
        if not self._matrix:
            return 0
        self._margin = self.margin_within(container)
        if self._margin is None:
            return len(self._excuse(width))
        return self._extent(self._margin)[1]

    def render_line(self, y: int) -> Strip:
        """Draw two rows of modules as one row of half blocks."""
        if not self._matrix:
            return Strip.blank(self.size.width)
        if self._margin is None:
            lines = self._excuse(self.size.width)
            text = lines[y] if y < len(lines) else ""
            return Strip([Segment(text, self.rich_style)]).adjust_cell_length(
                self.size.width, self.rich_style
            )
        pairs = zip(self._row(2 * y), self._row(2 * y + 1), strict=True)
        return Strip(
            [Segment(_UPPER_HALF * len(list(run)), _STYLES[pair]) for pair, run in groupby(pairs)]
        )

    def _extent(self, margin: int) -> tuple[int, int]:
        side = len(self._matrix) + 2 * margin
        return side, (side + 1) // 2

    def _row(self, y: int) -> list[int]:
        margin = self._margin or 0
        blank = [0] * (len(self._matrix) + 2 * margin)
        if 0 <= y - margin < len(self._matrix):
            blank[margin:-margin] = self._matrix[y - margin]
        return blank

    def _excuse(self, width: int) -> list[str]:
        columns, rows = self._extent(NARROWEST_MARGIN)
        sentence = tr(
            TOO_SMALL, columns=columns + self._spare_columns, rows=rows + self._window_rows
        )
        return [line.plain for line in Content(sentence).wrap(max(1, width))]
