"""What a running relay says of its own defects."""

from __future__ import annotations

import sys
import traceback


def report_defect(error: Exception) -> None:
    """Write where a defect of this program is, and nothing of what it was handling."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    print(f"exile-tui relay: {place}: {type(error).__name__}", file=sys.stderr)  # noqa: T201 - the only output of a running relay
