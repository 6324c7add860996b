"""What is fuzzed (`python -m tests.fuzz`) stands a little of it each time the tests run."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.targets import TARGETS

MUTATIONS = 20
"""Of each seed; a run of the fuzzer tries thousands a second."""


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_taken_and_damaged_ones_are_taken_or_refused(name: str) -> None:
    target, rng = TARGETS[name], random.Random(name)
    seeds = list(target.seeds())
    accepted = [target.run(seed) for seed in seeds]
    assert any(accepted)  # or the fuzzer would only ever see what is refused
    for seed in (*seeds, b""):
        assert len(seed) <= target.longest
        for _ in range(MUTATIONS):
            damaged = bytearray(seed)
            for _ in range(rng.randint(1, 4)):
                at = rng.randint(0, len(damaged))
                damaged[at : at + rng.randint(0, 3)] = rng.randbytes(rng.randint(0, 3))
            target.run(bytes(damaged))
