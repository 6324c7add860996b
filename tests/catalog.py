"""Keep the catalogs in step with the code: `python -m tests.catalog update|check|set|prune`.

`update` extracts every string and keeps the translations; what the code no longer has stays as
obsolete until `prune`. `set MSGID KOREAN` or `set --json FILE` writes translations. All of them
hold a lock, so that several people can run them at once. `check` changes nothing and fails when
something is untranslated, out of date, obsolete, or has other placeholders than the original.
"""

from __future__ import annotations

import fcntl
import io
import json
import string
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from exile_tui.locale.josa import PARTICLES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "exile_tui"
PO = PACKAGE / "locale/ko/LC_MESSAGES/exile_tui.po"
MO = PO.with_suffix(".mo")
LOCK = Path(tempfile.gettempdir()) / "exile-tui-catalog.lock"
KEYWORDS = {"tr": None, "tr_n": (1, 2), "N_": None}
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""A fixed date in the header: the files change only when the strings do."""

Key = str | tuple[str, str]


def extract() -> list[Key]:
    """Return every string of the code that people read, sorted."""
    found: dict[str, Key] = {}
    for _, _, message, _, _ in extract_from_dir(PACKAGE, keywords=KEYWORDS):
        key: Key = (message[0], message[1]) if isinstance(message, tuple) else message
        first = key if isinstance(key, str) else key[0]
        if first and (first not in found or isinstance(found[first], str)):
            found[first] = key
    return [found[first] for first in sorted(found)]


def load() -> dict[str, str]:
    """Return the translations by msgid (the singular where there is a plural), obsolete too."""
    if not PO.exists():
        return {}
    catalog = read_po(io.BytesIO(PO.read_bytes()), locale="ko")
    translations = {}
    for message in [*catalog.obsolete.values(), *catalog]:
        if message.id:
            text = message.string if isinstance(message.string, str) else message.string[0]
            if text:
                translations[first_of(message.id)] = text
    return translations


def first_of(key: Key) -> str:
    """Return the key that a message is stored under."""
    return key if isinstance(key, str) else key[0]


def build(translations: dict[str, str], keys: list[Key]) -> tuple[bytes, bytes]:
    """Return what the .po and the .mo file hold."""
    catalog = Catalog(
        locale="ko",
        project="exile-tui",
        version="1",
        msgid_bugs_address="none",
        last_translator="exile-tui",
        language_team="ko",
        fuzzy=False,
        header_comment="",
    )
    catalog.creation_date = catalog.revision_date = EPOCH
    for key in keys:
        text = translations.get(first_of(key), "")
        catalog.add(key, text if isinstance(key, str) else (text,))
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, catalog, no_location=True, sort_output=True, width=100)
    write_mo(mo, catalog)
    known = {first_of(key) for key in keys}
    obsolete = "".join(
        f"\n#~ msgid {quote(key)}\n#~ msgstr {quote(text)}\n"
        for key, text in sorted(translations.items())
        if key not in known
    )
    return po.getvalue() + obsolete.encode(), mo.getvalue()


def quote(text: str) -> str:
    """Return a string in a .po file's notation."""
    return json.dumps(text, ensure_ascii=False)


def write(translations: dict[str, str], keys: list[Key]) -> None:
    """Write both files, each only when it changes."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    for file, data in zip((PO, MO), build(translations, keys), strict=True):
        if not file.exists() or file.read_bytes() != data:
            file.write_bytes(data)


@contextmanager
def locked() -> Iterator[None]:
    """Keep others out for a whole read, change and write."""
    with LOCK.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def fields(text: str) -> set[str]:
    """Return the names of a string's placeholders."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


SENTENCE = 20
"""Characters from which on no translation has an original in it by chance."""


def problems() -> list[str]:
    """Return everything that is wrong with the catalog, one line each."""
    translations, keys = load(), extract()
    found = []
    sentences = [first_of(key) for key in keys if len(first_of(key)) >= SENTENCE]
    for key in keys:
        first, text = first_of(key), translations.get(first_of(key), "")
        if not text:
            found.append(f"untranslated: {first!r}")
            continue
        expected = fields(first) | (fields(key[1]) if isinstance(key, tuple) else set())
        if fields(text) != expected:
            found.append(f"placeholders differ: {first!r}: {text!r}")
        for _, name, spec, _ in string.Formatter().parse(text):
            if spec and "/" in spec and spec not in PARTICLES:
                found.append(f"unknown particle {spec!r} for {name!r}: {text!r}")
        # Two versions of the file, merged line by line, may run one entry into the next.
        mixed = (other for other in sentences if other in text and other != first)
        found += [f"has {other!r} in it: {text!r}" for other in mixed]
    known = {first_of(key) for key in keys}
    found += [f"obsolete: {first!r}" for first in sorted(translations) if first not in known]
    po, mo = build(translations, keys)
    if not PO.exists() or PO.read_bytes() != po:
        found.append("the .po file is out of date: run `python -m tests.catalog update`")
    if not MO.exists() or MO.read_bytes() != mo:
        found.append("the .mo file is out of date: run `python -m tests.catalog update`")
    if b"#, fuzzy" in (PO.read_bytes() if PO.exists() else b""):
        found.append("the .po file has fuzzy entries")
    return found


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    match arguments:
        case ["check"]:
            with locked():
                found = problems()
            print("\n".join(found) or "catalog: complete", file=sys.stderr)
            return 1 if found else 0
        case ["update"]:
            with locked():
                write(load(), extract())
        case ["prune"]:
            with locked():
                keys = extract()
                known = {first_of(key) for key in keys}
                write({key: text for key, text in load().items() if key in known}, keys)
        case ["set", "--json", file]:
            set_all(json.loads(Path(file).read_text(encoding="utf-8")))
        case ["set", message, korean]:
            set_all({message: korean})
        case ["missing"]:
            translations = load()
            absent = [first_of(key) for key in extract() if first_of(key) not in translations]
            print(json.dumps(dict.fromkeys(absent, ""), ensure_ascii=False, indent=1))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def set_all(changes: dict[str, str]) -> None:
    """Store translations; those that the code doesn't have yet wait as obsolete."""
    with locked():
        keys = extract()
        write({**load(), **changes}, keys)
    known = {first_of(key) for key in keys}
    for message in changes:
        if message not in known:
            print(f"not in the code (yet): {message!r}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
