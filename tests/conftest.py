"""One profile for every test, before anything is imported: locale, time zone, no animation."""

from __future__ import annotations

import gc
import os
import signal
import time

from hypothesis import settings

os.environ.update(
    TZ="Asia/Seoul",
    TEXTUAL_ANIMATIONS="none",
    LANG="C.UTF-8",
    LC_ALL="C.UTF-8",
    COLORTERM="truecolor",
)
time.tzset()
# Programs that tests start would compile every module again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
for _name in [name for name in os.environ if name.startswith("EXILE_")]:
    del os.environ[_name]
# `nohup` leaves it ignored, and what tests start would inherit that.
if (_hangup := getattr(signal, "SIGHUP", None)) is not None:
    signal.signal(_hangup, signal.SIG_DFL)
# The same examples in every run, however slow the machine is.
settings.register_profile("exile", deadline=None, derandomize=True, database=None)
settings.load_profile("exile")


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what was collected, and come less often.

    Thousands of tests and all modules lie there for the whole run; looking at them again and again
    takes a quarter of the time of a screen's test.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
