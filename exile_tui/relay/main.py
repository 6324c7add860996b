"""`exile-tui relay`: run a relay until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import ipaddress
import math
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from exile_tui import paths
from exile_tui.errors import N_, ExileError, UsageError, WireError
from exile_tui.locale import tr
from exile_tui.relay.access import Access, read_phrase
from exile_tui.relay.binding import listen
from exile_tui.relay.facts_file import FACTS_FILE, OperatorFacts, read_facts
from exile_tui.relay.listening import Listening
from exile_tui.relay.placing import Placement, allowed
from exile_tui.relay.reloading import on_hangup
from exile_tui.relay.service import (
    Beside,
    DirectoryUnusable,
    RelayDirectory,
    RelayService,
    RelaySettings,
)
from exile_tui.relay.work import EASIEST_BITS, MAX_BITS, WorkMode, WorkPolicy
from exile_tui.wire.address import RelayAddress, require_host

_COLLECT_AFTER = 20_000
"""Objects after which the youngest are gone through for cycles. With a quarter of it, that took a
tenth of the loop's time."""

_NO_ENGINE = N_("There is no engine {engine}; this version stores in sqlite only.")
_BAD_HOST = N_("{host} can't be a relay's host: 1 to 62 of a-z, 0-9, '-', '.', or an IPv6 address.")
_EVERYWHERE = N_(
    "In this address, put the name or address by which others reach this computer in the place of "
    "{host}, which stands for all of its addresses."
)
_BAD_WORK = N_(
    "Work can't be asked for like that: a rate from 1 mailbox a minute on, {least} to {most} bits."
)
_BAD_BALANCER = N_("{text} is no address for --balancer: an IPv4 or IPv6 address.")
_BAD_PORT = N_("{port} is no port: 0 to 65535, 0 draws a free one.")


class Options(Protocol):
    """What `exile_tui.cli.parser` makes of the command line."""

    host: str
    port: int
    access_phrase_file: Path | None
    facts: Path | None
    engine: str
    metrics: str | None
    work: str
    work_rate: float | None
    work_bits: int | None
    balancer: list[str] | None


def run(options: Options) -> int:
    """Run a relay until SIGTERM or SIGINT, or do what its operator asks; return the exit code.

    Args:
        options: As parsed; `data_dir` may be missing or None, then it is the usual place.
            `relay_command` may be "facts", or "disclose" with a `mailbox`.

    Raises:
        ExileError: It can't be done: one sentence says why.
    """
    command = getattr(options, "relay_command", None)
    if command is not None:
        from exile_tui.relay import operator

        if command == "facts":
            return operator.state_facts(options, _directory(options))
        return operator.disclose(getattr(options, "mailbox", ""), _directory(options))
    if options.engine != "sqlite":
        raise UsageError(_NO_ENGINE, engine=options.engine)
    if not 0 <= options.port <= 65_535:
        raise UsageError(_BAD_PORT, port=options.port)
    try:
        require_host(options.host)
    except WireError:
        raise UsageError(_BAD_HOST, host=options.host) from None
    phrase = options.access_phrase_file
    home = _directory(options)
    facts = options.facts or home / FACTS_FILE
    settings = RelaySettings(
        directory=home,
        access=Access(None if phrase is None else read_phrase(phrase)),
        facts=read_facts(facts) if options.facts or facts.exists() else OperatorFacts(),
        facts_file=facts,
        work=_work(options),
        balancers=_balancers(options),
    )
    directory = RelayDirectory(settings.directory)
    try:
        with contextlib.ExitStack() as sockets:
            beside: list[Beside] = []
            if options.metrics is not None:
                from exile_tui.relay.metrics_port import bind_metrics
                from exile_tui.relay.observing import observer

                beside.append(observer(sockets.enter_context(bind_metrics(options.metrics))))
            bound = sockets.enter_context(_bind(options, settings.directory))
            address = RelayAddress(options.host, bound.getsockname()[1], directory.key.pin)
            run_loop(_announcing(settings, directory, bound, address, beside))
    finally:
        directory.release()
    return 0


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop, on asyncio's own loop where there is no uvloop."""
    # What is there now stays; with the usual thresholds, thousands of requests at once would have
    # all of them gone through again and again.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 10, 10)
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


def on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` in the running loop on SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def announce(address: RelayAddress, stream: TextIO, *, everywhere: bool = False) -> None:
    """Write a relay's address, and what it is for when a person looks.

    Args:
        everywhere: The host stands for all addresses of this computer: nobody can connect to that.
    """
    stream.write(address.url + "\n")
    with contextlib.suppress(UnicodeEncodeError):  # half blocks are not in every encoding
        if everywhere:
            stream.write(tr(_EVERYWHERE, host=address.host) + "\n")
        elif stream.isatty():
            stream.write(tr("People enter this address when they start exile-tui.") + "\n")
    stream.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m exile_tui.relay`."""
    parser = argparse.ArgumentParser(prog="python -m exile_tui.relay")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--access-phrase-file", type=Path)
    parser.add_argument("--facts", type=Path)
    parser.add_argument("--engine", default="sqlite")
    parser.add_argument("--metrics")
    parser.add_argument("--work", choices=[*WorkMode], default=WorkMode.BUSY)
    parser.add_argument("--work-rate", type=float)
    parser.add_argument("--work-bits", type=int)
    parser.add_argument("--balancer", action="append")
    try:
        return run(parser.parse_args(arguments))
    except ExileError as error:
        sys.stderr.write(tr(error.sentence, **error.parameters) + "\n")
        return error.exit_code


async def _announcing(
    settings: RelaySettings,
    directory: RelayDirectory,
    bound: socket.socket,
    address: RelayAddress,
    beside: Sequence[Beside],
) -> None:
    """Say the address, and serve."""
    service = RelayService(settings, directory, bound, placement=Placement(allowed()))
    on_signals(service.stop)
    on_hangup(directory.key, settings.facts_file or directory.path / FACTS_FILE, service.stop)
    reach = ipaddress.ip_address(bound.getsockname()[0].partition("%")[0])
    announce(address, sys.stdout, everywhere=reach.is_unspecified)
    if not sys.stdout.isatty():
        await service.run(*beside)
        return
    from exile_tui.relay.status import StatusLine

    line = StatusLine(sys.stdout, lambda: qr_code(address.url))
    await service.run(*beside, lambda running: line.run(running.engine))


def _work(options: Options) -> WorkPolicy:
    usual = WorkPolicy()
    rate = usual.rate if options.work_rate is None else options.work_rate
    bits = usual.bits if options.work_bits is None else options.work_bits
    if not (EASIEST_BITS <= bits <= MAX_BITS and 1.0 <= rate < math.inf):
        raise UsageError(_BAD_WORK, least=EASIEST_BITS, most=MAX_BITS)
    return WorkPolicy(mode=WorkMode(options.work), rate=rate, bits=bits)


def _bind(options: Options, directory: Path) -> socket.socket:
    """Listen on the port asked for, else on the kept one, drawn at the first start."""
    kept = Listening.read(directory).port
    bound = listen(options.host, options.port or kept)
    if not options.port and not kept:
        try:
            Listening(options.host, bound.getsockname()[1]).write(directory)
        except OSError as error:
            bound.close()
            raise DirectoryUnusable(path=str(directory), reason=error.strerror or "?") from error
    return bound


def _balancers(options: Options) -> tuple[str, ...]:
    named = options.balancer or []
    for each in named:
        try:
            ipaddress.ip_address(each)
        except ValueError:
            raise UsageError(_BAD_BALANCER, text=each) from None
    return tuple(named)


def _directory(options: Options) -> Path:
    """Return the relay's own directory, not the one of this user's embedded relay."""
    chosen = getattr(options, "data_dir", None)
    if chosen is not None:
        return Path(chosen).expanduser().absolute()
    return paths.data_home() / "served-relay"


def qr_code(text: str) -> str:
    """Draw a QR code in half blocks, black on white whatever the terminal's colours are."""
    import segno

    rows = [list(row) for row in segno.make(text, error="l", micro=False).matrix_iter(border=4)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        cells = "".join(
            " ▀▄█"[bool(top) + 2 * bool(bottom)] for top, bottom in zip(upper, lower, strict=True)
        )
        lines.append(f"\x1b[30;107m{cells}\x1b[0m\n")
    return "".join(lines)
