"""The bytes of exile/1: invites, mailboxes, contents, bodies, and what client and relay exchange.

Pure: no I/O, no clock. What does not parse raises `exile_tui.errors.WireError` and nothing else.
"""
