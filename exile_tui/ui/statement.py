"""What a relay holds, can't know and states, in words and literally."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from textual.content import Content

from exile_tui.errors import N_
from exile_tui.locale import tr, tr_n
from exile_tui.text import one_line

if TYPE_CHECKING:
    from exile_tui.core.model import Facts

STALE_DAYS = 90
"""Days after which an operator's statement is called old."""
LINES_SHOWN = 400
"""Literal lines that are shown; a relay may answer with anything."""
CHARACTERS_SHOWN = 400
"""Characters of a literal line that are shown."""
DEPTH_SHOWN = 16
"""Levels of a literal answer that are shown."""

UNKNOWABLE = (
    (
        N_("What you write"),
        N_("It is encrypted on this computer. Only the two of you hold the keys."),
    ),
    (
        N_("Your name and your contacts"),
        N_("There are no accounts. Mailboxes have random numbers."),
    ),
    (
        N_("How long a message is"),
        N_("Every envelope is padded to 4,096, 16,384 or 65,536 bytes."),
    ),
)
"""What no relay can find out, whatever it runs."""

NOT_KEPT = (
    (
        N_("Which mailboxes belong together"),
        N_("Each contact has its own, one for each direction, and no note connects them."),
    ),
    (
        N_("At what time you wrote"),
        N_("Nothing finer than a day is stored, and no request is noted."),
    ),
    (N_("What was delivered"), N_("Delivered envelopes are wiped from its disk within a minute.")),
)
"""What this program's relay does not store; another program could."""

WATCHER = N_(
    "Somebody who records connections at the relay as they happen can see your internet address "
    "and, by time and size, guess which mailboxes talk. A proxy (--proxy) hides the address."
)


def ignorance_text() -> Content:
    """Return what no relay can know, what an honest one does not keep, and what a watcher sees."""
    watched = (N_("But: who watches live"), WATCHER)
    return Content("\n\n").join(
        [
            *(_reason(*each, "bold") for each in UNKNOWABLE),
            Content.styled(tr("What it doesn't keep, if it is unchanged"), "bold $primary"),
            *(_reason(*each, "bold") for each in NOT_KEPT),
            _reason(*watched, "bold $text-warning"),
        ]
    )


def _reason(what: str, why: str, style: str) -> Content:
    return Content.assemble((tr(what), style), "\n", (tr(why), "$text-muted"))


def holdings_text(held: Sequence[Mapping[str, Any]]) -> Content:
    """Return what the relay says that it holds: a summary, then its answer to the letter."""
    if not held:
        return Content(tr("Nothing: you have no mailbox there yet."))
    envelopes = sum(_envelopes(mailbox) for mailbox in held)
    summary = [
        tr_n("{n} mailbox under a random number", "{n} mailboxes under random numbers", len(held)),
        tr_n("{n} sealed envelope", "{n} sealed envelopes", envelopes),
    ]
    lines = [Content.styled(line, "bold") for line in summary]
    lines += [Content(""), Content.styled(tr("Its own answer, to the letter:"), "$text-muted")]
    literal = [line for mailbox in held for line in ("", *_literal(mailbox, ""))]
    lines += [Content(line[:CHARACTERS_SHOWN]) for line in literal[1 : LINES_SHOWN + 1]]
    if len(literal) - 1 > LINES_SHOWN:
        lines.append(Content.styled(tr("... and more"), "$text-muted"))
    return Content("\n").join(lines)


def _envelopes(mailbox: Mapping[str, Any]) -> int:
    envelopes = mailbox.get("envelopes")
    return len(envelopes) if isinstance(envelopes, list) else 0


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


def facts_text(facts: Facts, now_ms: int) -> Content:
    """Return an operator's signed statement with its age, and a warning when it is old."""
    age = statement_age(facts.date, now_ms)
    if age is None:
        signed = Content.styled(tr("Signed, but its date is none."), "$text-warning")
    elif age > STALE_DAYS:
        signed = Content.styled(
            tr_n(
                "Signed {n} day ago. That is old: ask the operator for a new statement.",
                "Signed {n} days ago. That is old: ask the operator for a new statement.",
                age,
            ),
            "$text-warning",
        )
    elif age == 0:
        signed = Content.styled(tr("Signed today by the relay's own key."), "$text-success")
    else:
        signed = Content.styled(
            tr_n(
                "Signed {n} day ago by the relay's own key.",
                "Signed {n} days ago by the relay's own key.",
                age,
            ),
            "$text-success",
        )
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
    lines = [signed]
    lines += [
        Content.assemble((f"{name}: ", "$text-muted"), value) for name, value in rows if value
    ]
    return Content("\n").join(lines)


def statement_age(day: str, now_ms: int) -> int | None:
    """Return the days since a statement's day, 0 for one of today or of the future."""
    try:
        stated = date.fromisoformat(day)
    except ValueError:
        return None
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    return max(0, (today - stated).days)
