"""The relay as its command runs it, but for how often it wipes: so that kills fall into wiping too.

It can also do with a little of what comes what else it does with a burst. Prints its address, and
ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from exile_tui.relay import journal, staying
from exile_tui.relay.binding import listen
from exile_tui.relay.main import announce, on_signals, run_loop
from exile_tui.relay.service import RelayDirectory, RelayService, RelaySettings
from exile_tui.relay.sqlite import WIPE_INTERVAL
from exile_tui.wire.address import RelayAddress


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--wipe-interval", type=float, default=WIPE_INTERVAL, help="seconds")
    parser.add_argument(
        "--burst",
        type=int,
        metavar="BYTES",
        help="what is as much as a burst; the usual if omitted",
    )
    arguments = parser.parse_args()
    if arguments.burst is not None:
        staying.LEAST = journal.LEAST = arguments.burst
    settings = RelaySettings(directory=arguments.data_dir, wipe_interval=arguments.wipe_interval)
    directory = RelayDirectory(settings.directory)
    bound = listen("127.0.0.1", arguments.port)
    address = RelayAddress("127.0.0.1", bound.getsockname()[1], directory.key.pin)
    service = RelayService(settings, directory, bound)

    async def serve() -> None:
        on_signals(service.stop)
        announce(address, sys.stdout)
        await service.run()

    run_loop(serve())


if __name__ == "__main__":
    main()
