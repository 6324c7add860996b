"""The recorded vectors, against the program and against the plain second implementation."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from exile_tui.crypto.handshake import InvitePublic, bundle_hash
from exile_tui.crypto.keys import MlKem768Public, MlKem1024Public, X25519Public
from exile_tui.errors import WireError
from exile_tui.wire.address import RelayAddress
from exile_tui.wire.body import pack_body, unpack_body
from exile_tui.wire.bundle import Bundle, blob_id, open_blob, seal_blob
from exile_tui.wire.content import (
    Acknowledged,
    Content,
    Mailbox,
    Profile,
    Text,
    Unknown,
    decode_content,
    encode_content,
)
from exile_tui.wire.link import InviteLink
from exile_tui.wire.mailbox import MailboxDescriptor, MailboxKeys
from exile_tui.wire.relay import (
    Acknowledge,
    Append,
    Authorization,
    CaughtUp,
    CreateMailbox,
    EnvelopeFrame,
    FrameDecoder,
    GetBlobs,
    Goodbye,
    Heartbeat,
    MailboxToken,
    PutBlob,
    PutBlobs,
    PutTicket,
    Receive,
    RefusedFrame,
    SignedFacts,
    encode_frame,
    facts_message,
)
from tests.reference import wire_plain as plain
from tests.reference.record_wire import record

VECTORS = Path(__file__).resolve().parent.parent.parent / "vectors"


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return loaded


INVITES = load("wire_invite.json")
CONTENT = load("wire_content.json")
RELAY = load("wire_relay.json")


def test_plain_implementation_records_the_same_today() -> None:
    for name, content in record().items():
        assert json.loads(json.dumps(content)) == load(name)


@pytest.mark.parametrize("vector", INVITES["invites"], ids=lambda vector: vector["host"])
def test_invites(vector: dict[str, Any]) -> None:
    raw = {
        key: bytes.fromhex(value)
        for key, value in vector.items()
        if key not in ("host", "port", "expiry", "address", "link_text")
    }
    address = RelayAddress(vector["host"], vector["port"], raw["pin"])
    keys = MailboxKeys(raw["receive"], raw["send"])
    mailbox = MailboxDescriptor(address, keys.id, keys.send_token)
    public = InvitePublic(
        ik=X25519Public(raw["ik"]),
        spk=X25519Public(raw["spk"]),
        kemh=MlKem1024Public(raw["kemh"]),
        rdh=X25519Public(raw["rdh"]),
        rkem=MlKem768Public(raw["rkem"]),
    )
    bundle = Bundle(public, vector["expiry"], raw["ticket"], mailbox)
    link = InviteLink(address, raw["bundle_hash"])
    assert keys.id == raw["mailbox_id"]
    assert mailbox.encode() == raw["descriptor"]
    assert bundle.encode() == raw["bundle"]
    assert bundle_hash(raw["bundle"]) == raw["bundle_hash"]
    assert blob_id(raw["bundle_hash"]) == raw["blob_id"]
    assert seal_blob(raw["bundle"]) == raw["blob"]
    assert address.url == vector["address"]
    assert link.to_bytes() == raw["link"]
    assert link.to_text() == vector["link_text"]
    assert MailboxDescriptor.decode(raw["descriptor"]) == mailbox
    assert Bundle.decode(raw["bundle"]) == bundle
    assert open_blob(raw["blob"], raw["bundle_hash"]) == bundle
    assert RelayAddress.parse(f"\n {vector['address']} ") == address
    assert InviteLink.from_bytes(raw["link"]) == link
    assert InviteLink.parse(f"\n {vector['link_text']}\t") == link


@pytest.mark.parametrize("host", INVITES["refused_hosts"])
def test_refused_hosts(host: str) -> None:
    assert not plain.host_is_right(host)
    with pytest.raises(WireError):
        RelayAddress(host, 443, bytes(32))


def made(vector: dict[str, Any]) -> Content:
    key = bytes.fromhex(vector["id"])
    if vector["kind"] == "text":
        return Text(key, vector["sent_ms"], vector["text"])
    if vector["kind"] == "acknowledged":
        return Acknowledged(tuple(bytes.fromhex(each) for each in vector["ids"]))
    if vector["kind"] == "profile":
        return Profile(key, vector["serial"], vector["name"])
    if vector["kind"] == "mailbox":
        described = MailboxDescriptor.decode(bytes.fromhex(vector["descriptor"]))
        return Mailbox(key, vector["serial"], described)
    return Unknown(vector["type"], bytes.fromhex(vector["payload"]))


@pytest.mark.parametrize("vector", CONTENT["contents"], ids=lambda vector: vector["kind"])
def test_contents(vector: dict[str, Any]) -> None:
    encoded = bytes.fromhex(vector["encoded"])
    assert encode_content(made(vector)) == encoded
    assert decode_content(encoded) == made(vector)
    assert plain.read_content(encoded) is not None


def test_contents_in_other_forms() -> None:
    for vector in CONTENT["normalised"]:
        content = decode_content(bytes.fromhex(vector["encoded"]))
        assert isinstance(content, Text | Profile)
        assert (content.text if isinstance(content, Text) else content.name) == vector["shown"]
    longer = decode_content(bytes.fromhex(CONTENT["trailing_elements"]))
    assert isinstance(longer, Text)
    assert longer.text == "x"


@pytest.mark.parametrize("name", CONTENT["refused"])
def test_refused_contents(name: str) -> None:
    encoded = bytes.fromhex(CONTENT["refused"][name])
    assert plain.read_content(encoded) is None
    with pytest.raises(WireError):
        decode_content(encoded)
    body = plain.body([encode_content(Text(bytes(16), 0, "dropped too")), encoded], 13971)
    with pytest.raises(WireError):
        unpack_body(body)


@pytest.mark.parametrize("vector", CONTENT["bodies"], ids=lambda vector: str(vector["size"]))
def test_bodies(vector: dict[str, Any]) -> None:
    contents = [bytes.fromhex(each) for each in vector["contents"]]
    body = pack_body(contents, (vector["size"],))
    assert hashlib.sha256(body).hexdigest() == vector["sha256"]
    assert unpack_body(body) == [decode_content(each) for each in contents]


def relay_requests() -> dict[str, tuple[Any, Any]]:
    """Return each request of the vectors as the program makes it, and its class's reader."""
    raw = {
        key: bytes.fromhex(RELAY[key])
        for key in ("box", "token", "hash", "ticket", "renewal", "hash_2", "box_2", "token_2")
    }
    box, token, hashed, hash_2 = raw["box"], raw["token"], raw["hash"], raw["hash_2"]
    phrase = Authorization.phrase("암구호 e\u0301")
    envelopes = [bytes([byte]) * size for byte, size in RELAY["envelopes"]]
    blobs = [
        PutBlob(box, hashed, 1_790_000_000, bytes(4096)),
        PutBlob(raw["box_2"], hashed, 253402300799, b"x"),
    ]
    requests: dict[str, Any] = {
        "create open": CreateMailbox(box, hashed, hash_2, Authorization()),
        "create phrase": CreateMailbox(box, hashed, hash_2, phrase),
        "create ticket": CreateMailbox(box, hashed, hash_2, Authorization.ticket(raw["ticket"])),
        "create renewal": CreateMailbox(box, hashed, hash_2, Authorization.renewal(raw["renewal"])),
        "token": MailboxToken(box, token),
        "append": Append(box, token, envelopes),
        "receive": Receive([(box, token), (raw["box_2"], raw["token_2"])]),
        "acknowledge": Acknowledge(box, token, RELAY["seqs"]),
        "ticket": PutTicket(phrase, hashed, 1_790_000_000),
        "blob put": PutBlobs(Authorization.mailbox(box, token), blobs),
        "blob get": GetBlobs([box, raw["box_2"]]),
    }
    return {name: (request, type(request).decode) for name, request in requests.items()}


@pytest.mark.parametrize("name", RELAY["requests"])
def test_requests(name: str) -> None:
    request, decode = relay_requests()[name]
    recorded = RELAY["requests"][name]
    encoded = request.encode()
    if isinstance(recorded, str):
        assert encoded.hex() == recorded
    else:
        assert hashlib.sha256(encoded).hexdigest() == recorded["sha256"]
    assert decode(encoded) == request


def test_frames() -> None:
    byte, size = RELAY["envelopes"][0]
    frames = [
        EnvelopeFrame(3, 2**40, bytes([byte]) * size),
        Heartbeat(),
        RefusedFrame(1023),
        CaughtUp(0),
        Goodbye(),
    ]
    encoded = [encode_frame(frame) for frame in frames]
    assert [hashlib.sha256(each).hexdigest() for each in encoded] == [
        vector["sha256"] for vector in RELAY["frames"]
    ]
    decoder = FrameDecoder()
    assert decoder.feed(b"".join(encoded)) == frames
    decoder.finish()


def test_facts() -> None:
    assert facts_message(b"{}").hex() == RELAY["facts_message"]
    answer = SignedFacts(b"spki", b"{}", b"signature")
    assert answer.encode().hex() == RELAY["facts_answer"]
    assert SignedFacts.decode(answer.encode()) == answer
