"""Fixtures for screens: an app over the double, and snapshots that are the same every time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension, normalize_svg
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Button
from textual.worker import WorkerCancelled

from exile_tui import locale
from exile_tui.config import Settings, Source
from exile_tui.ui import stylesheet
from exile_tui.ui.app import ExileApp
from tests.ui.doubles import FakeApplication, FakeMessenger

stylesheet.most_themes = 32
"""Every test's app takes the rules that an earlier one parsed for the same theme."""

MakeApp = Callable[..., ExileApp]
NO_CONFIGURATION = Path("/nonexistent/exile-tui")
"""What whoever runs the tests has configured must change nothing."""


@pytest.fixture(autouse=True)
def _language_again() -> Iterator[None]:
    before = locale.language()
    yield
    locale.set_language(before)


@pytest.fixture(autouse=True)
def _no_pressed_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A button looks pressed, and takes no second press, for 0.2 s of real time: not here."""
    monkeypatch.setattr(Button, "_start_active_affect", lambda _: None)


@pytest.fixture
def make_app() -> Iterator[MakeApp]:
    """Make an app over a double; fail the test if a bug was hidden behind an error's face."""
    made: list[ExileApp] = []

    def make(
        messenger: FakeMessenger | None = None,
        *,
        lang: str = "en",
        configuration: Path = NO_CONFIGURATION,
        application: FakeApplication | None = None,
        source: Source | None = None,
        **settings: Any,
    ) -> ExileApp:
        application = application or FakeApplication(messenger)
        app = ExileApp(
            application,  # type: ignore[arg-type]  # the double has the same face
            Settings(lang=lang, **settings),
            application.inside.clock,
            configuration,
            source,
        )
        made.append(app)
        return app

    yield make
    for app in made:
        assert app.unexpected == []


MOST_ROUNDS = 200
"""Of waiting for what is under way: a screen on which something always moves is never still."""


async def settle(pilot: Any) -> None:
    """Wait until every worker is done and what they changed is on the screen."""
    quiet = rounds = 0
    while quiet < 4:
        rounds += 1
        busy = any(not worker.is_finished for worker in pilot.app.workers)
        # A newer reading of the same thing cancels one that is still waited for.
        with suppress(WorkerCancelled):
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        busy = busy or (rounds < MOST_ROUNDS and _is_under_way(pilot.app))
        quiet = 0 if busy else quiet + 1


def _is_under_way(app: Any) -> bool:
    """Tell whether messages, layouts or callbacks wait: a pause ends by the clock, done or not.

    What it takes for quiet is a process that got no time, too.
    """
    screen = app.screen
    nodes = (app, screen, *screen.walk_children())
    return (
        any(node.message_queue_size for node in nodes)
        or screen._layout_required
        or bool(screen._dirty_widgets)
        or bool(screen._callbacks)
    )


@pytest.fixture
def snap(snap_compare: Callable[..., bool]) -> Callable[..., None]:
    """Compare a screen with its picture; for tests that are not async (it runs its own loop).

    `snap(app, size=(80, 24), before=prepare)`, where `prepare(pilot)` is async.
    """

    def compare(app: ExileApp, size: tuple[int, int] = (80, 24), before: Any = None) -> None:
        async def prepare(pilot: Any) -> None:
            await settle(pilot)
            if before is not None:
                await before(pilot)
                await settle(pilot)

        assert snap_compare(app, terminal_size=size, run_before=prepare)

    return compare


def _difference(kept: str, now: str) -> list[str]:
    """Return which words and grounds two pictures do not share, each with its place."""
    pieces = [re.findall(r"<(?:rect|text)[^>]*>[^<]*", picture) for picture in (kept, now)]
    return [
        re.sub(r' (clip-path|height|textLength|shape-rendering)="[^"]*"', "", line)
        for line in difflib.unified_diff(*pieces, "kept", "now", lineterm="", n=0)
    ]


Sizes = Sequence[tuple[int, int]]
FOUR_SIZES = ((120, 40), (100, 26), (80, 24), (60, 20))
APART = tuple((size,) for size in FOUR_SIZES)
"""An app a size: what was scrolled stands elsewhere after the window became smaller."""
LAST_APART = (FOUR_SIZES[:3], FOUR_SIZES[3:])


@pytest.fixture
def snap_sizes(snapshot: SnapshotAssertion) -> Callable[..., Awaitable[None]]:
    """Compare a screen with its pictures at four sizes or others, in one run that is resized.

    `await snap_sizes(app, before=prepare)`, where `prepare(pilot)` is async; `simplify` draws
    neighbouring cells of one look as one piece, as `snap` does.
    """
    pictures = snapshot.use_extension(SVGImageExtension)

    async def compare(
        app: ExileApp, before: Any = None, sizes: Sizes = FOUR_SIZES, simplify: bool = False
    ) -> None:
        different = []
        async with app.run_test(size=sizes[0], notifications=True) as pilot:
            await settle(pilot)
            if before is not None:
                await before(pilot)
                await settle(pilot)
            for columns, rows in sizes:
                await pilot.resize_terminal(columns, rows)
                await settle(pilot)
                name = f"{columns}x{rows}"
                picture = app.export_screenshot(simplify=simplify)
                if normalize_svg(picture) != pictures(name=name):
                    kept = pictures.executions[pictures.num_executions - 1].recalled_data
                    different += [name, *_difference(str(kept), normalize_svg(picture))]
        assert not different, "\n".join(different)

    return compare
