"""Run a relay: `python -m exile_tui.relay`."""

import sys

from exile_tui.relay.main import main

sys.exit(main())
