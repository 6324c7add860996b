"""One's own messages out into a file, and from a file in again."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static
from textual.worker import Worker, WorkerCancelled

from exile_tui.errors import N_, ExileError, UsageError
from exile_tui.locale import tr, tr_n
from exile_tui.text import cut, nfc
from exile_tui.ui.screens.base import ExileModal
from exile_tui.ui.widgets.one_line import Field
from exile_tui.ui.words import NAME_IN_SENTENCE, contact_name, error_text

if TYPE_CHECKING:
    from exile_tui.core.exporting import Exported
    from exile_tui.core.importing import Imported
    from exile_tui.core.model import Contact
    from exile_tui.ui.app import ExileApp

BAR_CELLS = 24
AROUND = 7
"""Rows of the answers, the keys, what goes on, and the space around them."""
NO_FILE = N_("Type which file, with its whole path.")


def open_history(app: ExileApp, contact: Contact | None = None) -> None:
    """Show the panel; with a contact, only that conversation is exported."""
    app.push_screen(HistoryPanel(contact))


class HistoryPanel(ExileModal[None]):
    """Asks for a file, and shows how far it is; leaving stops the work."""

    CSS_PATH = "history.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "export", N_("Export"), id="history.export",
                tooltip=N_("Write the messages into the file; it is NOT encrypted")),
        Binding("f6", "import", N_("Import"), id="history.import",
                tooltip=N_("Take the messages of the file, as conversations of their own")),
    ]  # fmt: skip

    def __init__(self, contact: Contact | None = None) -> None:
        super().__init__()
        self._contact = contact
        self._worker: Worker[None] | None = None
        self._percent = -1

    def compose_panel(self) -> ComposeResult:
        """Yield the field, what each way means, and the answers."""
        with VerticalScroll(id="content", can_focus=False):
            yield Static(self._heading(), classes="heading", markup=False)
            yield Field(str(self._suggestion()), max_length=4096, select_on_focus=False, id="file")
            yield Static(
                tr(
                    "Export writes the messages into this file. The file is NOT encrypted: "
                    "whoever gets it can read everything in it."
                ),
                classes="warning",
            )
            yield Static(
                tr(
                    "Import takes the messages of such a file. They become conversations of "
                    "their own, marked as imported: nobody can vouch for a file, and nothing can "
                    "be sent there."
                ),
                classes="muted",
            )
            yield Static(id="problem", classes="error", markup=False)
        yield Static(id="progress", markup=False)
        with Horizontal():
            yield Button(tr("Export"), id="export", variant="primary")
            yield Button(tr("Import"), id="import")
            yield Button(tr("Close"), id="close")

    def on_mount(self) -> None:
        """Begin with the file."""
        self._say("")
        self.query_one("#file").focus()

    def on_resize(self) -> None:
        """Keep the answers in sight: what does not fit above them scrolls."""
        self.query_one("#content").styles.max_height = max(4, self.size.height - AROUND)

    async def retranslate(self) -> None:
        """Show everything in the language that was just chosen; keep what was typed."""
        typed = self.query_one("#file", Input).value
        await super().retranslate()
        self.on_mount()
        self.query_one("#file", Input).value = typed

    async def before_lock(self) -> None:
        """Stop, so that the profile can close."""
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(WorkerCancelled):
                await self._worker.wait()

    def _heading(self) -> str:
        if self._contact is None:
            return tr("Messages in a file")
        name = cut(contact_name(self._contact), NAME_IN_SENTENCE)
        return tr("The conversation with {name} in a file", name=name)

    def _suggestion(self) -> Path:
        day = datetime.fromtimestamp(self.exile.clock.now_ms() / 1000, tz=UTC).astimezone()
        return Path("~") / f"exile-tui-{day:%Y-%m-%d}.jsonl"

    def _file(self) -> Path | None:
        typed = nfc(self.query_one("#file", Input).value.strip())
        if self._worker is not None:
            return None
        if typed and "\0" not in typed:
            with contextlib.suppress(RuntimeError):  # `~` and the name of nobody here
                return Path(typed).expanduser()
        self._failed(UsageError(NO_FILE))
        return None

    @on(Button.Pressed, "#export")
    def action_export(self) -> None:
        """Write the file; one that is there only after asking."""
        if (file := self._file()) is not None:
            self._export(file, replace=False)

    def _export(self, file: Path, *, replace: bool) -> None:
        from exile_tui.core.exporting import EXISTS

        def failed(error: ExileError) -> None:
            self._failed(error)
            if error.sentence == EXISTS and not replace and not file.is_dir():
                self.exile.ask(
                    tr("Replace the file {file}?", file=file.name),
                    tr("Replace"),
                    lambda: self._export(file, replace=True),
                    tr("What is in it now is lost."),
                )

        contact_id = self._contact.id if self._contact else None

        async def work() -> Exported:
            return await self.messenger.export_history(
                file, self._progress, contact_id=contact_id, replace=replace
            )

        self._begin(work, self._exported, failed)

    @on(Button.Pressed, "#import")
    def action_import(self) -> None:
        """Read the file."""
        if (file := self._file()) is not None:

            async def work() -> Imported:
                return await self.messenger.import_history(file, self._progress)

            self._begin(work, self._imported, self._failed)

    def _begin(
        self,
        work: Callable[[], Awaitable[object]],
        then: Callable[[object], object],
        failed: Callable[[ExileError], object],
    ) -> None:
        self._say("")
        self._percent = -1
        self._progress(0, 0)
        self._worker = self.command("history", work, then, failed)

    def _progress(self, done: int, total: int) -> None:
        percent = done * 100 // total if total else 0
        if percent == self._percent or not self.is_attached:
            return
        self._percent = percent
        cells = percent * BAR_CELLS // 100
        bar = "=" * cells + "-" * (BAR_CELLS - cells)
        self.query_one("#progress", Static).update(
            Content.assemble(
                (bar, "$primary"), f" {percent:3} %  ", (tr("Esc stops it."), "$text-muted")
            ),
            layout=False,
        )

    def _exported(self, exported: object) -> None:
        messages: int = getattr(exported, "messages", 0)
        self._end(tr_n("{n} message is in the file.", "{n} messages are in the file.", messages))

    def _imported(self, imported: object) -> None:
        messages: int = getattr(imported, "messages", 0)
        known: int = getattr(imported, "known", 0)
        words = tr_n("{n} message imported", "{n} messages imported", messages)
        if known:
            words += ", " + tr_n("{n} was here already", "{n} were here already", known)
        if deleted := getattr(imported, "deleted", 0):
            words += ", " + tr_n(
                "{n} was deleted here before and stays deleted",
                "{n} were deleted here before and stay deleted",
                deleted,
            )
        self._end(words)

    def _failed(self, error: ExileError) -> None:
        self._end("")
        self._say(error_text(error))
        self.call_after_refresh(self.query_one("#file").focus)

    def _end(self, words: str) -> None:
        self._worker = None
        self.query_one("#progress", Static).update(Content(words))

    def _say(self, problem: str) -> None:
        line = self.query_one("#problem", Static)
        line.display = bool(problem)
        line.update(Content(problem))
        if problem:
            self.call_after_refresh(self.query_one("#content").scroll_end, animate=False)

    @on(Button.Pressed, "#close")
    def action_cancel(self) -> None:
        """Stop what goes on; else close."""
        if self._worker is None:
            self.dismiss(None)
            return
        self._worker.cancel()
        self._end(tr("Stopped. An import that is begun again goes on where it was."))
