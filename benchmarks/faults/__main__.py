"""Kill clients and relay a thousand times and check the books after every fifty.

    python -m benchmarks.faults [--kills 1000] [--seed 2014]

Each round is a new pair of profiles and a new relay: 500 messages each way, 50 kills (`kill -9`) at
moments drawn from the seed, in every other round the relay's directory lost but for its key, all
settled, compared and scanned. The first round that does not balance ends the run; its directory is
kept and printed. The last round waits until the relay's files hold nothing of any envelope.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.faults.harness import Battle

KILLS_A_ROUND = 50
MESSAGES = 500
WIPED_WITHIN_S = 60.0


async def fight_round(directory: Path, seed: int, kills: int, *, wait: bool) -> dict[str, int]:
    """Fight one round and return who was killed how often.

    Raises:
        AssertionError: The books don't balance.
    """
    battle = Battle(directory, seed)
    try:
        await battle.set_up()
        lost = kills // 2 if seed % 2 else None  # every other round keeps order throughout
        await battle.fight(kills, MESSAGES, lose_relay_at=lost)
        await battle.settle(MESSAGES)
        await battle.check_books(MESSAGES)
        await battle.drain()
        if wait:
            await _until_wiped(battle)
        assert await battle.relay.end(kill=False) == 0
        assert battle.leaks_at_relay() == []
        assert battle.leaks_at_clients() == []
        assert battle.odd_sizes() == set()
    finally:
        await battle.close()
    return battle.kills


async def _until_wiped(battle: Battle) -> None:
    started = looked = time.monotonic()
    while battle.leaks_at_relay():
        # When the files were read counts: looking through them takes this machine seconds.
        assert looked - started <= WIPED_WITHIN_S, "envelopes are left at the relay"
        await asyncio.sleep(0.5)
        looked = time.monotonic()
    print(f"nothing left at the running relay after {looked - started:.0f} s")


def main() -> None:
    """Fight round after round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2014)
    arguments = parser.parse_args()
    total: dict[str, int] = {}
    rounds = -(-arguments.kills // KILLS_A_ROUND)
    started = time.monotonic()
    for number in range(rounds):
        directory = Path(tempfile.mkdtemp(prefix="exile-faults-"))
        seed = arguments.seed + number
        last = number == rounds - 1
        try:
            killed = asyncio.run(fight_round(directory / "run", seed, KILLS_A_ROUND, wait=last))
        except BaseException:
            print(f"round {number + 1}, seed {seed}: see {directory}", flush=True)
            raise
        shutil.rmtree(directory)
        total = {name: total.get(name, 0) + killed.get(name, 0) for name in total | killed}
        seconds = time.monotonic() - started
        print(f"round {number + 1} of {rounds}, {seconds:.0f} s: killed {total}", flush=True)
    print(f"{sum(total.values())} kills, {2 * MESSAGES * rounds} messages: nothing lost or doubled")


if __name__ == "__main__":
    main()
