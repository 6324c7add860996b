"""The QR code on the screen can be read, is whole, and has its quiet zone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.containers import Container

from exile_tui.errors import UsageError
from exile_tui.ui.scan import read_image
from exile_tui.ui.widgets.qr import QrCode, qr_matrix, save_png
from tests.ui.qr_reading import read_screen

LINK = b"X1\x01" + bytes((7 * n) % 256 for n in range(76))
NUMBER = bytes((11 * n + 3) % 256 for n in range(74))


class Bench(App[None]):
    """Nothing but the code."""

    def __init__(self, payload: bytes, spare_columns: int = 0) -> None:
        super().__init__()
        self.code = QrCode(payload, spare_columns=spare_columns)

    def compose(self) -> ComposeResult:
        with Container():
            yield self.code


@pytest.mark.parametrize("no_color", [False, True])
@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
@pytest.mark.parametrize(
    ("payload", "size", "modules", "margin"),
    [
        (LINK, (80, 24), 37, 4),
        (LINK, (120, 40), 37, 4),
        (LINK, (80, 22), 37, 3),
        (LINK, (41, 21), 37, 2),
        (NUMBER, (80, 24), 33, 4),
        (bytes(134), (80, 24), 41, 3),
        (bytes(150), (49, 25), 45, 2),
    ],
)
async def test_read_from_the_screen(
    monkeypatch: pytest.MonkeyPatch,
    payload: bytes,
    size: tuple[int, int],
    modules: int,
    margin: int,
    theme: str,
    no_color: bool,
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    app = Bench(payload)
    async with app.run_test(size=size):
        app.theme = theme
        seen = read_screen(app, app.code)
        assert seen.payload == payload
        assert seen.modules == modules
        assert app.code.margin == margin
        left, above, right, below = seen.quiet
        assert (left, above, right) == (margin, margin, margin)
        assert below in (margin, margin + 1)


async def test_says_so_when_it_does_not_fit() -> None:
    app = Bench(LINK, spare_columns=30)
    async with app.run_test(size=(60, 24)):
        assert app.code.margin is None
        lines = [app.code.render_line(y).text.strip() for y in range(app.code.size.height)]
        assert "71 columns and 21 rows" in " ".join(lines)


async def test_fits_again_after_a_resize() -> None:
    app = Bench(LINK)
    async with app.run_test(size=(30, 10)) as pilot:
        assert app.code.margin is None
        await pilot.resize_terminal(80, 24)
        assert read_screen(app, app.code).payload == LINK
        app.code.payload = NUMBER
        await pilot.pause()
        assert read_screen(app, app.code).payload == NUMBER


def test_a_saved_picture_is_private_and_reads_back(tmp_path: Path) -> None:
    file = tmp_path / "초대.png"
    save_png(LINK, file)
    assert read_image(file) == [LINK]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_saving_never_overwrites(tmp_path: Path) -> None:
    file = tmp_path / "taken.png"
    file.write_bytes(b"precious")
    with pytest.raises(UsageError, match=r"taken\.png"):
        save_png(LINK, file)
    assert file.read_bytes() == b"precious"
    with pytest.raises(UsageError):
        save_png(LINK, tmp_path / "no" / "such" / "place.png")


def test_every_byte_survives() -> None:
    assert len(qr_matrix(bytes(range(256)))) == 57
