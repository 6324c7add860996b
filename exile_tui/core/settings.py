"""The keys of a profile's own settings, and how to read and write what we are to others."""

from __future__ import annotations

import json

from exile_tui.core.context import Former, Own
from exile_tui.core.ports import Transaction
from exile_tui.errors import N_, ProfileError
from exile_tui.wire.address import RelayAddress

NAME = "name"
NAME_SERIAL = "name-serial"
RELAY = "relay"
EMBEDDED = "relay-embedded"
ACCESS_PHRASE = "relay-access-phrase"
FORMER = "former-relays"
MAILBOX_SERIAL = "mailbox-serial"
CLOCK_JUMP = "clock-jump-ms"
LAST_WALL = "last-wall-ms"
DRAFT = "draft/"
DELETING = "deleting/"


def draft_key(contact_id: int) -> str:
    """Return the setting that holds what was typed to a contact and not sent."""
    return f"{DRAFT}{contact_id}"


async def write_own(tx: Transaction, own: Own) -> None:
    """Store what this profile is to others."""
    await tx.settings.set(NAME, own.name)
    await tx.settings.set(NAME_SERIAL, str(own.name_serial))
    await tx.settings.set(RELAY, own.relay.url)
    await tx.settings.set(EMBEDDED, "1" if own.embedded else "0")
    await tx.settings.set(ACCESS_PHRASE, own.access_phrase)
    await tx.settings.set(FORMER, json.dumps([_listed(left) for left in own.former]))


async def read_own(tx: Transaction) -> Own:
    """Read what this profile is to others.

    Raises:
        ProfileError: It was never written: first run did not finish.
    """
    name = await tx.settings.get(NAME)
    relay = await tx.settings.get(RELAY)
    if name is None or relay is None:
        raise ProfileError(
            N_("This profile was never finished. Choose another name with --profile.")
        )
    return Own(
        name=name,
        name_serial=int(await tx.settings.get(NAME_SERIAL) or "1"),
        relay=RelayAddress.parse(relay),
        embedded=await tx.settings.get(EMBEDDED) == "1",
        access_phrase=await tx.settings.get(ACCESS_PHRASE) or "",
        former=tuple(
            _former(*entry) for entry in json.loads(await tx.settings.get(FORMER) or "[]")
        ),
    )


def _listed(left: Former) -> list[str | int | bool]:
    return [left.relay.url, left.embedded, left.left_ms, left.access_phrase]


def _former(relay: str, embedded: bool, left_ms: int, access_phrase: str) -> Former:
    return Former(RelayAddress.parse(relay), embedded, left_ms, access_phrase)
