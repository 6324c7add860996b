"""The demo's relay: `python -m exile_tui.demo.relay DIRECTORY LANGUAGE`; a real one, thrown away.

It says its address on standard output once it listens. The port is drawn once, so that it can be
ended and started again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from exile_tui.demo import lifeline, place
from exile_tui.errors import N_
from exile_tui.locale import set_language, tr
from exile_tui.relay.binding import listen
from exile_tui.relay.facts import OperatorFacts
from exile_tui.relay.listening import Listening
from exile_tui.relay.main import on_signals, run_loop
from exile_tui.relay.service import RelayDirectory, RelayService, RelaySettings
from exile_tui.wire.address import RelayAddress

_JURISDICTION = N_("this computer, until the demo ends")
_OPERATOR = N_("You, for as long as the demo runs.")


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM, or until the demo is gone."""
    home, language = Path(arguments[0]), arguments[1]
    lifeline.watch(home)
    set_language(language)
    with place.hold(home):
        settings = RelaySettings(
            directory=home / "relay",
            facts=OperatorFacts(jurisdiction=tr(_JURISDICTION), operator=tr(_OPERATOR)),
        )
        directory = RelayDirectory(settings.directory)
        kept = Listening.read(settings.directory)
        bound = listen(kept.host, kept.port)
        port = bound.getsockname()[1]
        Listening(kept.host, port).write(settings.directory)

        async def serve() -> None:
            service = RelayService(settings, directory, bound)
            on_signals(service.stop)
            # Connections are taken from here on: they wait until the loop serves them.
            sys.stdout.write(RelayAddress(kept.host, port, directory.key.pin).url + "\n")
            sys.stdout.flush()
            await service.run()

        run_loop(serve())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
