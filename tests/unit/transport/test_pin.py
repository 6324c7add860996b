"""The pinned key decides, before the first application byte, whatever else the other end shows."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from exile_tui.errors import RelayKeyMismatch, RelayUnreachable
from exile_tui.transport.client import HttpRelay
from exile_tui.transport.pin import key_hash
from exile_tui.wire.relay import GOODBYE_BYTES
from tests.unit.transport.servers import (
    GUARD,
    LAST_CHUNK,
    QUICK,
    STREAM,
    chunk,
    fixed,
    identity,
    scripted,
)

NO_CONTENT = fixed(b"HTTP/1.1 204 No Content\r\n\r\n")
ID, TOKEN = b"i" * 16, b"t" * 32


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
async def test_right_key_with_wrong_name_and_dates_works(kind: str) -> None:
    async with asyncio.timeout(GUARD), scripted(NO_CONTENT, identity(kind, kind)) as server:
        relay = HttpRelay(server.address)
        await relay.delete_blob(ID, TOKEN)
        await relay.close()
        assert [request.path for request in server.requests] == ["/v1/blob/delete"]


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
async def test_relay_with_an_ipv6_address() -> None:
    async with asyncio.timeout(GUARD), scripted(NO_CONTENT, name="::1") as server:
        relay = HttpRelay(server.address)
        await relay.delete_blob(ID, TOKEN)
        await relay.close()
        assert server.requests[0].headers["host"] == f"[::1]:{server.address.port}"


async def test_wrong_key_with_right_name_fails_before_any_request() -> None:
    other = identity("other", name="127.0.0.1")
    async with asyncio.timeout(GUARD):
        async with scripted(NO_CONTENT, other, pin=identity().pin) as server:
            relay = HttpRelay(server.address)
            with pytest.raises(RelayKeyMismatch) as caught:
                await relay.delete_blob(ID, TOKEN)
            with pytest.raises(RelayKeyMismatch):
                await anext(relay.receive([(ID, TOKEN)]))
            await relay.close()
        # The server's own handshake never ended: it had not one application byte to read.
        assert server.connections == 0
        assert server.requests == []
        assert server.address.authority in str(caught.value)


async def test_key_that_changed_between_two_streams_is_noticed() -> None:
    stream = fixed(STREAM + chunk(GOODBYE_BYTES) + LAST_CHUNK)
    async with asyncio.timeout(GUARD):
        async with scripted(stream) as server:
            relay = HttpRelay(server.address)
            assert [len(frames) async for frames in relay.receive([(ID, TOKEN)])] == [1]
        async with scripted(stream, identity("other")) as usurper:
            address = type(server.address)("127.0.0.1", usurper.address.port, identity().pin)
            with pytest.raises(RelayKeyMismatch):
                await anext(HttpRelay(address).receive([(ID, TOKEN)]))


@pytest.mark.parametrize(("tls", "tls12"), [(True, True), (False, False)])
async def test_nothing_below_tls_1_3_is_spoken(tls: bool, tls12: bool) -> None:
    async with asyncio.timeout(GUARD), scripted(NO_CONTENT, tls=tls, tls12=tls12) as server:
        relay = HttpRelay(server.address, timeouts=QUICK)
        with pytest.raises(RelayUnreachable):
            await relay.delete_blob(ID, TOKEN)
        await relay.close()
        assert server.requests == []


def files_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


async def test_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    async with asyncio.timeout(GUARD), scripted(NO_CONTENT) as server:
        relay = HttpRelay(server.address)
        await relay.delete_blob(ID, TOKEN)
        await relay.close()
        assert len(server.requests) == 1
    assert files_in(tmp_path) == []


async def test_nobody_there_is_out_of_reach() -> None:
    async with asyncio.timeout(GUARD):
        async with scripted(NO_CONTENT) as server:
            pass
        relay = HttpRelay(server.address)
        with pytest.raises(RelayUnreachable) as caught:
            await relay.delete_blob(ID, TOKEN)
        with pytest.raises(RelayUnreachable):
            await anext(relay.receive([(ID, TOKEN)]))
        assert server.address.authority in str(caught.value)


def test_unreadable_certificate_has_no_hash() -> None:
    assert key_hash(b"") == b""
    assert key_hash(os.urandom(400)) == b""
