"""Commands typed into the composer: `/help`, `/도움말`, or `/ㅗ디ㅔ` in the wrong mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from exile_tui.errors import N_
from exile_tui.hangul import initials, jamo, keys
from exile_tui.locale import every_language, tr
from exile_tui.text import cell_len, cut, fit, nfc
from exile_tui.ui.widgets.composer import Composer


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do that is typed rather than sent."""

    name: str
    """A catalog key, one word; all its translations are the command's names."""
    action: str
    namespace: str
    about: str
    """A catalog key."""
    parameters: tuple[str, ...] = ()
    text: str = ""
    """A catalog key for what may stand behind the name; empty if nothing may."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name in every language."""
        return every_language(self.name)


def _go(name: str, place: str, about: str) -> Command:
    return Command(name, "go", "app", about, (place,))


COMMANDS = (
    Command(N_("verify"), "verify", "screen", N_("Compare the safety number of this conversation")),
    Command(N_("search"), "search", "screen", N_("Search in all conversations"), text=N_("TEXT")),
    Command(
        N_("delete"),
        "delete_conversation",
        "screen",
        N_("Delete all messages of this conversation"),
    ),
    _go(N_("invite"), "invite", N_("Invite someone by link or QR code")),
    _go(N_("join"), "join", N_("Open an invite that you were given")),
    _go(N_("contacts"), "contacts", N_("Contacts and requests")),
    _go(N_("relay"), "relay", N_("What the relay knows")),
    _go(N_("settings"), "settings", N_("Language, colours, notifications, locking")),
    Command(N_("export"), "history", "app", N_("Write your messages into a file")),
    Command(N_("import"), "history", "app", N_("Take messages from a file")),
    Command(N_("lock"), "lock", "app", N_("Lock this profile")),
    Command(N_("quit"), "quit", "app", N_("Close exile-tui")),
    Command(N_("help"), "help", "app", N_("The keys that work here")),
)


def read(text: str) -> tuple[str, str] | None:
    """Return the name and the rest of what was meant as a command; None for a message.

    A command is one line that begins with one slash. So a pasted path of one line is taken for
    one, and not sent; several lines and what begins with two slashes are a message.
    """
    text = nfc(text).strip()
    if not text.startswith("/") or text.startswith(("//", "/ ")) or "\n" in text:
        return None
    name, _, rest = text[1:].partition(" ")
    return name, rest.strip()


def as_message(text: str) -> str:
    """Return the message that was typed: two slashes at the start of one line are one."""
    typed = text.strip()
    return typed[1:] if typed.startswith("//") and "\n" not in typed else text


def as_typed(message: str) -> str:
    """Return what has to be typed to send a message; the reverse of `as_message`."""
    looks_like_one = message.startswith("/") and "\n" not in message
    return f"/{message}" if looks_like_one else message


def fitting(name: str) -> list[Command]:
    """Return the commands that a typed beginning may mean, the likeliest first.

    The beginning of a name in any language, its initials, and the keys of either in the wrong mode.
    """
    ranked = [(min(_rank(name, each) for each in command.names), command) for command in COMMANDS]
    ranked.sort(key=lambda pair: pair[0])
    return [command for rank, command in ranked if rank < _NOT_AT_ALL]


_NOT_AT_ALL = 6


def _rank(typed: str, name: str) -> int:
    typed = nfc(typed).casefold()
    pressed, spelled = keys(typed).casefold(), keys(name).casefold()
    ways = (
        typed == name,
        pressed == spelled,
        jamo(name).startswith(jamo(typed)),
        initials(name).startswith(jamo(typed)),
        spelled.startswith(pressed),
        keys(initials(name)).casefold().startswith(pressed),
    )
    return ways.index(True) if any(ways) else _NOT_AT_ALL


class CommandList(OptionList):
    """Shows what a command that is being typed may mean."""

    DEFAULT_CSS = """
    CommandList {
        display: none; height: auto; max-height: 10; background: $surface;
    }
    """

    def __init__(self, composer: CommandComposer) -> None:
        """Make the list.

        Args:
            composer: Where the command is typed.
        """
        super().__init__(markup=False, compact=True)
        self.can_focus = False
        self._composer = composer
        self._commands: Sequence[Command] = ()

    @property
    def chosen(self) -> Command | None:
        """The highlighted command; None if nothing is shown."""
        if not self.display or self.highlighted is None or not self._commands:
            return None
        return self._commands[self.highlighted]

    def show(self, name: str) -> None:
        """List what a beginning may mean, or what to do if it means nothing."""
        before, self._commands = self._commands, fitting(name)
        if not self._commands:
            self.tell(how_to_send())
        elif not self.display or before != self._commands:
            self.clear_options()
            self.add_options(Option(self._line(each)) for each in self._commands)
            self.highlighted = 0
        self.display = True

    def tell(self, why: str, style: str = "$text-muted") -> None:
        """Say why nothing is done, in place of commands."""
        self._commands = ()
        self.clear_options()
        self.add_option(Option(Content.styled(f" {why}", style), disabled=True))
        self.display = True

    def _line(self, command: Command) -> Content:
        usages, others = zip(*map(_usage, COMMANDS), strict=True)
        here, other = _usage(command)
        room = self._composer.size.width - 5
        left = fit(here, max(map(cell_len, usages)))
        if any(others):
            left += "  " + fit(other, max(map(cell_len, others)))
        about = cut(tr(command.about), room - cell_len(left))
        return Content.assemble(" ", (left, "$primary"), "  ", (about, "$text-muted"))

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._composer.take(self._commands[event.option_index])

    def move(self, by: int) -> None:
        """Move the highlight; past an end it begins at the other."""
        if self._commands:
            self.highlighted = ((self.highlighted or 0) + by) % len(self._commands)


def _usage(command: Command) -> tuple[str, str]:
    """Return how a command is typed, and its English name where that is another."""
    here = tr(command.name)
    text = f" {tr(command.text)}" if command.text else ""
    return f"/{here}{text}", "" if here == command.name else f"/{command.name}"


def how_to_send() -> str:
    """Return what to do with a text that begins with a slash, translated."""
    return tr("There is no such command. To send this as a message, begin with two slashes: //")


class CommandComposer(Composer):
    """A composer that does what is typed behind a slash, and never sends it by mistake."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", N_("Complete"), id="commands.complete",
                tooltip=N_("Write the highlighted command out")),
        Binding("down", "choose_command(1)", N_("Next"), id="commands.next", show=False,
                tooltip=N_("Go down in the list")),
        Binding("up", "choose_command(-1)", N_("Previous"), id="commands.previous", show=False,
                tooltip=N_("Go up in the list")),
        Binding("escape", "close_commands", N_("Close"), id="commands.close",
                tooltip=N_("Close the list of commands; what you typed stays")),
    ]  # fmt: skip

    _dismissed = False
    """Whether the list was closed for what is typed now."""

    def __init__(self, *, enter_sends: bool = True, placeholder: str = "") -> None:
        super().__init__(enter_sends=enter_sends, placeholder=placeholder)
        self.commands = CommandList(self)

    def on_mount(self) -> None:
        """Put the list above."""
        if isinstance(self.parent, Widget):
            self.parent.mount(self.commands, before=self)

    @property
    def takes_tab(self) -> bool:
        """Whether Tab completes a command rather than leads away."""
        return self.commands.chosen is not None

    @on(TextArea.Changed)
    def _look(self) -> None:
        entry, before = read(self.text), (self.takes_tab, self.commands.display)
        self._dismissed = self._dismissed and entry is not None
        if entry is None or self._dismissed:
            self.commands.display = False
        else:
            self.commands.show(entry[0])
        if (self.takes_tab, self.commands.display) != before:
            self.refresh_bindings()  # not with every letter: it draws the line of keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take keys for the list only while it is there."""
        if action in ("complete", "choose_command"):
            return self.takes_tab
        if action == "close_commands":
            return self.commands.display
        return super().check_action(action, parameters)

    def action_choose_command(self, by: int) -> None:
        """Move the highlight."""
        self.commands.move(by)

    def action_close_commands(self) -> None:
        """Hide the list until something else is typed."""
        self._dismissed = True
        self._look()

    def action_complete(self) -> None:
        """Write the highlighted command out."""
        if self.commands.chosen is not None:
            self._write_out(self.commands.chosen)

    def _write_out(self, command: Command) -> None:
        name, rest = read(self.text) or ("", "")
        typed = jamo(name.casefold())
        native = [each for each in command.names if jamo(each).startswith(typed)]
        whole = native[0] if typed and native else tr(command.name)
        self.load_text(f"/{whole} {rest}" if command.text else f"/{whole}")
        self.move_cursor(self.document.end)

    def take(self, command: Command) -> None:
        """Do what was clicked, or write it out if something may stand behind it."""
        self.focus()
        if command.text:
            self._write_out(command)
        else:
            self._do(command, "")

    def action_submit(self, key: str) -> None:
        """Do a command; send everything else."""
        self._look()  # the list may not have heard of the last key yet
        entry = read(self.text)
        if entry is not None:
            self._run(*entry)
            return
        message = as_message(self.text)
        if message != self.text:
            self.load_text(message)
        super().action_submit(key)

    def _run(self, name: str, rest: str) -> None:
        found = fitting(name) if name else []
        command = self.commands.chosen or (found[0] if found else None)
        if command is None:
            self.commands.tell(how_to_send(), "$warning bold")
        elif rest and not command.text:
            self.commands.tell(
                tr("Nothing may follow this command. To send it as a message, begin with //"),
                "$warning bold",
            )
        else:
            self._do(command, rest)

    def _do(self, command: Command, rest: str) -> None:
        self.load_text("")
        parameters = (*command.parameters, rest) if command.text else command.parameters
        action = (command.namespace, command.action, parameters)
        self.call_later(self.app.run_action, action, self)
