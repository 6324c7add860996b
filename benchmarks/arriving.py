"""Measure what a message that comes does to a conversation of any length on the screen.

    python -m benchmarks.history /tmp/1m --messages 1000000
    python -m benchmarks.arriving /tmp/10k /tmp/1m

Each profile is copied and opened in this process, on Textual's screen without a terminal. A message
is stored and told of as the network would do it. The time is that from then to the frame that shows
it (while the end is followed) or counts it (while one reads further up). Milliseconds, medians.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textual.widgets import Static

from benchmarks.history import PROFILE
from exile_tui.assembly import make_application, make_embedded
from exile_tui.clock import SystemClock
from exile_tui.config import Settings
from exile_tui.core.events import MessageStored
from exile_tui.core.model import Direction, MessageKind, Reason
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.chats import ChatsScreen
from exile_tui.ui.widgets.conversation import Conversation

CONTACT = 1
PASSPHRASE = "benchmark"
PATIENCE_S = 10.0


class Watched(ExileApp):
    """Sets an event after each frame for which a condition holds."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]  # the same ones
        self.condition: Callable[[], bool] = lambda: False
        self.fulfilled = asyncio.Event()

    def _display(self, screen: object, renderable: object) -> None:
        super()._display(screen, renderable)  # type: ignore[arg-type]  # Textual's own hook
        if self.condition():
            self.fulfilled.set()


async def measure(source: Path, times: int) -> dict[str, float]:
    """Measure one profile."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "data"
        shutil.copytree(source, directory)
        settings = Settings(profile=PROFILE, data_dir=directory, lang="ko", auto_lock_minutes=0)
        application = make_application(settings, make_embedded(settings, start=False))
        await application.unlock(PASSPHRASE)
        app = Watched(application, settings, SystemClock(), directory / "none")
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            assert isinstance(app.screen, ChatsScreen)
            app.screen.open_conversation(CONTACT)
            view = app.screen.query_one(Conversation)
            async with asyncio.timeout(PATIENCE_S):
                while view.seqs_in_sight() is None:
                    await pilot.pause()
            found["while the end is followed"] = await arrive(app, view, times, following=True)
            view.focus()
            for _ in range(5):
                await pilot.press("pageup")
                await pilot.pause()
            found["while one reads further up"] = await arrive(app, view, times, following=False)
    return found


async def arrive(app: Watched, view: Conversation, times: int, *, following: bool) -> float:
    """Let messages come; return the median."""
    below = app.screen.query_one("#below", Static)
    store = app.open_messenger._context.store
    taken = []
    for _ in range(times):
        async with store.transaction() as tx:
            message = await tx.messages.append(
                CONTACT,
                direction=Direction.IN,
                kind=MessageKind.TEXT,
                content_id=os.urandom(16),
                text="방금 온 메시지예요",
                sent_ms=0,
                stored_ms=time.time_ns() // 1_000_000,
                delivery=None,
                reason=Reason.NONE,
                read=False,
            )
        before = str(below.content)

        def shown(seq: int = message.seq, before: str = before) -> bool:
            if following:
                return (view.seqs_in_sight() or (0, 0))[1] == seq
            return str(below.content) != before

        app.fulfilled.clear()
        app.condition = shown
        began = time.perf_counter()
        app.open_messenger.events.emit(MessageStored(message))
        async with asyncio.timeout(PATIENCE_S):
            await app.fulfilled.wait()
        taken.append((time.perf_counter() - began) * 1000)
        app.condition = lambda: False
        await asyncio.sleep(0.1)
    return statistics.median(taken)


def main() -> None:
    """Print one table of all profiles; the last column compares the last with the first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directories", type=Path, nargs="+")
    parser.add_argument("--times", type=int, default=15)
    given = parser.parse_args()
    columns = [asyncio.run(measure(each, given.times)) for each in given.directories]
    print(f"{'':28}" + "".join(f"{each.name:>10}" for each in given.directories) + f"{'ratio':>8}")
    for name in columns[0]:
        values = [column[name] for column in columns]
        ratio = values[-1] / values[0]
        print(f"{name:28}" + "".join(f"{value:10.1f}" for value in values) + f"{ratio:8.2f}")


if __name__ == "__main__":
    main()
