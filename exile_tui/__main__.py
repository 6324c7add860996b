"""Run the program with `python -m exile_tui`."""

from exile_tui.cli.main import main

raise SystemExit(main())
