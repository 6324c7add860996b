"""Find names and commands while typing: by part, by initials (ㄱㅎㄴ finds 김하늘), in any mode.

Both sides are spelled in the keys that type them. So 하 and 한 and 하느 all lead to 하늘, whatever
an input method has put together so far, and a query that was typed in the wrong mode is the same
keys as in the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from exile_tui.hangul import compose, is_syllable, jamo, keys
from exile_tui.text import nfc

Item = TypeVar("Item")

WHOLE, START, WORD, INSIDE = 100, 80, 60, 40
"""What a match is worth by its place; shortened less, in the wrong mode a quarter."""
_SHORTENED = 10
_FEWEST_KEYS = 2
"""One key of the wrong mode is in nearly everything."""


def score(query: str, *texts: str) -> int:
    """Return how well the best of the texts fits a query: 0 not at all, 100 is the same.

    An empty query is in everything, equally well. The words of a query may stand in any order.
    """
    words = nfc(query).casefold().split()
    if not words:
        return 1
    best = max((_score("".join(words), text) for text in texts), default=0)
    if best or len(words) == 1:
        return best
    return max((min(_score(word, text) for word in words) // 2 for text in texts), default=0)


def matches(query: str, *texts: str) -> bool:
    """Return whether any of the texts fits the query."""
    return score(query, *texts) > 0


def best(query: str, items: Iterable[Item], texts: Callable[[Item], Iterable[str]]) -> list[Item]:
    """Return the items that fit a query, the best first, equals in their own order.

    Args:
        query: What was typed; nothing keeps all items as they are.
        items: What there is.
        texts: The names of an item.
    """
    scored = [(score(query, *texts(item)), item) for item in items]
    scored.sort(key=lambda pair: -pair[0])
    return [item for points, item in scored if points]


def name_order(name: str) -> tuple[int, str]:
    """Return a key that sorts 가나다 first, then Latin, then the rest."""
    folded = nfc(name).casefold()
    first = folded[:1]
    group = 0 if is_syllable(first) else 1 if first.isascii() and first.isalpha() else 2
    return group, folded


def _score(wanted: str, text: str) -> int:
    folded, words = _without_spaces(text)
    spelled = [jamo(character) for character in folded]
    letters = _best_place(_spelled_at(jamo(wanted), spelled), words)
    if letters and jamo(wanted) == "".join(spelled):
        return WHOLE
    shortened = _best_place(_shortened_at(wanted, spelled), words) - _SHORTENED
    return max(letters, shortened) if letters or shortened > 0 else _wrong_mode(wanted, text)


def _wrong_mode(wanted: str, text: str) -> int:
    """Score a query that was typed in the other mode.

    Latin words are found only from where they begin: any few keys are inside of some.
    """
    pressed = keys(wanted).casefold()
    if len(pressed) < _FEWEST_KEYS:
        return 0
    folded, words = _without_spaces(text)
    places = words | {at for at, character in enumerate(folded) if is_syllable(character)}
    units = [keys(character).casefold() for character in folded]
    found = _best_place((at for at in _spelled_at(pressed, units) if at in places), words)
    if not found and wanted.isascii() and wanted.isalpha():
        spelled = [jamo(character) for character in folded]
        found = START if 0 in _shortened_at(compose(wanted), spelled) else 0
    return found // 4


def _without_spaces(text: str) -> tuple[str, set[int]]:
    """Return the text without its spaces, and where its words began."""
    folded, words = "", set()
    for word in nfc(text).casefold().split():
        words.add(len(folded))
        folded += word
    return folded, words


def _spelled_at(wanted: str, units: Sequence[str]) -> Iterator[int]:
    """Yield the characters from which on the spelling is the wanted one."""
    joined, offset = "".join(units), 0
    for place, unit in enumerate(units):
        if joined.startswith(wanted, offset):
            yield place
        offset += len(unit)


def _shortened_at(wanted: str, units: Sequence[str]) -> Iterator[int]:
    """Yield the characters from which on each begins as typed: ㄱ or 하 for 한."""
    pieces = [piece for character in wanted for piece in _pieces(character)]
    for place in range(len(units) - len(pieces) + 1):
        there = units[place : place + len(pieces)]
        if all(unit.startswith(piece) for unit, piece in zip(there, pieces, strict=True)):
            yield place


def _pieces(character: str) -> Sequence[str]:
    """Return a syllable's spelling, or both consonants of a lone pair: ㄳ was typed for ㄱㅅ."""
    return (jamo(character),) if is_syllable(character) else jamo(character)


def _best_place(places: Iterable[int], words: set[int]) -> int:
    worth = (START if at == 0 else WORD if at in words else INSIDE for at in places)
    return max(worth, default=0)
