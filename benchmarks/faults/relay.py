"""Kill a relay under load a thousand times (`kill -9`) and check the books after every fifty.

    python -m benchmarks.faults.relay [--kills 1000] [--seed 2014]

Each round is a new relay with eight mailboxes, four senders and two receivers, killed at moments
drawn from the seed: under load, while it wipes, while it starts. To every other one a little is as
much as a burst, so that bodies stay in its journal. Then: nothing that was answered
"stored" is lost or out of order within its mailbox, nothing is there twice but the same bytes that
a sender posted again when it had no answer, nothing comes back after its deletion was answered,
and no byte of any envelope is left in a file. The first round that does not balance ends the run;
its directory is kept and printed.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.faults.siege import BURSTS, QUICK_WIPER, Siege

KILLS_A_ROUND = 50


def main() -> None:
    """Besiege one relay after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2014)
    arguments = parser.parse_args()
    started, kills, envelopes, again, doubled = time.monotonic(), 0, 0, 0, 0
    number = 0
    while kills < arguments.kills:
        directory = Path(tempfile.mkdtemp(prefix="exile-siege-"))
        seed = arguments.seed + number
        siege = Siege(directory, seed, (QUICK_WIPER, BURSTS)[number % 2])
        try:
            asyncio.run(siege.fight(min(KILLS_A_ROUND, arguments.kills - kills)))
        except BaseException:
            print(f"seed {seed}, kill {siege.kills}: see {directory}", flush=True)
            raise
        shutil.rmtree(directory)
        kills += siege.kills
        envelopes += siege.books.count()
        again += siege.books.count_again()
        doubled += siege.books.duplicates
        number += 1
        print(
            f"{kills} kills, {time.monotonic() - started:.0f} s: {envelopes} envelopes, of which "
            f"{again} were posted again, and {doubled} of these arrived twice",
            flush=True,
        )
    print("nothing lost, out of order, doubled by the relay, or left in a file")


if __name__ == "__main__":
    main()
