"""What happened, in the past tense, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exile_tui.core.model import Connection, Message
from exile_tui.wire.address import RelayAddress


@dataclass(frozen=True, slots=True)
class MessageStored:
    """A line was appended to a conversation, ours or theirs."""

    message: Message
    hidden: bool = False
    """It belongs to a request that was not accepted yet."""


@dataclass(frozen=True, slots=True)
class DeliveryChanged:
    """Own messages of a conversation came further, or wait for another reason."""

    contact_id: int


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """A contact came, went, answered, was renamed or verified."""

    contact_id: int


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """Somebody opened an invite of ours and asks to be a contact."""

    contact_id: int


@dataclass(frozen=True, slots=True)
class InvitesChanged:
    """An invite was made, published, spent, revoked or expired."""


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """The connection to our own relays changed."""

    connection: Connection


@dataclass(frozen=True, slots=True)
class MovingChanged:
    """We moved to another relay, or a contact was told, came along, or was waited for in vain."""


@dataclass(frozen=True, slots=True)
class ClockJumped:
    """The wall clock moved by more than a day; nothing expires until that is confirmed."""

    by_ms: int


@dataclass(frozen=True, slots=True)
class DeletionChanged:
    """Something is being deleted, went further, or is done."""

    contact_id: int


@dataclass(frozen=True, slots=True)
class Work:
    """What this computer works for a busy relay, so that it makes a mailbox."""

    relay: RelayAddress
    share: float
    """How much is done, 0 to 1, as far as one can expect: chance decides."""
    seconds: float
    """How long the rest will take, on average."""


@dataclass(frozen=True, slots=True)
class WorkChanged:
    """Work for a relay went further; None: it is over, or put off."""

    work: Work | None


Event = (
    MessageStored
    | DeliveryChanged
    | ContactChanged
    | RequestArrived
    | InvitesChanged
    | ConnectionChanged
    | MovingChanged
    | ClockJumped
    | DeletionChanged
    | WorkChanged
)
Listener = Callable[[Event], None]


class EventBus:
    """Hands every event to every listener, in order, in the loop that emits it."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; return the call that removes it. A listener must not raise or block."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def emit(self, event: Event) -> None:
        """Hand an event to all listeners."""
        for listener in tuple(self._listeners):
            listener(event)
