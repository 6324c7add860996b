"""Reads the QR code off a rendered screen, and measures it, as a phone's camera would see it."""

from __future__ import annotations

from dataclasses import dataclass

import zxingcpp
from PIL import Image, ImageDraw
from rich.color import Color
from textual.app import App
from textual.widget import Widget

CELL = (8, 16)
"""Pixels of one terminal cell."""
Grid = list[list[str]]


@dataclass(frozen=True)
class Seen:
    """What is on the screen where the code stands."""

    payload: bytes
    modules: int
    """Modules on a side, without the quiet zone."""
    quiet: tuple[int, int, int, int]
    """White modules left, above, right and below."""


def screen_modules(app: App[object], widget: Widget) -> list[list[int]]:
    """Return the half cells of a widget's place on the rendered screen, 1 for black.

    Anything but explicit black and white half blocks fails the test.
    """
    region = widget.content_region
    assert app.screen.region.contains_region(region), "the code is clipped"
    strips = app.screen._compositor.render_strips()
    rows: list[list[int]] = []
    for strip in strips[region.y : region.bottom]:
        upper: list[int] = []
        lower: list[int] = []
        for segment in strip.crop(region.x, region.right):
            assert set(segment.text) == {"▀"}, segment.text
            assert segment.style is not None
            upper += [_shade(segment.style.color)] * len(segment.text)
            lower += [_shade(segment.style.bgcolor)] * len(segment.text)
        rows += [upper, lower]
    return rows


def _shade(color: Color | None) -> int:
    assert color is not None
    triplet = color.get_truecolor()
    assert tuple(triplet) in ((0, 0, 0), (255, 255, 255)), triplet
    return 1 if tuple(triplet) == (0, 0, 0) else 0


def screen_image(app: App[object], surroundings: int = 0x80) -> Image.Image:
    """Paint the whole screen, text as its background, to a picture in 8-bit grey."""
    strips = app.screen._compositor.render_strips()
    width, height = app.size
    image = Image.new("L", (width * CELL[0], height * CELL[1]), surroundings)
    draw = ImageDraw.Draw(image)
    for y, strip in enumerate(strips):
        x = 0
        for segment in strip:
            style = segment.style
            for character in segment.text:
                if character == "▀" and style is not None:
                    left, top = x * CELL[0], y * CELL[1]
                    middle, right, bottom = top + CELL[1] // 2, left + CELL[0], top + CELL[1]
                    draw.rectangle((left, top, right - 1, middle - 1), _grey(style.color))
                    draw.rectangle((left, middle, right - 1, bottom - 1), _grey(style.bgcolor))
                x += 1
    return image


def _grey(color: Color | None) -> int:
    return 0x80 if color is None else sum(color.get_truecolor()) // 3


def read_screen(app: App[object], widget: Widget) -> Seen:
    """Decode the only code on the screen and measure where it stands."""
    found = zxingcpp.read_barcodes(
        screen_image(app), formats=zxingcpp.barcode_formats_from_str("QRCode")
    )
    assert len(found) == 1, f"{len(found)} codes on the screen"
    rows = screen_modules(app, widget)
    dark_rows = [y for y, row in enumerate(rows) if any(row)]
    dark_columns = [x for x in range(len(rows[0])) if any(row[x] for row in rows)]
    height = dark_rows[-1] - dark_rows[0] + 1
    width = dark_columns[-1] - dark_columns[0] + 1
    assert width == height, "the code is not square"
    quiet = (
        dark_columns[0],
        dark_rows[0],
        len(rows[0]) - 1 - dark_columns[-1],
        len(rows) - 1 - dark_rows[-1],
    )
    assert (width - 17) % 4 == 0
    return Seen(bytes(found[0].bytes), width, quiet)
