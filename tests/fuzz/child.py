"""Fuzz one target in this process, which libFuzzer ends: `python -m tests.fuzz.child TARGET`."""

from __future__ import annotations

import sys


def main() -> None:
    """Instrument the program's modules while they are imported, then fuzz."""
    import atheris

    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["exile_tui"], enable_loader_override=False):
        from tests.fuzz.targets import TARGETS
    run = TARGETS[name].run

    def one(data: bytes) -> None:  # libFuzzer reserves every other value
        run(data)

    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
