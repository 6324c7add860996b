"""A process's own sockets: found, told apart, ended; addresses that the system refuses."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sys
from collections.abc import Iterator

import pytest

from exile_tui.relay.binding import listen
from exile_tui.relay.clients import Clients
from exile_tui.relay.door import Door
from exile_tui.relay.refusing import MOST, program
from exile_tui.relay.shares import Shares
from exile_tui.relay.sockets import Found, Sockets, raise_descriptor_limit, set_options
from exile_tui.relay.sweeper import Sweeper

linux = pytest.mark.skipif(sys.platform != "linux", reason="only there the system has this")
NOT_AT_ONCE = 0.2
"""Seconds after which a connection that isn't answered counts as refused."""


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with listen("127.0.0.1", 0) as bound:
        bound.setblocking(True)
        set_options(bound)
        yield bound


def connect(to: socket.socket, source: str = "127.0.0.1", host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((host, to.getsockname()[1]), NOT_AT_ONCE, (source, 0))


def found_by(sockets: Sockets) -> list[Found]:
    return [found for found in sockets if found is not None]


def accepted(to: socket.socket, client: socket.socket) -> socket.socket:
    """Accept a connection, which is handed over with its first byte."""
    client.sendall(b"\0")
    return to.accept()[0]


def test_connections_are_found_among_the_descriptors_and_the_right_one_is_ended(
    listening: socket.socket,
) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(listening)) for _ in range(3)]
        servers = [stack.enter_context(accepted(listening, client)) for client in clients]
        sockets = stack.enter_context(contextlib.closing(Sockets({listening.getsockname()[1]})))
        found = {one.client: one for one in found_by(sockets)}
        names = [f"127.0.0.1:{client.getsockname()[1]}" for client in clients]
        assert set(found) == set(names)
        assert [found[name].descriptor for name in names] == [one.fileno() for one in servers]
        servers[1].recv(1)
        assert sockets.end(found[names[1]])
        assert clients[1].recv(1) == b""
        assert clients[0].send(b"x") == clients[2].send(b"x") == 1
        assert servers[0].recv(2) == servers[2].recv(2) == b"\0x"
        # Its number means another connection meanwhile: that one is left alone.
        os.dup2(servers[0].fileno(), servers[1].fileno())
        assert not sockets.end(found[names[1]])
        assert clients[0].send(b"y") == 1
        servers[2].close()
        assert not sockets.end(found[names[2]])
        with open(os.devnull) as file:
            assert not sockets.end(Found(file.fileno(), names[0], 0))


def test_one_behind_many_that_closed_is_found_soon_and_not_lost_again(
    listening: socket.socket,
) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(accepted(listening, stack.enter_context(connect(listening))))
        sockets = stack.enter_context(contextlib.closing(Sockets({listening.getsockname()[1]})))
        assert [one.descriptor for one in found_by(sockets)] == [server.fileno()]
        highest = max(fd for fd in range(4096) if _is_open(fd))
        far = os.dup2(server.fileno(), highest + 900)
        try:
            looks = [[one.descriptor for one in found_by(sockets)] for _ in range(20)]
        finally:
            os.close(far)
        first = looks.index([server.fileno(), far])
        assert first < 8
        assert all(found == [server.fileno(), far] for found in looks[first:])
        assert [one.descriptor for one in found_by(sockets)] == [server.fileno()]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_ipv6_is_written_as_requests_name_it() -> None:
    try:
        bound = listen("::1", 0)
    except Exception:
        pytest.skip("no IPv6 here")
    with bound:
        bound.setblocking(True)
        with (
            connect(bound, "::1", "::1") as client,
            accepted(bound, client),
            contextlib.closing(Sockets({bound.getsockname()[1]})) as sockets,
        ):
            (found,) = found_by(sockets)
            assert found.client == f"[::1]:{client.getsockname()[1]}"


@linux
def test_bytes_that_came_in_are_told(listening: socket.socket) -> None:
    with (
        connect(listening) as client,
        accepted(listening, client) as server,
        contextlib.closing(Sockets({listening.getsockname()[1]})) as sockets,
    ):
        client.sendall(bytes(5000))
        server.recv(5001, socket.MSG_WAITALL)
        (found,) = found_by(sockets)
        assert found.received == 5001


@linux
def test_where_something_lies_unread_a_connection_is_reset_and_nothing_of_it_kept(
    listening: socket.socket,
) -> None:
    with (
        connect(listening) as client,
        accepted(listening, client) as server,
        contextlib.closing(Sockets({listening.getsockname()[1]})) as sockets,
    ):
        (found,) = found_by(sockets)
        assert sockets.end(found)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        with pytest.raises(OSError, match=r"reset|not connected"):
            server.recv(1)


@linux
def test_looking_and_ending_need_no_descriptor(listening: socket.socket) -> None:
    with (
        connect(listening) as client,
        accepted(listening, client) as server,
        contextlib.closing(Sockets({listening.getsockname()[1]})) as sockets,
    ):
        server.recv(1)
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(map(int, os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, before[1]))
        used: list[int] = []
        try:
            with contextlib.suppress(OSError):
                while True:
                    used.append(os.dup(0))
            with pytest.raises(OSError, match="Too many"):
                os.dup(0)
            (found,) = found_by(sockets)
            assert sockets.end(found)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for descriptor in used:
                os.close(descriptor)
        assert client.recv(1) == b""


def test_the_limit_of_descriptors_is_raised_and_some_are_spared() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        fit = raise_descriptor_limit()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert hard == before[1]
        assert soft > 256
        assert 0 < fit < soft
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@linux
def test_what_listens_hands_over_what_speaks_and_keeps_little(listening: socket.socket) -> None:
    with connect(listening) as client:
        listening.settimeout(NOT_AT_ONCE)
        with pytest.raises(TimeoutError):
            listening.accept()
        with accepted(listening, client) as server:
            assert server.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
            assert server.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < 1 << 19
            assert server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@linux
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_addresses_are_refused_and_let_in_again(host: str) -> None:
    try:
        bound = listen(host, 0)
    except Exception:
        pytest.skip("no IPv6 here")
    refused = [socket.inet_aton("127.0.0.5"), socket.inet_pton(socket.AF_INET6, "2001:db8::")[:8]]
    with bound, connect(bound, "127.0.0.5") as before:
        bound.setblocking(True)
        server = accepted(bound, before)
        door = Door([bound])
        door.refuse(refused)
        with pytest.raises(TimeoutError):
            connect(bound, "127.0.0.5")
        with connect(bound, "127.0.0.6") as other, accepted(bound, other) as inherits:
            other.sendall(b"on")
            assert inherits.recv(3, socket.MSG_WAITALL) == b"\0on"
        before.sendall(b"on")  # what is open stays
        assert server.recv(3, socket.MSG_WAITALL) == b"\0on"
        if host == "::":
            door.refuse([bytes(8)])
            with pytest.raises(TimeoutError):
                connect(bound, "::1", "::1")
            door.refuse(refused)
        door.shut(True)
        with pytest.raises(TimeoutError):
            connect(bound, "127.0.0.6")
        door.refuse(refused[:1])  # it stays shut whoever is refused meanwhile
        with pytest.raises(TimeoutError):
            connect(bound, "127.0.0.6")
        door.shut(False)
        with pytest.raises(TimeoutError):
            connect(bound, "127.0.0.5")
        door.refuse([])
        with connect(bound, "127.0.0.5") as again, accepted(bound, again):
            pass
        server.close()


@linux
def test_who_is_refused_changes_where_the_system_has_no_room_for_two_programs(
    listening: socket.socket,
) -> None:
    door = Door([listening])
    here = socket.inet_aton("127.0.0.5")
    many = [bytes((0xFC, 0, 0, 0, 0x80, 0, *divmod(number, 256))) for number in range(MOST)]
    door.refuse([here, *many[1:]])
    door.refuse(many)
    connect(listening, "127.0.0.5").close()  # its minute is over
    door.refuse([*many[1:], here])
    with pytest.raises(TimeoutError):
        connect(listening, "127.0.0.5")
    door.shut(True)
    door.refuse(many)
    door.shut(False)
    connect(listening, "127.0.0.5").close()


@linux
async def test_of_a_refused_address_nothing_stays_with_a_connection_of_somebody_else(
    listening: socket.socket,
) -> None:
    door = Door([listening])
    sweeper = Sweeper(Clients(Shares(), lambda: 0.0), door, 1000)
    door.refuse([socket.inet_aton("127.0.0.5")])
    with (
        connect(listening, "127.0.0.6") as other,
        accepted(listening, other) as inherits,
        contextlib.closing(Sockets({listening.getsockname()[1]})) as sockets,
    ):
        assert has_program(inherits)
        await sweeper.sweep(sockets)  # ends what the table refuses, which is nobody
        assert not has_program(inherits)
        assert not has_program(listening)


def has_program(one: socket.socket) -> bool:
    """Tell whether a filter is attached (SO_GET_FILTER)."""
    return bool(one.getsockopt(socket.SOL_SOCKET, 26, 1024))


def test_a_program_stays_within_what_the_system_takes() -> None:
    assert len(program([bytes(8)] * MOST)) <= 4096
