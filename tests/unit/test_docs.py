"""Compare what the documents state with what the code does."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from exile_tui.cli.parser import build_parser
from exile_tui.clock import DAY_MS
from exile_tui.core.inviting import DEFAULT_LIFETIME_HOURS, GRACE_MS, LONGEST_LIFETIME_HOURS
from exile_tui.core.upkeep import KEEP_MS
from exile_tui.crypto import aead, handshake, labels, ratchet, request, session, skipped
from exile_tui.crypto.entropy import SystemEntropy
from exile_tui.crypto.keys import MlKem768Seed, MlKem1024Seed
from exile_tui.crypto.safety_number import session_safety_number
from exile_tui.relay.limits import MAX_RETENTION_DAYS, Limits
from exile_tui.transport.http import Timeouts
from exile_tui.wire import body, content, endpoints, frames
from exile_tui.wire.address import MAX_HOST, RelayAddress
from exile_tui.wire.authorization import AuthorizationKind
from exile_tui.wire.bundle import BLOB_SIZE, NO_TICKET, Bundle, seal_blob
from exile_tui.wire.encoding import MAX_EXPIRY
from exile_tui.wire.link import InviteLink
from exile_tui.wire.mailbox import MailboxDescriptor, MailboxKeys

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "CHANGELOG.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")),
)
COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/exile-tui",
    "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/python -m tests",
)


@cache
def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(number: int) -> str:
    found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", read("docs/protocol.md"), re.M | re.S)
    assert found is not None
    return found[0]


def prose(number: int) -> str:
    """Return a section with every line break as a space."""
    return " ".join(section(number).split())


def rows(text: str, *head: str) -> list[list[str]]:
    """Return the rows of the one table with this head."""
    lines = text.splitlines()
    at = lines.index("| " + " | ".join(head) + " |") + 2
    table: list[list[str]] = []
    for line in lines[at:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return table


def test_section_numbers_are_those_that_code_cites() -> None:
    numbers = re.findall(r"^## (\d+)\. ", read("docs/protocol.md"), re.M)
    assert numbers == [str(number) for number in range(12)]


def test_labels_are_those_of_the_code() -> None:
    table = rows(section(9), "label", "purpose", "section")
    stated = [row[0].strip("`").encode() for row in table]
    assert sorted(stated) == sorted(labels.ALL.values())
    for label, _, number in table:
        assert label.strip("`") in section(int(number))


def test_no_label_of_the_text_is_missing_in_the_table() -> None:
    used = set(re.findall(r"exile/1/[A-Za-z/]*[A-Za-z]", read("docs/protocol.md")))
    assert {label.encode() for label in used} == set(labels.ALL.values())


def test_sums_add_up() -> None:
    for what, size, terms in rows(section(10), "what", "bytes", "sum"):
        assert int(size) == sum(int(term) for term in terms.split("+")), what


def measured_sizes() -> dict[str, int]:
    """Return the size of each thing of section 10 as the code makes it, hosts not counted."""
    entropy = SystemEntropy()
    secret = handshake.generate_invite(entropy)
    keys = MailboxKeys.generate(entropy)
    address = RelayAddress("h", 1, bytes(32))
    descriptor = MailboxDescriptor(address, keys.id, keys.send_token)
    bundle = Bundle(secret.public, 0, NO_TICKET, descriptor).encode()
    bh = handshake.bundle_hash(bundle)
    joined = handshake.join(secret.public, bh, bytes(request.PROFILE_BLOCK_SIZE), entropy)
    joined, envelope = joined.seal(bytes(joined.body_sizes[0]), entropy)
    opened = handshake.open_request(secret, bh, envelope, 0).session
    small, medium, large = (len(opened.seal(bytes(size), entropy)[1]) for size in opened.body_sizes)
    (text,) = {
        size - body.text_capacity((size,))
        for size in (*session.BODY_SIZES, *session.REQUEST_BODY_SIZES)
    }
    return {
        "overhead of a sealed body": aead.SEAL_OVERHEAD,
        "overhead of a sealed header": aead.HEADER_OVERHEAD,
        "header": ratchet.SEALED_HEADER_SIZE - aead.HEADER_OVERHEAD,
        "sealed header": ratchet.SEALED_HEADER_SIZE,
        "small envelope": small,
        "medium envelope": medium,
        "large envelope": large,
        "ratchet envelope of a request": request.RATCHET_ENVELOPE_SIZE,
        "sealed profile block": request.PROFILE_BLOCK_SIZE + aead.SEAL_OVERHEAD,
        "start of P that every request repeats": request.PREFIX_SIZE,
        "P": request.PREFIX_SIZE + request.RATCHET_ENVELOPE_SIZE,
        "request": len(envelope),
        "descriptor without its length and host": len(descriptor.encode()) - 2 - 1,
        "bundle without the host": len(bundle) - 1,
        "blob": len(seal_blob(bundle)),
        "link without the host": len(InviteLink(address, bh).to_bytes()) - 1,
        "around a text in a body": text,
        "payload of a safety number's QR code": len(session_safety_number(opened).scannable),
        "envelope frame without the envelope": len(frames.envelope_head(0, 0, 4096)),
    }


def test_sizes_are_those_of_the_code() -> None:
    stated = {what: int(size) for what, size, _ in rows(section(10), "what", "bytes", "sum")}
    assert stated == measured_sizes()
    assert stated["blob"] == BLOB_SIZE
    assert stated["request"] == request.REQUEST_SIZE


def test_envelopes_hold_what_the_table_says() -> None:
    table = rows(section(5), "envelope", "body", "contents at most", "one text at most (UTF-8)")
    sizes = [int(row[0]) for row in table[:3]]
    bodies = [int(row[1]) for row in table]
    assert tuple(sizes) == endpoints.ENVELOPE_SIZES == session.ENVELOPE_SIZES
    assert tuple(bodies[:3]) == session.BODY_SIZES == body.ENVELOPE_BODIES
    assert tuple(bodies[3:]) == session.REQUEST_BODY_SIZES == body.REQUEST_BODIES
    for _, size, contents, text in table:
        assert int(contents) == int(size) - 2
        assert int(text) == body.text_capacity((int(size),))


def test_keys_have_the_stated_sizes() -> None:
    table = {
        row[0].split(",")[0]: row
        for row in rows(section(2), "name", "kind", "private", "public", "kept until")
    }
    large, small = MlKem1024Seed(bytes(64)).public(), MlKem768Seed(bytes(64)).public()
    expected = ((table["KEMH"], large), (table["RKEM"], small))
    for row, public in expected:
        _, ciphertext = public.encapsulate()
        assert row[2] == "64"
        assert row[3] == f"{len(public.raw)} (ciphertext {len(ciphertext)})"


def test_ratchet_limits_are_those_of_the_code() -> None:
    limits = dict(rows(section(5), "limit", "value"))
    assert limits == {
        "distance n - nr or pn - nr that is accepted": str(ratchet.MAX_GAP),
        "keys stored of one such gap": f"the newest {skipped.MAX_KEPT_OF_GAP}",
        "skipped keys of one contact": str(skipped.MAX_KEYS),
        "old chains (header keys) with skipped keys, of one contact": str(skipped.MAX_OLD_CHAINS),
        "age of a skipped key": f"{skipped.LIFETIME_DAYS} days",
    }
    assert f"from 0 to {ratchet.MAX_N} " in prose(5)
    assert request.MAX_REQUESTS == 8
    assert "eight" in prose(4)


def test_contents_are_those_of_the_code() -> None:
    table = rows(section(5), "type", "array", "acknowledged")
    assert [row[0] for row in table] == [
        f"{content.TEXT_TYPE} text",
        f"{content.ACKNOWLEDGED_TYPE} acknowledged",
        f"{content.PROFILE_TYPE} profile",
        f"{content.MAILBOX_TYPE} mailbox",
    ]
    assert f"A name has at most {content.MAX_NAME} bytes" in prose(5)
    assert f"at most {content.MAX_NAME} bytes of UTF-8" in prose(4)


def test_relay_requests_are_those_of_the_code() -> None:
    table = rows(section(8), "path", "body", "answer")
    stated = {re.findall(r"`(/[^`]*)`", row[0])[0] for row in table}
    assert stated == {path.value for path in endpoints.Path}
    got = {row[0].split("`")[1] for row in table if "`GET`" in row[0]}
    assert got == {endpoints.Path.FACTS.value, endpoints.Path.OPENAPI.value}
    by_path = {row[0].split("`")[1]: row[1] for row in table}
    assert f"1 to {endpoints.MAX_APPEND} times" in by_path[endpoints.Path.APPEND]
    assert f"1 to {endpoints.MAX_SUBSCRIPTIONS} times" in by_path[endpoints.Path.RECEIVE]
    assert f"1 to {endpoints.MAX_ACKNOWLEDGE} times" in by_path[endpoints.Path.ACKNOWLEDGE]
    assert f"1 to {endpoints.MAX_BLOBS} times" in by_path[endpoints.Path.BLOB_PUT]
    assert f"1 to {endpoints.MAX_BLOB} bytes" in prose(8)
    assert f"1 to {endpoints.MAX_PHRASE} bytes" in prose(8)
    assert f"at most {endpoints.MAX_REASON} bytes" in prose(8)
    assert f"{endpoints.MAX_FACTS} bytes at most" in prose(8)
    assert f"at most {MAX_EXPIRY}" in prose(8)
    assert f"1 to {MAX_HOST} bytes" in prose(4)


def test_relay_numbers_are_those_of_the_code() -> None:
    verdicts = [row[0] for row in rows(section(8), "verdict", "meaning")]
    assert verdicts == [
        f"{verdict.value} {verdict.name.lower().replace('_', ' ')}" for verdict in endpoints.Verdict
    ]
    kinds = [row[0].split()[0] for row in rows(section(8), "kind", "secret")]
    assert kinds == [str(kind.value) for kind in AuthorizationKind]
    encoded = [
        frames.encode_frame(frame)
        for frame in (
            frames.EnvelopeFrame(0, 0, bytes(4096)),
            frames.Heartbeat(),
            frames.RefusedFrame(0),
            frames.CaughtUp(0),
            frames.Goodbye(),
        )
    ]
    types = [row[0].split()[0] for row in rows(section(8), "type", "payload", "meaning")]
    assert types == [str(frame[0]) for frame in encoded]


def test_relay_limits_are_those_of_the_code() -> None:
    limits, stated = Limits(), dict(rows(section(8), "limit", "value"))
    assert stated == {
        "envelopes in a mailbox": str(limits.envelopes),
        "retention of an envelope": (
            f"{limits.retention_days} days, unless the operator chose up to {MAX_RETENTION_DAYS}"
        ),
        "life of an unread mailbox": (
            f"{limits.mailbox_days} days after its creation or the last receive"
        ),
    }
    assert f"(ours: {limits.blob_days} days" in prose(8)
    assert f"(ours: {limits.blob_bytes})" in prose(8)
    assert f"every {limits.heartbeat:.0f} s when" in prose(8)
    assert f"hears nothing for {Timeouts().silence:.0f} s" in prose(8)


def test_times_of_the_program_are_those_of_the_documents() -> None:
    days = KEEP_MS // DAY_MS
    assert f"or {days} days passed" in prose(6)
    assert f"until {GRACE_MS // DAY_MS} days after the expiry" in prose(4)
    assert f"for {DEFAULT_LIFETIME_HOURS} hours unless" in prose(4)
    assert f"up to {LONGEST_LIFETIME_HOURS // 24} days" in " ".join(read("CHANGELOG.md").split())


def test_named_vectors_exist() -> None:
    stated = {row[0].strip("`") for row in rows(section(11), "file", "recorded", "section")}
    recorded = {path.name for path in ROOT.glob("tests/vectors/*.json")}
    assert stated <= recorded
    # The state on disk is this program's own affair, not the protocol's.
    assert recorded - stated <= {"session_state.json"}


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_sets_up_in_one_command(command: str) -> None:
    assert f"```sh\n{command}\n```" in read("README.md")


def test_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) < 100


def named_commands() -> list[str]:
    """Return every command line of the program that a document gives."""
    found: list[str] = []
    for name in DOCUMENTS:
        text = read(name)
        for block in re.findall(r"```sh\n(.*?)```", text, re.S):
            found += [line for line in block.splitlines() if line.startswith("exile-tui ")]
        found += re.findall(r"`(exile-tui (?:[a-z]|--)[^`]*)`", text)
    return sorted(set(found))


@pytest.mark.parametrize("command", named_commands())
def test_every_named_command_parses(command: str) -> None:
    words = shlex.split(command)[1:]
    if "--help" in words:
        with pytest.raises(SystemExit, match=r"^0$"):
            build_parser().parse_args(words)
    else:
        build_parser().parse_args(words)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if target.startswith(("https://", "#")):
            path, anchor = name, target.removeprefix("#") if target.startswith("#") else ""
        else:
            file, _, anchor = target.partition("#")
            path = (ROOT / name).parent.joinpath(file).resolve().relative_to(ROOT).as_posix()
            assert (ROOT / path).is_file(), target
        if anchor:
            assert anchor in {slug(head) for head in re.findall(r"^#+ (.*)$", read(path), re.M)}


def slug(heading: str) -> str:
    """Make a heading's anchor as code forges do."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_threat_model_is_whole_in_both_languages() -> None:
    english, korean = read("docs/threat-model.md").split("# 위협 모델", 1)
    for text in (english, korean):
        assert len(re.findall(r"^## ", text, re.M)) == len(re.findall(r"^## ", english, re.M))
        assert len(re.findall(r"^\*\*[1-7]\. ", text, re.M)) == 7
    assert [line.count("|") for line in english.splitlines() if line.startswith("|")] == [
        line.count("|") for line in korean.splitlines() if line.startswith("|")
    ]
