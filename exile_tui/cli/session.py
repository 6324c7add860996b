"""What every headless command works with: an open profile, its arguments, where it prints."""

from __future__ import annotations

import math
from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exile_tui.cli.output import Printer
from exile_tui.errors import NoSuchContact, RelayError
from exile_tui.locale import tr

if TYPE_CHECKING:
    from exile_tui.core.events import Event
    from exile_tui.core.messenger import Messenger
    from exile_tui.core.model import Contact
    from exile_tui.core.ports import EmbeddedRelay


class WorkNotes:
    """Says on standard error when a busy relay asks for work; it may take some seconds."""

    def __init__(self, out: Printer) -> None:
        self._out = out
        self._told = False

    def __call__(self, event: Event) -> None:
        """Say it once for each piece of work."""
        from exile_tui.core.events import WorkChanged

        if not isinstance(event, WorkChanged):
            return
        if event.work is not None and not self._told:
            sentence = tr(
                "The relay is busy and asks this computer for some work, about {n} s.",
                n=max(1, math.ceil(event.work.seconds)),
            )
            self._out.note(sentence)
        self._told = event.work is not None


@dataclass(frozen=True, slots=True)
class Session:
    """One command on one open profile."""

    messenger: Messenger
    embedded: EmbeddedRelay
    arguments: Namespace
    out: Printer

    async def reach_relay(self) -> None:
        """Hold this computer's relay if it is ours, started only when that was asked for.

        Raises:
            RelayError: It is ours and does not run.
        """
        if self.messenger.embedded:
            await self.embedded.ensure()

    async def synchronize(self) -> RelayError | None:
        """Do one round with the relays.

        Returns:
            What went wrong, if anything: what came of the round is to be printed first.
        """
        problem: RelayError | None = None
        try:
            await self.reach_relay()
        except RelayError as error:
            problem = error
        tell_work = WorkNotes(self.out)
        unsubscribe = self.messenger.events.subscribe(tell_work)
        try:
            await self.messenger.synchronize()
        except RelayError as error:
            problem = problem or error
        finally:
            unsubscribe()
        return problem

    async def finish_deleting(self) -> None:
        """Go on with what was to be deleted when the profile was closed, to its end.

        Raises:
            ProfileError: The disk refuses; the next command tries again.
        """
        deletions = self.messenger.deletions
        await deletions.resume()
        if deletions.running:
            text = tr(
                "What you deleted before is not all gone yet; that is done now. Ctrl+C stops it, "
                "and the next command goes on."
            )
            self.out.note(text)
        await deletions.finish()

    async def find(self, name: str) -> Contact:
        """Find a contact; one not known yet may have answered or asked in the meantime.

        Raises:
            NoSuchContact: None by that name, or several, even after asking the relay.
        """
        try:
            return await self.messenger.find_contact(name)
        except NoSuchContact:
            await self.synchronize()
        return await self.messenger.find_contact(name)
