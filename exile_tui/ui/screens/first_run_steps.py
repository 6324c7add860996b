"""The four steps of the first run, as they are laid out."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from exile_tui import locale
from exile_tui.errors import N_
from exile_tui.locale import tr
from exile_tui.ui.widgets.choices import Choice, Choices
from exile_tui.ui.widgets.one_line import Field, OneLineInput
from exile_tui.ui.widgets.strength import StrengthLine

LANGUAGES = (Choice("한국어"), Choice("English"))
LONGEST_PASSPHRASE = 1024
LONGEST_NAME = 100
LONGEST_LINK = 4096

EMBEDDED, ADDRESS, INVITE = range(3)
RELAYS = (
    Choice(
        N_("Start right here on this computer"),
        N_("A relay of your own. Only messengers on this computer reach it."),
    ),
    Choice(
        N_("I have a relay's address"),
        N_("Somebody runs a relay for you; it begins with https://"),
    ),
    Choice(
        N_("I was given an invite link"),
        N_("It brings its relay along; it begins with exile:"),
    ),
)


def compose_steps(default_name: str) -> ComposeResult:
    """Yield the steps, each with the id of its name.

    Args:
        default_name: What the name's field holds at first, translated.
    """
    yield from _compose_language()
    yield from _compose_passphrase()
    yield from _compose_name(default_name)
    yield from _compose_relay()


def _compose_language() -> ComposeResult:
    with Vertical(id="language"):
        yield Static(tr("In which language?"), classes="heading")
        yield Choices(
            LANGUAGES,
            chosen=locale.LANGUAGES.index(locale.language()),
            id="languages",
            translate=str,
        )


def _compose_passphrase() -> ComposeResult:
    with Vertical(id="passphrase"):
        yield Static(tr("Choose a passphrase"), classes="heading")
        yield Static(
            tr(
                "It locks everything on this computer. If you forget it, nobody can bring "
                "your messages back: there is no other way in."
            ),
            classes="text",
        )
        yield Field(
            placeholder=tr("Passphrase, of several words"), password=True,
            max_length=LONGEST_PASSPHRASE, id="first",
        )  # fmt: skip
        yield StrengthLine(id="strength")
        yield Field(
            placeholder=tr("The same once more"), password=True,
            max_length=LONGEST_PASSPHRASE, id="second",
        )  # fmt: skip


def _compose_name(default_name: str) -> ComposeResult:
    with Vertical(id="name"):
        yield Static(tr("What should your contacts call you?"), classes="heading")
        yield Static(tr("Only your contacts see this name. The relay never does."), classes="text")
        yield Field(default_name, max_length=LONGEST_NAME, id="own-name")


def _compose_relay() -> ComposeResult:
    with Vertical(id="relay"):
        yield Static(tr("Where should your messages wait?"), classes="heading")
        yield Static(tr("A relay is a server that only passes sealed messages on."), classes="text")
        yield Choices(RELAYS, column=True, id="relays")
        yield OneLineInput(max_length=LONGEST_LINK, id="relay-text")
        yield Field(
            placeholder=tr("Access phrase, only if the relay asks for one"),
            password=True,
            max_length=LONGEST_PASSPHRASE,
            id="access",
        )
