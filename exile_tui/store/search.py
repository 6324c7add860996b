"""Search: what the index holds of a text.

SQLite's own tokenizers find a Hangul word only from its start. Here each syllable is one token,
spelled in the jamo that are typed for it (안녕 is `ㅇㅏㄴ ㄴㅕㅇ`), so that a phrase finds any run
of syllables. A second column holds the first consonants of each word. In front of the syllables
stand tags: whose conversation, who wrote it, which month and year, whether it has a link; so that
a filter is one more word to look for, and costs no reading of the messages that it leaves out.

SQLite answers `word*` by merging everything that begins so, seconds at a million messages. So no
query uses it where much begins so: see `queries`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from unicodedata import category

from exile_tui.hangul import initials as initial_consonants
from exile_tui.hangul import jamo

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
"""The first index and what kept it: the statements of migration 4."""

INDEX = (
    "DROP TRIGGER message_indexed",
    "DROP TRIGGER message_unindexed",
    "DROP TABLE message_fts",
    # Sizes of columns are for ranking; here the newest comes first.
    "CREATE VIRTUAL TABLE message_fts USING fts5(syllables, initials, content='', columnsize=0,"
    " tokenize='unicode61 remove_diacritics 0')",
    # Otherwise the tokens of a deleted line stay in the file until their segment is merged.
    "INSERT INTO message_fts (message_fts, rank) VALUES ('secure-delete', 1)",
    """CREATE TRIGGER message_indexed AFTER INSERT ON message WHEN NEW.kind = 'text' BEGIN
        INSERT INTO message_fts (rowid, syllables, initials) VALUES (NEW.id,
            tokens(CAST(NEW.text AS BLOB), NEW.contact_id, NEW.direction, NEW.stored_ms),
            initials(CAST(NEW.text AS BLOB)));
    END""",
    # An index without content forgets a line only when it is told the line's tokens.
    """CREATE TRIGGER message_unindexed AFTER DELETE ON message WHEN OLD.kind = 'text' BEGIN
        INSERT INTO message_fts (message_fts, rowid, syllables, initials) VALUES ('delete', OLD.id,
            tokens(CAST(OLD.text AS BLOB), OLD.contact_id, OLD.direction, OLD.stored_ms),
            initials(CAST(OLD.text AS BLOB)));
    END""",
    "INSERT INTO message_fts (rowid, syllables, initials) SELECT id,"
    " tokens(CAST(text AS BLOB), contact_id, direction, stored_ms),"
    " initials(CAST(text AS BLOB)) FROM message WHERE kind = 'text' ORDER BY id",
)
"""The index and what keeps it: a migration's statements."""

LONGEST_INITIALS = 3
"""Consonants that are kept of a word: what two begin is then found among twenty words."""
MOST_MARKS = 30
"""Combining marks in a row that are looked at, as many as a receiver keeps."""
LINK = "://"
"""What a text with a link has; a database's index may rest on it."""
_TAG = "\ue000"
"""For private use: nobody types it, and what does contain it is only looked at once more."""
FIRST_YEAR, LAST_YEAR = 2010, 2049
"""Years that have a tag of their own; what lies outside counts to the nearer one."""
_SYLLABLES = re.compile(r"[가-힣]+")
_WORDS = re.compile(r"[가-힣]+|[ㄱ-ㅎ]+")
_PAIRS = {code: jamo(chr(code)) for code in range(ord("ㄱ"), ord("ㅎ") + 1)}


def folded(text: str) -> str:
    """Return the form in which texts are compared: NFC, without case."""
    if text.isascii():
        return text.lower()
    text = _in_short_rows(text)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _in_short_rows(text: str) -> str:
    """Return the text with the first MOST_MARKS of each row of combining marks.

    Sorting a row takes the square of its length, seconds for 30,000. What contacts send has no
    longer rows; what was imported, or pasted here, may have.
    """
    for character in text[MOST_MARKS :: MOST_MARKS + 1]:  # no longer row lies between these
        if category(character)[0] == "M":
            break
    else:
        return text
    kept: list[str] = []
    row = 0
    for character in text:
        row = row + 1 if category(character)[0] == "M" else 0
        if row <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def syllables(text: str) -> str:
    """Return a text's tokens: every syllable its own, spelled in jamo; other words as they are."""
    return _SYLLABLES.sub(_spelled_run, folded(text)).replace("\0", " ")


def tokens(text: str, contact_id: int, direction: str, stored_ms: int) -> str:
    """Return a message's tokens: its tags, then its text's."""
    year, month = month_of(stored_ms)
    tags = [contact_tag(contact_id), direction_tag(direction), year_tag(year)]
    tags.append(month_tag(year, month))
    if LINK in text:
        tags.append(LINK_TAG)
    return " ".join([*tags, syllables(text)])


def initials(text: str) -> str:
    """Return the first consonants of each word, three at most; lone ones are a word too."""
    words = _WORDS.findall(jamo_alone(folded(text)))
    return " ".join(initial_consonants(word[:LONGEST_INITIALS]) for word in words)


def jamo_alone(text: str) -> str:
    """Return a text with lone pairs as they were typed: input methods make ㄳ of ㄱ and ㅅ."""
    return text if text.isascii() else text.translate(_PAIRS)


def holds(text: str, wanted: str) -> bool:
    """Tell whether a text holds another that is folded."""
    return wanted in folded(text)


def fits(text: str, pattern: str) -> bool:
    """Tell whether a pattern fits somewhere in a folded text."""
    return re.search(pattern, folded(text)) is not None


def begins_words(text: str, pattern: str) -> bool:
    """Tell whether a pattern of first consonants fits a text."""
    return re.search(pattern, jamo_alone(folded(text))) is not None


def contact_tag(contact_id: int) -> str:
    """Return what marks the messages of a conversation."""
    return f"{_TAG}c{contact_id}"


def direction_tag(direction: str) -> str:
    """Return what marks the messages of one side."""
    return f"{_TAG}{direction}"


def year_tag(year: int) -> str:
    """Return what marks the messages of a year."""
    return f"{_TAG}y{year}"


def month_tag(year: int, month: int) -> str:
    """Return what marks the messages of a month."""
    return f"{_TAG}m{year}{month:02}"


LINK_TAG = f"{_TAG}link"
"""What marks the messages with a link."""


def month_of(stored_ms: int) -> tuple[int, int]:
    """Return the year and month of a moment in UTC, the nearest that have tags."""
    if stored_ms < _FIRST_MS:
        return FIRST_YEAR, 1
    if stored_ms >= _LAST_MS:
        return LAST_YEAR, 12
    at = datetime.fromtimestamp(stored_ms / 1000, UTC)
    return at.year, at.month


_FIRST_MS = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()) * 1000
_LAST_MS = int(datetime(LAST_YEAR, 12, 1, tzinfo=UTC).timestamp()) * 1000


def spelled(run: str) -> str:
    """Return the tokens of a run of syllables."""
    return " ".join(jamo(syllable) for syllable in run)


def _spelled_run(run: re.Match[str]) -> str:
    return f" {spelled(run[0])} "
