"""What a search found: where a text has it, a line about it, and walking from hit to hit."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from exile_tui.core.model import Message
from exile_tui.core.searching import SearchFilter, SearchPage, SearchPlace
from exile_tui.hangul import INITIALS, compose, is_syllable, jamo, keys
from exile_tui.text import cell_len, graphemes, nfc

HITS_AT_ONCE = 50
_BEFORE_HIT = 200
"""Characters before a hit that a line may show of a long text."""
_WORDS = re.compile(r"[가-힣]+|[ㄱ-ㅎ]+")
_FIRST = ord("가")

Span = tuple[int, int]


class Search(Protocol):
    """`Messenger.search`."""

    def __call__(
        self,
        query: str,
        only: SearchFilter,
        limit: int,
        *,
        typing: bool,
        after: SearchPlace | None,
    ) -> Awaitable[SearchPage]:
        """Return a page."""
        ...


@dataclass
class SearchWalk:
    """A query, its hits in their order, and the one to go to; loads more hits as it goes.

    The order is the list's: what contains the query, the newest first, then what begins so.
    """

    search: Search
    query: str
    only: SearchFilter = field(default_factory=SearchFilter)
    hits: list[Message] = field(default_factory=list)
    rest: SearchPlace | None = None
    """Where more would be looked for; None when everything was looked through."""
    position: int = 0

    @property
    def current(self) -> Message:
        """The hit that one stands on; there must be one."""
        return self.hits[self.position]

    async def next(self) -> Message | None:
        """Go to the next, older hit and return it; None, staying, when there is none."""
        while self.position + 1 >= len(self.hits) and self.rest is not None:
            await self.load()
        if self.position + 1 >= len(self.hits):
            return None
        self.position += 1
        return self.current

    def previous(self) -> Message | None:
        """Go to the hit before, the newer one, and return it; None, staying, at the first."""
        if self.position == 0 or not self.hits:
            return None
        self.position -= 1
        return self.current

    async def load(self) -> int:
        """Look through the next part; return how many hits it added, each message once."""
        page = await self.search(self.query, self.only, HITS_AT_ONCE, typing=True, after=self.rest)
        known = {hit.id for hit in self.hits}
        new = [hit for hit in page.hits if hit.id not in known]
        self.hits += new
        self.rest = page.rest
        return len(new)


# -- where it is ------------------------------------------------------------------------------


def match_spans(text: str, query: str) -> list[Span]:
    """Return where a text has a query: first and past-the-end index of each place, in order.

    As the search finds: without case, half a syllable in the whole one, initials where a word
    begins. What is only begun is marked only where nothing fits exactly.

    Args:
        text: As it is shown: sanitised, NFC. The indexes are those of its characters.
        query: As it was typed.
    """
    wanted = nfc(nfc(query).casefold())
    if not wanted.strip():
        return []
    letters = "".join(wanted.split())
    if all(each in INITIALS for each in jamo(letters)) and not any(map(is_syllable, letters)):
        return _by_initials(text, [jamo(word) for word in wanted.split()])
    folded, places = _folded(text)
    found = [match.span() for match in re.finditer(re.escape(wanted), folded)]
    if not found and (pattern := _begun(wanted)):
        found = [match.span() for match in re.finditer(pattern, folded)]
    return [(places[start], places[end - 1] + 1) for start, end in found]


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the text without case, and of which character each of its characters is."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    pieces, places = [], []
    for place, character in enumerate(text):
        folded = character.casefold()
        pieces.append(folded)
        places += [place] * len(folded)
    return "".join(pieces), places


def _begun(wanted: str) -> str:
    """Return a pattern for a query whose last syllable is in the making; empty for others."""
    last = wanted[-1]
    if is_syllable(last):
        first = _FIRST + (ord(last) - _FIRST) // 588 * 588
        begun = [chr(code) for code in range(first, first + 588)]
        ways = "".join(each for each in begun if jamo(each).startswith(jamo(last)))
    elif last in INITIALS and len(wanted) > 1 and is_syllable(wanted[-2]):
        first = _FIRST + INITIALS.index(last) * 588
        ways = f"{chr(first)}-{chr(first + 587)}"
    else:
        return ""
    return f"{re.escape(wanted[:-1])}[{ways}]"


def _by_initials(text: str, wanted: Sequence[str]) -> list[Span]:
    spans = []
    for word in _WORDS.finditer(text):
        sounds, places = "", []
        for place, character in enumerate(word[0], start=word.start()):
            # A lone ㄳ is ㄱ and ㅅ, as they were typed.
            sound = jamo(character)[:1] if is_syllable(character) else jamo(character)
            sounds += sound
            places += [place] * len(sound)
        lengths = [len(each) for each in wanted if sounds.startswith(each)]
        if lengths:
            spans.append((word.start(), places[max(lengths) - 1] + 1))
    return spans


def around(text: str, query: str, cells: int) -> tuple[str, list[Span]]:
    """Return what fits of a text, around the first place that has the query, and the places in it.

    Args:
        text: One line, sanitised, NFC.
        query: As it was typed.
        cells: The room.
    """
    spans = match_spans(text, query)
    if not spans or cell_len(text[: spans[0][1] + 8]) <= cells:
        start, head = 0, ""
    else:
        # A third of the room goes before the hit, in whole graphemes.
        start, head = spans[0][0], ".."
        used = 0
        for cluster in reversed(graphemes(text[max(0, start - _BEFORE_HIT) : start])):
            used += cell_len(cluster)
            if used > cells // 3 - len(head):
                break
            start -= len(cluster)
    kept, used, tail = [], len(head), ""
    rest = text[start : start + 4 * cells]
    whole = cell_len(rest) + used <= cells and start + len(rest) == len(text)
    room = cells if whole else cells - 2
    for cluster in graphemes(rest):
        used += cell_len(cluster)
        if used > room:
            tail = ".."
            break
        kept.append(cluster)
    shown = "".join(kept)
    if not whole:
        tail = ".."
    end, shift = start + len(shown), len(head) - start
    inside = [
        (max(a, start) + shift, min(b, end) + shift) for a, b in spans if start < b and a < end
    ]
    return f"{head}{shown}{tail}", inside


def other_mode(query: str) -> str:
    """Return what the same keys are in the other input mode; empty if that makes no sense.

    `dkssud` is 안녕; ㅗ디ㅣㅐ is hello. Only whole syllables, and only letters, make sense.
    """
    query = nfc(query).strip()
    if query.isascii():
        turned = compose(query)
        letters = [each for each in turned if not (each.isspace() or each.isdigit())]
        return turned if letters and all(map(is_syllable, letters)) else ""
    turned = keys(query)
    plain = turned.isascii() and any(map(str.isalpha, turned))
    return turned if plain and turned != query else ""
