"""SIGHUP: look again at what the operator wrote, while every stream stays open."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from exile_tui.errors import N_, ExileError
from exile_tui.locale import tr
from exile_tui.relay.facts_file import read_facts
from exile_tui.relay.key import DamagedKey, RelayKey, load_key

_OTHER_KEY = N_(
    "{path} holds another key now. The relay goes on with the old one, which makes its address: "
    "put it back, or start the relay anew with the new address."
)
_CLEAR = "\r\x1b[2K"
_TERMINAL = "/dev/tty"


class OtherKey(ExileError):
    """The key file makes another address than the one that the relay serves."""

    sentence = _OTHER_KEY


def check_key(key: RelayKey) -> None:
    """Read the key's file again: there is to be the key that the relay serves with.

    Another one can't be taken up, since everybody's address pins this one; the certificate is made
    from it at the start, states nothing else and does not end.

    Raises:
        DamagedKey: The file is gone, or holds no key.
        OtherKey: It holds another one.
    """
    found = load_key(key.key_file.parent)
    if found is None:
        raise DamagedKey(path=str(key.key_file))
    if found.pin != key.pin:
        raise OtherKey(path=str(key.key_file))


def reload(key: RelayKey, facts: Path) -> list[ExileError]:
    """Look at the key and the facts again; return what is wrong with them.

    Good facts need nothing more: the statement follows its file (see `FactsFile`), and stays as it
    was while the file can't be used.
    """
    wrong: list[ExileError] = []
    try:
        check_key(key)
    except ExileError as error:
        wrong.append(error)
    try:
        if facts.exists():
            read_facts(facts)
    except ExileError as error:
        wrong.append(error)
    return wrong


def on_hangup(key: RelayKey, facts: Path, stop: Callable[[], None]) -> None:
    """Reload in the running loop on SIGHUP; stop where it says that the terminal is gone.

    Nothing is changed where the signal is ignored, as `nohup` asks for, or unknown.
    """
    number = getattr(signal, "SIGHUP", None)
    if number is None or signal.getsignal(number) is signal.SIG_IGN:
        return
    had_terminal = _has_terminal()

    def hung_up() -> None:
        if had_terminal and not _has_terminal():
            stop()
            return
        for error in reload(key, facts):
            _tell(tr(error.sentence, **error.parameters))

    asyncio.get_running_loop().add_signal_handler(number, hung_up)


def _has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _tell(sentence: str) -> None:
    """Say something to the operator; on a terminal in the place of the line of totals."""
    sys.stderr.write((_CLEAR if sys.stderr.isatty() else "") + sentence + "\n")
    sys.stderr.flush()
