"""kill -9 at every step of an export and an import: nothing half, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from exile_tui.store import ProfileVault
from tests.unit.core.conftest import CHEAP, MakePerson
from tests.unit.core.test_history import fill, line, nothing

ROOT = Path(__file__).resolve().parents[3]
LINES = 100


async def killed(what: str, directory: Path, file: Path) -> int:
    """Do it in processes that die, until one does not; return how many died."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.unit.core.history_child", what, directory, file),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, problems = await process.communicate()
    assert process.returncode == 0, problems.decode()
    return int(output)


async def test_killed_at_every_step(make_person: MakePerson, tmp_path: Path) -> None:
    ours, theirs = await make_person("가람"), await make_person("나루")
    await fill(ours, 1, [line(number, f"글 {number}") for number in range(LINES)])
    whole = tmp_path / "whole.jsonl"
    await ours.messenger.export_history(whole, nothing)
    for person in (ours, theirs):
        await person.messenger.close()

    file = tmp_path / "history.jsonl"
    assert await killed("export", tmp_path / "0", file) > LINES // 20
    assert not (tmp_path / "history.jsonl.part").exists()
    assert file.read_text().splitlines()[1:] == whole.read_text().splitlines()[1:]

    assert await killed("import", tmp_path / "1", file) > LINES // 15
    store = await ProfileVault(tmp_path / "1", argon2=CHEAP).open("pass")
    async with store.snapshot() as tx:
        (archive,) = await tx.contacts.archived()
        lines = await tx.messages.window(archive.id, 1, 10 * LINES)
        found = (await tx.messages.extent(archive.id)).last_seq
    await store.close()
    assert [each.text for each in lines] == [f"글 {number}" for number in range(LINES)]
    assert found == LINES
