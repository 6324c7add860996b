"""Reads QR codes from an image file or a camera; what both need is imported when first used."""

from __future__ import annotations

import stat
import threading
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from exile_tui.errors import N_, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_PIXELS = 40_000_000
"""A photograph of 40 megapixels takes 160 MB while it is decoded; more is refused unseen."""
CAMERA_TRIES = 600
"""Frames that are looked at before the camera is given up: about 20 s at 30 a second."""

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")

CAMERA_MISSING = N_(
    "The camera needs the part 'camera', which is not installed: pip install 'exile-tui[camera]'. "
    "A picture of the code works without it."
)
CAMERA_CLOSED = N_(
    "The camera can't be opened. Another program may hold it; a picture of the code works too."
)
CAMERA_NOTHING = N_("The camera saw no QR code. Hold it closer, with more light, and try again.")
NOT_FOUND = N_("There is no file {file}.")
NOT_A_FILE = N_("{file} is not an image file.")
TOO_LARGE = N_("The image {file} is too large. Cut it down to the QR code and try again.")
UNREADABLE = N_("{file} can't be read as an image. PNG, JPEG, WebP, GIF, BMP and TIFF work.")
NO_CODE = N_("No QR code was found in {file}. A sharp, straight picture of the whole code helps.")


def typed_path(text: str) -> Path:
    """Return the file that a person meant: typed, pasted, dragged into the terminal, or a URL.

    File managers hand over quoted paths, paths with escaped blanks, or `file://` addresses, and
    macOS spells Hangul in file names with single jamo, so both spellings are looked for.
    """
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    elif text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    path = Path(text).expanduser()
    spellings = (
        text,
        unicodedata.normalize("NFC", text),
        unicodedata.normalize("NFD", text),
        text.replace("\\ ", " "),
    )
    for spelling in spellings:
        candidate = Path(spelling).expanduser()
        try:
            if candidate.exists():
                return candidate
        except (OSError, ValueError):
            continue
    return path


def read_image(path: Path) -> list[bytes]:
    """Return what every QR code in an image file holds, as raw bytes.

    Raises:
        UsageError: The file is absent, not an image, too large, damaged, or shows no QR code.
    """
    return read_codes(_load(path), path.name)


def read_codes(image: Image, name: str) -> list[bytes]:
    """Return what every QR code in a picture holds.

    Args:
        image: The picture, in 8-bit grey.
        name: What to call it in the error.

    Raises:
        UsageError: It shows no QR code.
    """
    import zxingcpp

    found = zxingcpp.read_barcodes(image, formats=zxingcpp.barcode_formats_from_str("QRCode"))
    payloads = [bytes(code.bytes) for code in found if code.valid]
    if not payloads:
        raise UsageError(NO_CODE, file=name)
    return payloads


def _load(path: Path) -> Image:
    """Decode an image file to 8-bit grey on white, refusing before decoding what is too large."""
    from PIL import Image

    name = path.name or str(path)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(NOT_FOUND, file=name) from error
    except (OSError, ValueError) as error:
        raise UsageError(UNREADABLE, file=name) from error
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(NOT_A_FILE, file=name)
    if status.st_size > MAX_FILE_BYTES:
        raise UsageError(TOO_LARGE, file=name)
    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UsageError(TOO_LARGE, file=name)
            return _grey(image)
    except UsageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UsageError(TOO_LARGE, file=name) from error
    except (MemoryError, Exception) as error:  # damaged files make decoders raise anything
        raise UsageError(UNREADABLE, file=name) from error


def _grey(image: Image) -> Image:
    """Flatten transparency onto white: screenshots of codes often have a clear background."""
    from PIL import Image

    image.load()
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        backdrop = Image.new("RGBA", coloured.size, "white")
        return Image.alpha_composite(backdrop, coloured).convert("L")
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 257).convert("L")
    return image.convert("L")


def camera_present() -> bool:
    """Tell whether the extra `camera` is installed, without loading it."""
    from importlib.util import find_spec

    return find_spec("cv2") is not None


def read_camera(stop: threading.Event, device: int = 0) -> list[bytes]:
    """Look through the camera until it sees a QR code; blocks, so call it in a thread.

    Args:
        stop: Set it to give up early; then nothing is returned.
        device: The camera's number.

    Raises:
        UsageError: No OpenCV, no camera, or no code within `CAMERA_TRIES` frames.
    """
    try:
        import cv2
    except ImportError as error:
        raise UsageError(CAMERA_MISSING) from error
    capture: Any = cv2.VideoCapture(device)
    try:
        if not capture.isOpened():
            raise UsageError(CAMERA_CLOSED)
        for _ in range(CAMERA_TRIES):
            if stop.is_set():
                return []
            there, frame = capture.read()
            if not there:
                raise UsageError(CAMERA_CLOSED)
            payloads = _frame_codes(frame)
            if payloads:
                return payloads
    finally:
        capture.release()
    raise UsageError(CAMERA_NOTHING)


def _frame_codes(frame: Any) -> list[bytes]:
    import zxingcpp

    found = zxingcpp.read_barcodes(frame, formats=zxingcpp.barcode_formats_from_str("QRCode"))
    return [bytes(code.bytes) for code in found if code.valid]
