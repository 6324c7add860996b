"""What a relay holds, can't know and states, in words and literally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from textual.content import Content

from exile_tui.errors import N_
from exile_tui.locale import tr, tr_n
from exile_tui.locale.dates import short_date
from exile_tui.text import one_line

if TYPE_CHECKING:
    from exile_tui.core.model import Facts

STALE_DAYS = 90
"""Days after which an operator's statement is called old."""
LINES_SHOWN = 400
"""Literal lines that are shown; a relay may answer with anything."""
CHARACTERS_SHOWN = 400
"""Characters of a literal line that are shown."""
LARGEST_SHOWN = 10**9
"""Bytes of an envelope that are believed; ours have 65,536 at most."""
DEPTH_SHOWN = 16
"""Levels of a literal answer that are shown."""

UNKNOWABLE = (
    (N_("What you write"), N_("only the two of you have the keys")),
    (N_("Who you and your contacts are"), N_("no accounts, no names, random numbers")),
    (N_("How long a message is"), N_("every envelope has one of three sizes")),
)
"""What no relay can find out, whatever it runs."""

NOT_KEPT = (
    (N_("Which mailboxes are one person's"), N_("no note connects them")),
    (N_("At what time you wrote"), N_("it stores whole days only, and no log")),
    (N_("What was delivered"), N_("wiped from its disk within a minute")),
)
"""What this program's relay does not store; another program could."""

WATCHER = N_(
    "Who records its connections live sees your internet address and can guess by the time which "
    "mailboxes talk. A proxy (--proxy) hides the address."
)


def ignorance_text() -> Content:
    """Return what no relay can know and what an honest one does not keep, a reason a line."""
    return Content("\n").join(
        [
            *(_reason(*each) for each in UNKNOWABLE),
            Content.styled(tr("What it doesn't keep, if unchanged"), "bold $primary"),
            *(_reason(*each) for each in NOT_KEPT),
        ]
    )


def watcher_text() -> Content:
    """Return what somebody sees who watches the relay at work."""
    return Content.assemble(
        (tr("But: who watches live"), "bold $text-warning"), "\n", (tr(WATCHER), "$text-muted")
    )


def _reason(what: str, why: str) -> Content:
    return Content.assemble(tr(what), "\n  ", (tr(why), "$text-muted"))


def holdings_text(held: Sequence[Mapping[str, Any]], now_ms: int) -> Content:
    """Return how much a relay says that it holds, and until when."""
    if not held:
        return Content(tr("Nothing: you have no mailbox there yet."))
    lines = [
        tr_n("{n} mailbox under a random number", "{n} mailboxes under random numbers", len(held)),
        _until(held, now_ms),
    ]
    envelopes = [each for mailbox in held for each in _envelopes(mailbox)]
    if not envelopes:
        lines.append(tr("no envelope"))
    for size, count in sorted(Counter(map(_size, envelopes)).items()):
        lines.append(
            tr_n(
                "{n} sealed envelope of {size} bytes",
                "{n} sealed envelopes of {size} bytes",
                count,
                size=f"{size:,}",
            )
        )
    if envelopes:
        lines.append(_until(envelopes, now_ms))
    return Content("\n").join(Content(line) for line in lines if line)


def literal_text(held: Sequence[Mapping[str, Any]]) -> Content:
    """Return a relay's answer to the letter."""
    literal = [line for mailbox in held for line in ("", *_literal(mailbox, ""))]
    lines = [Content(line[:CHARACTERS_SHOWN]) for line in literal[1 : LINES_SHOWN + 1]]
    if len(literal) - 1 > LINES_SHOWN:
        lines.append(Content.styled(tr("... and more"), "$text-muted"))
    return Content("\n").join(lines)


def _until(things: Sequence[Any], now_ms: int) -> str:
    """Return until when the last of these things is kept; nothing where that is no date."""
    days = [day for thing in things if (day := _day(thing)) is not None]
    if not days:
        return ""
    noon = datetime.combine(max(days), time(12), UTC)
    return "  " + tr("until {date} at most", date=short_date(int(noon.timestamp() * 1000), now_ms))


def _day(thing: Any) -> date | None:
    try:
        return date.fromisoformat(thing["expires_day"])
    except (KeyError, TypeError, ValueError):
        return None


def _size(envelope: Any) -> int:
    size = envelope.get("bytes") if isinstance(envelope, Mapping) else 0
    return size if type(size) is int and 0 <= size <= LARGEST_SHOWN else 0


def _envelopes(mailbox: Mapping[str, Any]) -> list[Any]:
    envelopes = mailbox.get("envelopes")
    return envelopes if isinstance(envelopes, list) else []


def _literal(value: Any, indent: str) -> Iterator[str]:
    """Yield a JSON value as indented lines; every text in it is from outside."""
    if len(indent) > 2 * DEPTH_SHOWN:
        yield f"{indent}..."
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            name = one_line(str(key))
            if isinstance(inner, (Mapping, list)) and inner:
                yield f"{indent}{name}"
                yield from _literal(inner, indent + "  ")
            else:
                yield f"{indent}{name}: {_scalar(inner)}"
    elif isinstance(value, list):
        for inner in value:
            yield f"{indent}-"
            yield from _literal(inner, indent + "  ")
    else:
        yield f"{indent}{_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, (Mapping, list)):
        return "0"
    return one_line(str(value))


def signed_text(facts: Facts, now_ms: int) -> Content:
    """Return how old an operator's signed statement is, and a warning when that is much."""
    age = statement_age(facts.date, now_ms)
    if age is None:
        return Content.styled(tr("Signed, but its date is none."), "$text-warning")
    if age > STALE_DAYS:
        return Content.styled(
            tr_n(
                "Signed {n} day ago. That is old: ask the operator for a new statement.",
                "Signed {n} days ago. That is old: ask the operator for a new statement.",
                age,
            ),
            "$text-warning",
        )
    if age == 0:
        return Content.styled(tr("Signed today by the relay's own key."), "$text-success")
    return Content.styled(
        tr_n(
            "Signed {n} day ago by the relay's own key.",
            "Signed {n} days ago by the relay's own key.",
            age,
        ),
        "$text-success",
    )


def facts_text(facts: Facts) -> Content:
    """Return what an operator states."""
    rows = (
        (tr("Software"), f"{one_line(facts.software)} {one_line(facts.build)}"),
        (tr("Keeps envelopes"), tr_n("{n} day", "{n} days", facts.retention_days)),
        (
            tr("Lets in"),
            tr("everyone") if facts.access == "open" else tr("who knows the access phrase"),
        ),
        (tr("Jurisdiction"), one_line(facts.jurisdiction) or tr("not stated")),
        (
            tr("Demands for data"),
            tr_n("{n} received", "{n} received", facts.requests_received),
        ),
        (
            tr("Limits"),
            ", ".join(f"{one_line(name)} {value:,}" for name, value in facts.limits.items()),
        ),
    )
    stated = [
        Content.assemble((f"{name}: ", "$text-muted"), value) for name, value in rows if value
    ]
    return Content("   ").join(stated)


def statement_age(day: str, now_ms: int) -> int | None:
    """Return the days since a statement's day, 0 for one of today or of the future."""
    try:
        stated = date.fromisoformat(day)
    except ValueError:
        return None
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    return max(0, (today - stated).days)
