"""Compare a safety number: by QR code, digits or words, with one question in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, ContentSwitcher, Static

from exile_tui.errors import N_, ExileError, UsageError
from exile_tui.locale import tr
from exile_tui.locale.dates import date_and_time
from exile_tui.ui.comparing import same_number
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.widgets.choices import Choice, Choices
from exile_tui.ui.widgets.code_source import CodeSource
from exile_tui.ui.widgets.qr import QrCode
from exile_tui.ui.widgets.safety import digit_groups, numbered_words
from exile_tui.ui.words import contact_name, error_text, how_words, trust_words

if TYPE_CHECKING:
    from exile_tui.core.events import Event
    from exile_tui.core.model import Contact, VerifiedHow
    from exile_tui.core.verifying import SafetyNumberView

FORMS = (Choice(N_("Digits")), Choice("한국어"), Choice("English"))
LANGUAGES = ("ko", "en")
SIDE_COLUMNS = 36
"""What the number and the question need beside the code."""

NOT_A_NUMBER = N_(
    "This is not a safety number. It has sixty digits or twelve words, "
    "or it is the QR code on the other screen."
)


class VerifyScreen(ExileScreen):
    """Shows one contact's safety number and records how it was compared."""

    HEADING = N_("Safety number")
    CSS_PATH = "verify.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f6",
            "enlarge",
            N_("Large code"),
            tooltip=N_("Show the QR code over the whole window"),
            id="verify.enlarge",
        ),
        Binding(
            "f7",
            "form",
            N_("Digits or words"),
            tooltip=N_("Show the number as digits, Korean words or English words"),
            id="verify.form",
        ),
        Binding(
            "f8",
            "aloud",
            N_("One at a time"),
            tooltip=N_("Walk through the number one group or word at a time, to read it aloud"),
            id="verify.aloud",
        ),
    ]

    def __init__(self, contact_id: int) -> None:
        super().__init__()
        self.contact_id = contact_id
        self._contact: Contact | None = None
        self._number: SafetyNumberView | None = None

    def compose_body(self) -> ComposeResult:
        """Put the code on the left, the number and the question on the right."""
        with Horizontal(id="verify"):
            yield QrCode(spare_columns=SIDE_COLUMNS, window_rows=2, id="code")
            with VerticalScroll(id="side", can_focus=False):
                yield Static(id="who", markup=False)
                yield Static(id="trust")
                yield Static(id="changed")
                yield Choices(FORMS, id="form")
                yield Static(id="number")
                with ContentSwitcher(initial="ask", id="steps"):
                    yield from self._compose_question()
                    yield from self._compose_compare()
                    yield from self._compose_different()

    def _compose_question(self) -> ComposeResult:
        with Vertical(id="ask"):
            yield Static(tr("Same number on the other's screen?"), classes="question")
            with Horizontal(classes="buttons"):
                yield Button(tr("It is the same"), id="same", variant="primary")
                yield Button(tr("It is different"), id="different")
            yield Button(tr("Check with camera or picture"), id="compare")
            yield Button(tr("Read aloud, one at a time"), id="aloud")
            yield Button(tr("Undo verification"), id="unverify")
            yield Static(
                tr("Compare face to face or in a call where you know the voice."),
                id="advice",
            )

    def _compose_compare(self) -> ComposeResult:
        with Vertical(id="from-code"):
            yield Static(
                tr("A picture of the other's code, or the number itself, got another way:"),
                classes="question",
            )
            yield CodeSource(N_("Picture, digits or words"), N_("Check"), id="source")
            yield Button(tr("Back to the question"), classes="to-question")

    def _compose_different(self) -> ComposeResult:
        with Vertical(id="not-same"):
            yield Static(tr("The numbers differ"), classes="question warning")
            yield Static(
                tr(
                    "Most often one of you looks at another contact, or one of you opened a new "
                    "invite since. If not, somebody may be between you and read along. Nothing "
                    "was changed or deleted. Write nothing secret here, and meet over a new "
                    "invite that you hand over yourself."
                )
            )
            with Horizontal(classes="buttons"):
                yield Button(tr("Look again"), classes="to-question")
                yield Button(tr("Undo verification"), id="distrust")

    def on_mount(self) -> None:
        """Fetch the contact and its number."""
        self._reload()

    def happened(self, event: Event) -> None:
        """Show the contact anew when it changed, and leave when it is gone."""
        from exile_tui.core.events import ContactChanged

        if isinstance(event, ContactChanged) and event.contact_id == self.contact_id:
            self._reload()

    def on_resize(self) -> None:
        """Put the number below the code's sentence when the code does not fit beside it."""
        beside = self.query_one("#code", QrCode).fits_beside(self.query_one("#body").size)
        self.set_class(not beside, "-stacked")

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen."""
        await super().retranslate()
        self._reload()

    def _reload(self) -> None:
        async def fetch() -> tuple[Contact, SafetyNumberView]:
            contact = await self.messenger.contact(self.contact_id)
            return contact, await self.messenger.safety_number(self.contact_id)

        self.load("number", fetch, self._show, self._gone)

    def _gone(self, error: ExileError) -> None:
        self.exile.show_error(error)
        self.action_back()

    def _show(self, loaded: tuple[Contact, SafetyNumberView]) -> None:
        from exile_tui.core.model import Trust

        contact, number = self._contact, self._number = loaded
        self.query_one("#code", QrCode).payload = number.scannable
        self.on_resize()
        self.query_one("#who", Static).update(Content(contact_name(contact)))
        words = trust_words(contact, self.exile.marks)
        self.query_one("#trust", Static).update(
            Content.assemble((f"{words.mark} {words.word}", f"${words.color}"), self._history())
        )
        changed = self.query_one("#changed", Static)
        changed.display = contact.trust is Trust.CHANGED
        changed.update(self._changed_text())
        for button in ("#unverify", "#distrust"):
            self.query_one(button).display = contact.verification is not None
        self.query_one("#advice").display = contact.verification is None
        self._show_number()

    def _history(self) -> str:
        from exile_tui.core.model import Trust

        contact = self._contact
        if contact is None or contact.verification is None or contact.trust is Trust.CHANGED:
            return ""
        return f"\n{self._when()}, {how_words(contact.verification.how)}"

    def _when(self) -> str:
        assert self._contact is not None
        assert self._contact.verification is not None
        return date_and_time(
            self._contact.verification.at_ms,
            self.exile.clock.now_ms(),
            hours_24=self.exile.settings.time_24h,
        )

    def _changed_text(self) -> str:
        if self._contact is None or self._contact.verification is None:
            return ""
        return tr(
            "It is no longer the number that you compared on {date}. Compare it again before you "
            "write anything secret.",
            date=self._when(),
        )

    def _groups(self) -> tuple[str, ...]:
        """Return the number as it is shown now: twelve groups or twelve words."""
        assert self._number is not None
        form = self.query_one("#form", Choices).chosen
        if form == 0:
            return tuple(self._number.groups)
        return self.messenger.words(self._number.digits, LANGUAGES[form - 1])

    @on(Choices.Changed, "#form")
    def _show_number(self) -> None:
        if self._number is None:
            return
        digits = self.query_one("#form", Choices).chosen == 0
        groups = self._groups()
        self.query_one("#number", Static).update(
            digit_groups(groups) if digits else numbered_words(groups)
        )

    def _step(self, name: str) -> None:
        self.query_one("#steps", ContentSwitcher).current = name

    @on(Button.Pressed, ".to-question")
    def _ask_again(self) -> None:
        self._step("ask")
        self.query_one("#same", Button).focus()

    @on(Button.Pressed, "#same")
    def _same(self) -> None:
        from exile_tui.core.model import VerifiedHow

        digits = self.query_one("#form", Choices).chosen == 0
        self._mark(VerifiedHow.DIGITS if digits else VerifiedHow.WORDS)

    @on(Button.Pressed, "#different")
    def _differs(self) -> None:
        self._step("not-same")
        self.query_one("#not-same .to-question", Button).focus()

    @on(Button.Pressed, "#compare")
    def _compare(self) -> None:
        self._step("from-code")
        source = self.query_one("#source", CodeSource)
        source.say("")
        source.focus_field()

    def _mark(self, how: VerifiedHow) -> None:
        self.command(
            f"contact:{self.contact_id}",
            lambda: self.messenger.mark_verified(self.contact_id, how),
            lambda _: self._marked(),
        )

    def _marked(self) -> None:
        self._ask_again()
        self._reload()
        self.exile.notify(tr("Verified. You will be told if the number ever changes."))

    @on(Button.Pressed, "#unverify")
    @on(Button.Pressed, "#distrust")
    def _unmark(self) -> None:
        self.command(
            f"contact:{self.contact_id}",
            lambda: self.messenger.unmark_verified(self.contact_id),
            lambda _: self._reload(),
        )
        self._ask_again()

    @on(CodeSource.Pasted)
    def _pasted(self, event: CodeSource.Pasted) -> None:
        from exile_tui.core.model import VerifiedHow

        assert self._number is not None
        digits = self._number.digits
        words = [self.messenger.words(digits, language) for language in LANGUAGES]
        same = same_number(event.text, digits, words)
        if same is None:
            self._failed(CodeSource.Failed(UsageError(NOT_A_NUMBER)))
        elif same:
            by_words = any(character.isalpha() for character in event.text)
            self._mark(VerifiedHow.WORDS if by_words else VerifiedHow.DIGITS)
        else:
            self._differs()

    @on(CodeSource.Scanned)
    def _scanned(self, event: CodeSource.Scanned) -> None:
        async def compare() -> bool:
            for payload in event.payloads:
                if await self.messenger.compare_scanned(self.contact_id, payload):
                    return True
            return False

        self.command(f"contact:{self.contact_id}", compare, self._compared)

    def _compared(self, same: bool) -> None:
        from exile_tui.core.model import VerifiedHow

        if same:
            self._mark(VerifiedHow.QR)
        else:
            self._differs()

    @on(CodeSource.Failed)
    def _failed(self, event: CodeSource.Failed) -> None:
        self.query_one("#source", CodeSource).say(error_text(event.error), wrong=True)

    def action_form(self) -> None:
        """Show the number in the next form."""
        self.query_one("#form", Choices).action_next()

    def action_enlarge(self) -> None:
        """Show the code over the whole window."""
        if self._number is not None:
            from exile_tui.ui.screens.large_code import LargeCode

            self.app.push_screen(LargeCode(self._number.scannable))

    @on(Button.Pressed, "#aloud")
    def action_aloud(self) -> None:
        """Walk through the number one group or word at a time."""
        if self._number is None:
            return
        from exile_tui.ui.screens.read_aloud import ReadAloud

        self.app.push_screen(ReadAloud(self._groups()), self._heard)

    def _heard(self, same: bool | None) -> None:
        if same:
            self._same()
        elif same is not None:
            self._differs()
