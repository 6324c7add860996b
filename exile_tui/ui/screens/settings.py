"""Settings: groups of lines, each with its value at the right, and what it means below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Static

from exile_tui.errors import N_
from exile_tui.locale import language, tr, tr_n
from exile_tui.text import one_line, sanitize_name
from exile_tui.ui.screens.base import ExileScreen
from exile_tui.ui.themes import DEFAULT
from exile_tui.ui.widgets.setting_row import Setting, SettingRow, Shown, Value, turned

LOW_OR_HIGH = [(0, "-low"), (24, "-high")]
"""The class from so many rows on: without room for space between the groups, or with it."""
AUTO_LOCK_MINUTES = (0, 1, 5, 15, 60)

GROUPS: tuple[tuple[str, tuple[Setting, ...]], ...] = (
    (
        N_("Screen"),
        (
            Setting("lang", N_("Language"), N_("Everything changes at once.")),
            Setting(
                "theme",
                N_("Theme"),
                N_("Enter shows them all."),
                opens=True,
            ),
            Setting("time_24h", N_("Time of day"), N_("How times are written everywhere.")),
            Setting(
                "ascii_marks",
                N_("Signs"),
                N_("Take the plain ones if lines look shifted: some terminals draw others wide."),
            ),
        ),
    ),
    (
        N_("Writing and messages"),
        (
            Setting("enter_sends", N_("Send with"), N_("The other one breaks the line.")),
            Setting(
                "notifications",
                N_("When a message comes"),
                N_("While exile-tui is not in front. What was written is never shown."),
            ),
            Setting("bell", N_("Bell"), N_("Your terminal rings or blinks with a notification.")),
            Setting("keys", N_("Keys"), N_("Enter shows their names and where to change them."),
                    opens=True),
        ),
    ),
    (
        N_("Protection"),
        (
            Setting(
                "auto_lock_minutes",
                N_("Auto-lock"),
                N_("Locks after so long without a key, the mouse or a paste."),
            ),
            Setting(
                "passphrase",
                N_("Passphrase"),
                N_("Take another one, with a new database key if you want."),
                opens=True,
            ),
        ),
    ),
    (
        N_("You"),
        (
            Setting(
                "name", N_("Your name"), N_("Only your contacts see it; they are told."), opens=True
            ),
            Setting(
                "history",
                N_("Messages"),
                N_("Write them into a file, or take them from one."),
                opens=True,
            ),
        ),
    ),
)  # fmt: skip

WORDS: Mapping[str, Mapping[Value, str]] = {
    "lang": {"ko": "한국어", "en": "English"},
    "enter_sends": {True: "Enter", False: "Ctrl+J"},
    "notifications": {
        "none": N_("say nothing"),
        "some": N_("say that one came"),
        "who": N_("say who wrote"),
    },
    "bell": {True: N_("on"), False: N_("off")},
    "time_24h": {False: N_("3:05 PM"), True: "15:05"},
    "ascii_marks": {False: "✔ ● ▎", True: "v * |"},
}
"""The values of settings, in their order, and how they are shown."""


class Lines(VerticalScroll, inherit_bindings=False):
    """Scrolls after the focus: the arrows belong to the screen, however low the terminal is."""


class SettingsScreen(ExileScreen):
    """Every change holds at once, and is written into config.toml."""

    HEADING = N_("Settings")
    CSS_PATH = "settings.tcss"
    VERTICAL_BREAKPOINTS = LOW_OR_HIGH
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", N_("Line above"), id="settings.up", show=False,
                tooltip=N_("Go to the setting above")),
        Binding("down", "move(1)", N_("Line below"), id="settings.down", show=False,
                tooltip=N_("Go to the setting below")),
    ]  # fmt: skip

    def compose_body(self) -> ComposeResult:
        """Yield the groups, and a place for the words on the focused line."""
        with Lines(id="settings", can_focus=False), Vertical(id="card"):
            for number, (title, settings) in enumerate(GROUPS):
                yield Static(
                    tr(title), classes="group -next" if number else "group", id=f"group-{number}"
                )
                for setting in settings:
                    yield SettingRow(setting, self._shown, self.exile.marks.bar)
        with Container(id="about"):
            yield Static(id="hint", markup=False)

    def on_mount(self) -> None:
        """Begin with the first line, and show what changes elsewhere: in the file."""
        self.bindings_updated_signal.subscribe(self, lambda _: self._changed())
        # At once: with no line yet, the first key down would lead to the first one only.
        self.set_focus(self.query(SettingRow).first())

    async def retranslate(self) -> None:
        """Show the same lines in other words: nothing is made anew, so nothing loses the focus."""
        for number, (title, _) in enumerate(GROUPS):
            self.query_one(f"#group-{number}", Static).update(tr(title))
        for row in self.query(SettingRow):
            row.bar = self.exile.marks.bar
        self._show_hint()
        self.refresh_bindings()
        self.refresh(recompose=False, layout=True)
        for widget in self.query("*"):
            widget.refresh()

    # What is shown

    def _shown(self, setting: Setting) -> Shown:
        name = setting.name
        above = self.exile.preferences.override(name)
        if name in ("passphrase", "name", "keys", "history"):
            words: Mapping[str, Callable[[], str]] = {
                "passphrase": lambda: tr("change"),
                "name": lambda: sanitize_name(self.messenger.name, ""),
                "keys": self._keys_words,
                "history": lambda: tr("export, import"),
            }
            return Shown(words[name]())
        values = self._values(name)
        now = self._now(name)
        if name == "theme":
            text = one_line(str(now))
        elif name == "auto_lock_minutes":
            text = auto_lock_words(int(now))
        else:
            text = tr(WORDS[name][now])
        return Shown(text, above, turns=not above and len(values) > 1)

    def _keys_words(self) -> str:
        changed = len(self.exile._keymap)
        return tr_n("{n} of your own", "{n} of your own", changed) if changed else tr("the usual")

    def _now(self, name: str) -> Value:
        settings = self.exile.settings
        if name == "lang":
            return language()
        if name == "theme":
            return settings.theme or DEFAULT
        now: Value = getattr(settings, name)
        return now

    def _values(self, name: str) -> tuple[Value, ...]:
        if name == "theme":
            return tuple(self.exile.themes.names)
        if name == "auto_lock_minutes":
            return tuple(sorted({*AUTO_LOCK_MINUTES, self.exile.settings.auto_lock_minutes}))
        return tuple(WORDS[name])

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        self._show_hint(event.widget)

    def _show_hint(self, row: Widget | None = None) -> None:
        row = row or self.focused
        if not isinstance(row, SettingRow):
            return
        above = self.exile.preferences.override(row.setting.name)
        if above:
            words = tr("Set by {source}: start without it to choose here.", source=above)
        else:
            words = tr(row.setting.hint)
            if row.setting.name == "theme":
                now = self._now("theme")
                about = {each.name: each.words for each in self.exile.themes.loaded}.get(str(now))
                words = f"{about}\n{words}" if about else words
        self.query_one("#hint", Static).update(Content(words))

    # Changes

    def action_move(self, by: int) -> None:
        """Go to the line above or below; the last leads to the first."""
        rows = list(self.query(SettingRow))
        row = self.focused
        at = rows.index(row) if isinstance(row, SettingRow) else -by
        # At once, not when the widget gets to it: the next key may be there already.
        self.set_focus(rows[(at + by) % len(rows)])

    @on(SettingRow.Turned)
    def _turn(self, event: SettingRow.Turned) -> None:
        name = event.row.setting.name
        self.change(name, turned(self._values(name), self._now(name), event.by))

    def change(self, name: str, value: Value) -> None:
        """Take a value, at once and for the next start."""
        change = partial(self.exile.preferences.change, **{name: value})
        self.command("settings", change)
        self.call_after_refresh(self._changed)

    def _changed(self) -> None:
        for row in self.query(SettingRow):
            row.refresh()
        self._show_hint()

    @on(SettingRow.Opened)
    def _open(self, event: SettingRow.Opened) -> None:
        opened: Mapping[str, Callable[[], object]] = {
            "theme": self._choose_theme,
            "keys": self._show_keys,
            "name": self._rename,
            "history": self.exile.action_history,
            "passphrase": lambda: self.exile.open_screen("passphrase"),
        }
        opened[event.row.setting.name]()

    def _choose_theme(self) -> None:
        from exile_tui.ui.screens.theme_picker import ThemePicker

        if self.exile.preferences.override("theme"):
            return

        def chosen(name: str | None) -> None:
            if name is not None:
                self.change("theme", name)

        self.app.push_screen(ThemePicker(), chosen)

    def _show_keys(self) -> None:
        from exile_tui.ui.screens.key_names import KeyNames

        self.app.push_screen(KeyNames())

    def _rename(self) -> None:
        from exile_tui.ui.screens.rename import RenamePanel

        self.app.push_screen(RenamePanel(), lambda _: self._changed())


def auto_lock_words(minutes: int) -> str:
    """Return after how long it locks."""
    if not minutes:
        return tr("off")
    if minutes % 60 == 0:
        return tr_n("after {n} hour", "after {n} hours", minutes // 60)
    return tr_n("after {n} minute", "after {n} minutes", minutes)
