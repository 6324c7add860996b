"""Take another passphrase, and with it another database key if that is wanted."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from exile_tui.errors import N_, ExileError, UsageError, WrongPassphrase
from exile_tui.locale import tr
from exile_tui.text import nfc
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.screens.first_run import NO_PASSPHRASE, NOT_TWICE
from exile_tui.ui.screens.first_run_steps import LONGEST_PASSPHRASE
from exile_tui.ui.screens.settings import LOW_OR_HIGH
from exile_tui.ui.widgets.choices import Choice, Choices
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.widgets.strength import StrengthLine
from exile_tui.ui.widgets.working import Working
from exile_tui.ui.words import error_text

KEYS = (
    Choice(
        N_("Only the passphrase"),
        N_(
            "Quick. But who copied your files before and knows the old passphrase can read "
            "later copies too."
        ),
    ),
    Choice(
        N_("And a new database key"),
        N_(
            "Everything is encrypted anew, so an old copy and the old passphrase open nothing "
            "newer. Takes a while."
        ),
    ),
)
NO_OLD = N_("Type the passphrase that you have now first.")
WRONG_OLD = N_("The passphrase that you have now is another one. Nothing was changed.")
DONE = (
    N_(
        "From now on only the new passphrase opens this profile here. Whoever copied its files "
        "before and knows the old one can still read that copy, and later ones too: only a new "
        "database key prevents that."
    ),
    N_(
        "From now on only the new passphrase opens this profile, and everything in it is encrypted "
        "with a new key. Copies that were made before still open with the old passphrase, with "
        "what was in them then."
    ),
)


class KeyChoices(Choices):
    """The choice of a new database key; Enter does it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "confirm", N_("Change"), id="passphrase.change",
                tooltip=N_("Take the new passphrase, as chosen here")),
    ]  # fmt: skip


class PassphraseScreen(ExileScreen):
    """Asks for the old one and twice for the new one; whatever goes wrong changes nothing."""

    HEADING = N_("Change the passphrase")
    CSS_PATH = "passphrase.tcss"
    VERTICAL_BREAKPOINTS = LOW_OR_HIGH
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", N_("Next"), tooltip=N_("Go on to the next field"),
                id="passphrase.next"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._busy = False
        self._chosen = 0
        self._done: int | None = None
        """Which of `KEYS` was done."""

    def compose_body(self) -> ComposeResult:
        """Yield the fields, and what is said when it is done."""
        with VerticalScroll(id="passphrase", can_focus=False), Vertical(id="card"):
            with Vertical(id="form"):
                yield Field(
                    placeholder=tr("The passphrase that you have now"), password=True,
                    max_length=LONGEST_PASSPHRASE, id="old",
                )  # fmt: skip
                yield Field(
                    placeholder=tr("A new one, of several words"), password=True,
                    max_length=LONGEST_PASSPHRASE, id="first",
                )  # fmt: skip
                yield StrengthLine(id="strength")
                yield Field(
                    placeholder=tr("The new one once more"), password=True,
                    max_length=LONGEST_PASSPHRASE, id="second",
                )  # fmt: skip
                yield KeyChoices(KEYS, column=True, id="database-key")
                yield Working(id="working")
                yield Static(id="problem", classes="error", markup=False)
                with Horizontal(id="ending"):
                    yield Button(tr("Change"), id="change", variant="primary")
                    yield Button(tr("Cancel"), id="cancel")
            with Vertical(id="done"):
                yield Static(tr("The passphrase is changed"), classes="heading")
                yield Static(id="what", markup=False)
                yield Button(tr("Close"), id="close", variant="primary")

    def on_mount(self) -> None:
        """Begin with the passphrase that there is."""
        self._show()
        if self._done is None:
            self.query_one("#old").focus()

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen; keep what was typed."""
        chosen = self.query_one(Choices).chosen
        await super().retranslate()
        self.query_one(Choices).chosen = chosen
        self._show()

    def _show(self) -> None:
        self.query_one("#form").display = self._done is None
        self.query_one("#done").display = self._done is not None
        if self._done is not None:
            self.query_one("#what", Static).update(tr(DONE[self._done]))
            self.query_one("#close").focus()
        if self._busy:
            self._say_busy()

    def _value(self, field: str) -> str:
        return nfc(self.query_one(field, Input).value)

    def _fail(self, sentence: str, field: str) -> None:
        self.query_one("#problem", Static).update(Content(error_text(UsageError(sentence))))
        found = self.query_one(field, Input)
        found.focus()
        found.action_select_all()

    @on(Input.Changed, "#first")
    def _estimate(self, event: Input.Changed) -> None:
        self.query_one("#strength", StrengthLine).estimate(event.value)

    # The way through

    @on(Input.Submitted)
    def action_next(self) -> None:
        """Go to the next field; from the last one the choice comes."""
        order = ("#old", "#first", "#second")
        for here, there in zip(order, (*order[1:], "#database-key"), strict=True):
            if self.query_one(here).has_focus:
                self.query_one(there).focus()
                return

    @on(Choices.Confirmed)
    @on(Button.Pressed, "#change")
    def _change(self) -> None:
        old, first, second = (self._value(field) for field in ("#old", "#first", "#second"))
        if self._busy:
            return
        if not old:
            self._fail(NO_OLD, "#old")
        elif not first:
            self._fail(NO_PASSPHRASE, "#first")
        elif first != second:
            self._fail(NOT_TWICE, "#second")
        else:
            self._begin(old, first, self.query_one(Choices).chosen)

    def _begin(self, old: str, new: str, chosen: int) -> None:
        exile, messenger = self.exile, self.messenger
        self._busy, self._chosen = True, chosen
        self.query_one("#problem", Static).update("")
        for widget in self.query("Field, Choices, Button"):
            widget.disabled = True
        self._say_busy()

        async def change() -> None:
            with exile.autolock.held():
                await messenger.change_passphrase(old, new, new_database_key=bool(chosen))
            exile.passphrase_changed()
            if not self.is_running:
                exile.notify(tr("The passphrase is changed"))

        self.command("passphrase", change, self._changed, self._not_changed)

    def _say_busy(self) -> None:
        self.query_one(Working).begin(
            tr("Encrypting everything anew. A long history takes minutes...")
            if self._chosen
            else tr("Changing the passphrase...")
        )

    def _end(self) -> None:
        self._busy = False
        self.query_one(Working).end()
        for widget in self.query("Field, Choices, Button"):
            widget.disabled = False
        self.refresh_bindings()

    def _changed(self, _: None) -> None:
        self._end()
        for field in self.query(Input):
            field.value = ""
        self._done = self._chosen
        self._show()

    def _not_changed(self, error: ExileError) -> None:
        self._end()
        if isinstance(error, WrongPassphrase):
            self._fail(WRONG_OLD, "#old")
        else:
            self.query_one("#problem", Static).update(Content(error_text(error)))
            self.query_one("#change").focus()

    # Leaving

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stay while it works; offer to go on only where there is something to go on to."""
        if action == "back":
            return not self._busy
        if action == "next":
            return isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    @on(Button.Pressed, "#cancel")
    @on(Button.Pressed, "#close")
    def _leave(self) -> None:
        self.action_back()
