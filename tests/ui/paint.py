"""Paint what the compositor holds as a picture: the cell grid, each cell where a terminal has it.

Textual's SVG squeezes Hangul in browsers, since `rich` counts characters and not cells. Fonts:
Nanum Gothic Coding and Noto Color Emoji (Debian: fonts-nanum-coding, fonts-noto-color-emoji).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from rich.color import ColorType
from rich.segment import Segment
from textual.strip import Strip

from exile_tui.text import cell_len, graphemes

FONTS = Path("/usr/share/fonts/truetype")
REGULAR = FONTS / "nanum/NanumGothicCoding.ttf"
BOLD = FONTS / "nanum/NanumGothicCodingBold.ttf"
EMOJI = FONTS / "noto/NotoColorEmoji.ttf"
SIZE = 18
CELL = (9, 21)
EMOJI_SIZE = 109
"""The only size that the emoji font has."""
DEFAULT = ((214, 219, 225), (18, 21, 26))


def strips(app: Any) -> list[Strip]:
    """Return the rows of the screen as they go to the terminal, screens below included."""
    screen = app.screen
    return list(screen._compositor.render_strips(app.size))


def screen_lines(app: Any) -> list[str]:
    """Return the rows of the screen as text."""
    return [strip.text.rstrip() for strip in strips(app)]


def screen_text(app: Any) -> str:
    """Return the screen as text."""
    return "\n".join(screen_lines(app))


def paint(app: Any, file: Path | str) -> None:
    """Write the screen as a PNG.

    Args:
        app: A running app.
        file: Where to.
    """
    width, height = app.size
    image = Image.new("RGB", (width * CELL[0], height * CELL[1]), DEFAULT[1])
    draw = ImageDraw.Draw(image)
    for row, strip in enumerate(strips(app)):
        column = 0
        for segment in strip:
            for cluster in graphemes(segment.text):
                cells = cell_len(cluster)
                _paint_cell(image, draw, cluster, (column, row, max(cells, 1)), segment)
                column += cells
    image.save(file)


def _paint_cell(
    image: Image.Image,
    draw: ImageDraw.ImageDraw,
    cluster: str,
    place: tuple[int, int, int],
    segment: Segment,
) -> None:
    column, row, cells = place
    front, back, bold, underline = _colors(segment)
    left, top = column * CELL[0], row * CELL[1]
    draw.rectangle((left, top, left + cells * CELL[0] - 1, top + CELL[1] - 1), fill=back)
    if underline:
        draw.line((left, top + 19, left + cells * CELL[0], top + 19), fill=front)
    if cluster.isspace() or _paint_block(draw, cluster, (left, top), front):
        return
    if ord(cluster[0]) >= 0x1F000 or "\ufe0f" in cluster:
        image.paste(_emoji(cluster), (left, top + 1), _emoji(cluster))
    else:
        font = _font(bold)
        if (cells == 1 and font.getlength(cluster) > CELL[0]) or cluster in "✔✓":
            font = _fallback(bold)  # marks that Nanum lacks, or draws two cells wide
        draw.text((left, top + 1), cluster, font=font, fill=front)


def _paint_block(
    draw: ImageDraw.ImageDraw, cluster: str, at: tuple[int, int], color: tuple[int, int, int]
) -> bool:
    """Paint the block elements, which must meet their neighbours."""
    left, top = at
    right, bottom = left + CELL[0] - 1, top + CELL[1] - 1
    middle = top + CELL[1] // 2
    eighths = {"▁": 1, "▂": 2, "▃": 3, "▄": 4, "▅": 5, "▆": 6, "▇": 7}
    lefts = {"▏": 1, "▎": 2, "▍": 3, "▌": 4, "▋": 5, "▊": 6, "▉": 7}
    if cluster == "█":
        draw.rectangle((left, top, right, bottom), fill=color)
    elif cluster == "▀":
        draw.rectangle((left, top, right, middle - 1), fill=color)
    elif cluster in eighths:
        draw.rectangle((left, bottom - CELL[1] * eighths[cluster] // 8, right, bottom), fill=color)
    elif cluster in lefts:
        draw.rectangle(
            (left, top, left + max(1, CELL[0] * lefts[cluster] // 8), bottom), fill=color
        )
    elif cluster == "─":
        draw.line((left, middle, right, middle), fill=color)
    elif cluster == "│":
        draw.line((left + 4, top, left + 4, bottom), fill=color)
    else:
        return False
    return True


def _colors(
    segment: Segment,
) -> tuple[tuple[int, int, int], tuple[int, int, int], bool, bool]:
    style = segment.style
    front, back = DEFAULT
    if style is None:
        return front, back, False, False
    if style.color is not None and style.color.type is ColorType.TRUECOLOR:
        front = tuple(style.color.get_truecolor())
    if style.bgcolor is not None and style.bgcolor.type is ColorType.TRUECOLOR:
        back = tuple(style.bgcolor.get_truecolor())
    if style.dim:
        front = tuple((f + b) // 2 for f, b in zip(front, back, strict=True))
    if style.reverse:
        front, back = back, front
    return front, back, bool(style.bold), bool(style.underline)


@cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(BOLD if bold else REGULAR), SIZE)


@cache
def _fallback(bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSansMono-Bold.ttf" if bold else "DejaVuSansMono.ttf"
    return ImageFont.truetype(str(FONTS / "dejavu" / name), SIZE - 4)


@cache
def _emoji(cluster: str) -> Image.Image:
    font = ImageFont.truetype(str(EMOJI), EMOJI_SIZE)
    image = Image.new("RGBA", (136, 128), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((0, 0), cluster, font=font, embedded_color=True)
    return image.resize((18, 18))
