"""Search: an index of syllables and initial consonants, and a scan for what it can't find.

SQLite's own tokenizers find a Hangul word only from its start. Here each syllable is one token,
spelled in the jamo that are typed for it (안녕 is `ㅇㅏㄴ ㄴㅕㅇ`), so that a phrase finds any run
of syllables, and a prefix on its last token half a syllable. A second column holds the initial
consonants of each word. What no token can find (inside of Latin words, emoji, punctuation) is
looked for by LIKE, from the newest message back.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from exile_tui.hangul import INITIALS, is_syllable, jamo
from exile_tui.hangul import initials as initial_consonants

TABLE = (
    "CREATE VIRTUAL TABLE message_fts USING fts5(syllables, initials, content='',"
    " tokenize='unicode61 remove_diacritics 0')",
    # Otherwise the tokens of a deleted line stay in the file until their segment is merged.
    "INSERT INTO message_fts (message_fts, rank) VALUES ('secure-delete', 1)",
    """CREATE TRIGGER message_indexed AFTER INSERT ON message WHEN NEW.kind = 'text' BEGIN
        INSERT INTO message_fts (rowid, syllables, initials) VALUES (NEW.id,
            syllables(CAST(NEW.text AS BLOB)), initials(CAST(NEW.text AS BLOB)));
    END""",
    # An index without content forgets a line only when it is told the line's tokens.
    """CREATE TRIGGER message_unindexed AFTER DELETE ON message WHEN OLD.kind = 'text' BEGIN
        INSERT INTO message_fts (message_fts, rowid, syllables, initials) VALUES ('delete', OLD.id,
            syllables(CAST(OLD.text AS BLOB)), initials(CAST(OLD.text AS BLOB)));
    END""",
    "INSERT INTO message_fts (rowid, syllables, initials) SELECT id,"
    " syllables(CAST(text AS BLOB)), initials(CAST(text AS BLOB)) FROM message"
    " WHERE kind = 'text' ORDER BY id",
)
"""The index and what keeps it: a migration's statements."""

LONGEST = 256
"""Characters of a query that are looked for; a pasted page would cost minutes, or be refused."""
_SYLLABLES = re.compile(r"[가-힣]+")
_WILDCARDS = re.compile("[!%_]")
_END = re.compile(r"[가-힣]+([ㄱ-ㅣ]?)\Z")


def folded(text: str) -> str:
    """Return the form in which texts are compared: NFC, without case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def syllables(text: str) -> str:
    """Return a text's tokens: every syllable its own, spelled in jamo; other words as they are."""
    return _SYLLABLES.sub(lambda run: f" {_spelled(run[0])} ", folded(text)).replace("\0", " ")


def initials(text: str) -> str:
    """Return the initial consonants of each word that has Hangul."""
    words = re.findall(r"[가-힣ㄱ-ㅎ]+", folded(text))
    return " ".join(initial_consonants(word) for word in words)


def boundaries(text: str) -> str:
    """Return a text with each syllable spelled behind a mark, so that half of one is a prefix."""
    return "".join(f"\0{jamo(each)}" if is_syllable(each) else each for each in folded(text))


def _spelled(run: str) -> str:
    return " ".join(jamo(syllable) for syllable in run)


@dataclass(frozen=True, slots=True)
class Step:
    """One way to look: by the index, or through all messages where `match` is empty."""

    match: str = ""
    """An FTS5 expression."""
    scan: str = ""
    """What the text contains; case makes no difference in ASCII."""
    holds: str = ""
    """What the folded text must contain; empty where the index alone decides."""
    begins: str = ""
    """What `boundaries` of the text must contain."""

    @property
    def pattern(self) -> str:
        """What is scanned for as LIKE's pattern, ! being its escape."""
        return f"%{_WILDCARDS.sub(_escaped, self.scan)}%"


def _escaped(wildcard: re.Match[str]) -> str:
    return f"!{wildcard[0]}"


def steps(query: str, *, typing: bool = False) -> list[list[Step]]:
    """Return the ways to look for a query: those that find it as it is, then what begins so.

    Args:
        query: As a person typed it; of a longer one its first 256 characters.
        typing: The last syllable may still be in the making: 안녀 finds 안녕, 안ㄴ too.
    """
    # SQLite would take what stands before a NUL.
    query = unicodedata.normalize("NFC", query).replace("\0", " ")[:LONGEST]
    wanted = folded(query)
    if not wanted.strip():
        return []
    letters = [each for each in wanted if not each.isspace()]
    if all(each in INITIALS for each in letters):
        return [[Step(match=_by_initials(wanted))]]
    runs = _SYLLABLES.findall(wanted)
    if not runs:
        return [[Step(scan=query), *_words(wanted)]]
    found = [[Step(match=" AND ".join(map(_phrase, runs)), holds=wanted)]]
    end = _END.search(wanted)
    if typing and end is not None:
        *whole, _ = runs
        started = f'syllables:"{_spelled(end[0])}"*'
        match = " AND ".join([*map(_phrase, whole), started])
        # A lone letter at the end is the beginning of one more syllable.
        begins = f"{boundaries(wanted[: end.start(1)])}\0{end[1]}" if end[1] else boundaries(wanted)
        found.append([Step(match=match, begins=begins)])
    return found


def _by_initials(wanted: str) -> str:
    """Look for words that begin so, or for lone consonants as they were written."""
    words = wanted.split()
    return " AND ".join(f'(initials:"{word}"* OR syllables:"{word}"*)' for word in words)


def _phrase(run: str) -> str:
    return f'syllables:"{_spelled(run)}"'


def _words(wanted: str) -> list[Step]:
    """Find words of letters whose case is not ASCII's."""
    tokens = "".join(each if each.isalnum() else " " for each in wanted).split()
    if not any(each.isalpha() for each in wanted):
        return []
    return [Step(match=" AND ".join(f'syllables:"{each}"*' for each in tokens), holds=wanted)]
