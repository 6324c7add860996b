"""Make a screen anew, for another language or other marks, and lose nothing that was typed."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.widgets import Input


async def recompose(screen: Screen[Any]) -> None:
    """Make the widgets of a screen again; fields keep their text, the focus stays where it was."""
    focused = screen.focused.id if screen.focused is not None else None
    typed = {field.id: (field.value, field.selection) for field in screen.query(Input)}
    await screen.recompose()
    for field in screen.query(Input):
        if field.id in typed:
            field.value, selection = typed[field.id]
            field.selection = selection
            if field.id == focused:
                # Who is in the middle of a text stays there.
                field.select_on_focus = False
    if focused is not None:
        for widget in screen.query(f"#{focused}"):
            widget.focus(scroll_visible=False)
