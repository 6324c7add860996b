"""Write the table of keys into the guides from the bindings: `python -m tests.keytable`."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from textual.binding import Binding

from exile_tui.locale import language, set_language, tr
from exile_tui.ui import screens, widgets
from exile_tui.ui.keys import key_name

GUIDES = {
    lang: Path(__file__).resolve().parent.parent / f"docs/guide/{lang}.md" for lang in ("en", "ko")
}
BEGIN = "<!-- keys: written by `python -m tests.keytable` -->\n"
END = "<!-- end of keys -->\n"
HEAD = {
    "en": ("Key", "", "What it does", "In config.toml"),
    "ko": ("키", "", "하는 일", "config.toml에서"),
}
GROUPS: tuple[tuple[tuple[str, ...], tuple[str, str]], ...] = (
    (("app", "screen", "panel"), ("Everywhere", "어디서나")),
    (("chats", "conversations", "conversation"), ("Chats", "대화")),
    (("composer", "commands"), ("Writing", "쓰기")),
    (("contacts",), ("Contacts", "연락처")),
    (("invite", "join", "large-code"), ("Invite", "초대")),
    (("verify", "aloud", "source"), ("Safety number", "안전 번호")),
    (("relay",), ("Relay", "릴레이 서버")),
    (("settings", "theme", "passphrase"), ("Settings", "설정")),
)
REST = "Lists, choices and panels", "목록, 선택, 물음"


def bindings() -> Iterator[Binding]:
    """Yield every binding of ours with an id and a description, each id once."""
    names = ["exile_tui.ui.app"]
    for package in (screens, widgets):
        found = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
        names += [f"{package.__name__}.{name}" for name in found]
    seen: set[str] = set()
    for name in names:
        for each in _of(import_module(name)):
            if each.id and each.description and each.id not in seen:
                seen.add(each.id)
                yield each


def _of(module: ModuleType) -> Iterator[Binding]:
    """Yield the bindings of the classes that a module defines."""
    for found in vars(module).values():
        if inspect.isclass(found) and found.__module__ == module.__name__:
            yield from vars(found).get("BINDINGS", ())


def table(lang: str) -> str:
    """Return the tables of one language, by place."""
    number = ("en", "ko").index(lang)
    before = language()
    set_language(lang)
    try:
        grouped: dict[str, list[Binding]] = {titles[number]: [] for _, titles in GROUPS}
        grouped[REST[number]] = []
        for each in bindings():
            prefix = (each.id or "").partition(".")[0]
            found = [titles for prefixes, titles in GROUPS if prefix in prefixes]
            grouped[(found or [REST])[0][number]].append(each)
        return "\n".join(_part(title, rows, lang) for title, rows in grouped.items() if rows)
    finally:
        set_language(before)


def _part(title: str, rows: list[Binding], lang: str) -> str:
    lines = [f"### {title}", "", f"| {' | '.join(HEAD[lang])} |", "|---|---|---|---|"]
    for each in rows:
        keys = ", ".join(key_name(key) for key in each.key.split(","))
        lines.append(f"| {keys} | {tr(each.description)} | {tr(each.tooltip)} | `{each.id}` |")
    return "\n".join([*lines, ""])


def with_table(text: str, lang: str) -> str:
    """Return a guide with its tables as they are now."""
    head, _, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    assert end, "the guide has no place for the keys"
    return f"{head}{BEGIN}\n{table(lang)}\n{END}{tail}"


def main() -> int:
    """Write the tables into both guides."""
    for lang, file in GUIDES.items():
        file.write_text(with_table(file.read_text(encoding="utf-8"), lang), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
