"""The demo's window: the messenger itself, a greeting before it, and a glance at the other side."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Static

from exile_tui.errors import N_, ExileError
from exile_tui.locale import language, tr
from exile_tui.ui.app import ExileApp
from exile_tui.ui.screens.base import ExileModal, ExileScreen
from exile_tui.ui.widgets.safety import digit_groups, numbered_words
from exile_tui.ui.widgets.working import Working
from exile_tui.ui.words import contact_name, error_text

if TYPE_CHECKING:
    from exile_tui.clock import Clock
    from exile_tui.config import Settings
    from exile_tui.core.application import Application
    from exile_tui.core.events import Event
    from exile_tui.core.messenger import Messenger
    from exile_tui.core.model import Contact

NAME = N_("Guest")
GREETING_S = 20.0
"""How long the chats wait for the contact's first words before they open without."""
GROUP = 5
ROWS_FOR_WORDS = 24
STEPS = (
    N_("A relay, over TLS, only for this computer"),
    N_("Your profile, encrypted, with keys of its own"),
    N_("A contact who has something to say"),
)
NOT_YET = N_("Nothing on that screen yet. Try again in a moment.")


@dataclass(frozen=True, slots=True)
class OtherScreen:
    """What the contact's own screen shows."""

    digits: str
    """Sixty, as the contact computed them."""
    code: Path
    """A picture of its QR code."""


class DemoSession(Protocol):
    """The demo around the window: what `exile_tui.demo` starts and ends."""

    @property
    def passphrase(self) -> str:
        """What opens the person's own profile again."""
        ...

    @property
    def link(self) -> Future[str]:
        """The contact's invite, or an ExileError."""
        ...

    def other_screen(self) -> OtherScreen | None:
        """Look at the contact's own screen, beside the conversation."""
        ...

    def warm_up(self) -> None:
        """Load what making a profile needs; for a thread."""
        ...


class DemoApp(ExileApp):
    """The messenger on a profile that is made now and thrown away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "glance", N_("Other's screen"), id="demo.glance",
                tooltip=N_("Glance at the screen of the demo's contact")),
    ]  # fmt: skip

    def __init__(
        self, application: Application, settings: Settings, clock: Clock, session: DemoSession
    ) -> None:
        """Make the app; its settings are kept nowhere."""
        super().__init__(application, settings, clock)
        self.session = session
        self._chosen = False
        """Whether the person took another passphrase than the demo's."""

    def passphrase_changed(self) -> None:
        """Show the demo's own no more: it opens nothing, and the new one is the person's."""
        self._chosen = True

    @property
    def badge(self) -> str:
        """Say on every screen what this is; while it is locked, how to get in again."""
        made = not isinstance(self.screen_stack[0], PreparingScreen)
        if made and self.application.messenger is None:
            if self._chosen:
                return tr("It opens with the passphrase you chose")
            return tr("The demo's passphrase: {passphrase}", passphrase=self.session.passphrase)
        return tr("demo: nothing is kept")

    def get_default_screen(self) -> Screen[Any]:
        """Begin with what is being made."""
        screen = PreparingScreen()
        self._load_screen_css(screen)
        return screen

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a glance while there is a conversation to verify."""
        if action == "glance":
            return self.application.messenger is not None
        return super().check_action(action, parameters)

    def action_glance(self) -> None:
        """Look at the contact's own screen: what a message could never prove."""
        if isinstance(self.screen, GlancePanel):
            return

        async def look() -> tuple[OtherScreen | None, list[Contact]]:
            screen = await asyncio.to_thread(self.session.other_screen)
            return screen, await self.open_messenger.contacts()

        def show(seen: tuple[OtherScreen | None, list[Contact]]) -> None:
            screen, contacts = seen
            if screen is None or not contacts:
                self.notify(tr(NOT_YET))
            else:
                words = self.open_messenger.words(screen.digits, language())
                self.push_screen(GlancePanel(contact_name(contacts[0]), screen, words))

        self.services.load(self, "glance", look, show)


class PreparingScreen(ExileScreen):
    """Says what is made, step by step, and gives way to the chats with the first words."""

    CSS_PATH = "demo.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._done = 0

    def compose_body(self) -> ComposeResult:
        """Put the steps in the middle."""
        with Container(id="preparing"), Vertical():
            yield Static(tr("A demo of the real thing"), classes="heading")
            yield Static(
                tr(
                    "A relay, your profile and a contact are made on this computer, for as long "
                    "as this window is open. All of it is deleted when you leave."
                ),
                classes="muted",
            )
            yield Static(id="steps")
            yield Working(id="working")
            yield Static(id="problem", classes="error", markup=False)

    def on_mount(self) -> None:
        """Begin."""
        self._show_steps()
        self.query_one(Working).begin(tr("Getting it ready..."))
        self.command("profile", self._prepare, self._ready, self._failed)

    @property
    def _session(self) -> DemoSession:
        assert isinstance(self.exile, DemoApp)
        return self.exile.session

    def _show_steps(self) -> None:
        marks = self.exile.marks
        lines = []
        for number, step in enumerate(STEPS):
            done = number < self._done
            mark = (marks.verified, "$success") if done else (marks.unverified, "$text-muted")
            lines.append(Content.assemble(mark, "  ", (tr(step), "" if done else "$text-muted")))
        self.query_one("#steps", Static).update(Content("\n").join(lines))

    def _step(self) -> None:
        self._done += 1
        self._show_steps()

    async def _prepare(self) -> tuple[Messenger, int]:
        """Join the contact's invite with a profile made for it, and hear the first words."""
        loading = asyncio.create_task(asyncio.to_thread(self._session.warm_up))
        link = await asyncio.wrap_future(self._session.link)
        self._step()
        await loading
        from exile_tui.core.application import FirstRun, RelayChoice, RelayChoiceKind
        from exile_tui.core.events import MessageStored

        answers = FirstRun(
            tr(NAME), self._session.passphrase, RelayChoice(RelayChoiceKind.INVITE, link)
        )
        messenger = await self.exile.application.create(answers)
        self._step()
        greeted = asyncio.Event()

        def notice(event: Event) -> None:
            if isinstance(event, MessageStored):
                greeted.set()

        unsubscribe = messenger.events.subscribe(notice)
        await messenger.start()
        with suppress(TimeoutError):
            async with asyncio.timeout(GREETING_S):
                await greeted.wait()
        unsubscribe()
        self._step()
        (contact,) = await messenger.contacts()
        return messenger, contact.id

    def _ready(self, made: tuple[Messenger, int]) -> None:
        messenger, contact_id = made
        exile = self.exile
        exile.enter(messenger)
        exile.call_after_refresh(exile.show_chats, contact_id)

    def _failed(self, error: ExileError) -> None:
        self.query_one(Working).end()
        self.query_one("#problem", Static).update(error_text(error))


class GlancePanel(ExileModal[None]):
    """The contact's own screen, as far as verifying needs it; at the left, over the own code."""

    CSS_PATH = "demo.tcss"

    def __init__(self, name: str, screen: OtherScreen, words: tuple[str, ...]) -> None:
        """Make the panel.

        Args:
            name: The contact's, safe to show.
            screen: What its screen shows.
            words: The same number as words.
        """
        super().__init__()
        self._name = name
        self._seen = screen
        self._words = words

    def compose_panel(self) -> ComposeResult:
        """Show the number as digits and words, and where the picture is."""
        digits = self._seen.digits
        groups = [digits[at : at + GROUP] for at in range(0, len(digits), GROUP)]
        yield Static(Content(tr("The screen of {name}", name=self._name)), classes="heading")
        yield Static(digit_groups(groups))
        yield Static(numbered_words(self._words), id="words")
        yield Static(
            tr(
                "Only the demo can show you this. In real life you look at the other's own "
                "screen, or hear the number in a voice that you know."
            ),
            classes="muted",
        )
        yield Static(
            Content("\n").join([tr("A picture to check with:"), str(self._seen.code)]),
            id="path",
        )
        yield Button(tr("Copy the path"), id="copy", variant="primary")

    def on_mount(self) -> None:
        """Let Enter copy."""
        self.query_one("#copy").focus()

    def on_resize(self) -> None:
        """Leave the words out where the digits and the picture's place need the rows."""
        self.query_one("#words").display = self.size.height >= ROWS_FOR_WORDS

    @on(Button.Pressed, "#copy")
    def _copy(self) -> None:
        self.app.copy_to_clipboard(str(self._seen.code))
        self.exile.notify(tr("Copied, if your terminal allows it."))
