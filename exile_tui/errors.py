"""Everything that can go wrong, as one small tree.

    ExileError                    exit code 1
    ├── UsageError                2   arguments, configuration, text that can't be sent
    ├── WrongPassphrase           3
    ├── RelayError                4
    │   ├── RelayUnreachable      no connection, time-out, connection lost
    │   │   └── TryLater          it answers, and asks to try later
    │   ├── RelayKeyMismatch      the pinned key is not the one that answered
    │   ├── RelayRefused          access phrase wanted, quota, malformed
    │   └── RelayBusy             work wanted before a mailbox is made, and not done
    ├── NoSuchContact             5
    ├── Refused                   6   an invite that is expired, spent, tampered with or one's own
    ├── ProfileInUse              7
    ├── ProfileError              vault or database missing, foreign, damaged, newer, disk full
    ├── WireError                 bytes from outside that are not exile/1
    └── CryptoError               one error for every cryptographic failure

Each class has a `title` and a `sentence` for the user: what happened, what was not lost, what to
do. Both are catalog keys with named placeholders; `parameters` fills them. Whoever shows an error
translates `sentence` and formats it with `parameters`; `str(error)` is the English text.
"""

from __future__ import annotations

from typing import ClassVar


def N_(message: str) -> str:
    """Mark a string for the catalog without translating it here."""
    return message


class ExileError(Exception):
    """The root of what this program raises on purpose."""

    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = N_("Something went wrong")
    sentence: str = N_("Something went wrong. Nothing was lost; try again.")

    def __init__(self, sentence: str | None = None, /, **parameters: object) -> None:
        """Make an error.

        Args:
            sentence: A catalog key that replaces the class's own, with named placeholders.
            parameters: What fills the placeholders; whoever shows it sanitises it.
        """
        if sentence is not None:
            self.sentence = sentence
        self.parameters = parameters
        super().__init__(self.sentence)

    def __str__(self) -> str:
        return self.sentence.format(**self.parameters)


class UsageError(ExileError):
    """What was asked can't be done as asked."""

    exit_code = 2
    title = N_("That does not fit")


class WrongPassphrase(ExileError):
    """The passphrase opens no key slot of the vault."""

    exit_code = 3
    title = N_("Wrong passphrase")
    sentence = N_("The passphrase is wrong. Nothing was changed; try again.")


class RelayError(ExileError):
    """The relay did not do what was asked."""

    exit_code = 4
    title = N_("The relay")
    sentence = N_("The relay did not answer as expected. Your messages are kept and tried again.")


class RelayUnreachable(RelayError):
    """No connection, a time-out, or a connection lost on the way."""

    title = N_("The relay is out of reach")
    sentence = N_(
        "The relay {address} is out of reach. Your messages are kept and sent when it answers."
    )


class TryLater(RelayUnreachable):
    """The relay holds somebody to a share; its parameter `after` says for how many seconds."""

    title = N_("The relay asks to try later")
    sentence = N_(
        "The relay {address} was asked too much at once. Your messages are kept and tried again."
    )


class RelayKeyMismatch(RelayError):
    """Another key than the pinned one answered; nothing was sent."""

    title = N_("This is not your relay")
    sentence = N_(
        "Something else answered in place of the relay {address}: its key is a different one. "
        "Nothing was sent to it."
    )


class RelayRefused(RelayError):
    """The relay understood and said no."""

    title = N_("The relay refused")
    sentence = N_(
        "The relay {address} refused. It may ask for an access phrase; ask the person who runs it."
    )


class RelayBusy(RelayError):
    """The relay asks for work before it makes a mailbox, and it was not done."""

    title = N_("The relay is busy")
    sentence = N_(
        "The relay {address} is busy and asks for work again and again. Your messages are kept; "
        "it is tried again later."
    )


class NoSuchContact(ExileError):
    """No contact, or more than one, goes by that name."""

    exit_code = 5
    title = N_("No such contact")
    sentence = N_("There is no contact {name}. The command 'contacts' lists them.")


class Refused(ExileError):
    """An invite that can't be used."""

    exit_code = 6
    title = N_("The invite can't be used")
    sentence = N_(
        "This invite is expired, already used or damaged. Ask for a new one; nothing was changed."
    )


class ProfileInUse(ExileError):
    """Another process holds the profile."""

    exit_code = 7
    title = N_("In use elsewhere")
    sentence = N_("The profile {profile} is in use by process {pid}. Close it there first.")


class ProfileError(ExileError):
    """The profile's files can't be used as they are; nothing was changed."""

    title = N_("The profile can't be opened")


class WireError(ExileError):
    """Bytes that are not what the protocol allows."""

    title = N_("Not understood")
    sentence = N_("What arrived is not in a form that this program understands. It was dropped.")


class CryptoError(ExileError):
    """Bytes that did not open. One error for every cause, so that it tells nothing."""

    title = N_("Could not be opened")
    sentence = N_("What arrived could not be opened. It was dropped.")
