"""What a person looks for, as ways to find it: the index's expressions, and what to check.

The index answers a phrase of whole tokens at once, the newest first, however common its words are.
What it can't answer so is asked in another way. Half a syllable (하) is every syllable that begins
so; two initials are every word's first three that begin so; a lone consonant behind a syllable
(안ㄴ), and what stands between the syllables, is checked in the messages that have the rest. What
no token has (inside of Latin words, emoji, punctuation) is looked for in every message.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from exile_tui.core.searching import SearchFilter
from exile_tui.hangul import INITIALS, is_syllable, jamo
from exile_tui.store.search import (
    LINK,
    LINK_TAG,
    contact_tag,
    direction_tag,
    folded,
    jamo_alone,
    month_of,
    month_tag,
    spelled,
    syllables,
    year_tag,
)

LONGEST = 256
"""Characters of a query that are looked for; a pasted page would cost minutes, or be refused."""
LONGEST_PHRASE = 16
"""Characters that the index is asked for as one phrase, the rest is checked in what it finds: with
256 and half a syllable at the end it took 6 s at 100,000 messages."""
SHORTEST_BEGINNING = 3
"""Letters of a Latin word that the index completes; fewer begin too many words."""
_WILDCARDS = re.compile("[!%_]")
_END = re.compile(r"[가-힣]([ㄱ-ㅣ]?)\Z")
_WHOLE_SYLLABLES = re.compile(r"[가-힣](?:.*[가-힣])?", re.DOTALL)
_LATIN = re.compile(r"(?<![\w\x80-\U0010ffff])[a-z0-9]+(?![\w\x80-\U0010ffff])")
"""Words with nothing beside them that belongs to the same token in the index, as an accent does."""

_HOLDS = "holds(CAST(text AS BLOB), ?)"
_FITS = "fits(CAST(text AS BLOB), ?)"
_BEGINS_WORDS = "begins_words(CAST(text AS BLOB), ?)"
_CONTAINS = "(text LIKE ? ESCAPE '!' OR instr(CAST(text AS BLOB), ?) > 0)"
"""LIKE ends at a NUL, where a text may have one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One way to look."""

    match: str = ""
    """An FTS5 expression; empty for all messages."""
    condition: str = ""
    """SQL that must be true of a message; empty if the index alone decides."""
    parameters: tuple[str | bytes | int, ...] = ()
    """What the condition's question marks stand for."""
    slow: bool = False
    """The condition is computed by Python, not by SQLite."""


def steps(query: str, *, typing: bool = False) -> list[Step]:
    """Return the ways to look for a query: those that find it as it is, then what begins so.

    Args:
        query: As a person typed it; of a longer one its first 256 characters.
        typing: The last syllable may still be in the making: 안녀 finds 안녕, 안ㄴ too.
    """
    # SQLite would take what stands before a NUL, and no half of a surrogate pair.
    query = query[: 4 * LONGEST].replace("\0", " ").encode(errors="replace").decode()
    query = unicodedata.normalize("NFC", query)[:LONGEST]
    wanted = folded(query)
    if not wanted.strip():
        return []
    alone = jamo_alone(wanted)
    if all(each in INITIALS or each.isspace() for each in alone):
        return [_by_initials(alone.split())]
    if _WHOLE_SYLLABLES.search(wanted) is None:
        return [*_by_words(wanted), _by_scan(query, wanted)]
    return _by_syllables(wanted, typing=typing)


def narrowed(step: Step, only: SearchFilter) -> Step:
    """Return a step that keeps to a filter: by the index, and checked in the messages."""
    parts = [f"({step.match})"] if step.match else []
    conditions = [step.condition] if step.condition else []
    values = [*step.parameters]
    if only.contact_id is not None:
        parts.append(_tag(contact_tag(only.contact_id)))
        conditions.append("contact_id = ?")
        values.append(only.contact_id)
    if only.direction is not None:
        parts.append(_tag(direction_tag(only.direction.value)))
        conditions.append("direction = ?")
        values.append(only.direction.value)
    if only.has_link:
        parts.append(_tag(LINK_TAG))
        conditions.append("instr(CAST(text AS BLOB), ?) > 0")
        values.append(LINK.encode())
    if only.since_ms is not None or only.until_ms is not None:
        since_ms = _EVER[0] if only.since_ms is None else only.since_ms
        until_ms = _EVER[1] if only.until_ms is None else only.until_ms
        parts.append(f"({' OR '.join(map(_tag, _months(since_ms, until_ms)))})")
        conditions.append("stored_ms >= ? AND stored_ms < ?")
        values += [since_ms, until_ms]
    return Step(" AND ".join(parts), " AND ".join(conditions), tuple(values), step.slow)


def _by_initials(words: list[str]) -> Step:
    """Look for words that begin so, or for lone consonants as they were written."""
    parts, checked = [], []
    for word in words:
        if len(word) == 2:
            ways = (f'"{word}{more}"' for more in ("", *INITIALS))
            parts.append(f"initials:({' OR '.join(ways)})")
        elif len(word) > 2:
            parts.append(f'initials:"{word[:3]}"')
        if len(word) == 1 or len(word) > 3:
            checked.append(word)
    return Step(
        " AND ".join(parts),
        " AND ".join(_BEGINS_WORDS for _ in checked),
        tuple(map(_words_pattern, checked)),
        slow=bool(checked),
    )


def _by_syllables(wanted: str, *, typing: bool) -> list[Step]:
    whole = _WHOLE_SYLLABLES.search(wanted)
    assert whole is not None
    phrase, others = _phrase(whole[0]), _latin_words(wanted)
    match = " AND ".join((phrase, *others))
    exact = Step(match, _HOLDS, (wanted,), slow=True)
    end = _END.search(wanted) if typing else None
    if end is None:
        return [exact]
    if end[1]:
        # A lone letter at the end is the beginning of one more syllable, or stands there as it is.
        pattern = f"{re.escape(wanted[:-1])}[{end[1]}{_syllables_of(end[1])}]"
        return [Step(match, _FITS, (pattern,), slow=True)]
    before, last = whole[0][:-1], whole[0][-1]
    begun = _begun_by(last)
    if not begun:
        return [exact]
    if len(before) < LONGEST_PHRASE:
        phrase = f"({' OR '.join(_phrase(before + each) for each in begun)})"
    match = " AND ".join((phrase, *others))
    pattern = f"{re.escape(wanted[:-1])}[{''.join(begun)}]"
    return [exact, Step(match, _FITS, (pattern,), slow=True)]


def _phrase(text: str) -> str:
    """Return the phrase of a text that begins and ends with a syllable: only whole tokens."""
    beginning = _WHOLE_SYLLABLES.match(text[:LONGEST_PHRASE])
    assert beginning is not None
    text = beginning[0]
    # What is no letter parts tokens in the index too, quotation marks as well.
    return f'syllables:"{syllables(text).replace(chr(34), " ").strip()}"'


@cache
def _begun_by(syllable: str) -> tuple[str, ...]:
    """Return the syllables that are typed by going on after this one."""
    begun = jamo(syllable)
    first = ord("가") + (ord(syllable) - ord("가")) // 588 * 588
    others = (chr(code) for code in range(first, first + 588))
    return tuple(each for each in others if each != syllable and jamo(each).startswith(begun))


def _syllables_of(initial: str) -> str:
    """Return the syllables with an initial consonant as a range of a pattern; empty for others."""
    if initial not in INITIALS:
        return ""
    first = ord("가") + INITIALS.index(initial) * 588
    return f"{chr(first)}-{chr(first + 587)}"


def _words_pattern(word: str) -> str:
    """Return the pattern of words that begin with these consonants, or are these letters."""
    syllables = "".join(f"[{_syllables_of(each)}]" for each in word)
    return f"(?<![가-힣]){syllables}|(?<![ㄱ-ㅎ]){word}"


def _latin_words(wanted: str) -> list[str]:
    """Return expressions for the Latin words around syllables that the index has as they are."""
    # Each syllable apart, as in the index: the word in 링크zoom is whole, too.
    text = "".join(f" {spelled(each)} " if is_syllable(each) else each for each in wanted)
    found = []
    for word in _LATIN.finditer(text):
        if word.start() == 0:
            continue  # may be the end of a longer word
        if word.end() < len(text):
            found.append(f'syllables:"{word[0]}"')
        elif len(word[0]) >= SHORTEST_BEGINNING:
            found.append(f'syllables:"{word[0]}"*')
    return found


def _by_words(wanted: str) -> list[Step]:
    """Find words of letters, also those whose case is not ASCII's: whole ones, then beginnings."""
    if not any(each.isalpha() for each in wanted):
        return []
    tokens = "".join(each if each.isalnum() else " " for each in wanted).split()
    phrase = f'syllables:"{" ".join(tokens)}"'
    found = [Step(phrase, _HOLDS, (wanted,), slow=True)]
    if len(tokens[-1]) >= SHORTEST_BEGINNING and wanted[-1].isalnum():
        found.append(Step(f"{phrase}*", _HOLDS, (wanted,), slow=True))
    return found


def _by_scan(query: str, wanted: str) -> Step:
    """Look through all messages; SQLite knows the case of ASCII only, and is faster."""
    if any(each.lower() != each.upper() and not each.isascii() for each in query):
        return Step("", _HOLDS, (wanted,), slow=True)
    pattern = f"%{_WILDCARDS.sub(_escaped, query)}%"
    return Step("", _CONTAINS, (pattern, query.encode()))


def _escaped(wildcard: re.Match[str]) -> str:
    return f"!{wildcard[0]}"


def _tag(tag: str) -> str:
    return f'syllables:"{tag}"'


_EVER = (-(2**63), 2**63 - 1)


def _months(since_ms: int, until_ms: int) -> list[str]:
    """Return the tags of the months that a time touches, of whole years as one."""
    (year, month), (last_year, last_month) = month_of(since_ms), month_of(until_ms)
    found = []
    while (year, month) <= (last_year, last_month):
        if month == 1 and (year < last_year or last_month == 12):
            found.append(year_tag(year))
            year += 1
        else:
            found.append(month_tag(year, month))
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found or [month_tag(year, month)]  # of a time that ends before it begins: nothing fits
