"""The engine against a plain model: any operations together, commits that fail, kills, rewritings.

The model knows nothing of batches, slots or what memory holds; it says what each operation must
answer if all of its batch was stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exile_tui.relay import arrivals, pace, rows, settling, sqlite, staying, waiting
from exile_tui.relay import engine as ops
from exile_tui.relay.engine import EngineUnavailable, QuotaReached
from exile_tui.relay.index import OpenSegment
from exile_tui.relay.limits import today
from exile_tui.relay.maintaining import sweep_all
from exile_tui.relay.sqlite import SqliteEngine
from tests.unit.relay.model import BLOBS, BODIES, BOXES, LIMITS, Held, Model, Sees, Tried, compare
from tests.unit.relay.support import Box, SettableClock, open_engine

EVERYTHING = 1 << 24
EXAMPLES = int(os.environ.get("RELAY_MODEL_EXAMPLES", "12"))
"""How many are tried; with another number they are drawn at random."""


@dataclass(frozen=True)
class Draw:
    """What is drawn of an operation."""

    kind: str
    box: int
    numbers: list[int]
    """Which bodies to append, which envelopes to acknowledge, and so on."""
    wrong: bool
    """Whether the token fits nothing."""
    swapped: bool
    """Whether it is the other token of the mailbox."""


FAULTS = ["begin", "statement", "journal", "commit", "undo"]
KINDS = [
    *("create", "create", "fetch", "receive", "delete", "put", "delete_blob"),
    *("append",) * 4,
    *("acknowledge",) * 3,
]
NUMBERS = st.lists(st.integers(0, 7), min_size=1, max_size=4)
SELDOM = st.integers(0, 9).map(lambda number: number == 9)
DRAWS = st.lists(
    st.builds(Draw, st.sampled_from(KINDS), st.integers(0, 2), NUMBERS, SELDOM, SELDOM),
    min_size=1,
    max_size=12,
)
MAIL = st.lists(
    st.builds(
        Draw,
        st.sampled_from(["append", "append", "acknowledge"]),
        st.integers(0, 1),
        NUMBERS,
        st.just(value=False),
        st.just(value=False),
    ),
    min_size=1,
    max_size=6,
)
Step = Callable[[Model], Any]
"""Does an operation in the model and returns what the answer must be."""


async def _submit(engine: SqliteEngine, operation: ops.Operation[Any]) -> Any:
    return await engine.submit(operation)


class EngineMachine(RuleBasedStateMachine):
    """Drives an engine; what is gathered goes to it in one turn of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = Path(tempfile.mkdtemp(prefix="exile-model-"))
        self.clock = SettableClock()
        self.model = Model(self.clock)
        self.gathered: list[tuple[ops.Operation[Any], Step]] = []
        self.tried = Tried()
        self.told: dict[tuple[bytes, int], set[bytes]] = {}
        """Envelopes by mailbox and number, as those heard of them who receive: some are lost."""
        self.engine = self._open()

    def _open(self) -> SqliteEngine:
        engine = self.loop.run_until_complete(open_engine(self.directory, self.clock, LIMITS))
        # What it does by itself is what the rules do: in between it would be no two times the same.
        engine._tasks[1].cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.run_until_complete(_submit(engine, ops.Sweep()))
        self.model.sweep()
        for box in BOXES:
            engine.watch(box.id, partial(self._tell, box))
        return engine

    def _tell(self, box: Box, news: ops.News) -> bool:
        for seq, body in news:
            self.told.setdefault((box.id, seq), set()).add(body)
        return True

    def teardown(self) -> None:
        self.loop.run_until_complete(self.engine.close())
        self.loop.close()
        shutil.rmtree(self.directory)

    @initialize()
    def begin(self) -> None:
        """Two mailboxes are there: most operations would else find none."""
        for box in BOXES[:2]:
            self.create(box, b"", Draw("create", 0, [0], wrong=False, swapped=False))
        self._check(self._submit())

    # -- what is gathered ----------------------------------------------------------------------

    def gather(self, operation: ops.Operation[Any], step: Step) -> None:
        self.gathered.append((operation, step))

    def create(self, box: Box, token: bytes, draw: Draw) -> None:
        creation = ops.CreateMailbox(box.id, box.receive_hash, box.send_hash)
        self.gather(creation, lambda model: model.create(box))

    def delete(self, box: Box, token: bytes, draw: Draw) -> None:
        deletion = ops.DeleteMailbox(box.id, token)
        self.gather(deletion, lambda model: model.delete(box, token))

    def append(self, box: Box, token: bytes, draw: Draw) -> None:
        bodies = [BODIES[number] for number in draw.numbers]
        self.tried.appended += [(box.id, body) for body in bodies]
        appending = ops.Append(box.id, token, bodies)
        self.gather(appending, lambda model: model.append(box, token, bodies))

    def acknowledge(self, box: Box, token: bytes, draw: Draw) -> None:
        seen = self.seen(box)
        some = [seq for at, seq in enumerate(seen) if at in draw.numbers]
        some += [seq for owner, seq in self.told if owner == box.id and seq not in seen]
        self.tried.acknowledged |= {(box.id, seq) for seq in some}
        acknowledgement = ops.Acknowledge(box.id, token, some * 2)
        self.gather(acknowledgement, lambda model: model.acknowledge(box, token, some))

    def receive(self, box: Box, token: bytes, draw: Draw) -> None:
        opening = ops.OpenMailboxes([(box.id, token)])
        self.gather(opening, lambda model: model.receive(box, token))

    def fetch(self, box: Box, token: bytes, draw: Draw) -> None:
        life = self.model.mailboxes.get(box.id)
        after = [-1, *self.seen(box)][-draw.numbers[0] :][0]

        def step(model: Model) -> Sees | None:
            held = model.owned(box, token)
            # What was seen in a former life of it says nothing about this one.
            return None if held is None else Sees(held, after if held is life else -1)

        self.gather(ops.Fetch(box.id, token, after, EVERYTHING), step)

    def put(self, box: Box, token: bytes, draw: Draw) -> None:
        number, days = draw.numbers[0], draw.numbers[-1] % 5
        body = b"z" * (1, 2, 5000)[number % 3]
        blob = ops.NewBlob(BLOBS[number % 3], token, today(self.clock) + days, body)
        self.gather(ops.PutBlobs([blob]), lambda model: [model.put(blob)])

    def delete_blob(self, box: Box, token: bytes, draw: Draw) -> None:
        blob_id = BLOBS[draw.numbers[0] % 3]
        deletion = ops.DeleteBlob(blob_id, token)
        self.gather(deletion, lambda model: model.delete_blob(blob_id, token))

    def seen(self, box: Box) -> list[int]:
        """Return the numbers that are known of what waits in a mailbox."""
        held = self.model.mailboxes.get(box.id, Held(0))
        return [each.seq for each in held.envelopes if each.seq is not None]

    # -- what happens to it --------------------------------------------------------------------

    def _gather(self, draws: list[Draw]) -> None:
        self.tried = Tried()
        for draw in draws:
            box = BOXES[draw.box]
            sends = (draw.kind == "append") != draw.swapped
            token = box.send_hash if sends else box.receive_hash
            getattr(self, draw.kind)(box, bytes(32) if draw.wrong else token, draw)

    @rule(draws=DRAWS)
    def together(self, draws: list[Draw]) -> None:
        """All of it becomes one transaction."""
        self._gather(draws)
        self._check(self._submit())

    @rule(draws=MAIL)
    def exchange(self, draws: list[Draw]) -> None:
        """What most batches are."""
        self.together(draws)

    @rule(draws=MAIL)
    def exchange_and_kill(self, draws: list[Draw]) -> None:
        """What was answered is there afterwards."""
        self.exchange(draws)
        self.kill(draws, "before", 0)

    @rule(draws=DRAWS, at=st.sampled_from(FAULTS), step=st.integers(0, 20))
    def fail(self, draws: list[Draw], at: str, step: int) -> None:
        """Nothing of a batch is stored, and all of it is told so."""
        self._gather(draws)
        before = self.engine.mailboxes()
        with Fault(self.engine, at, step) as fault:
            answers = self._submit()
        if fault.fired:
            assert all(isinstance(answer, EngineUnavailable) for answer in answers)
            # Something that works: what could not be undone at once is undone now.
            self.loop.run_until_complete(_submit(self.engine, ops.CheckToken(bytes(16), bytes(32))))
            assert self.engine.mailboxes() == before
        else:
            self._check(answers)
        self.gathered = []

    def _submit(self) -> list[Any]:
        async def together() -> list[Any]:
            submitted = [self.engine.submit(operation) for operation, _ in self.gathered]
            return await asyncio.gather(*submitted, return_exceptions=True)

        return self.loop.run_until_complete(together())

    def _check(self, answers: list[Any]) -> None:
        for answer, (_, step) in zip(answers, self.gathered, strict=True):
            expected = step(self.model)
            if isinstance(expected, Sees):
                compare(expected.held, answer, expected.after)
            elif expected is QuotaReached:
                assert isinstance(answer, QuotaReached)
            else:
                assert answer == expected
        self.gathered = []

    @rule(what=st.sampled_from(["wipe", "wipe without room", "sweep", "a day passes"]))
    def meanwhile(self, what: str) -> None:
        """What the relay does by itself, and time."""
        match what:
            case "wipe":
                self._wipe()
            case "wipe without room":
                self._wipe_without_room()
            case "sweep":
                self.loop.run_until_complete(sweep_all(self.engine))
                self.model.sweep()
            case _:
                self.clock.skip_days(1)

    def _wipe(self) -> None:
        """The file is rewritten; whatever is not held any more is not in it."""
        self.loop.run_until_complete(self.engine.wipe())
        raw = self._no_deleted_body_is_there()
        for box in BOXES:
            assert (box.id in raw) == (box.id in self.model.mailboxes)

    def _no_deleted_body_is_there(self) -> bytes:
        raw = b"".join(path.read_bytes() for path in self.directory.glob("relay.db*"))
        waits = {each.body for held in self.model.mailboxes.values() for each in held.envelopes}
        for body in BODIES[:7]:
            assert (body[:64] in raw) == (body in waits)
        return raw

    @rule(draws=DRAWS, when=st.sampled_from(["before", "torn", "after"]), part=st.integers(0, 99))
    def kill(self, draws: list[Draw], when: str, part: int) -> None:
        """What lies in the files at that moment of a commit is all that is left."""
        self._gather(draws)
        copy = self.directory.with_name(f"{self.directory.name}-copy")
        commit = self.engine._commit_durably

        async def killed() -> None:
            shutil.copytree(self.directory, copy)
            if when != "before":
                before = copy.with_name(f"{copy.name}-before")
                copy.rename(before)
                await commit()
                shutil.copytree(self.directory, copy)
                if when == "torn":  # the power went while it was written: it did not return
                    tear(before, copy, part)
                shutil.rmtree(before)
            raise sqlite3.OperationalError("killed")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.engine, "_commit_durably", killed)
            answers = self._submit()
        if not copy.exists():  # nothing was to be committed
            shutil.copytree(self.directory, copy)
            self._check(answers)
        elif when == "after":  # durable, and nobody was told so
            for _, step in self.gathered:
                step(self.model)
        self.gathered = []
        self._go_on_with(copy)
        if when == "torn":
            self._adopt()

    @rule(chunk=st.integers(0, 5), when=st.sampled_from(["before", "undeleted", "after"]))
    def kill_while_settling(self, chunk: int, when: str) -> None:
        """What waits is moved to the database in parts; each lies in the files at any moment."""
        copy = self.directory.with_name(f"{self.directory.name}-copy")
        settle, delete, chunks = self.engine._settle, self.engine._arrivals.settled, 0
        tidy = self.engine._tidy

        def killed(moment: str) -> None:
            if moment == when and chunks >= chunk and not copy.exists():
                shutil.copytree(self.directory, copy)

        def part() -> None:
            nonlocal chunks
            killed("before")
            settle()
            killed("after")
            chunks += 1

        def tidied() -> bool:
            nonlocal chunks
            killed("before")
            done = tidy()
            killed("after")
            chunks += 1
            return done

        def undeleted(segment: OpenSegment) -> None:
            killed("undeleted")
            delete(segment)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.engine, "_settle", part)
            patch.setattr(self.engine, "_tidy", tidied)
            patch.setattr(self.engine._arrivals, "settled", undeleted)
            self.loop.run_until_complete(self.engine.wipe())
        if copy.exists():
            self._go_on_with(copy)

    def _wipe_without_room(self) -> None:
        """What waits can't be moved; what was deleted leaves the files all the same."""

        def full(*_: object, **__: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.engine._envelopes, "settle", full)
            with contextlib.suppress(sqlite3.OperationalError):
                self.loop.run_until_complete(self.engine.wipe())
        self._no_deleted_body_is_there()

    def _go_on_with(self, files: Path) -> None:
        """End this engine, and begin another one with these files."""
        self.loop.run_until_complete(self.engine.close())
        shutil.rmtree(self.directory)
        files.rename(self.directory)
        self.engine = self._open()

    def _adopt(self) -> None:
        """Take into the model what is left of a batch that nobody was told of."""
        for box in BOXES:
            held = self.model.mailboxes.get(box.id)
            if held is not None:
                number = self.engine._mailboxes._rows.find(box.id).number
                found = self.engine._envelopes.read(number, -1, EVERYTHING)
                listed = self.engine._envelopes.listed(number)
                self.tried.adopt(box.id, held, found, [each.expires for each in listed])

    # -- what always holds ---------------------------------------------------------------------

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        submit = self.engine.submit

        async def look() -> tuple[list[Any], list[Any], ops.Totals]:
            fetched = [
                await submit(ops.Fetch(box.id, box.receive_hash, -1, EVERYTHING)) for box in BOXES
            ]
            blobs = await submit(ops.GetBlobs(BLOBS))
            return fetched, blobs, await submit(ops.CountAll())

        fetched, blobs, totals = self.loop.run_until_complete(look())
        for box, found in zip(BOXES, fetched, strict=True):
            held = self.model.owned(box, box.receive_hash)
            assert (found is None) == (held is None)
            if held is not None:
                compare(held, found, -1)
                self._tell(box, found)
        assert all(len(bodies) == 1 for bodies in self.told.values()), "a number came back"
        for blob_id, body in zip(BLOBS, blobs, strict=True):
            there = self.model.blobs.get(blob_id)
            lives = there is not None and there.expires > today(self.clock)
            assert body == (there.body if lives and there else None)
        assert totals.mailboxes == self.engine.mailboxes().held == len(self.model.mailboxes)
        waits = [each for held in self.model.mailboxes.values() for each in held.envelopes]
        assert totals.envelopes == len(waits)
        assert totals.envelope_bytes == sum(len(each.body) for each in waits)
        assert totals.blobs == len(self.model.blobs)
        check_file(self.engine)


def check_file(engine: SqliteEngine) -> None:
    """Compare slots and bodies with each other, and memory with the file."""
    execute = engine._connection.execute
    torn = (
        "SELECT count(*) FROM slots LEFT JOIN bodies USING (slot) "
        "WHERE body IS NULL AND file IS NULL AND size > 0"
    )
    assert execute(torn).fetchone() == (0,)
    (here,) = execute("SELECT count(*) FROM slots WHERE file IS NULL AND size > 0").fetchone()
    assert execute("SELECT count(*) FROM bodies").fetchone() == (here,)
    free = execute("SELECT slot FROM slots WHERE size = 0 ORDER BY slot").fetchall()
    assert sorted(engine._slots._free[0]) == [slot for (slot,) in free]
    for number, file in engine._arrivals.staying._files.items():
        assert file.kept == sum(engine._envelopes.noted(number).values())
    for closed in engine._arrivals.closed:
        assert closed.kept == sum(engine._envelopes.noted(closed.number).values())
    waiting = sum(
        each.waiting for each in (*engine._arrivals.closed, engine._arrivals._current) if each
    )
    assert waiting == engine._arrivals.index.bytes
    for slot, size, mailbox, body in execute(
        "SELECT slot, size, mailbox, body FROM slots JOIN bodies USING (slot)"
    ):
        assert len(body) == size
        free = slot in engine._slots._free[size]
        assert free == (mailbox is None)
        assert mailbox is not None or not any(body)
    for mailbox_id, row in engine._mailboxes._rows._rows.items():
        stored = engine._mailboxes._rows.find(mailbox_id)
        assert row.next_seq >= stored.next_seq
        assert stored.untouched or not row.untouched
        given = {"next_seq": row.next_seq, "gap": row.gap, "read_seq": row.read_seq}
        assert row == replace(stored, **given, untouched=row.untouched)


def tear(before: Path, after: Path, part: int) -> None:
    """Undo part of what one commit wrote: of the journal, or else of the database's log."""
    for log in sorted(after.glob("relay.db-*")):
        old = before / log.name
        was, now = old.read_bytes() if old.exists() else b"", log.read_bytes()
        if "-journal-" in log.name:  # it is written over zeros
            start, end = len(was.rstrip(b"\0")), len(now.rstrip(b"\0"))
            end = start + (end - start) * min(100, 2 * part) // 100
        else:
            start, end = len(was), len(now)
            end = start + (end - start) * max(0, 2 * part - 100) // 100
        log.write_bytes(now[:end] + was[end:])


class Fault:
    """A disk that fails: at any step of a commit, or while what was done is undone."""

    def __init__(self, engine: SqliteEngine, at: str, step: int) -> None:
        self.fired = False
        self._execute = engine._connection.execute
        self._left = step
        self._patch = pytest.MonkeyPatch()
        patch = self._patch.setattr
        if at == "statement":
            patch(engine._slots, "_connection", self)
            for part in (
                engine._mailboxes,
                engine._mailboxes._rows,
                engine._blobs,
                engine._envelopes,
            ):
                patch(part, "_execute", self.execute)
        elif at in ("journal", "commit"):
            write = engine._arrivals.write
            patch(engine._arrivals, "write", lambda: (at == "commit" and write(), self._fail()))
        else:
            patch(engine, "_commit_durably", self._fail_to_commit)
        if at == "undo":
            patch(engine._slots, "reload", self._fail)

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            self._left -= 1
            if self._left < 0 and not self.fired:
                self._fail()
        return self._execute(statement, *parameters)

    def _fail(self) -> None:
        self.fired = True
        raise sqlite3.OperationalError("disk I/O error")

    async def _fail_to_commit(self) -> None:
        self._fail()

    def __enter__(self) -> Fault:
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few envelopes be as many as memory and files hold."""
    monkeypatch.setattr(rows, "_MAX", 2)
    monkeypatch.setattr(waiting, "_MAX", 9)
    monkeypatch.setattr(arrivals, "SEGMENT", 20_000)
    monkeypatch.setattr(sqlite, "BACKLOG", 100_000)
    monkeypatch.setattr(settling, "SETTLE", 3)
    monkeypatch.setattr(settling, "_MOST", 2)


def make_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the loop wait for the disk by itself, and settling be late from its first step on."""
    monkeypatch.setattr(sqlite, "_LATE_S", 0.0)
    for limit in ("_PROMISING_S", "_QUICK_S", "_STALL_S"):
        monkeypatch.setattr(pace, limit, 3600.0)


@pytest.fixture(autouse=True)
def _small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


class TestStayingEngine(EngineMachine.TestCase):  # type: ignore[name-defined,misc]
    """Envelopes stay in the journal where two of them wait in one of its files."""

    @pytest.fixture(autouse=True)
    def _stay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(staying, "LEAST", 8192)


class TestEngine(EngineMachine.TestCase):  # type: ignore[name-defined,misc]
    """A thread waits for the disk, as the first writings after a start have it."""


class TestQuickEngine(EngineMachine.TestCase):  # type: ignore[name-defined,misc]
    """The loop waits for the disk by itself, and settling is late from its first step on."""

    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_quick(monkeypatch)


TestEngine.settings = TestQuickEngine.settings = TestStayingEngine.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize="RELAY_MODEL_EXAMPLES" not in os.environ,
)
