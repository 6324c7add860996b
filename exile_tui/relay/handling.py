"""Who does which of an engine's operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exile_tui.relay import engine
from exile_tui.relay.blobs import Blobs
from exile_tui.relay.engine import Operation
from exile_tui.relay.envelopes import Envelopes
from exile_tui.relay.mailboxes import Mailboxes
from exile_tui.relay.tickets import Tickets


def handlers_of(
    mailboxes: Mailboxes, envelopes: Envelopes, tickets: Tickets, blobs: Blobs
) -> dict[type[Operation[Any]], Callable[[Any], Any]]:
    """Return what does each operation that is about one of these."""

    def count_all(_: engine.CountAll) -> engine.Totals:
        return engine.Totals(mailboxes.count, *envelopes.count(), *blobs.count())

    return {
        engine.CreateMailbox: mailboxes.create,
        engine.DeleteMailbox: mailboxes.delete,
        engine.Append: mailboxes.append,
        engine.Acknowledge: mailboxes.acknowledge,
        engine.OpenMailboxes: mailboxes.open,
        engine.Fetch: mailboxes.fetch,
        engine.CountBytes: mailboxes.count_bytes,
        engine.CheckToken: mailboxes.check,
        engine.Disclose: mailboxes.disclose,
        engine.PutTicket: tickets.put,
        engine.PutBlobs: blobs.put,
        engine.GetBlobs: blobs.get,
        engine.DeleteBlob: blobs.delete,
        engine.CountAll: count_all,
    }
