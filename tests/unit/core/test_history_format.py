"""The history's format as its document shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from exile_tui.core import history
from exile_tui.core.model import Delivery, MessageKind
from tests.unit.core.conftest import MakePerson

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/history-format.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


async def test_the_example_is_imported_and_exported_as_it_stands(
    make_person: MakePerson, tmp_path: Path
) -> None:
    (example,) = re.findall(r"^```jsonl\n(.*?)^```$", TEXT, re.M | re.S)
    file = tmp_path / "example.jsonl"
    file.write_text(example, encoding="utf-8")
    person = await make_person("가람")
    imported = await person.messenger.import_history(file, lambda *_: None)
    assert imported.messages == 3
    (archive,) = imported.contact_ids
    again = tmp_path / "again.jsonl"
    await person.messenger.export_history(again, lambda *_: None, contact_id=archive)
    first, second = (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in (file, again)
    )
    assert [set(line) for line in first] == [set(line) for line in second]
    for stated, written in zip(first[2:-1], second[2:-1], strict=True):
        assert stated | {"seq": 0} == written | {"seq": 0}
    for line, written in zip(example.splitlines()[2:4], again.read_text().splitlines()[2:4],
                             strict=True):  # fmt: skip
        assert line == written


def test_values_and_limits_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", TEXT, re.M))
    assert set(re.findall(r'"([a-z-]+)"', rows["delivery"])) == {each.value for each in Delivery}
    kinds = set(re.findall(r'"([a-z-]+)"', rows["kind"])) - {"them"}
    assert kinds == {each.value for each in MessageKind}
    assert f"version {history.VERSION}." in TEXT
    for limit in (
        history.MOST_LINE_BYTES,
        history.MOST_TEXT_BYTES,
        history.MOST_NAME_BYTES,
        history.MOST_CONVERSATIONS,
    ):
        assert f"{limit:,}" in TEXT
