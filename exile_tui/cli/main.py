"""The entry point: parse, choose the language, hand over. Imports nothing slow before it must."""

from __future__ import annotations

import codecs
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from traceback import extract_tb

from exile_tui import config
from exile_tui.errors import N_, ExileError, UsageError
from exile_tui.locale import DOMAIN, LANGUAGES, detect_language, set_language, tr

INTERRUPTED = 130
"""Exit code after SIGINT, as shells have it."""

HEADLESS = frozenset(
    (
        *("init", "invite", "invites", "revoke", "add", "requests", "accept", "decline"),
        *("contacts", "verify", "send", "receive", "history", "search", "export", "import"),
    )
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; every failure is one sentence on standard error.

    Args:
        argv: The arguments after the program's name; None takes those of the process.

    Returns:
        0 done, 2 usage, 3 wrong passphrase, 4 relay out of reach, 5 no such contact, 6 refused
        invite, 7 profile in use, 130 interrupted, 1 anything else.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        set_language(_guess_language(arguments))
        _require_utf8(arguments)
        return _dispatch(arguments)
    except ExileError as error:
        from exile_tui.cli.output import error_sentence

        return _fail(error_sentence(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output is gone; Python would complain once more when it flushes.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _fail(_unexpected(error), 1)


def _dispatch(argv: list[str]) -> int:
    arguments = _parse(argv)
    if arguments.command == "relay":
        from exile_tui.relay.main import run as run_relay

        return run_relay(arguments)
    logging.getLogger().addHandler(logging.NullHandler())  # no library writes into our output
    source = _source(arguments)
    headless = arguments.command in HEADLESS
    settings = source.load() if headless else source.begin()
    if settings.lang is not None:
        set_language(settings.lang)
    if headless:
        from exile_tui.cli.headless import run as run_headless

        run_headless(arguments, settings)
        return 0
    return _open_screen(settings, source, demo=arguments.command == "demo")


def _open_screen(settings: config.Settings, source: config.Source, *, demo: bool) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            N_("The screen needs a terminal. Without one use a command; --help lists them.")
        )
    if demo:
        from exile_tui.demo.main import run as run_demo

        return run_demo(settings)
    from exile_tui import assembly

    return assembly.run_screen(settings, source)


def _parse(argv: list[str]) -> Namespace:
    from exile_tui.cli.parser import build_parser

    with _argparse_language():
        return build_parser().parse_args(argv)


def _source(arguments: Namespace) -> config.Source:
    names = ("profile", "data_dir", "lang", "theme", "proxy")
    flags = {name: getattr(arguments, name, None) for name in names}
    return config.Source(flags, os.environ, config.default_file())


def _guess_language(argv: list[str]) -> str:
    """Find the language before parsing, since help is printed while parsing."""
    for index, argument in enumerate(argv):
        name, _, value = argument.partition("=")
        if name == "--lang":
            value = value or next(iter(argv[index + 1 :]), "")
            if value in LANGUAGES:
                return value
    try:
        chosen = config.load({}, os.environ, config.default_file()).lang
    except ExileError:
        chosen = None  # reported when the settings are needed
    return chosen or detect_language(os.environ)


@contextmanager
def _argparse_language() -> Iterator[None]:
    """Let argparse, which asks gettext's default domain, find its own words in our catalog."""
    import gettext

    from exile_tui import locale
    from exile_tui.locale import language

    before = os.environ.get("LANGUAGE")
    gettext.bindtextdomain(DOMAIN, str(Path(locale.__file__).parent))
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = language()
    try:
        yield
    finally:
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


def _require_utf8(argv: list[str]) -> None:
    """Refuse to garble text.

    Raises:
        UsageError: Input, output or arguments are not UTF-8.
    """
    encodings = {sys.stdout.encoding, sys.stdin.encoding, sys.getfilesystemencoding()}
    for encoding in filter(None, encodings):
        if codecs.lookup(encoding).name != "utf-8":
            raise UsageError(
                N_(
                    "This terminal's locale uses {encoding}, which garbles text; "
                    "start again with LANG=ko_KR.UTF-8 or another UTF-8 locale."
                ),
                encoding=encoding,
            )
    for argument in argv:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UsageError(
                N_("The argument {argument} is not UTF-8 text."), argument=argument
            ) from None


def _unexpected(error: Exception) -> str:
    """Say where a mistake of the program's own happened, for a report, and nothing of its data."""
    frames = [frame for frame in extract_tb(error.__traceback__) if "exile_tui" in frame.filename]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return tr(
        "Something went wrong inside exile-tui ({kind} at {place}). What was stored is kept.",
        kind=type(error).__name__,
        place=place,
    )


def _fail(sentence: str, code: int) -> int:
    with suppress(OSError):
        print(f"exile-tui: {sentence}", file=sys.stderr)
    return code
