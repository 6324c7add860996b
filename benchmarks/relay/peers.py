"""ejabberd, prosody and mosquitto from Debian's packages, with configurations of ours.

What slows them down without need is off: logs, shapers, modules that a message does not pass
through. Passwords lie in clear in their throwaway directories, since logins are not measured.
"""

from __future__ import annotations

from benchmarks.relay.processes import Server, find_program
from benchmarks.relay.servers import write_certificate

DOMAIN = "localhost"
PASSWORD = "password"  # of throwaway accounts on the loopback


def user(number: int) -> str:
    """Return the name of an account."""
    return f"u{number}"


_EJABBERD = """
hosts: [{domain}]
loglevel: none
certfiles: ["{combined}"]
auth_password_format: plain
disable_sasl_mechanisms: ["digest-md5", "X-OAUTH2"]
shaper_rules:
  max_user_sessions: 10
  max_user_offline_messages: {waiting}
listen:
  -
    port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    tls: true
modules:
  mod_offline:
    access_max_user_messages: max_user_offline_messages
  mod_ping: {{}}
  mod_roster: {{}}
  mod_stream_mgmt: {{}}
"""


class Ejabberd(Server):
    """ejabberd without its cluster: no name server of Erlang's outlives it."""

    def __init__(self, users: int, waiting: str = "100") -> None:
        """Start it.

        Args:
            users: How many accounts there are.
            waiting: How many messages may wait for each; the default is that of Debian's package.
        """
        find_program("ejabberdctl")
        program = find_program("erl")
        super().__init__("ejabberd")
        certificate, key = write_certificate(self.directory)
        combined = self.directory / "combined.pem"
        combined.write_bytes(key.read_bytes() + certificate.read_bytes())
        settings = self.directory / "ejabberd.yml"
        settings.write_text(
            _EJABBERD.format(domain=DOMAIN, combined=combined, port=self.port, waiting=waiting)
        )
        registered = self.directory / "registered"
        register = (
            f"[ok = ejabberd_auth:try_register(<<$u, (integer_to_binary(N))/binary>>, "
            f'<<"{DOMAIN}">>, <<"{PASSWORD}">>) || N <- lists:seq(0, {users - 1})], '
            f'ok = file:write_file("{registered}", "").'
        )
        command = [program, "+K", "true", "+P", "250000", "-noinput"]
        command += ["-mnesia", "dir", f'"{self.directory}/spool"']
        command += ["-s", "ejabberd", "-eval", register]
        environment = {
            "EJABBERD_CONFIG_PATH": str(settings),
            "EJABBERD_LOG_PATH": str(self.directory / "ejabberd.log"),
            "ERL_CRASH_DUMP_BYTES": "0",
            "ERL_LIBS": "/usr/lib/x86_64-linux-gnu",
            "HOME": str(self.directory),
        }
        self.start(command, environment)
        self.wait_for(registered)


_PROSODY = """
run_as_root = true
daemonize = false
pidfile = "{directory}/pid"
data_path = "{directory}/data"
plugin_paths = {{}}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{}}
s2s_ports = {{}}
c2s_direct_tls_ports = {{ {port} }}
modules_enabled = {{ "roster"; "saslauth"; "tls"; "smacks"; "ping" }}
modules_disabled = {{ "s2s" }}
authentication = "internal_plain"
log = {{ error = "{directory}/log" }}
ssl = {{ certificate = "{certificate}"; key = "{key}" }}
c2s_direct_tls_ssl = {{ certificate = "{certificate}"; key = "{key}" }}
VirtualHost "{domain}"
"""


class Prosody(Server):
    """prosody with its own file storage."""

    def __init__(self, users: int) -> None:
        program = find_program("prosody")
        super().__init__("prosody")
        certificate, key = write_certificate(self.directory)
        accounts = self.directory / "data" / DOMAIN / "accounts"
        accounts.mkdir(parents=True)
        for number in range(users):
            account = f'return {{\n\t["password"] = "{PASSWORD}";\n}};\n'
            (accounts / f"{user(number)}.dat").write_text(account)
        settings = self.directory / "prosody.cfg.lua"
        settings.write_text(
            _PROSODY.format(
                directory=self.directory,
                port=self.port,
                certificate=certificate,
                key=key,
                domain=DOMAIN,
            )
        )
        self.start([program, "-F", "--config", str(settings)])


_MOSQUITTO = """
listener {port} 127.0.0.1
allow_anonymous true
user root
certfile {certificate}
keyfile {key}
tls_version tlsv1.3
log_type error
"""
"""Else its defaults: 20 messages in flight to a client, 1,000 waiting, nothing on the disk."""


class Mosquitto(Server):
    """mosquitto, which keeps what waits in memory."""

    def __init__(self) -> None:
        program = find_program("mosquitto")
        super().__init__("mosquitto")
        certificate, key = write_certificate(self.directory)
        settings = self.directory / "mosquitto.conf"
        settings.write_text(_MOSQUITTO.format(port=self.port, certificate=certificate, key=key))
        self.start([program, "-c", str(settings)])
