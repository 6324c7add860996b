"""The running relay's line: totals, redrawn in place, the QR code when it is asked for."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import Any, cast

import pytest

from exile_tui import locale
from exile_tui.relay.engine import CountAll, Engine, EngineUnavailable, Totals
from exile_tui.relay.status import StatusLine, size_text, status_text
from exile_tui.text import cell_len

TOTALS = Totals(mailboxes=12, envelopes=1, envelope_bytes=24_576, blobs=3, blob_bytes=5_000_000)


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    before = locale.language()
    yield
    locale.set_language(before)


class Counting:
    """An engine that only counts, and tells when it did."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.fail = False

    async def submit(self, operation: Any) -> Totals:
        assert isinstance(operation, CountAll)
        self.asked.set()
        if self.fail:
            raise EngineUnavailable
        return TOTALS


class Screen(io.StringIO):
    """A terminal that tells when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)

    async def holds(self, text: str) -> None:
        async with asyncio.timeout(30):
            while text not in self.getvalue():
                self.written.clear()
                await self.written.wait()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "12 mailboxes   1 envelope (24 KiB)   3 blobs (4 MiB)   q: QR code   Ctrl+C: end"),
        ("ko", "우편함 12개   봉투 1개(24 KiB)   블롭 3개(4 MiB)   q: QR 코드   Ctrl+C: 끝내기"),
    ],
)
def test_it_tells_totals_in_one_line(language: str, text: str) -> None:
    locale.set_language(language)
    assert status_text(TOTALS) == text
    assert cell_len(text) <= 79


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (2**30 + 1, "1 GiB"), (2**60, "1048576 TiB")],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


async def test_it_draws_in_place_shows_the_code_on_request_and_clears_up() -> None:
    locale.set_language("en")
    screen, engine = Screen(), Counting()
    line = StatusLine(screen, lambda: "[code]\n")
    running = asyncio.create_task(line.run(cast(Engine, engine)))
    await screen.holds("12 mailboxes")
    assert "\n" not in screen.getvalue()
    assert "[code]" not in screen.getvalue()
    line.show_code()
    await screen.holds("[code]\n\r\x1b[2K12 mailboxes")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert screen.getvalue().endswith("\r\x1b[2K")


async def test_a_full_disk_does_not_end_it() -> None:
    screen, engine = Screen(), Counting()
    engine.fail = True
    line = StatusLine(screen, lambda: "[code]\n")
    running = asyncio.create_task(line.run(cast(Engine, engine)))
    async with asyncio.timeout(30):
        await engine.asked.wait()
    engine.fail = False
    line.show_code()
    await screen.holds("12")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
