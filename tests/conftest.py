"""One profile for every test, before anything is imported: locale, time zone, no animation."""

from __future__ import annotations

import os
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
for _name in [name for name in os.environ if name.startswith("EXILE_")]:
    del os.environ[_name]
# The same examples in every run, however slow the machine is.
settings.register_profile("exile", deadline=None, derandomize=True, database=None)
settings.load_profile("exile")
