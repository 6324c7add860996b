"""The command line's grammar. Light: `--help` loads nothing but argparse and the catalog."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from exile_tui import __version__
from exile_tui.cli.arguments import Formatter, Parser
from exile_tui.locale import tr

Commands = Callable[..., argparse.ArgumentParser]


def build_parser() -> argparse.ArgumentParser:
    """Make the parser, its help in the language that is set now."""
    parser = Parser(
        prog="exile-tui",
        description=tr("An end-to-end encrypted messenger. Without a command it opens the screen."),
        epilog=tr(
            "Exit codes: 0 done, 2 usage, 3 wrong passphrase, 4 relay out of reach, "
            "5 no such contact, 6 invite refused, 7 profile in use, 1 anything else."
        ),
        add_help=False,
        allow_abbrev=False,
        formatter_class=Formatter,
    )
    general = parser.add_argument_group(tr("general options"))
    _add_help(general)
    general.add_argument(
        "--version",
        action="version",
        version=f"exile-tui {__version__}",
        help=tr("show the version and exit"),
    )
    _add_settings(general, inherited=False)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title=tr("commands"), prog="exile-tui"
    )

    def command(name: str, text: str, *, opens: bool = True) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = commands.add_parser(
            name,
            help=text,
            description=text,
            add_help=False,
            allow_abbrev=False,
            formatter_class=Formatter,
        )
        options = sub.add_argument_group(tr("general options"))
        _add_help(options)
        if opens:
            _add_settings(options, inherited=True)
            _add_headless(options)
        else:
            _add_language(options, inherited=True)
        return sub

    _add_profile_commands(command)
    _add_contact_commands(command)
    _add_message_commands(command)
    _add_file_commands(command)
    command(
        "demo",
        tr("try it without any set-up: a contact who answers, all of it deleted at the end"),
        opens=False,
    )
    _add_relay(command("relay", tr("run a relay on this computer"), opens=False))
    return parser


def _add_help(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-h", "--help", action="help", help=tr("show this help and exit"))


def _add_language(group: argparse._ArgumentGroup, *, inherited: bool) -> None:
    group.add_argument(
        "--lang",
        choices=("ko", "en"),
        default=argparse.SUPPRESS if inherited else None,
        help=tr("language; the locale's by default"),
    )


def _add_settings(group: argparse._ArgumentGroup, *, inherited: bool) -> None:
    """Add the flags of `exile_tui.config`; those after a command win over those before it."""
    default = argparse.SUPPRESS if inherited else None
    group.add_argument("--profile", metavar="NAME", default=default, help=tr("profile to open"))
    group.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        default=default,
        help=tr("where profiles and the relay of this computer live"),
    )
    _add_language(group, inherited=inherited)
    group.add_argument(
        "--proxy",
        metavar="URL",
        default=default,
        help=tr("SOCKS5 proxy for all connections, socks5://HOST:PORT"),
    )
    if not inherited:
        group.add_argument("--theme", metavar="NAME", help=tr("colours of the screen"))


def _add_headless(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--passphrase-file",
        metavar="FILE",
        type=Path,
        help=tr("read the passphrase from the first line of this file; by default it is asked for"),
    )
    group.add_argument("--json", action="store_true", help=tr("print one JSON object a line"))
    group.add_argument(
        "--start-relay",
        action="store_true",
        help=tr("start the relay of this computer if the profile needs it and it isn't running"),
    )


def _add_profile_commands(command: Commands) -> None:
    sub = command("init", tr("make a profile"))
    sub.add_argument("--name", metavar="NAME", required=True, help=tr("the name that contacts see"))
    relay = sub.add_mutually_exclusive_group(required=True)
    relay.add_argument(
        "--relay", metavar="ADDRESS", help=tr("address of a relay, https://HOST:PORT/#PIN")
    )
    relay.add_argument(
        "--embedded", action="store_true", help=tr("use the relay of this computer; starts it")
    )
    sub.add_argument(
        "--access-phrase-file",
        metavar="FILE",
        type=Path,
        help=tr("read the relay's access phrase from the first line of this file"),
    )
    sub = command("invite", tr("make an invite for one person and print its link"))
    sub.add_argument(
        "--hours",
        metavar="HOURS",
        type=int,
        default=24,
        help=tr("how long it can be used, 1 to 336 hours; 24 by default"),
    )
    command("invites", tr("list the invites that were made"))
    sub = command("revoke", tr("make an invite unusable"))
    sub.add_argument(
        "invite", metavar="INVITE", type=int, help=tr("number of the invite, see 'invites'")
    )


def _add_contact_commands(command: Commands) -> None:
    sub = command("add", tr("open somebody's invite"))
    sub.add_argument("link", metavar="LINK", help=tr("the link, exile:...; - reads it"))
    command("requests", tr("list who asks to be a contact"))
    _add_contact(command("accept", tr("accept a contact request")))
    _add_contact(command("decline", tr("decline a contact request; nobody is told")))
    command("contacts", tr("list the contacts"))
    sub = command("verify", tr("show a contact's safety number"))
    _add_contact(sub)
    sub.add_argument(
        "--mark",
        action="store_true",
        help=tr("mark it as verified: you compared it with the contact's own display"),
    )


def _add_message_commands(command: Commands) -> None:
    sub = command("send", tr("send a message; done when the relay has stored it"))
    _add_contact(sub)
    sub.add_argument(
        "text",
        metavar="TEXT",
        nargs="?",
        default="-",
        help=tr("the message; - or nothing reads it from standard input"),
    )
    sub = command("receive", tr("fetch and print new messages"))
    sub.add_argument(
        "--follow", action="store_true", help=tr("go on until interrupted, as they arrive")
    )
    sub = command("history", tr("print the conversation with a contact"))
    _add_contact(sub)
    _add_limit(sub, 200)
    sub = command("search", tr("search all messages"))
    sub.add_argument("query", metavar="QUERY", help=tr("text to find"))
    sub.add_argument(
        "--with", dest="contact", metavar="CONTACT", help=tr("only in the conversation with them")
    )
    sub.add_argument(
        "--from", dest="sender", choices=("me", "them"), help=tr("only what you wrote, or they")
    )
    sub.add_argument("--since", metavar="DATE", help=tr("only from this day on: 2026-01-31"))
    sub.add_argument("--until", metavar="DATE", help=tr("only up to this day, the day included"))
    sub.add_argument("--link", action="store_true", help=tr("only with a link; QUERY may be empty"))
    _add_limit(sub, 50)


def _add_file_commands(command: Commands) -> None:
    sub = command("export", tr("write your messages into a file, which is NOT encrypted"))
    sub.add_argument("file", metavar="FILE", type=Path, help=tr("what the file will be called"))
    sub.add_argument(
        "--with",
        dest="contact",
        metavar="CONTACT",
        help=tr("only the conversation with this contact; without it, all of them"),
    )
    sub.add_argument(
        "--force", action="store_true", help=tr("replace a file of that name if there is one")
    )
    sub = command("import", tr("take messages from a file that 'export' wrote"))
    sub.add_argument("file", metavar="FILE", type=Path, help=tr("the file; it is only read"))


def _add_contact(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "contact",
        metavar="CONTACT",
        help=tr("name, beginning of a name, or number as 'contacts' shows it"),
    )


def _add_limit(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument(
        "--limit",
        metavar="COUNT",
        type=int,
        default=default,
        help=tr("print at most this many, the newest; {count} by default", count=default),
    )


def _add_relay(sub: argparse.ArgumentParser) -> None:
    """Add what `exile_tui.relay.main.run` takes."""
    sub.add_argument(
        "--host", metavar="HOST", default="127.0.0.1", help=tr("name or address to listen on")
    )
    sub.add_argument(
        "--port",
        metavar="PORT",
        type=int,
        default=0,
        help=tr("port; without it, one is drawn at the first start and kept"),
    )
    sub.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        default=argparse.SUPPRESS,
        help=tr("where the relay keeps its key and what waits to be fetched"),
    )
    sub.add_argument(
        "--access-phrase-file",
        metavar="FILE",
        type=Path,
        help=tr("ask for the phrase in the first line of this file"),
    )
    sub.add_argument(
        "--facts",
        metavar="FILE",
        type=Path,
        help=tr("TOML file with what the relay states about itself"),
    )
    sub.add_argument(
        "--engine",
        metavar="ENGINE",
        default="sqlite",
        help=tr("where it stores: sqlite or a URL"),
    )
    sub.add_argument(
        "--metrics",
        metavar="HOST:PORT",
        help=tr("answer Prometheus here with totals, in plain HTTP; a port alone is loopback's"),
    )
    _add_work(sub)
    sub.add_argument(
        "--balancer",
        metavar="ADDRESS",
        action="append",
        help=tr("an address behind which everybody comes: it is held to no share; may be repeated"),
    )
    _add_operator(sub)


def _add_work(sub: argparse.ArgumentParser) -> None:
    """Add when and how much work a relay asks for."""
    sub.add_argument(
        "--work",
        choices=("never", "busy", "always"),
        default="busy",
        help=tr("ask for work before a mailbox is made, at an open relay; when busy by default"),
    )
    sub.add_argument(
        "--work-rate",
        metavar="NUMBER",
        type=float,
        help=tr("mailboxes made in a minute from which on it is busy; 120 by default"),
    )
    sub.add_argument(
        "--work-bits",
        metavar="BITS",
        type=int,
        help=tr("how much work at first, 8 to 17; one more doubles it; 14 by default"),
    )


def _add_operator(relay: argparse.ArgumentParser) -> None:
    """Add what the operator asks for beside a running relay."""
    commands = relay.add_subparsers(
        dest="relay_command", metavar="COMMAND", title=tr("for the operator"), prog=relay.prog
    )

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=text, description=text, add_help=False, allow_abbrev=False,
            formatter_class=Formatter,
        )  # fmt: skip
        options = sub.add_argument_group(tr("general options"))
        _add_help(options)
        _add_language(options, inherited=True)
        options.add_argument(
            "--data-dir",
            metavar="DIR",
            type=Path,
            default=argparse.SUPPRESS,
            help=tr("where the relay keeps its key and what waits to be fetched"),
        )
        return sub

    facts = command("facts", tr("date and sign what the relay states about itself"))
    for name, text in (
        ("--facts", tr("TOML file with what the relay states about itself")),
        ("--access-phrase-file", tr("ask for the phrase in the first line of this file")),
    ):
        facts.add_argument(name, metavar="FILE", type=Path, default=argparse.SUPPRESS, help=text)
    disclose = command("disclose", tr("print all that the relay holds about a mailbox"))
    disclose.add_argument(
        "mailbox",
        metavar="MAILBOX-ID",
        help=tr("as the relay screen shows it; put -- before one that begins with -"),
    )
