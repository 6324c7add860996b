"""No sentence is left in the code: whatever a person reads goes through the catalog."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import exile_tui
import exile_tui.errors

PACKAGE = Path(exile_tui.__file__).parent
ERRORS = {
    name
    for name, value in vars(exile_tui.errors).items()
    if isinstance(value, type) and issubclass(value, exile_tui.errors.ExileError)
}
SHOWS = {
    *("Static", "Button", "Label", "Checkbox", "Option", "Choice", "Content", "Notice"),
    *("notify", "update", "ask", "styled", "say", "write", "print", "assemble"),
}
"""Calls whose first strings a person sees."""
NAMED = {"placeholder", "tooltip", "help", "title", "description", "prompt", "label"}
"""Arguments that a person sees, wherever they are."""
SAME_EVERYWHERE = {"한국어", "English", "exile-tui", "exile-tui relay", "QR"}
"""Written the same in every language: a language is named in itself."""


def words(text: str) -> bool:
    """Tell whether a text has a word: two letters in a row, and not only a name for machines."""
    if (
        text.rstrip(": ") in SAME_EVERYWHERE
        or "$" in text
        or text.startswith(("#", "\x1b", "http"))
    ):
        return False
    return any(a.isalpha() and b.isalpha() for a, b in pairwise(text)) and (
        " " in text or text[0].isupper()
    )


def called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def literals(node: ast.expr) -> Iterator[str]:
    """Yield the text of a literal, of the fixed parts of an f-string, and of what joins them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
    elif isinstance(node, ast.BinOp):
        yield from literals(node.left)
        yield from literals(node.right)
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.Tuple) and node.elts:
        yield from literals(node.elts[0])


def left_in(source: str) -> list[str]:
    """Return what a person would read in one language only, as `line: text`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        seen: list[ast.expr] = []
        if name in SHOWS:
            seen += node.args
        elif name in ERRORS:
            seen += node.args[:1]
        elif name == "Binding":
            seen += node.args[2:3]
        seen += [each.value for each in node.keywords if each.arg in NAMED]
        found += [
            f"{node.lineno}: {text!r}" for each in seen for text in literals(each) if words(text)
        ]
    return found


@pytest.mark.parametrize(
    "file",
    [
        file
        for folder in ("ui", "cli", "core", "relay", "store", "transport", "demo")
        for file in sorted((PACKAGE / folder).rglob("*.py"))
    ],
    ids=lambda file: str(file.relative_to(PACKAGE)),
)
def test_no_sentence_is_left_in_the_code(file: Path) -> None:
    assert left_in(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        'Static("Nobody is here")',
        'self.notify(f"Saved as {file}")',
        'raise UsageError("This does not work")',
        'Binding("f1", "help", "Help")',
        'Button("Send", id="send")',
        'field(placeholder="Write here")',
        'Content.assemble(("Me and you", "bold"), tr("x"))',
        'print("Done now" if done else tr("x"))',
    ],
)
def test_a_forgotten_sentence_is_found(source: str) -> None:
    assert len(left_in(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        'Static(tr("Nobody is here"))',
        'raise UsageError(N_("This does not work"))',
        'Static(id="who here", classes="a b")',
        'Content.styled(name, "bold $foreground")',
    ],
)
def test_what_is_in_the_catalog_is_no_find(source: str) -> None:
    assert left_in(source) == []
