"""Where the relay is and who can reach it, who has not followed to it yet, in words."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from textual.content import Content

from exile_tui.errors import N_
from exile_tui.locale import tr, tr_n
from exile_tui.locale.dates import short_date
from exile_tui.text import one_line
from exile_tui.ui.handover import reaches_others
from exile_tui.ui.words import contact_name

if TYPE_CHECKING:
    from exile_tui.core.moving import Moving

NAMES_SHOWN = 6
LOOPBACK = "127.0.0.1"

_SHARED = ipaddress.ip_network("100.64.0.0/10")


def place_text(host: str, *, embedded: bool) -> Content:
    """Return who runs a relay and who reaches it."""
    others = reaches_others(host)
    if embedded and others:
        place = tr("It runs on this computer while exile-tui is open. Others reach it too.")
    elif embedded:
        place = tr("It runs on this computer while exile-tui is open. Nobody else reaches it.")
    elif not others:
        place = tr("Only programs on this computer reach it.")
    else:
        place = tr("A relay only passes messages on. This one is run by somebody you chose.")
    return Content(place)


def moving_text(moving: Moving, now_ms: int) -> Content:
    """Return who has not come along to the new relay, and what happens until when."""
    lines = []
    if moving.waiting:
        names = [one_line(contact_name(contact)) for contact in moving.waiting[:NAMES_SHOWN]]
        shown = ", ".join(names)
        if len(moving.waiting) > NAMES_SHOWN:
            shown += ", ..."
        lines.append(
            tr_n(
                "{n} contact has not followed you here yet: {names}",
                "{n} contacts have not followed you here yet: {names}",
                len(moving.waiting),
                names=shown,
            )
        )
        if moving.untold:
            lines.append(tr("They are told as soon as this relay has made their mailboxes."))
    if moving.invites:
        lines.append(
            tr_n(
                "{n} open invite still leads to the old relay and can be used.",
                "{n} open invites still lead to the old relay and can be used.",
                moving.invites,
            )
        )
    lines.append(_reading(moving, now_ms))
    first, *others = lines
    return Content.assemble(
        (first, "$text-warning"), *((f"\n{line}", "$text-muted") for line in others)
    )


def _reading(moving: Moving, now_ms: int) -> str:
    """Return whether the old relay is read, and until when."""
    old = moving.left.authority
    if moving.read and now_ms < moving.until_ms:
        date = short_date(moving.until_ms, now_ms)
        if moving.longer:
            return tr(
                "The old relay, {old}, is read too, until {date}, or till all are told.",
                old=old,
                date=date,
            )
        return tr("The old relay, {old}, is read too, until {date} at most.", old=old, date=date)
    if moving.read:
        return tr("The old relay, {old}, is read on for who can't be told yet.", old=old)
    return tr("The old relay is not read any more. What they write waits until they hear of it.")


def host_kind(host: str) -> str:
    """Return the catalog key of what kind of network reaches an address of this computer."""
    address = ipaddress.ip_address(host)
    if address.is_loopback:
        return N_("Only this computer")
    if address.version == 4 and address in _SHARED:
        return N_("A virtual network (VPN), or your provider's inner one")
    if address.is_private:
        return N_("The home or office network that this computer is in")
    return N_("The internet: everybody can try to reach it")
