"""Commands without a screen: open the profile, do one thing, print it, close."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from exile_tui.cli.output import (
    Printer,
    contact_line,
    contact_record,
    delivery_words,
    invite_line,
    invite_record,
    local_time,
    message_line,
    message_record,
)
from exile_tui.cli.phrases import read_passphrase, read_phrase
from exile_tui.errors import (
    N_,
    NoSuchContact,
    ProfileError,
    Refused,
    RelayError,
    UsageError,
    WireError,
)
from exile_tui.locale import language, tr

if TYPE_CHECKING:
    from exile_tui.config import Settings
    from exile_tui.core.application import Application
    from exile_tui.core.messenger import Messenger
    from exile_tui.core.model import Contact, Message

Command = Callable[["Messenger", Namespace, Printer], Awaitable[None]]

GROUPS_PER_LINE = 4
"""Groups of five digits, and words, on one line of a safety number."""


def run(arguments: Namespace, settings: Settings) -> None:
    """Carry out a headless command.

    Raises:
        ExileError: It could not be done; the class has the exit code.
        KeyboardInterrupt: The user interrupted it.
    """
    from exile_tui import assembly

    application = assembly.make_application(
        settings, start_relay=arguments.start_relay or arguments.command == "init"
    )
    if application.exists() == (arguments.command == "init"):
        raise _wrong_profile(application)
    passphrase = read_passphrase(arguments.passphrase_file, new=arguments.command == "init")
    for name in ("text", "link"):
        if getattr(arguments, name, None) == "-":
            setattr(arguments, name, _read_standard_input())
    asyncio.run(_run(application, arguments, passphrase))


async def _run(application: Application, arguments: Namespace, passphrase: str) -> None:
    out = Printer(as_json=arguments.json)
    try:
        if arguments.command == "init":
            await _init(application, arguments, passphrase, out)
        else:
            messenger = await application.unlock(passphrase)
            await COMMANDS[arguments.command](messenger, arguments, out)
    finally:
        await application.close()


async def _init(
    application: Application, arguments: Namespace, passphrase: str, out: Printer
) -> None:
    from exile_tui.core.application import FirstRun, RelayChoice, RelayChoiceKind

    if arguments.embedded:
        relay = RelayChoice(RelayChoiceKind.EMBEDDED)
    else:
        relay = RelayChoice(RelayChoiceKind.ADDRESS, arguments.relay)
    access_file = arguments.access_phrase_file
    phrase = read_phrase(access_file) if access_file else ""
    try:
        messenger = await application.create(FirstRun(arguments.name, passphrase, relay, phrase))
    except WireError as error:
        raise UsageError(error.sentence, **error.parameters) from None
    address = messenger.relay_address.url
    record = {"profile": application.profile, "name": messenger.name, "relay": address}
    text = tr(
        "The profile {profile} is made. Its relay: {relay}",
        profile=application.profile,
        relay=address,
    )
    out.result(record, text)


async def _invite(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    invite = await messenger.create_invite(arguments.hours)
    problem = await _synchronize(messenger)
    published = next(item for item in await messenger.invites() if item.id == invite.id)
    if published.blob:
        # Nobody has seen its link: better no invite than one that nobody can open yet.
        await messenger.revoke_invite(invite.id)
        raise problem or RelayError
    out.result(invite_record(published), published.link)
    until = local_time(published.expires_ms)
    out.note(tr("For one person, until {time}. Whoever holds the link can use it.", time=until))
    if messenger.embedded:
        out.note(tr("Your relay runs on this computer: only people on this computer reach it."))


async def _invites(messenger: Messenger, _arguments: Namespace, out: Printer) -> None:
    for invite in await messenger.invites():
        out.result(invite_record(invite), invite_line(invite))


async def _revoke(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    before = {invite.id for invite in await messenger.invites()}
    if arguments.invite not in before:
        raise UsageError(N_("There is no invite {invite}."), invite=arguments.invite)
    await messenger.revoke_invite(arguments.invite)
    problem = await _synchronize(messenger)
    for invite in await messenger.invites():
        if invite.id == arguments.invite:
            out.result(invite_record(invite), invite_line(invite))
    if problem:
        raise problem


async def _add(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    try:
        contact = await messenger.join(arguments.link)
    except WireError as error:
        # A link with letters changed is a tampered invite; anything else is a wrong argument.
        kind = Refused if arguments.link.strip().startswith("exile:") else UsageError
        raise kind(error.sentence, **error.parameters) from None
    problem = await _synchronize(messenger)
    contact = await messenger.contact(contact.id)
    out.result(contact_record(contact), contact_line(contact))
    if problem:
        raise problem


async def _requests(messenger: Messenger, _arguments: Namespace, out: Printer) -> None:
    problem = await _synchronize(messenger)
    _print_contacts((c for c in await messenger.contacts() if c.state.value == "requested"), out)
    if problem:
        raise problem


async def _accept(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    contact = await _find(messenger, arguments.contact)
    await messenger.accept(contact.id)
    problem = await _synchronize(messenger)
    contact = await messenger.contact(contact.id)
    out.result(contact_record(contact), contact_line(contact))
    if problem:
        raise problem


async def _decline(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    contact = await _find(messenger, arguments.contact)
    await messenger.decline(contact.id)
    text = tr("Declined: {contact}", contact=contact_line(contact))
    out.result({"contact": contact.id, "state": "declined"}, text)


async def _contacts(messenger: Messenger, _arguments: Namespace, out: Printer) -> None:
    _print_contacts((c for c in await messenger.contacts() if c.state.value != "requested"), out)


async def _verify(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    from exile_tui.core.model import VerifiedHow

    contact = await _find(messenger, arguments.contact)
    if arguments.mark:
        await messenger.mark_verified(contact.id, VerifiedHow.DIGITS)
        contact = await messenger.contact(contact.id)
    number = await messenger.safety_number(contact.id)
    words = messenger.words(number.digits, language())
    verified = contact.verification
    record = contact_record(contact) | {
        "digits": number.digits,
        "words": list(words),
        "verified_ms": verified.at_ms if verified else None,
        "verified_how": verified.how.value if verified else None,
    }
    numbered = [f"{index}. {word}" for index, word in enumerate(words, 1)]
    lines = [contact_line(contact), *_rows(number.groups, " "), *_rows(numbered, "  ")]
    out.result(record, "\n".join(lines))
    if not arguments.mark and contact.trust.value != "verified":
        out.note(tr("Compare this with the contact's own display, then add --mark."))


async def _send(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    contact = await _find(messenger, arguments.contact)
    stored = await messenger.send(contact.id, arguments.text)
    problem = await _synchronize(messenger)
    message = next(m for m in await _lines(messenger, contact.id) if m.id == stored.id)
    out.result(message_record(message, contact.name), delivery_words(message))
    if message.delivery is not None and message.delivery.value in ("queued", "waiting"):
        raise problem or RelayError(
            N_("The message is kept and not sent yet: {reason}."), reason=delivery_words(message)
        )


async def _receive(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    from exile_tui.cli.follow import Inbox, follow

    with Inbox(messenger, out) as inbox:
        if arguments.follow:
            await follow(messenger, inbox)
            return
        problem = await _synchronize(messenger)
        await inbox.print_new()
    if problem:
        raise problem


async def _history(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    contact = await _find(messenger, arguments.contact)
    limit = _positive(arguments.limit)
    for message in await messenger.messages(contact.id, limit=limit):
        out.result(message_record(message, contact.name), message_line(message, contact))


async def _search(messenger: Messenger, arguments: Namespace, out: Printer) -> None:
    contacts = {contact.id: contact for contact in await messenger.contacts()}
    for message in await messenger.search(arguments.query, limit=_positive(arguments.limit)):
        if contact := contacts.get(message.contact_id):
            out.result(message_record(message, contact.name), message_line(message, contact))


COMMANDS: dict[str, Command] = {
    "invite": _invite,
    "invites": _invites,
    "revoke": _revoke,
    "add": _add,
    "requests": _requests,
    "accept": _accept,
    "decline": _decline,
    "contacts": _contacts,
    "verify": _verify,
    "send": _send,
    "receive": _receive,
    "history": _history,
    "search": _search,
}


async def _synchronize(messenger: Messenger) -> RelayError | None:
    """Do one round; what went wrong is returned, since what came of it is to be printed first."""
    try:
        await messenger.synchronize()
    except RelayError as error:
        return error
    return None


async def _find(messenger: Messenger, name: str) -> Contact:
    """Find a contact; one not known yet may have answered or asked in the meantime."""
    try:
        return await messenger.find_contact(name)
    except NoSuchContact:
        if problem := await _synchronize(messenger):
            try:
                return await messenger.find_contact(name)
            except NoSuchContact as error:
                raise error from problem
        return await messenger.find_contact(name)


async def _lines(messenger: Messenger, contact_id: int) -> list[Message]:
    return await messenger.messages(contact_id)


def _print_contacts(contacts: Iterable[Contact], out: Printer) -> None:
    for contact in contacts:
        out.result(contact_record(contact), contact_line(contact))


def _rows(items: Iterable[str], gap: str) -> list[str]:
    row = list(items)
    return [
        "  " + gap.join(row[start : start + GROUPS_PER_LINE])
        for start in range(0, len(row), GROUPS_PER_LINE)
    ]


def _positive(limit: int) -> int:
    if limit < 1:
        raise UsageError(N_("A limit is 1 or more."))
    return limit


def _read_standard_input() -> str:
    """Return what is piped in, without the last line break."""
    try:
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise UsageError(N_("What was piped in is not UTF-8 text.")) from None


def _wrong_profile(application: Application) -> ProfileError:
    if application.exists():
        return ProfileError(
            N_("There is a profile {profile} already; it was left as it is."),
            profile=application.profile,
        )
    return ProfileError(
        N_("There is no profile {profile}. The command 'init' makes one."),
        profile=application.profile,
    )
