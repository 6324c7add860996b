"""The relay and nginx, each with a configuration of ours in a directory of its own."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.relay.mailboxes import create
from benchmarks.relay.processes import Server, find_program

ROOT = Path(__file__).resolve().parents[2]


class RelayServer(Server):
    """`exile-tui relay` in a directory that only it has seen, with its default settings.

    But for one: it asks for no work, which creating many mailboxes at once would cost.
    """

    def __init__(self) -> None:
        super().__init__("relay")
        self.home = self.directory / "home"
        self.home.mkdir(mode=0o700)

    @classmethod
    async def started(cls, mailboxes: int) -> Self:
        """Start one with so many mailboxes, numbered from 0."""
        self = cls()
        try:
            await create(self.home, mailboxes)
            self.start_again()
        except BaseException:
            self.stop()
            raise
        return self

    def start_again(self) -> None:
        """Start it on what its directory holds."""
        command = [sys.executable, "-m", "exile_tui", "relay", "--host", self.address[0]]
        command += ["--port", str(self.port), "--data-dir", str(self.home), "--work", "never"]
        self.start(command, {"PYTHONPATH": str(ROOT)})


def write_certificate(directory: Path) -> tuple[Path, Path]:
    """Write a certificate with an ECDSA P-256 key, the relay's kind; return both files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = directory / "certificate.pem", directory / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    private.chmod(0o644)  # a throwaway key that servers without root's rights must read
    return public, private


# It must read the bodies: with `return 200` it takes posts over HTTP/2 for a flood of frames.
_NGINX = """
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off;
worker_processes auto;
pid {directory}/pid;
error_log {directory}/errors crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_requests 1000000000;
    tcp_nodelay on;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        client_body_buffer_size 256k;
        location / {{ echo_read_request_body; echo_status 204; echo -n ""; }}
    }}
}}
"""


class Nginx(Server):
    """nginx that reads a request and answers nothing: what this machine allows over TLS."""

    def __init__(self) -> None:
        program = find_program("nginx")
        super().__init__("nginx")
        certificate, key = write_certificate(self.directory)
        settings = self.directory / "nginx.conf"
        settings.write_text(
            _NGINX.format(
                directory=self.directory, port=self.port, certificate=certificate, key=key
            )
        )
        self.start([program, "-p", str(self.directory), "-c", str(settings)])
