"""Ways to what can be done and to whom: help, the command palette, the quick switcher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from exile_tui.locale import tr
from exile_tui.ui.widgets.key_line import ShownKey, shown_keys

if TYPE_CHECKING:
    from exile_tui.core.application import Application
    from exile_tui.core.model import Conversation


class Finding(App[int]):
    """An app whose every action is found by name."""

    application: Application

    def show_chats(self, contact_id: int | None = None) -> None:
        """Return to the chats and, if given, open a conversation."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keep conversations out of reach while locked, and Tab for who completes with it."""
        if action == "switcher":
            return self.application.messenger is not None and not self.screen.is_modal
        if action == "focus_next":
            return not getattr(self.focused, "takes_tab", False)
        return True

    def action_help(self) -> None:
        """Show the keys that work here; the same key closes it."""
        from exile_tui.ui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss(None)
        else:
            self.push_screen(HelpScreen(shown_keys(self.screen)))

    def action_palette(self) -> None:
        """Find a command and do it where the focus is."""
        from exile_tui.ui.screens.palette import PaletteScreen

        keys = [each for each in shown_keys(self.screen) if each.action != "palette"]
        self.push_screen(PaletteScreen(keys), self._do)

    async def _do(self, chosen: ShownKey | None) -> None:
        if chosen is not None:
            await self.run_action(chosen.action, chosen.node)

    def action_switcher(self) -> None:
        """Go to a conversation by its name."""
        from exile_tui.ui.screens.switcher import SwitcherScreen

        def chosen(conversation: Conversation | None) -> None:
            if conversation is not None:
                self.show_chats(conversation.contact.id)

        self.push_screen(SwitcherScreen(), chosen)

    def action_hint_quit(self) -> None:
        """Tell who presses Ctrl+C out of habit how to leave."""
        self.notify(tr("Ctrl+Q closes exile-tui."))
