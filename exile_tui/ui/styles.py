"""Styles inside texts that a stylesheet can't reach."""

MUTED = "$foreground 66%"
"""Secondary text. `$text-muted` is an automatic colour, which only stylesheets know: inside a
Content it would be drawn like any other text."""
