"""A profile on disk: one clear error for everything, and nothing damaged."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from exile_tui.crypto.passphrase import Argon2Parameters
from exile_tui.errors import ProfileError, ProfileInUse, UsageError, WrongPassphrase
from exile_tui.store import ProfileVault
from exile_tui.store.database import connect
from exile_tui.store.files import RESERVE_BYTES
from exile_tui.store.store import ProfileStore
from exile_tui.store.vaultfile import VaultFile
from tests.unit.store.conftest import PASSPHRASE
from tests.unit.store.samples import CHEAP, contact


def content(directory: Path) -> dict[str, bytes]:
    """Everything that holds data: not the lock, nor an empty log and its index."""
    return {
        path.name: path.read_bytes()
        for path in sorted(directory.glob("*"))
        if path.name not in ("lock", "database-shm") and path.stat().st_size
    }


def modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


async def fill(vault: ProfileVault, name: str = "김하늘") -> None:
    store = await vault.create(PASSPHRASE)
    async with store.transaction() as transaction:
        await transaction.contacts.insert(contact(1, name=name))
    await store.close()


async def names(store: ProfileStore) -> list[str]:
    async with store.snapshot() as transaction:
        return [found.name for found in await transaction.contacts.all()]


async def assert_refused_and_unchanged(
    vault: ProfileVault, directory: Path, kind: type[Exception], match: str
) -> None:
    before = content(directory)
    for _ in range(2):
        with pytest.raises(kind, match=match) as caught:
            await vault.open(PASSPHRASE)
        assert str(caught.value)
        assert content(directory) == before


async def test_a_new_profile_opens_again(vault: ProfileVault, directory: Path) -> None:
    assert not vault.exists()
    await fill(vault)
    assert vault.exists()
    store = await vault.open(unicodedata.normalize("NFD", PASSPHRASE))
    assert await names(store) == ["김하늘"]
    await store.close()
    await store.close()


async def test_files_are_private_and_their_names_say_nothing(
    vault: ProfileVault, directory: Path
) -> None:
    store = await vault.create(PASSPHRASE)
    async with store.transaction() as transaction:
        await transaction.settings.set("name", "김하늘")
    assert modes(directory.parent) == {directory.name: 0o700}
    assert modes(directory) == dict.fromkeys(
        ("vault", "database", "database-wal", "database-shm", "lock", "reserve"), 0o600
    )
    assert (directory / "reserve").stat().st_size == RESERVE_BYTES
    await store.close()


async def test_the_real_parameters(directory: Path) -> None:
    vault = ProfileVault(directory)
    await fill(vault)
    stored = VaultFile.decode((directory / "vault").read_bytes(), "vault")
    assert [slot.parameters for slot in stored.slots] == [Argon2Parameters(65536, 3, 1)]
    store = await vault.open(PASSPHRASE)
    assert await names(store) == ["김하늘"]
    await store.close()


@pytest.mark.parametrize("passphrase", ["", "\ud800"])
async def test_what_is_no_passphrase(vault: ProfileVault, passphrase: str) -> None:
    with pytest.raises(UsageError):
        await vault.create(passphrase)
    assert not vault.exists()
    await fill(vault)
    with pytest.raises(WrongPassphrase):
        await vault.open(passphrase)


async def test_a_wrong_passphrase(vault: ProfileVault, directory: Path) -> None:
    await fill(vault)
    before = content(directory)
    with pytest.raises(WrongPassphrase):
        await vault.open("틀린 암호문구")
    assert content(directory) == before
    await (await vault.open(PASSPHRASE)).close()


async def test_nothing_is_there(vault: ProfileVault, directory: Path) -> None:
    with pytest.raises(ProfileError, match="no profile"):
        await vault.open(PASSPHRASE)
    assert content(directory) == {}


async def test_a_profile_is_never_made_over_another(vault: ProfileVault, directory: Path) -> None:
    await fill(vault)
    before = content(directory)
    with pytest.raises(ProfileError, match="already"):
        await vault.create("another")
    assert content(directory) == before


@pytest.mark.parametrize("size", [None, 0])
async def test_a_missing_or_empty_database(
    vault: ProfileVault, directory: Path, size: int | None
) -> None:
    await fill(vault)
    (directory / "database").unlink()
    if size is not None:
        (directory / "database").touch()
    await assert_refused_and_unchanged(vault, directory, ProfileError, "missing or empty")
    assert (directory / "database").exists() == (size is not None)


async def test_an_empty_database_beside_a_full_log(vault: ProfileVault, directory: Path) -> None:
    await fill(vault)
    store = await vault.open(PASSPHRASE)
    async with store.transaction() as transaction:
        await transaction.contacts.insert(contact(2))
    log = (directory / "database-wal").read_bytes()
    await store.close()
    (directory / "database").write_bytes(b"")
    (directory / "database-wal").write_bytes(log)
    await assert_refused_and_unchanged(vault, directory, ProfileError, "missing or empty")


# SQLite reads what is missing of a page as zeros: one missing byte that was zero is no damage.
@pytest.mark.parametrize("keep", [1, 100, 4095, 4096, 8192, -4096, -16, -5000])
async def test_a_database_that_was_cut(vault: ProfileVault, directory: Path, keep: int) -> None:
    await fill(vault)
    whole = (directory / "database").read_bytes()
    (directory / "database").write_bytes(whole[:keep])
    await assert_refused_and_unchanged(vault, directory, ProfileError, "damaged")
    (directory / "database").write_bytes(whole)
    store = await vault.open(PASSPHRASE)
    assert await names(store) == ["김하늘"]
    await store.close()


async def test_a_database_with_flipped_bytes(vault: ProfileVault, directory: Path) -> None:
    await fill(vault)
    data = bytearray((directory / "database").read_bytes())
    data[100] ^= 1
    (directory / "database").write_bytes(data)
    await assert_refused_and_unchanged(vault, directory, ProfileError, "damaged or belongs")


@pytest.mark.parametrize("foreign", [b"SQLite format 3\0" * 1024, b"\0" * 8192, b"text" * 5000])
async def test_a_foreign_file(vault: ProfileVault, directory: Path, foreign: bytes) -> None:
    await fill(vault)
    (directory / "database").write_bytes(foreign)
    await assert_refused_and_unchanged(vault, directory, ProfileError, "damaged or belongs")


async def test_a_database_of_another_profile_with_this_ones_log(
    vault: ProfileVault, directory: Path, tmp_path: Path
) -> None:
    await fill(vault)
    store = await vault.open(PASSPHRASE)
    async with store.transaction() as transaction:
        await transaction.contacts.insert(contact(2))
    log = (directory / "database-wal").read_bytes()
    await store.close()
    other = ProfileVault(tmp_path / "other", argon2=CHEAP)
    await fill(other)
    shutil.copy(tmp_path / "other" / "vault", directory / "vault")
    (directory / "database-wal").write_bytes(log)
    await assert_refused_and_unchanged(vault, directory, ProfileError, "damaged or belongs")


async def test_vault_and_database_of_two_profiles(
    vault: ProfileVault, directory: Path, tmp_path: Path
) -> None:
    await fill(vault)
    other = ProfileVault(tmp_path / "other", argon2=CHEAP)
    await fill(other)
    shutil.copy(tmp_path / "other" / "database", directory / "database")
    await assert_refused_and_unchanged(vault, directory, ProfileError, "another profile")


async def test_the_same_key_under_another_vault_id(vault: ProfileVault, directory: Path) -> None:
    await fill(vault)
    mine = VaultFile.decode((directory / "vault").read_bytes(), "vault")
    keys = mine.unlock(PASSPHRASE)
    forged = VaultFile.seal(b"X" * 16, keys, PASSPHRASE, CHEAP, vault._entropy)
    (directory / "vault").write_bytes(forged.encode())
    await assert_refused_and_unchanged(vault, directory, ProfileError, "don't belong together")


async def test_a_missing_vault(vault: ProfileVault, directory: Path) -> None:
    await fill(vault)
    kept = (directory / "vault").read_bytes()
    (directory / "vault").unlink()
    assert vault.exists()
    await assert_refused_and_unchanged(vault, directory, ProfileError, "vault is missing")
    with pytest.raises(ProfileError, match="vault is missing"):
        await vault.create(PASSPHRASE)
    (directory / "vault").write_bytes(kept)
    await (await vault.open(PASSPHRASE)).close()


@pytest.mark.parametrize("garbage", [b"", b"exile-vault", b"\xff" * 200, b"a" * 100_000])
async def test_a_damaged_vault(vault: ProfileVault, directory: Path, garbage: bytes) -> None:
    await fill(vault)
    (directory / "vault").write_bytes(garbage)
    await assert_refused_and_unchanged(vault, directory, ProfileError, "vault is damaged")


async def change_version(vault: ProfileVault, directory: Path, version: int) -> None:
    keys = VaultFile.decode((directory / "vault").read_bytes(), "vault").unlock(PASSPHRASE)
    connection = connect(directory / "database", keys[0])
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


async def test_a_newer_schema(vault: ProfileVault, directory: Path) -> None:
    await fill(vault)
    await change_version(vault, directory, 9999)
    await assert_refused_and_unchanged(vault, directory, ProfileError, "newer version")


async def test_a_schema_that_is_none_of_ours(vault: ProfileVault, directory: Path) -> None:
    await fill(vault)
    await change_version(vault, directory, 0)
    await assert_refused_and_unchanged(vault, directory, ProfileError, "another profile")


async def test_the_profile_in_use(vault: ProfileVault, directory: Path) -> None:
    store = await vault.create(PASSPHRASE)
    for attempt in (vault.open, ProfileVault(directory, argon2=CHEAP).open):
        with pytest.raises(ProfileInUse) as caught:
            await attempt(PASSPHRASE)
        assert caught.value.parameters == {"profile": "나", "pid": os.getpid()}
    await store.close()
    await (await vault.open(PASSPHRASE)).close()


HOLDER = """
import sys
from pathlib import Path
from exile_tui.store.lock import ProfileLock
ProfileLock(Path(sys.argv[1])).acquire("x")
print("held", flush=True)
sys.stdin.read()
"""


async def test_the_profile_in_use_by_another_process(vault: ProfileVault, directory: Path) -> None:
    await fill(vault)
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", HOLDER, str(directory / "lock")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(ProfileInUse) as caught:
        await vault.open(PASSPHRASE)
    assert caught.value.parameters["pid"] == holder.pid
    holder.kill()
    await holder.communicate()
    await (await vault.open(PASSPHRASE)).close()


async def test_a_failed_opening_lets_the_profile_go(vault: ProfileVault) -> None:
    await fill(vault)
    for _ in range(2):
        with pytest.raises(WrongPassphrase):
            await vault.open("no")
    opening = asyncio.ensure_future(vault.open(PASSPHRASE))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await (await vault.open(PASSPHRASE)).close()


async def test_a_directory_that_can_not_be_written(
    vault: ProfileVault, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with pytest.raises(ProfileError, match="can't be written"):
        await ProfileVault(in_the_way / "profile", argon2=CHEAP).create(PASSPHRASE)
    await fill(vault)
    before = content(directory)

    def refuse(path: object, *_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        with pytest.raises(ProfileError, match="can't be written"):
            await vault.open(PASSPHRASE)
    assert content(directory) == before


async def test_an_interrupted_first_run_starts_over(
    vault: ProfileVault, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", _fail)
        with pytest.raises(ProfileError):
            await vault.create("first")
    assert {"database", "vault.new"} <= set(content(directory))
    assert not vault.exists()
    with pytest.raises(ProfileError, match="no profile"):
        await vault.open("first")
    await fill(vault, "둘")
    store = await vault.open(PASSPHRASE)
    assert await names(store) == ["둘"]
    await store.close()
    assert not (directory / "vault.new").exists()


def _fail(*_: object) -> None:
    raise OSError(5, "Input/output error")


def test_a_wrong_key_writes_nothing_to_standard_error(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from exile_tui.store import database as d\n"
        "path = Path(sys.argv[1]); connection = d.connect(path, b'a' * 32)\n"
        "d.configure(connection, writer=True); connection.execute('CREATE TABLE t (x)')\n"
        "connection.close(); assert d.opens(path, b'a' * 32); assert not d.opens(path, b'b' * 32)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "database")], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_importing_the_store_is_light() -> None:
    script = (
        "import sys, exile_tui.store, exile_tui.paths\n"
        "heavy = {'sqlcipher3', 'aiosqlite', 'sqlite3', 'httpx', 'textual', 'platformdirs'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
