"""Image files of every sort: read, or refused with one clear error."""

from __future__ import annotations

import os
import struct
import sys
import threading
import types
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from exile_tui.errors import UsageError
from exile_tui.ui import scan
from exile_tui.ui.widgets.qr import save_png

PAYLOAD = b"X1" + bytes(range(70))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A saved QR code."""
    file = tmp_path / "code.png"
    save_png(PAYLOAD, file)
    return file


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_reads_every_usual_format(picture: Path, tmp_path: Path, form: str) -> None:
    copy = tmp_path / "copy"
    with Image.open(picture) as image:
        image.convert("RGB").save(copy, format=form)
    assert scan.read_image(copy) == [PAYLOAD]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_reads_every_mode(picture: Path, tmp_path: Path, mode: str) -> None:
    copy = tmp_path / "copy"
    with Image.open(picture) as image:
        grey = image.convert("L")
        if mode == "I;16":
            image = Image.frombytes(
                "I;16", grey.size, b"".join(bytes((value, value)) for value in grey.tobytes())
            )
        else:
            image = grey.convert(mode)
        image.save(copy, format="TIFF" if mode == "CMYK" else "PNG")
    assert scan.read_image(copy) == [PAYLOAD]


def test_a_clear_background_counts_as_white(picture: Path, tmp_path: Path) -> None:
    copy = tmp_path / "clear.png"
    with Image.open(picture) as image:
        grey = image.convert("L")
    clear = Image.new("RGBA", grey.size, (0, 0, 0, 0))
    clear.putalpha(grey.point(lambda value: 255 - value))
    clear.save(copy)
    assert scan.read_image(copy) == [PAYLOAD]


def test_a_turned_and_shrunk_photograph(picture: Path, tmp_path: Path) -> None:
    copy = tmp_path / "turned.jpg"
    with Image.open(picture) as image:
        turned = image.convert("L").rotate(17, expand=True, fillcolor=255)
        turned.resize((turned.width // 2, turned.height // 2)).save(copy)
    assert scan.read_image(copy) == [PAYLOAD]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, data: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", scan.UNREADABLE),
        (b"not an image", scan.UNREADABLE),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", scan.UNREADABLE),
        (b"\x89PNG\r\n\x1a\n", scan.UNREADABLE),
        (_png(100, 100, b"\x00" * 50), scan.UNREADABLE),
        (_png(100, 100, zlib.compress(bytes(40))), scan.UNREADABLE),
        (_png(8_000, 8_000, zlib.compress(bytes(1000))), scan.TOO_LARGE),
        (_png(12_000, 12_000, zlib.compress(bytes(1000))), scan.TOO_LARGE),
        (_png(100_000, 100_000, zlib.compress(bytes(1000))), scan.TOO_LARGE),
        (_png(0, 0), scan.UNREADABLE),
    ],
)
def test_refuses_what_is_no_picture(tmp_path: Path, data: bytes, sentence: str) -> None:
    file = tmp_path / "odd.png"
    file.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        scan.read_image(file)
    assert caught.value.sentence == sentence
    assert "odd.png" in str(caught.value)


def test_refuses_a_picture_without_a_code(tmp_path: Path) -> None:
    file = tmp_path / "cat.png"
    Image.new("RGB", (200, 200), "orange").save(file)
    with pytest.raises(UsageError) as caught:
        scan.read_image(file)
    assert caught.value.sentence == scan.NO_CODE


def test_refuses_large_files_folders_pipes_and_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_FILE_BYTES", 10)
    large, pipe = tmp_path / "large.png", tmp_path / "pipe.png"
    large.write_bytes(bytes(11))
    os.mkfifo(pipe)
    for file, sentence in (
        (large, scan.TOO_LARGE),
        (pipe, scan.NOT_A_FILE),
        (tmp_path, scan.NOT_A_FILE),
        (tmp_path / "absent.png", scan.NOT_FOUND),
        (tmp_path / ("long" * 100), scan.UNREADABLE),
        (Path("a\0b"), scan.UNREADABLE),
    ):
        with pytest.raises(UsageError) as caught:
            scan.read_image(file)
        assert caught.value.sentence == sentence


def test_finds_the_file_that_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    decomposed = tmp_path / unicodedata.normalize("NFD", "초대 그림.png")
    decomposed.write_bytes(b"")
    plain = tmp_path / "code.png"
    plain.write_bytes(b"")
    typed = tmp_path / "초대 그림.png"
    assert scan.typed_path("~/code.png") == plain
    assert scan.typed_path(f"  '{plain}' ") == plain
    assert scan.typed_path(f"file://{plain}") == plain
    assert scan.typed_path(str(typed)) == decomposed
    assert scan.typed_path(str(decomposed).replace(" ", "\\ ")) == decomposed
    assert scan.typed_path("file://" + str(decomposed).replace(" ", "%20")) == decomposed
    assert scan.typed_path("~/none.png") == tmp_path / "none.png"
    assert scan.typed_path("a\0b") == Path("a\0b")


def test_without_the_extra_the_camera_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UsageError) as caught:
        scan.read_camera(threading.Event())
    assert caught.value.sentence == scan.CAMERA_MISSING


class Camera:
    """Hands out what it was given, then dark frames for ever."""

    def __init__(self, frames: list[Any], opened: bool = True, dark: Any = None) -> None:
        self.frames, self.opened, self.dark = frames, opened, dark
        self.released = False

    def isOpened(self) -> bool:
        return self.opened

    def read(self) -> tuple[bool, Any]:
        frame = self.frames.pop(0) if self.frames else self.dark
        return frame is not None, frame

    def release(self) -> None:
        self.released = True


def _install(monkeypatch: pytest.MonkeyPatch, camera: Camera) -> None:
    module = types.ModuleType("cv2")
    module.__dict__["VideoCapture"] = lambda device: camera
    monkeypatch.setitem(sys.modules, "cv2", module)


def test_the_camera_reads_the_first_frame_that_shows_a_code(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Image.open(picture) as image:
        code = image.convert("L")
    camera = Camera([Image.new("L", (64, 64)), code])
    _install(monkeypatch, camera)
    assert scan.read_camera(threading.Event()) == [PAYLOAD]
    assert camera.released


@pytest.mark.parametrize(
    ("camera", "sentence"),
    [
        (Camera([], opened=False), scan.CAMERA_CLOSED),
        (Camera([]), scan.CAMERA_CLOSED),
        (Camera([], dark=Image.new("L", (32, 32))), scan.CAMERA_NOTHING),
    ],
)
def test_the_camera_gives_up_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, camera: Camera, sentence: str
) -> None:
    _install(monkeypatch, camera)
    monkeypatch.setattr(scan, "CAMERA_TRIES", 3)
    with pytest.raises(UsageError) as caught:
        scan.read_camera(threading.Event())
    assert caught.value.sentence == sentence
    assert camera.released


def test_the_camera_stops_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera([], dark=Image.new("L", (32, 32)))
    _install(monkeypatch, camera)
    stop = threading.Event()
    stop.set()
    assert scan.read_camera(stop) == []
    assert camera.released
