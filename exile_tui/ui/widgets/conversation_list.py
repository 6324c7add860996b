"""The list of conversations: name, last line, trust in words, time, unread count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.visual import RenderOptions, Visual
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from exile_tui.core.model import ContactState, Conversation, Direction, MessageKind
from exile_tui.errors import N_
from exile_tui.locale import dates, language, tr, tr_n
from exile_tui.text import cut, one_line, unjoined
from exile_tui.ui.widgets.bar_rows import quicken
from exile_tui.ui.widgets.plain_rows import plain_rows
from exile_tui.ui.words import contact_name, trust_words

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.geometry import Region
    from textual.strip import Strip
    from textual.style import Style

    from exile_tui.ui.app import ExileApp


LOOKED_AT = 1_000
"""Characters of a text that its row is made of: a long one takes a tenth of a second."""
ROWS = 4
"""Of a conversation in the list; the last one is blank."""


class _Entry(Visual):
    """A conversation in the list, laid out when its width is known, which the first frame needs."""

    def __init__(self, listed: ConversationList, index: int) -> None:
        self._listed = listed
        self._index = index

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        entry = self._listed.entry(self._index, width)
        return entry.render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        return ROWS


class ConversationList(OptionList):
    """Three rows for each conversation; the open one has a bar at its left."""

    DEFAULT_CSS = """
    ConversationList {
        background: $surface;
        padding: 0;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", N_("Open"), tooltip=N_("Open the conversation"),
                id="conversations.open"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._conversations: Sequence[Conversation] = ()
        self._open: int | None = None
        self._looks: tuple[object, ...] = ()
        self._rows: dict[tuple[int, str], list[Strip]] = {}
        self._below: Strip | None = None
        """A row below the last conversation."""
        self._styles: dict[str, Style] = {}
        """How a conversation looks in each state; to find it takes as long as to draw it."""

    def on_mount(self) -> None:
        """Give the scroll bar its quick rows."""
        quicken(self.vertical_scrollbar)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to open a conversation only when there is one."""
        return action != "select" or bool(self._conversations)

    def show(self, conversations: Sequence[Conversation], open_contact: int | None) -> None:
        """List conversations; the highlight stays with its contact.

        Args:
            conversations: In the order to show them.
            open_contact: Whose conversation is open.
        """
        follow = open_contact if open_contact not in (None, self._open) else None
        before, was_open = self._conversations, self._open
        self._conversations, self._open = conversations, open_contact
        ids = [each.contact.id for each in conversations]
        looks = self._how_it_looks()
        if looks != self._looks or ids != [each.contact.id for each in before]:
            self._looks = looks
            self._fill(None if follow is None else str(follow))
            return
        # Most rows are as they were: drawing them anew is what takes the time.
        for index, (old, new) in enumerate(zip(before, conversations, strict=True)):
            marked = new.contact.id in (was_open, open_contact) and was_open != open_contact
            if marked or old != new:
                self._draw_anew(index)
        if follow in ids:
            self.highlighted = ids.index(follow)

    def _how_it_looks(self) -> tuple[object, ...]:
        """Return what all rows depend on, beside the theme, which has its own styles."""
        app = cast("ExileApp", self.app)
        today = dates.day_of(app.clock.now_ms())
        return language(), app.settings.time_24h, app.marks, today

    def _draw_anew(self, index: int) -> None:
        option, cache = self.get_option_at_index(index), self._option_render_cache
        for key in [key for key in list(cache.keys()) if key[0] is option]:
            cache.discard(key)
        self.refresh_lines(index * ROWS, ROWS)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw; each conversation is looked up once for all of its rows."""
        self._rows.clear()
        self._below = None
        self._update_lines()
        return plain_rows(self, crop)

    def render_line(self, y: int) -> Strip:
        """Draw a row."""
        index, row = divmod(self.scroll_offset.y + y, ROWS)
        if index >= self.option_count:
            if self._below is None:
                self._below = super().render_line(y)
            return self._below
        state = ""
        if index == self.highlighted:
            state = "option-list--option-highlighted"
        elif index == self._mouse_hovering_over:
            state = "option-list--option-hover"
        rows = self._rows.get((index, state))
        if rows is None:
            rows = self._get_option_render(self.get_option_at_index(index), self._style(state))
            self._rows[index, state] = rows
        return rows[row]

    def _style(self, state: str) -> Style:
        style = self._styles.get(state)
        if style is None:
            names = filter(None, ("option-list--option", state))
            style = self._styles[state] = self.get_visual_style(*names)
        return style

    def notify_style_update(self) -> None:
        """Forget how conversations look."""
        self._styles.clear()
        super().notify_style_update()

    def _fill(self, kept: str | None = None) -> None:
        if kept is None and self.highlighted is not None and self.option_count:
            kept = self.get_option_at_index(self.highlighted).id
        self.clear_options()
        self.add_options(
            Option(_Entry(self, index), id=str(each.contact.id))
            for index, each in enumerate(self._conversations)
        )
        # Textual 8.2.8 may keep the automatic height of the emptied list, 0: who was just invited
        # was not to be seen.
        self.styles.height = ROWS * len(self._conversations)
        ids = [str(each.contact.id) for each in self._conversations]
        if ids:
            self.highlighted = ids.index(kept) if kept in ids else 0

    def entry(self, index: int, width: int) -> Content:
        """Return the rows of a conversation.

        Args:
            index: Which.
            width: Cells that there are.
        """
        each = self._conversations[index]
        app = cast("ExileApp", self.app)
        width = max(8, width - 3)
        is_open = each.contact.id == self._open
        bar = (app.marks.bar if is_open else " ", "$primary")
        # The conversation stands behind all of this, on the same rows.
        name = cut(unjoined(contact_name(each.contact)), width)
        rows = (
            Content.styled(name, "bold $foreground" if each.unread or is_open else "$foreground"),
            Content.styled(cut(unjoined(self._last(each)), width), "$muted"),
            self._facts(each, width),
        )
        return Content("\n").join([Content.assemble(bar, " ", row) for row in rows] + [Content("")])

    def _last(self, each: Conversation) -> str:
        message = each.last
        if each.draft.strip() and each.contact.id != self._open:
            return tr("Draft: {text}", text=one_line(each.draft[:LOOKED_AT]))
        if each.contact.state is ContactState.JOINING:
            return tr("waiting for an answer")
        if message is None:
            return tr("no messages yet")
        if message.kind is MessageKind.NEWER:
            return tr("A newer version of exile-tui is needed to read this.")
        if message.kind is MessageKind.MISSING:
            return tr("Some messages never arrived.")
        if message.kind is MessageKind.POSSIBLE_COPY:
            return tr("A message contradicts earlier ones.")
        text = one_line(message.text[:LOOKED_AT])
        return tr("Me: {text}", text=text) if message.direction is Direction.OUT else text

    def _facts(self, each: Conversation, width: int) -> Content:
        """Return trust at the left, time and unread count at the right: all of it ours."""
        app = cast("ExileApp", self.app)
        trust = trust_words(each.contact, app.marks)
        moment = each.last.stored_ms if each.last else each.contact.created_ms
        time = dates.in_list(moment, app.clock.now_ms(), hours_24=app.settings.time_24h)
        right = [Content.styled(time, "$muted")]
        if each.unread:
            unread = tr_n("{n} unread", "{n} unread", each.unread)
            right.insert(0, Content.styled(unread, "bold $primary"))
        left = Content.styled(cut(f"{trust.mark} {trust.word}", width), f"${trust.color}")
        while right:
            facts = Content("  ").join(right)
            gap = width - left.cell_length - facts.cell_length
            if gap >= 1:
                return Content.assemble(left, " " * gap, facts)
            right.pop()
        return left
