"""The demo's own process: make the place, start the contact, show the screen, leave nothing."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from exile_tui.demo import place
from exile_tui.demo.contact import CODE_FILE, SCREEN_FILE, warm_up
from exile_tui.errors import N_, ExileError
from exile_tui.locale import language, tr

if TYPE_CHECKING:
    from exile_tui.config import Settings
    from exile_tui.ui.demo import OtherScreen

PASSPHRASE_WORDS = 5
"""Few enough to type at the lock; the profile lives for minutes, and Argon2id stretches them."""
PACE = 1.0
_LAST_S = 10.0
"""Seconds that the contact gets to notice the end and leave."""

_FAILED = N_("The demo could not start: its contact ended too early. Try again.")
_OVER = N_("The demo is over. Nothing of it was kept.")
_KEPT = N_("The demo is over, but {path} could not be removed. Please delete it.")


class Session:
    """One running demo: its directory, and the process that holds contact and relay."""

    def __init__(self, directory: Path, language: str, pace: float = PACE) -> None:
        """Start the contact.

        Args:
            directory: Made, private, held.
            language: What it greets in.
            pace: 1 for a human's pace, 0 for none.
        """
        self.passphrase = random_passphrase(language)
        self.link: Future[str] = Future()
        """The contact's invite, or why there is none."""
        self._directory = directory
        self._process = subprocess.Popen(  # noqa: S603 - this very program, no shell
            [sys.executable, "-m", "exile_tui.demo.contact", str(directory), language, str(pace)],
            stdin=subprocess.PIPE,  # the lifeline: it closes with this process, however that ends
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A closed terminal or Ctrl+C must reach it by the lifeline alone.
            start_new_session=True,
        )
        # A thread of its own: one that the event loop waits for would hold up a quick end.
        self._listening = threading.Thread(target=self._listen, name="demo-contact", daemon=True)
        self._listening.start()

    def warm_up(self) -> None:
        """Load what making a profile needs, while the contact makes its own."""
        warm_up()

    def other_screen(self) -> OtherScreen | None:
        """Return what the contact's own screen shows, None before it shows anything."""
        from exile_tui.ui.demo import OtherScreen

        with suppress(OSError, ValueError, KeyError):
            shown = json.loads((self._directory / SCREEN_FILE).read_text())
            return OtherScreen(shown["digits"], self._directory / CODE_FILE)
        return None

    def end(self) -> bool:
        """Let go of the lifeline and see that all is gone; return whether it is."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_LAST_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listening.join()
        place.remove(self._directory)
        return not self._directory.exists()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as said:
            line = said.readline()
        told = json.loads(line) if line else {}
        if not self.link.set_running_or_notify_cancel():
            return  # who waited has left already
        if "link" in told:
            self.link.set_result(told["link"])
        else:
            sentence = told.get("problem", _FAILED)
            self.link.set_exception(ExileError(sentence, **told.get("values", {})))


def random_passphrase(language: str) -> str:
    """Draw words, in the language that the person types."""
    from exile_tui.crypto.words import words

    digits = "".join(str(secrets.randbelow(10)) for _ in range(60))
    drawn = words(digits, "ko" if language == "ko" else "en")
    return " ".join(drawn[:PASSPHRASE_WORDS])


def run(settings: Settings) -> int:
    """Show the demo until it is closed; return the exit code.

    Args:
        settings: The person's own; profile and data directory are replaced.

    Raises:
        NoPlace: There is no room for it.
    """
    place.sweep()
    directory, held = place.make()
    with held:
        session = Session(directory, language())
        try:
            code = _show(directory, settings, session)
        finally:
            gone = session.end()
    print(tr(_OVER) if gone else tr(_KEPT, path=directory))  # noqa: T201 - the command's last word
    return code


def _show(directory: Path, settings: Settings, session: Session) -> int:
    from exile_tui import assembly
    from exile_tui.clock import SystemClock
    from exile_tui.ui.demo import DemoApp

    settings = replace(settings, profile="demo", data_dir=directory / "you")
    embedded = assembly.make_embedded(settings, start=False)
    application = assembly.make_application(settings, embedded)
    app = DemoApp(application, settings, SystemClock(), session)
    app.starting.begin()
    return app.run() or 0
