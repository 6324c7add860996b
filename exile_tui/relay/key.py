"""The relay's key: an ECDSA P-256 key that makes its address, and a certificate that carries it."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from exile_tui.errors import N_, ExileError

KEY_FILE = "key.pem"
CERTIFICATE_FILE = "certificate.pem"

_BAD_KEY = N_(
    "The relay's key {path} can't be read. Nothing was changed: contacts hold its address, so "
    "put the file back from a copy, or remove it to get a new key and address."
)


class DamagedKey(ExileError):
    """The key file is there and is no P-256 key."""

    sentence = _BAD_KEY


@dataclass(frozen=True, slots=True)
class RelayKey:
    """A relay's key and where TLS finds it."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)
    key_file: Path
    certificate_file: Path

    @property
    def spki(self) -> bytes:
        """The SubjectPublicKeyInfo in DER."""
        return self.private.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def pin(self) -> bytes:
        """SHA-256 of the SubjectPublicKeyInfo, 32 bytes."""
        return hashlib.sha256(self.spki).digest()

    def sign(self, message: bytes) -> bytes:
        """Sign with ECDSA and SHA-256; DER."""
        return self.private.sign(message, ec.ECDSA(SHA256()))


def load_key(directory: Path) -> RelayKey | None:
    """Read the key of a directory; None when it has none.

    Raises:
        DamagedKey: The file is there and is no key of the right kind.
    """
    path = directory / KEY_FILE
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise DamagedKey(path=str(path)) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise DamagedKey(path=str(path))
    return RelayKey(private, path, directory / CERTIFICATE_FILE)


def ensure_key(directory: Path) -> RelayKey:
    """Read the key of a directory, made on first run, and write its certificate anew.

    Raises:
        DamagedKey: The file is there and is no key of the right kind.
        OSError: The directory can't be written.
    """
    key = load_key(directory)
    if key is None:
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(directory / KEY_FILE, pem)
        key = RelayKey(private, directory / KEY_FILE, directory / CERTIFICATE_FILE)
    write_private(key.certificate_file, _certificate(key.private))
    return key


def write_private(path: Path, data: bytes, *, home: Path | None = None) -> None:
    """Replace a file as a whole or not at all, durable; who may read it stays.

    A new one is readable by its owner only, who is its home's owner where root writes it: the
    relay, which is not root, must be able to read what root stated.

    Args:
        path: The file.
        data: What it gets.
        home: The directory whose owner gets a new file; None for the one that it is in.
    """
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as stream:
        _hand_over(descriptor, path, home or path.parent)
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    if os.name == "posix":
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _hand_over(descriptor: int, path: Path, home: Path) -> None:
    if os.name != "posix":
        return
    with contextlib.suppress(FileNotFoundError):
        before = os.lstat(path)
        if stat.S_ISREG(before.st_mode):
            with contextlib.suppress(PermissionError):  # only root gives files away
                os.fchown(descriptor, before.st_uid, before.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(before.st_mode) & 0o644)
            return
    if os.geteuid() == 0:
        owner = os.stat(home)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _certificate(private: ec.EllipticCurvePrivateKey) -> bytes:
    """Sign a certificate that states nothing: the same name and dates for every relay."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "exile relay")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("exile-relay")]), critical=False)
    )
    return builder.sign(private, SHA256()).public_bytes(Encoding.PEM)
