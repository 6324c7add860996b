"""Paint terminal cells as a picture, each where a terminal has it.

Fonts: Nanum Gothic Coding and Noto Color Emoji (Debian: fonts-nanum-coding,
fonts-noto-color-emoji), and DejaVu Sans Mono for the marks that Nanum lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]

FONTS = Path("/usr/share/fonts/truetype")
REGULAR = FONTS / "nanum/NanumGothicCoding.ttf"
BOLD = FONTS / "nanum/NanumGothicCodingBold.ttf"
EMOJI = FONTS / "noto/NotoColorEmoji.ttf"
PACKAGES = ("fonts-nanum-coding", "fonts-noto-color-emoji")
SIZE = 18
CELL = (9, 21)
EMOJI_SIZE = 109
"""The only size that the emoji font has."""
FOREGROUND: Color = (214, 219, 225)
BACKGROUND: Color = (18, 21, 26)
COLORS = 256
"""Of a saved picture: a screen has few, and the file is a third of the size."""
EXACT = 64
"""Of these, how many of the commonest are kept as they are."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell is drawn."""

    front: Color = FOREGROUND
    back: Color = BACKGROUND
    bold: bool = False
    underline: bool = False

    def reversed(self) -> Look:
        """Return the look with its colours changed for each other."""
        return Look(self.back, self.front, self.bold, self.underline)


class Canvas:
    """A grid of cells that becomes a picture."""

    def __init__(self, columns: int, rows: int) -> None:
        """Make an empty one.

        Args:
            columns: Cells in a row.
            rows: Rows.
        """
        self.image = Image.new("RGB", (columns * CELL[0], rows * CELL[1]), BACKGROUND)
        self._draw = ImageDraw.Draw(self.image)

    def cell(self, cluster: str, place: tuple[int, int, int], look: Look) -> None:
        """Paint one grapheme.

        Args:
            cluster: The grapheme.
            place: Column, row, and how many cells wide it is.
            look: Its colours and weight.
        """
        column, row, cells = place
        left, top = column * CELL[0], row * CELL[1]
        right = left + cells * CELL[0]
        self._draw.rectangle((left, top, right - 1, top + CELL[1] - 1), fill=look.back)
        if look.underline:
            self._draw.line((left, top + 19, right, top + 19), fill=look.front)
        if cluster.isspace() or self._block(cluster, (left, top), look.front):
            return
        if _is_emoji(cluster, cells):
            self.image.paste(_emoji(cluster), (left, top + 1), _emoji(cluster))
        else:
            font = _font(look.bold)
            if (cells == 1 and font.getlength(cluster) > CELL[0]) or cluster in "✔✓":
                font = _fallback(look.bold)  # marks that Nanum lacks, or draws two cells wide
            self._draw.text((left, top + 1), cluster, font=font, fill=look.front)

    def _block(self, cluster: str, at: tuple[int, int], color: Color) -> bool:
        """Paint the block elements, which must meet their neighbours."""
        left, top = at
        right, bottom = left + CELL[0] - 1, top + CELL[1] - 1
        middle = top + CELL[1] // 2
        eighths = {"▁": 1, "▂": 2, "▃": 3, "▄": 4, "▅": 5, "▆": 6, "▇": 7}
        lefts = {"▏": 1, "▎": 2, "▍": 3, "▌": 4, "▋": 5, "▊": 6, "▉": 7}
        draw = self._draw
        if cluster == "█":
            draw.rectangle((left, top, right, bottom), fill=color)
        elif cluster == "▀":
            draw.rectangle((left, top, right, middle - 1), fill=color)
        elif cluster in eighths:
            height = CELL[1] * eighths[cluster] // 8
            draw.rectangle((left, bottom - height, right, bottom), fill=color)
        elif cluster in lefts:
            width = max(1, CELL[0] * lefts[cluster] // 8)
            draw.rectangle((left, top, left + width, bottom), fill=color)
        elif cluster == "─":
            draw.line((left, middle, right, middle), fill=color)
        elif cluster == "│":
            draw.line((left + 4, top, left + 4, bottom), fill=color)
        else:
            return False
        return True

    def save(self, file: Path | str) -> None:
        """Write a small PNG."""
        save(self.image, file)


def _is_emoji(cluster: str, cells: int) -> bool:
    first = ord(cluster[0])
    symbol = 0x2300 <= first <= 0x2BFF and cells == 2
    return first >= 0x1F000 or "\ufe0f" in cluster or symbol


def dimmed(front: Color, back: Color) -> Color:
    """Return the colour of faint text: half way to what is behind it."""
    red, green, blue = ((f + b) // 2 for f, b in zip(front, back, strict=True))
    return red, green, blue


def save(image: Image.Image, file: Path | str) -> None:
    """Write a picture of a screen as a small PNG."""
    # Surfaces keep their exact shade; only the edges of letters and emoji come near theirs.
    found = image.getcolors(image.width * image.height) or []
    commonest = sorted(found, key=lambda each: (-each[0], str(each[1])))[:EXACT]
    rest = image.quantize(COLORS - EXACT, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(part for _, color in commonest for part in _parts(color)), *rest])
    few = image.quantize(palette=palette, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


def _parts(color: object) -> Color:
    assert isinstance(color, tuple)
    red, green, blue = color
    return red, green, blue


def missing_packages() -> list[str]:
    """Return the Debian packages of the fonts that are not there."""
    return [
        package for package, font in zip(PACKAGES, (REGULAR, EMOJI), strict=True)
        if not font.is_file()
    ]  # fmt: skip


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
