"""The operator's file: what only a person can state, and the day on which that was last true."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from exile_tui.errors import N_, UsageError
from exile_tui.locale import tr

FACTS_FILE = "facts.toml"
"""Its name in the relay's directory, where it is read unless another one was named."""

BAD_FACTS = N_(
    "The facts in {path} can't be used: {reason}. It is a TOML file with 'jurisdiction', "
    "'operator' (texts), 'requests_received' (a number) and 'date' (a day), each optional."
)
_HEADING = N_(
    "What this relay states about itself. Edit it, then run 'exile-tui relay facts' again: that "
    "dates and signs it. A running relay takes it up by itself."
)
_JURISDICTION = N_("The law that you are under, for instance: Republic of Korea")
_OPERATOR = N_("Who runs this relay, in your words")
_REQUESTS = N_("How many demands for data you have received, from anyone, since it began")

_DATE_LINE = re.compile(r"""^[ \t]*(["']?)date\1[ \t]*=.*$""", re.MULTILINE)

_Text = Annotated[str, Meta(max_length=4096)]


class OperatorFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What only the operator can state."""

    jurisdiction: _Text = ""
    operator: _Text = ""
    requests_received: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0
    date: datetime.date | None = None
    """The day on which the operator stated it; None where nobody did."""


def read_facts(path: Path) -> OperatorFacts:
    """Read the operator's file.

    Raises:
        UsageError: It can't be read, is no TOML, or has other fields or types.
    """
    try:
        return parse_facts(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(BAD_FACTS, path=str(path), reason=error.strerror) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(BAD_FACTS, path=str(path), reason=str(error)) from error


def parse_facts(text: str) -> OperatorFacts:
    """Read the file's text; ValueError when it is not what it should be."""
    return msgspec.convert(tomllib.loads(text), OperatorFacts)


def template() -> str:
    """Return a file to fill in, its comments in the language that is set."""
    return (
        f"# {tr(_HEADING)}\n\n"
        f"# {tr(_JURISDICTION)}\n"
        'jurisdiction = ""\n\n'
        f"# {tr(_OPERATOR)}\n"
        'operator = ""\n\n'
        f"# {tr(_REQUESTS)}\n"
        "requests_received = 0\n"
    )


def dated(text: str, day: datetime.date) -> str:
    """Return the file's text with this day in it, everything else as it was.

    A line inside another text may look like the date: what was changed shows by reading it again.

    Raises:
        ValueError: It is not what it should be, or its date is written in no usual way.
    """
    wanted = msgspec.structs.replace(parse_facts(text), date=day)
    line = f"date = {day.isoformat()}"
    ways = [text[: it.start()] + line + text[it.end() :] for it in _DATE_LINE.finditer(text)]
    for way in (*ways, f"{text.rstrip()}\n\n{line}\n"):
        with contextlib.suppress(ValueError):
            if parse_facts(way) == wanted:
                return way
    raise ValueError("date")


class FactsFile:
    """The file as a running relay follows it."""

    def __init__(self, path: Path, first: OperatorFacts) -> None:
        """Follow a file.

        Args:
            path: The file, which may be absent.
            first: What it said when the relay started.
        """
        self._path = path
        self._facts = first
        self._stamp = self._look()

    @property
    def facts(self) -> OperatorFacts:
        """What it says now; what it said before when it can't be used."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._facts = read_facts(self._path) if stamp is not None else OperatorFacts()
            except UsageError:  # half written, or wrong: told to who signs it, not to who asks
                return self._facts
        return self._facts

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
