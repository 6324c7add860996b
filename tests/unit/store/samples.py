"""Values to store, all different and easy to find again in raw bytes."""

from __future__ import annotations

from exile_tui.core.model import (
    Contact,
    ContactState,
    Delivery,
    Direction,
    Invite,
    InviteState,
    MailboxState,
    Message,
    MessageKind,
    OwnMailbox,
    Reason,
    Verification,
    VerifiedHow,
)
from exile_tui.core.ports import Transaction
from exile_tui.core.repositories import Messages
from exile_tui.core.searching import EVERYWHERE, SearchFilter, SearchPlace
from exile_tui.crypto.passphrase import Argon2Parameters
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.mailbox import MailboxDescriptor

CHEAP = Argon2Parameters(memory_kib=64, passes=1, lanes=1)
RELAY = RelayAddress("relay.example", 8443, b"P" * 32)
IPV6_RELAY = RelayAddress("::1", 443, bytes(range(32)))


def content_id(number: int) -> bytes:
    return b"content-" + number.to_bytes(8, "big")


def digest(number: int) -> bytes:
    return b"digest--" * 3 + number.to_bytes(8, "big")


def contact(number: int, **changes: object) -> Contact:
    values: dict[str, object] = {
        "id": 0,
        "state": ContactState.ACTIVE,
        "name": f"김하늘 {number}",
        "name_serial": number,
        "created_ms": 1_700_000_000_000 + number,
        "safety_digits": f"{number:060d}",
        "bundle_hash": b"bundle--" * 3 + number.to_bytes(8, "big"),
        "expiry_ms": 1_700_000_100_000,
    }
    return Contact(**{**values, **changes})  # type: ignore[arg-type]


def full_contact(number: int) -> Contact:
    return contact(
        number,
        state=ContactState.REQUESTED,
        peer_mailbox=MailboxDescriptor(RELAY, b"M" * 16, b"S" * 32),
        peer_mailbox_serial=2**53 - 1,
        verification=Verification("1" * 60, 1_700_000_000_500, VerifiedHow.WORDS),
        answered=True,
    )


def invite(number: int, **changes: object) -> Invite:
    values: dict[str, object] = {
        "id": 0,
        "state": InviteState.OPEN,
        "created_ms": number,
        "expires_ms": number + 86_400_000,
        "link": f"exile:link-{number}",
        "bundle_hash": b"invited-" * 3 + number.to_bytes(8, "big"),
        "secret": b"invite-secret-%d" % number,
        "blob": b"sealed-blob",
        "blob_id": b"B" * 16,
        "delete_token": b"delete-token" * 2,
        "relay": RELAY,
    }
    return Invite(**{**values, **changes})  # type: ignore[arg-type]


def mailbox(number: int, **changes: object) -> OwnMailbox:
    values: dict[str, object] = {
        "id": b"mailbox-" + number.to_bytes(8, "big"),
        "relay": IPV6_RELAY,
        "receive_token": b"receive-" * 4,
        "send_token": b"sending-" * 4,
        "state": MailboxState.WANTED,
        "contact_id": None,
        "invite_id": None,
    }
    return OwnMailbox(**{**values, **changes})  # type: ignore[arg-type]


async def write_text(
    transaction: Transaction,
    contact_id: int,
    number: int,
    text: str,
    *,
    direction: Direction = Direction.IN,
    delivery: Delivery | None = None,
) -> Message:
    return await transaction.messages.append(
        contact_id,
        direction=direction,
        kind=MessageKind.TEXT,
        content_id=content_id(number),
        text=text,
        sent_ms=1_700_000_000_000 + number,
        stored_ms=1_700_000_000_000 + number,
        delivery=delivery,
        reason=Reason.NONE,
        read=direction is Direction.OUT,
    )


async def hits(
    messages: Messages,
    query: str,
    only: SearchFilter = EVERYWHERE,
    limit: int = 50,
    *,
    typing: bool = False,
) -> list[Message]:
    """Return every message that is found, page after page, each once, in the order of the hits."""
    found: dict[int, Message] = {}
    after: SearchPlace | None = None
    while True:
        page = await messages.search(query, only, limit, typing=typing, after=after)
        for hit in page.hits:
            found.setdefault(hit.id, hit)
        after = page.rest
        if after is None:
            return list(found.values())
