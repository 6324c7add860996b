"""Where a line of a long conversation stands, without laying out the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.core.model import Contact, ContactState, Direction, Extent, Message, MessageKind
from exile_tui.ui.blocks import Blocks, beginning, block_of, bounds, needed
from exile_tui.ui.heights import Heights
from exile_tui.ui.links import find_links
from exile_tui.ui.timeline import Line, Timeline

ROWS = st.lists(st.integers(0, 5), max_size=60)


@given(ROWS, st.lists(st.tuples(st.integers(0, 59), st.integers(0, 9))), ROWS)
def test_heights_are_what_a_list_of_them_is(
    heights: list[int], changes: list[tuple[int, int]], more: list[int]
) -> None:
    tree = Heights(heights)
    for index, height in changes:
        if index < len(heights):
            tree[index] = heights[index] = height
    for height in more:
        tree.append(height)
        heights.append(height)
    tops = list(accumulate(heights, initial=0))
    assert [tree[index] for index in range(len(tree))] == heights
    assert [tree.top(index) for index in range(len(heights) + 1)] == tops
    assert tree.total == tops[-1]
    rows = [(index, row) for index, height in enumerate(heights) for row in range(height)]
    assert [tree.find(row) for row in range(tree.total)] == rows
    for row in (-1, tree.total):
        with pytest.raises(IndexError):
            tree.find(row)


@given(st.integers(0, 300), st.integers(0, 9))
def test_blocks_that_are_alike_are_what_a_list_of_them_is(count: int, height: int) -> None:
    alike, listed = Heights.alike(count, height), Heights([height] * count)
    assert alike.total == listed.total
    for index in range(count):
        assert alike[index] == height
        assert alike.top(index + 1) == listed.top(index + 1)
    alike.append(5)
    assert alike.find(alike.total - 1) == (count, 4)


@st.composite
def extents(draw: st.DrawFn) -> tuple[Extent, set[int]]:
    last = draw(st.integers(0, 120))
    there = draw(st.sets(st.integers(1, last))) if last else set()
    gaps: list[tuple[int, int]] = []
    for seq in range(1, last + 1):
        if seq not in there:
            first = gaps.pop()[0] if gaps and gaps[-1][1] == seq - 1 else seq
            gaps.append((first, seq))
    return Extent(last, tuple(gaps)), there


@given(extents(), st.integers(-3, 125), st.integers(-3, 125))
def test_an_extent_knows_its_lines(found: tuple[Extent, set[int]], first: int, last: int) -> None:
    extent, there = found
    assert extent.count(first, last) == sum(first <= seq <= last for seq in there)
    assert extent.before(first) == max((seq for seq in there if seq < first), default=0)
    assert extent.after(first) == min((seq for seq in there if seq > first), default=0)


@given(st.lists(extents(), min_size=1, max_size=5))
def test_blocks_have_the_height_of_the_lines_that_there_are(
    steps: list[tuple[Extent, set[int]]],
) -> None:
    blocks = Blocks()
    for extent, there in steps:
        blocks.adopt(extent)
        expected = [
            2 * sum(block_of(seq) == number for seq in there)
            for number in range(-(-extent.last_seq // 32))
        ]
        assert [blocks.heights[number] for number in range(len(blocks.heights))] == expected
        lacking = blocks.lacking(0, 10)
        full = [number for number, height in enumerate(expected) if height]
        assert lacking == ((full[0], full[-1]) if full else None)
        if full:
            low, high = needed(extent, *lacking)
            inside = {seq for seq in there if low <= seq <= high}
            assert {seq for seq in there if bounds(full[0])[0] <= seq} >= inside - {low}
            assert inside >= {seq for seq in there if block_of(seq) in full}


@given(extents(), st.integers(0, 120), st.integers(1, 70), st.integers(1, 3))
def test_the_first_frame_has_every_row_of_what_was_read(
    found: tuple[Extent, set[int]], seq: int, rows: int, height: int
) -> None:
    """Fewer blocks are laid out than were read, and none of those that are seen."""
    extent, there = found
    seq = min(seq, extent.last_seq)
    read = beginning(extent, seq)
    if read is None:
        return
    blocks = Blocks()
    blocks.adopt(extent)
    messages = [_message(each) for each in sorted(there)]
    first, last = needed(extent, *read)
    peer = Contact(1, ContactState.ACTIVE, "Kim", 1, 0, "0" * 60, bytes(32), 0)
    timeline = Timeline(peer, 20, 0, "Me")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Timeline, "lines", _lines_of(height))
        within = [each for each in messages if first <= each.seq <= last]
        blocks.lay_out_first(timeline, within, read, seq, rows)
    total = blocks.heights.total
    wanted = blocks.row_of(seq) - rows // 3 if seq else total
    top = min(max(wanted, 0), max(0, total - rows))
    for row in range(top, min(top + rows, total)):
        block, number, _ = blocks.at(row)
        assert block is not None or not read[0] <= number <= read[1]


def _message(seq: int) -> Message:
    return Message(seq, 1, seq, Direction.IN, MessageKind.TEXT, b"", "x", 0, 0)


def _lines_of(height: int) -> Callable[..., list[Line]]:
    def lines(self: Timeline, messages: Sequence[Message], *_: object) -> list[Line]:
        return [Line((), each.seq) for each in messages for _ in range(height)]

    return lines


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("see https://example.org/a, and http://example.net.", ["example.org", "example.net"]),
        ("https://bank.example@evil.example/login", ["evil.example"]),
        ("https://위키.example/문서", ["xn--9q5b29o.example"]),
        ("HTTPS://EXAMPLE.ORG", ["example.org"]),
        ("https://example.org https://example.org", ["example.org"]),
        ("javascript:alert(1) file:///etc/passwd ftp://x", []),
        ("https:// https://: https://[::1 https://a..b/", []),
        ("https://example.org:99999/", []),
        ("https://" + "a" * 3000 + ".example", []),
        ("(https://example.org/a(b))", ["example.org"]),
        ("https://[2001:db8::1]:8443/x", ["2001:db8::1"]),
    ],
)
def test_links_lead_where_they_say(text: str, hosts: list[str]) -> None:
    assert [link.host for link in find_links(text)] == hosts


@given(st.text(max_size=40).map(lambda rest: f"https://example.org/{rest}"))
def test_a_link_is_printable_ascii(text: str) -> None:
    for link in find_links(text):
        assert link.url.isascii()
        assert link.url.isprintable()
        assert link.url.startswith("https://")
