"""Commands without a screen: open the profile, do one thing, print it, close."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from exile_tui.cli.files import export_history, import_history
from exile_tui.cli.output import (
    Printer,
    contact_line,
    contact_record,
    delivery_words,
    invite_line,
    invite_record,
    is_imported,
    local_time,
    message_line,
    message_record,
)
from exile_tui.cli.phrases import read_passphrase, read_phrase
from exile_tui.cli.searching import positive, search
from exile_tui.cli.session import Session
from exile_tui.errors import (
    N_,
    ExileError,
    ProfileError,
    RelayError,
    UsageError,
    WireError,
)
from exile_tui.locale import language, tr

if TYPE_CHECKING:
    from exile_tui.config import Settings
    from exile_tui.core.application import Application
    from exile_tui.core.model import Contact
    from exile_tui.core.ports import EmbeddedRelay

Command = Callable[[Session], Awaitable[None]]

RECENT = 10_000
"""Lines among which one just written is found again, however many arrived meanwhile."""
GROUPS_PER_LINE = 4
"""Groups of five digits, and words, on one line of a safety number."""


def run(arguments: Namespace, settings: Settings) -> None:
    """Carry out a headless command.

    Raises:
        ExileError: It could not be done; the class has the exit code.
        KeyboardInterrupt: The user interrupted it.
    """
    from exile_tui import assembly

    start = arguments.start_relay or arguments.command == "init"
    embedded = assembly.make_embedded(settings, start=start)
    application = assembly.make_application(settings, embedded)
    if application.exists() == (arguments.command == "init"):
        raise _wrong_profile(application)
    passphrase = read_passphrase(arguments.passphrase_file, new=arguments.command == "init")
    for name in ("text", "link"):
        if getattr(arguments, name, None) == "-":
            setattr(arguments, name, _read_standard_input())
    asyncio.run(_run(application, embedded, arguments, passphrase))


async def _run(
    application: Application, embedded: EmbeddedRelay, arguments: Namespace, passphrase: str
) -> None:
    out = Printer(as_json=arguments.json)
    try:
        if arguments.command == "init":
            await _init(application, arguments, passphrase, out)
        else:
            messenger = await application.unlock(passphrase)
            await _carry_out(Session(messenger, embedded, arguments, out))
    finally:
        await application.close()


async def _carry_out(session: Session) -> None:
    """Carry out the command, then what was to be deleted: whoever asked for it expects its end."""
    problem: ExileError | None = None
    try:
        await COMMANDS[session.arguments.command](session)
    except ExileError as error:
        problem = error
    await session.finish_deleting()
    if problem is not None:
        raise problem


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


async def _invite(session: Session) -> None:
    invite = await session.messenger.create_invite(session.arguments.hours)
    problem = await session.synchronize()
    published = next(item for item in await session.messenger.invites() if item.id == invite.id)
    if not published.published:
        # Nobody has seen its link: better no invite than one that nobody can open yet.
        await session.messenger.revoke_invite(invite.id)
        raise problem or RelayError
    session.out.result(invite_record(published), published.link)
    until = local_time(published.expires_ms)
    session.out.note(
        tr("For one person, until {time}. Whoever holds the link can use it.", time=until)
    )
    if session.messenger.embedded and session.messenger.only_here:
        session.out.note(
            tr("Your relay runs on this computer: only people on this computer reach it.")
        )


async def _invites(session: Session) -> None:
    for invite in await session.messenger.invites():
        session.out.result(invite_record(invite), invite_line(invite))


async def _revoke(session: Session) -> None:
    before = {invite.id for invite in await session.messenger.invites()}
    if session.arguments.invite not in before:
        raise UsageError(N_("There is no invite {invite}."), invite=session.arguments.invite)
    await session.messenger.revoke_invite(session.arguments.invite)
    problem = await session.synchronize()
    for invite in await session.messenger.invites():
        if invite.id == session.arguments.invite:
            session.out.result(invite_record(invite), invite_line(invite))
    if problem:
        raise problem


async def _add(session: Session) -> None:
    with suppress(RelayError):  # the invite may be of another relay; synchronising tells
        await session.reach_relay()
    contact = await session.messenger.join(session.arguments.link)
    problem = await session.synchronize()
    contact = await session.messenger.contact(contact.id)
    session.out.result(contact_record(contact), contact_line(contact))
    if problem:
        raise problem


async def _requests(session: Session) -> None:
    problem = await session.synchronize()
    _print_contacts(
        (c for c in await session.messenger.contacts() if c.state.value == "requested"), session.out
    )
    if problem:
        raise problem


async def _accept(session: Session) -> None:
    contact = await session.find(session.arguments.contact)
    await session.messenger.accept(contact.id)
    problem = await session.synchronize()
    contact = await session.messenger.contact(contact.id)
    session.out.result(contact_record(contact), contact_line(contact))
    if problem:
        raise problem


async def _decline(session: Session) -> None:
    contact = await session.find(session.arguments.contact)
    await session.messenger.decline(contact.id)
    text = tr("Declined: {contact}", contact=contact_line(contact))
    session.out.result({"contact": contact.id, "state": "declined"}, text)


async def _contacts(session: Session) -> None:
    _print_contacts(
        (c for c in await session.messenger.contacts() if c.state.value != "requested"), session.out
    )


async def _verify(session: Session) -> None:
    from exile_tui.core.model import VerifiedHow

    contact = await session.find(session.arguments.contact)
    if session.arguments.mark:
        await session.messenger.mark_verified(contact.id, VerifiedHow.DIGITS)
        contact = await session.messenger.contact(contact.id)
    number = await session.messenger.safety_number(contact.id)
    words = session.messenger.words(number.digits, language())
    verified = contact.verification
    record = contact_record(contact) | {
        "digits": number.digits,
        "words": list(words),
        "verified_ms": verified.at_ms if verified else None,
        "verified_how": verified.how.value if verified else None,
    }
    numbered = [f"{index}. {word}" for index, word in enumerate(words, 1)]
    lines = [contact_line(contact), *_rows(number.groups, " "), *_rows(numbered, "  ")]
    session.out.result(record, "\n".join(lines))
    if not session.arguments.mark and contact.trust.value != "verified":
        session.out.note(tr("Compare this with the contact's own display, then add --mark."))


async def _send(session: Session) -> None:
    contact = await session.find(session.arguments.contact)
    stored = await session.messenger.send(contact.id, session.arguments.text)
    problem = await session.synchronize()
    lines = await session.messenger.messages(contact.id, limit=RECENT)
    message = next(line for line in lines if line.id == stored.id)
    session.out.result(message_record(message, contact.name), delivery_words(message))
    if message.delivery is not None and message.delivery.value in ("queued", "waiting"):
        raise problem or RelayError(
            N_("The message is kept and not sent yet: {reason}."), reason=delivery_words(message)
        )


async def _receive(session: Session) -> None:
    from exile_tui.cli.follow import Inbox, follow

    with Inbox(session.messenger, session.out) as inbox:
        if session.arguments.follow:
            await follow(session, inbox)
            return
        problem = await session.synchronize()
        await inbox.print_new()
    if problem:
        raise problem


async def _history(session: Session) -> None:
    contact = await session.find(session.arguments.contact)
    limit = positive(session.arguments.limit)
    imported = is_imported(contact)
    for message in await session.messenger.messages(contact.id, limit=limit):
        record = message_record(message, contact.name, imported=imported)
        session.out.result(record, message_line(message, contact))


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
    "search": search,
    "export": export_history,
    "import": import_history,
}


def _print_contacts(contacts: Iterable[Contact], out: Printer) -> None:
    for contact in contacts:
        out.result(contact_record(contact), contact_line(contact))


def _rows(items: Iterable[str], gap: str) -> list[str]:
    row = list(items)
    return [
        "  " + gap.join(row[start : start + GROUPS_PER_LINE])
        for start in range(0, len(row), GROUPS_PER_LINE)
    ]


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
