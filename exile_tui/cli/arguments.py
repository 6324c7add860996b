"""argparse as the command line needs it: Korean measured in cells, errors of one sentence."""

from __future__ import annotations

import argparse
import unicodedata
from typing import NoReturn

from exile_tui.errors import N_, UsageError

ARGPARSE_WORDS = (
    N_("usage: "),
    N_("options"),
    N_("positional arguments"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("expected one argument"),
    N_("ignored explicit argument %r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("invalid %(type)s value: %(value)r"),
    N_("not allowed with argument %s"),
    N_("one of the arguments %s is required"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
)
"""What argparse itself says, so that the catalog has it."""


class Formatter(argparse.HelpFormatter):
    """Wrap help by the cells of a terminal: a Hangul syllable takes two."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap_cells(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in wrap_cells(text, width - len(indent)))


def wrap_cells(text: str, width: int) -> list[str]:
    """Break at spaces into lines of at most `width` cells; a longer word stays whole."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _cells(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises in place of printing its usage and exiting."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments.

        Raises:
            UsageError: Always, in one sentence.
        """
        raise UsageError(
            N_("{problem}; see '{command} --help'."),
            problem=message,
            command=self.prog,
        )
