"""The first run: four quiet steps, then welcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, ContentSwitcher, Input, Static

from exile_tui import locale
from exile_tui.errors import N_, ExileError, RelayRefused, UsageError
from exile_tui.locale import tr
from exile_tui.text import nfc
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.screens.first_run_steps import ADDRESS, EMBEDDED, INVITE, compose_steps
from exile_tui.ui.widgets.choices import Choices
from exile_tui.ui.widgets.one_line import joined
from exile_tui.ui.widgets.strength import StrengthLine
from exile_tui.ui.widgets.working import Working
from exile_tui.ui.words import error_text

if TYPE_CHECKING:
    from typing import ClassVar

    from exile_tui.core.application import FirstRun
    from exile_tui.core.messenger import Messenger

STEPS = ("language", "passphrase", "name", "relay")
TITLES = (N_("Language"), N_("Passphrase"), N_("Name"), N_("Relay"))
NO_PASSPHRASE = N_("Type a passphrase first. Several words are easier to keep than one odd one.")
NOT_TWICE = N_("The two don't match. Type the second one again; the first is kept.")
NO_RELAY_TEXT = N_("Paste it here first.")
NOT_ADDRESS = N_("This is an invite link, not a relay's address. Choose the third way for it.")
NOT_INVITE = N_("This is not an invite link: it begins with exile: and you can paste it whole.")
HEIGHTS = [(0, "-low"), (30, "-tall")]
"""Room above the steps only where the last one, with its field and buttons, leaves some."""


class FirstRunScreen(ExileScreen):
    """Asks four questions and makes the profile; an error stays on its step and loses nothing."""

    HEADING = N_("First steps")
    CSS_PATH = "first_run.tcss"
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "next", N_("Next"), tooltip=N_("Go on to the next step"), id="first-run.next"
        ),
        Binding(
            "escape", "previous", N_("Back"), tooltip=N_("Return to the step before"),
            id="first-run.previous",
        ),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._step = 0
        self._busy = False
        self._default_name = ""

    def compose_body(self) -> ComposeResult:
        """Put the line of progress above the step that it is about."""
        self._default_name = tr("Exile")
        with VerticalScroll(id="first-run", can_focus=False), Vertical(id="card"):
            yield Static(id="progress")
            with ContentSwitcher(initial="language", id="steps"):
                yield from compose_steps(self._default_name)
            yield Working(id="working")
            yield Static(id="problem", classes="error", markup=False)
            with Horizontal(id="moving"):
                yield Button(tr("Next"), id="next", variant="primary")
                yield Button(tr("Back"), id="previous")

    def on_mount(self) -> None:
        """Begin with the language, which is already guessed."""
        self._show()

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen; keep what was typed."""
        kept = {field.id: field.value for field in self.query(Input)}
        untouched = kept.get("own-name") == self._default_name
        relay = self.query_one("#relays", Choices).chosen
        await super().retranslate()
        if untouched:
            kept["own-name"] = self._default_name
        for name, value in kept.items():
            self.query_one(f"#{name}", Input).value = value
        self.query_one("#relays", Choices).chosen = relay
        self._show()

    @on(Choices.Changed, "#languages")
    def _language(self, event: Choices.Changed) -> None:
        self.app.call_later(self.exile.choose_language, locale.LANGUAGES[event.index])

    # The steps

    def _show(self) -> None:
        """Show the step, its progress and its first field."""
        step = STEPS[self._step]
        self.query_one("#steps", ContentSwitcher).current = step
        self.query_one("#progress", Static).update(self._progress())
        self._say("")
        self.query_one("#previous").display = bool(self._step)
        last = self._step == len(STEPS) - 1
        button = self.query_one("#next", Button)
        button.label = tr("Begin") if last else tr("Next")
        button.refresh(layout=True)
        self._show_relay_fields()
        first = {
            "language": "#languages",
            "passphrase": "#first",
            "name": "#own-name",
            "relay": "#relays",
        }[step]
        self.query_one(first).focus()
        self.refresh_bindings()

    def _progress(self) -> Content:
        parts = []
        for number, title in enumerate(TITLES):
            style = "$primary bold" if number == self._step else "$text-muted"
            mark = str(number + 1) if number >= self._step else self.exile.marks.verified
            parts.append(Content.styled(f"{mark} {tr(title)}", style))
        return Content.styled("  -  ", "$text-muted").join(parts)

    def _say(self, sentence: str) -> None:
        self.query_one("#problem", Static).update(sentence)

    def _fail(self, error: ExileError, field: str) -> None:
        self._say(error_text(error))
        self.query_one(field).focus()

    @on(Input.Submitted)
    @on(Choices.Confirmed)
    @on(Button.Pressed, "#next")
    def action_next(self) -> None:
        """Check the step and go on."""
        if not self._busy:
            check = (self._check_nothing, self._check_passphrase, self._check_name, self._finish)
            if check[self._step]():
                self._step += 1
                self._show()

    @on(Button.Pressed, "#previous")
    def action_previous(self) -> None:
        """Return to the step before; nothing typed is lost."""
        if self._step and not self._busy:
            self._step -= 1
            self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the way back from the second step on."""
        if action == "previous":
            return bool(self._step)
        return super().check_action(action, parameters)

    def _value(self, field: str) -> str:
        return nfc(self.query_one(field, Input).value)

    def _check_nothing(self) -> bool:
        return True

    def _check_passphrase(self) -> bool:
        first, second = self._value("#first"), self._value("#second")
        if not first:
            self._fail(UsageError(NO_PASSPHRASE), "#first")
        elif not second and self.query_one("#first").has_focus:
            self.query_one("#second").focus()
        elif first != second:
            self._fail(UsageError(NOT_TWICE), "#second")
        else:
            return True
        return False

    def _check_name(self) -> bool:
        if self._value("#own-name").strip():
            return True
        self._fail(UsageError(N_("Type a name, any name.")), "#own-name")
        return False

    @on(Input.Changed, "#first")
    def _estimate(self, event: Input.Changed) -> None:
        self.query_one("#strength", StrengthLine).estimate(event.value)

    # The relay, and making the profile

    @on(Choices.Changed, "#relays")
    def _show_relay_fields(self) -> None:
        chosen = self.query_one("#relays", Choices).chosen
        field = self.query_one("#relay-text", Input)
        field.display = chosen != EMBEDDED
        field.placeholder = "exile:..." if chosen == INVITE else "https://HOST:PORT/#..."
        self.query_one("#access").display = chosen == ADDRESS

    def on_paste(self, event: events.Paste) -> None:
        """Take a link or an address pasted while choosing as the choice itself."""
        text = joined(event.text)
        if STEPS[self._step] != "relay":
            return
        chosen = {"exile:": INVITE, "https:": ADDRESS}.get(text[:6].lower())
        if chosen is not None and self.query_one("#relays").has_focus:
            self.query_one("#relays", Choices).chosen = chosen
            field = self.query_one("#relay-text", Input)
            field.value = text
            field.display = True
            field.focus()

    def _finish(self) -> bool:
        """Make the profile; the answer comes later, so this step never ends here."""
        chosen = self.query_one("#relays", Choices).chosen
        text = self._value("#relay-text").strip() if chosen != EMBEDDED else ""
        if chosen != EMBEDDED and not text:
            field = self.query_one("#relay-text")
            if not field.has_focus:
                field.focus()
            else:
                self._fail(UsageError(NO_RELAY_TEXT), "#relay-text")
            return False
        if chosen != EMBEDDED and (chosen == INVITE) != text.lower().startswith("exile:"):
            wrong = NOT_INVITE if chosen == INVITE else NOT_ADDRESS
            if chosen == INVITE or text.lower().startswith("exile:"):
                self._fail(UsageError(wrong), "#relay-text")
                return False
        self._create(chosen, text)
        return False

    def _create(self, chosen: int, text: str) -> None:
        passphrase, name = self._value("#first"), self._value("#own-name")
        access = self._value("#access") if chosen == ADDRESS else ""

        async def create() -> Messenger:
            first_run = answers(name, passphrase, chosen, text, access)
            if text:
                self.exile.application.check_relay_text(text)
            return await self.exile.application.create(first_run)

        self._busy = True
        self._say("")
        self.query_one(Working).begin(
            tr("Making your keys and starting the relay...")
            if chosen == EMBEDDED
            else tr("Making your keys and asking the relay...")
        )
        self.command("profile", create, self._made, self._not_made)

    def _made(self, messenger: Messenger, problem: ExileError | None = None) -> None:
        """Go to the chats, with welcome above them."""
        from exile_tui.ui.screens.welcome import Welcome

        exile = self.exile
        chosen = self.query_one("#relays", Choices).chosen
        for field in self.query(Input):
            # Textual keeps the first screen for as long as the app runs.
            field.value = ""
        exile.enter(messenger)
        exile.push_screen(Welcome(joined=chosen == INVITE and problem is None))
        if problem is not None:
            exile.show_error(problem)

    def _not_made(self, error: ExileError) -> None:
        self._busy = False
        self.query_one(Working).end()
        messenger = self.exile.application.messenger
        chosen = self.query_one("#relays", Choices).chosen
        if messenger is not None:
            # The profile stands; only the invite that brought its relay could not be opened.
            self._made(messenger, error)
        elif isinstance(error, RelayRefused):
            self.query_one("#access").display = True
            self._fail(error, "#access")
        else:
            self._fail(error, "#relays" if chosen == EMBEDDED else "#relay-text")


def answers(name: str, passphrase: str, chosen: int, text: str, access: str) -> FirstRun:
    """Return the answers as core takes them; core is imported only now."""
    from exile_tui.core.application import FirstRun, RelayChoice, RelayChoiceKind

    kinds = (RelayChoiceKind.EMBEDDED, RelayChoiceKind.ADDRESS, RelayChoiceKind.INVITE)
    return FirstRun(name, passphrase, RelayChoice(kinds[chosen], text), access)
