"""The composition root: light until something is opened, and which relays a proxy is for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from exile_tui.assembly import make_application, make_embedded, proxy_for
from exile_tui.config import Settings
from exile_tui.errors import RelayUnreachable
from exile_tui.wire.address import RelayAddress

PROXY = "socks5://127.0.0.1:9050"


@pytest.mark.parametrize(
    ("host", "proxied"),
    [
        ("127.0.0.1", False),
        ("127.8.9.1", False),
        ("::1", False),
        ("192.168.0.2", True),
        ("relay.example", True),
        ("localhost.example", True),
    ],
)
def test_a_proxy_is_for_what_leaves_this_computer(host: str, proxied: bool) -> None:
    assert proxy_for(RelayAddress(host, 1, bytes(32)), PROXY) == (PROXY if proxied else None)


def test_this_computers_relay_needs_no_proxy_under_any_of_its_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = RelayAddress("192.168.0.12", 1, bytes(32))
    settings = Settings(data_dir=tmp_path, proxy=PROXY)
    embedded = make_embedded(settings)
    monkeypatch.setattr(embedded, "address", lambda: here)
    given: list[str | None] = []
    monkeypatch.setattr(
        "exile_tui.transport.client.HttpRelay", lambda _, *, proxy: given.append(proxy)
    )
    application = make_application(settings, embedded)
    application._relays(here)
    application._relays(replace(here, pin=bytes([1]) * 32))
    assert given == [None, PROXY]


async def test_a_relay_that_never_ran_is_not_started_unasked(tmp_path: Path) -> None:
    embedded = make_embedded(Settings(data_dir=tmp_path), start=False)
    assert embedded.address() is None
    with pytest.raises(RelayUnreachable):
        await embedded.ensure()
    await embedded.release()
    assert not os.listdir(tmp_path)


def test_asking_whether_there_is_a_profile_loads_nothing_slow(tmp_path: Path) -> None:
    code = f"""
import json, sys
from pathlib import Path
from exile_tui import assembly
from exile_tui.config import Settings
settings = Settings(data_dir=Path({str(tmp_path)!r}))
application = assembly.make_application(settings, assembly.make_embedded(settings))
assert not application.exists()
print(json.dumps(sorted(sys.modules)))
"""
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    slow = {"httpx", "sqlcipher3", "aiosqlite", "granian", "textual", "segno", "PIL"}
    assert not slow & set(json.loads(loaded))
    assert list(tmp_path.iterdir()) == []
