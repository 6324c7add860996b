"""Lay a conversation out as lines: days, senders, times, delivery. Pure; no widgets.

What is ours (time, delivery) stands in a column of its own before a person's text, never after:
terminals disagree on the width of some emoji, and nothing of ours may be pushed aside by them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from operator import itemgetter

from exile_tui import locale
from exile_tui.clock import HOUR_MS, MINUTE_MS
from exile_tui.core.model import Contact, Delivery, Direction, Message, MessageKind, Reason
from exile_tui.locale import dates, tr, tr_n
from exile_tui.text import cell_len, cut, sanitize_terminal_text, wrap
from exile_tui.ui.searching import match_spans
from exile_tui.ui.themes import NAMES
from exile_tui.ui.words import Marks, contact_name, reason_words

TOGETHER_MS = 10 * 60 * 1000
"""Messages of one sender within this time stand under one name."""
MOST_ROWS = 600
"""Rows of one message that are shown: 60 KB of line breaks are one message, too."""
MOST_CHARACTERS = 20_000
"""The same in characters; a screen is laid out with a hundred messages around it."""
MOST_DAYS = 2_000
"""Moments of which the day is kept."""
NARROWEST_TEXT = 8
WIDEST_NOTICE = 76

NOTICES = frozenset({MessageKind.MISSING, MessageKind.POSSIBLE_COPY})
"""Kinds that nobody wrote: they stand in the middle, under no name."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some text in one style, a component class's suffix."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the conversation."""

    spans: tuple[Span, ...]
    seq: int = 0
    """The message that it belongs to; 0 for a separator."""

    @property
    def plain(self) -> str:
        """The row without styles."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Timeline:
    """What decides how a conversation looks."""

    contact: Contact
    width: int
    now_ms: int
    own_name: str
    first_unread: int = 0
    """The message that "unread from here" stands before; 0 for none."""
    hours_24: bool = False
    query: str = ""
    """What is searched for, marked wherever it stands."""
    marks: Marks = field(default_factory=Marks)
    wrapped: dict[tuple[str, int], list[str]] = field(default_factory=dict, repr=False)
    """Texts that were wrapped before; whoever shows the lines keeps it, and drops it with them."""
    days: dict[int, date] = field(default_factory=dict, repr=False)
    """On which day a moment is here: each is asked for five times."""

    def lines(
        self,
        messages: Sequence[Message],
        before: Message | None = None,
        following: Message | None = None,
    ) -> list[Line]:
        """Lay out messages in their order.

        Args:
            messages: Some that follow one another.
            before: The one before them; None at the beginning of the conversation.
            following: The one behind them; None at its end.
        """
        found: list[Line] = []
        for index, message in enumerate(messages):
            after = messages[index + 1] if index + 1 < len(messages) else following
            separators = list(self._separators(before, message))
            found += separators
            alone = bool(separators) or not _together(before, message)
            if alone and not separators:
                found.append(Line(()))
            if message.kind in NOTICES:
                found += self._notice(message)
            else:
                found += self._message(before, message, after, alone=alone)
            before = message
        return found

    # Between messages

    def _separators(self, before: Message | None, message: Message) -> Iterator[Line]:
        day = self._day(message.stored_ms)
        new_day = before is None or self._day(before.stored_ms) != day
        if before is not None and (new_day or message.seq == self.first_unread):
            yield Line(())
        if new_day:
            yield self._rule(dates.full_date(message.stored_ms), "day")
            yield Line(())
        if message.seq == self.first_unread:
            yield self._rule(tr("unread from here"), "unread")
            yield Line(())

    def _rule(self, text: str, style: str) -> Line:
        text = cut(text, self.width)
        side = max(0, min(12, (self.width - cell_len(text) - 4) // 2))
        rule = self.marks.rule * side
        left = " " * max(0, (self.width - cell_len(text) - 2 * side - 2) // 2)
        return Line((Span(f"{left}{rule} {text} {rule}", style),))

    def _notice(self, message: Message) -> Iterator[Line]:
        rows = wrap(_notice_text(message), min(self.width - 2, WIDEST_NOTICE))
        left = " " * max(0, (self.width - max(map(cell_len, rows))) // 2)
        for row in rows:
            yield Line((Span(left + row, "problem"),), message.seq)

    # Messages

    @property
    def _column(self) -> int:
        """The cells of the column of times, and of the words on delivery under them."""
        return _column_width(locale.language(), self.hours_24)

    def _message(
        self, before: Message | None, message: Message, after: Message | None, *, alone: bool
    ) -> Iterator[Line]:
        own = message.direction is Direction.OUT
        bar = Span(f" {self.marks.bar} ", "mine" if own else "peer")
        shown_ms = self._shown_ms(message)
        time = dates.time_of_day(shown_ms, hours_24=self.hours_24)
        minute = shown_ms // MINUTE_MS
        shown = alone or before is None or self._shown_ms(before) // MINUTE_MS != minute
        if alone:
            name = self.own_name if own else contact_name(self.contact)
            style = "mine-name" if own else NAMES[self.contact.id % len(NAMES)]
            room = max(NARROWEST_TEXT, self.width - self._column - 3)
            yield Line((self._aside(time), bar, Span(cut(name, room), style)), message.seq)
            shown = False
        aside = self._state(message, after) if own else Span("")
        if not aside.text and shown:
            aside = Span(time, "aside")
        for row in self._rows(message, bar):
            yield replace(row, spans=(self._aside(aside.text, aside.style), *row.spans))
            aside = Span("")

    def _day(self, at_ms: int) -> date:
        day = self.days.get(at_ms)
        if day is None:
            if len(self.days) >= MOST_DAYS:
                self.days.clear()
            day = self.days[at_ms] = dates.local(at_ms).date()
        return day

    def _shown_ms(self, message: Message) -> int:
        """Return when it was written, as far as the sender can be believed: on the day it came."""
        same_day = self._day(message.sent_ms) == self._day(message.stored_ms)
        believed = same_day and message.sent_ms <= message.stored_ms
        return message.sent_ms if believed else message.stored_ms

    def _rows(self, message: Message, bar: Span) -> Iterator[Line]:
        room = max(NARROWEST_TEXT, self.width - self._column - 3)
        if message.kind is MessageKind.NEWER:
            text, style = tr("A newer version of exile-tui is needed to read this."), "notice"
        else:
            text, style = sanitize_terminal_text(message.text), "text"
        rows = self._wrap(text[:MOST_CHARACTERS], room)
        whole = len(text) <= MOST_CHARACTERS and len(rows) <= MOST_ROWS
        rows = rows[:MOST_ROWS]
        for row, hits in zip(rows, self._hits(text[:MOST_CHARACTERS], rows), strict=True):
            yield Line((bar, *_marked(row, style, hits)), message.seq)
        for row in () if whole else wrap(tr("This goes on. Copy the message to read all."), room):
            yield Line((bar, Span(row, "notice")), message.seq)
        for row in wrap(self._why(message), room) if self._why(message) else ():
            failed = message.delivery is Delivery.FAILED
            yield Line((bar, Span(row, "problem" if failed else "aside")), message.seq)

    def _hits(self, text: str, rows: Sequence[str]) -> Iterator[list[tuple[int, int]]]:
        """Yield for each row where in it the query stands, also across the end of a row."""
        hits = match_spans(text, self.query) if self.query else []
        at = 0
        for row in rows:
            found = text.find(row, at) if hits else -1
            if found < 0:  # a tab became spaces
                yield match_spans(row, self.query) if hits else []
                continue
            at = found + len(row)
            # In order and apart: those of a row follow one another.
            first = bisect_right(hits, found, key=itemgetter(1))
            last = bisect_left(hits, at, lo=first, key=itemgetter(0))
            yield [
                (max(start, found) - found, min(end, at) - found) for start, end in hits[first:last]
            ]

    def _wrap(self, text: str, room: int) -> list[str]:
        rows = self.wrapped.get((text, room))
        if rows is None:
            rows = self.wrapped[text, room] = wrap(text, room)
        return rows

    def _why(self, message: Message) -> str:
        """Return the sentence under a message that did not go its way."""
        if message.delivery is Delivery.FAILED:
            return tr("Not delivered within 14 days. Write it again if it still matters.")
        waits = message.delivery in (Delivery.QUEUED, Delivery.WAITING)
        if waits and message.reason is not Reason.NONE:
            return reason_words(message.reason, self.contact)
        return ""

    def _state(self, message: Message, after: Message | None) -> Span:
        """Return the word on delivery; messages alike in a row show it once, on the last."""
        if after is not None and _together(message, after) and _alike(message, after):
            return Span("")
        return Span(*_delivery_word(message))

    def _aside(self, text: str, style: str = "aside") -> Span:
        return Span(" " * (self._column - cell_len(text)) + text, style)


def _marked(row: str, style: str, hits: Sequence[tuple[int, int]]) -> Iterator[Span]:
    at = 0
    for start, end in hits:
        if row[at:start]:
            yield Span(row[at:start], style)
        yield Span(row[start:end], "hit")
        at = end
    if row[at:] or not hits:
        yield Span(row[at:], style)


@cache
def _column_width(language: str, hours_24: bool) -> int:
    longest_time = dates.time_of_day(12 * HOUR_MS + 10 * MINUTE_MS, hours_24=hours_24)
    words = (tr("delivered"), tr("sending"), tr("sent"), tr("waits"), tr("failed"))
    return max(cell_len(word) for word in (*words, longest_time, "00:00 PM")) + 1


def _notice_text(message: Message) -> str:
    if message.kind is MessageKind.POSSIBLE_COPY:
        return tr(
            "A message came that contradicts earlier ones; it was not taken. Perhaps exile-tui was "
            "set back to an older copy there or here, or a copy of it runs somewhere else. Nothing "
            "that stands here was lost. Ask in another way what happened, and compare the safety "
            "number again. If no more messages come, start anew with an invite."
        )
    count = int(message.text) if message.text.isdecimal() and len(message.text) < 10 else 1
    return tr_n("Up to {n} message never arrived.", "Up to {n} messages never arrived.", count)


def _delivery_word(message: Message) -> tuple[str, str]:
    if message.delivery is Delivery.FAILED:
        return tr("failed"), "problem"
    if message.delivery is Delivery.SENT:
        return tr("sent"), "aside"
    if message.delivery is Delivery.DELIVERED:
        return tr("delivered"), "aside"
    return (tr("sending") if message.reason is Reason.NONE else tr("waits")), "aside"


def _together(before: Message | None, message: Message) -> bool:
    return (
        before is not None
        and before.direction is message.direction
        and before.kind not in NOTICES
        and message.kind not in NOTICES
        and 0 <= message.stored_ms - before.stored_ms < TOGETHER_MS
    )


def _alike(message: Message, after: Message) -> bool:
    return _delivery_word(message) == _delivery_word(after)
