"""What is known of who is connected: shares, whom they hold, and what is forgotten."""

from __future__ import annotations

import pytest

from exile_tui.relay.clients import Clients, Connection
from exile_tui.relay.shares import Bucket, Shares

SOMEBODY = "203.0.113.7"


class Watch:
    """Seconds that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


def ask(
    clients: Clients, client: str, *, creates: bool = False, streams: bool = False
) -> tuple[Connection, float]:
    """Begin a request; return its connection and how long it has to wait."""
    connection = clients.enter(client)
    return connection, clients.must_wait(connection, creates=creates, streams=streams)


def look(clients: Clients, *found: str, received: int = 0, hurried: bool = False) -> set[str]:
    """Look at the connections that are open; return those to be ended."""
    clients.begin_look()
    ended = {one for one in found if clients.look(one, received, hurried=hurried)}
    clients.end_look()
    return ended


def test_a_bucket_lets_a_burst_through_then_its_rate_and_is_paid_before_more() -> None:
    bucket = Bucket(burst=3, now=0)
    assert [bucket.wait(2, 3, 0, 1) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.wait(2, 3, 0.5, 1) == 0
    bucket.spend(2, 3, 1.0, 101)  # in debt by 100
    assert bucket.wait(2, 3, 1.0, 1) == pytest.approx(50.5)
    assert bucket.wait(2, 3, 1.0) == pytest.approx(50)
    assert not bucket.rested(2, 3, 51.0)
    assert bucket.wait(2, 3, 51.0) == 0
    assert bucket.rested(2, 3, 53.0)


def test_requests_above_an_addresss_rate_wait_and_another_address_does_not(watch: Watch) -> None:
    clients = Clients(Shares(requests=1, requests_burst=2), watch)
    for port in (1, 2):
        assert ask(clients, f"{SOMEBODY}:{port}")[1] == 0
    assert ask(clients, f"{SOMEBODY}:3")[1] > 0
    assert ask(clients, "203.0.113.8:1")[1] == 0
    watch.now += 1.5
    assert ask(clients, f"{SOMEBODY}:4")[1] == 0


def test_only_the_loopbacks_own_address_and_balancers_are_held_to_nothing(watch: Watch) -> None:
    clients = Clients(Shares(requests=1, requests_burst=1), watch, ["10.0.0.9", "2001:db8:9::1"])
    for client in ("127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5", "10.0.0.9:5"):
        assert [ask(clients, client)[1] for _ in range(9)] == [0] * 9
        assert clients.enter(client).origin is None
    assert clients.enter("[2001:db8:9::7]:1").origin is None
    for client in ("127.0.0.2:5", "[::2]:5", "10.0.0.8:5"):
        assert ask(clients, client)[1] == 0
        assert ask(clients, client)[1] > 0


def test_an_ipv6_network_of_64_bits_counts_as_one_address(watch: Watch) -> None:
    clients = Clients(Shares(), watch)
    one = clients.enter("[2001:db8:1:2::1]:1")
    assert clients.enter("[2001:db8:1:2:ffff::9]:2").origin is one.origin
    assert clients.enter("[2001:db8:1:3::1]:1").origin is not one.origin
    assert clients.enter("[::ffff:203.0.113.7]:1").origin is clients.enter("203.0.113.7:2").origin


def test_creations_streams_bytes_and_requests_at_once_have_limits_of_their_own(
    watch: Watch,
) -> None:
    shares = Shares(mailboxes_burst=1, streams=1, traffic=10, traffic_burst=100, at_once=4)
    clients = Clients(shares, watch)
    client = f"{SOMEBODY}:1"
    for wait in (0, 1):
        connection, found = ask(clients, client, creates=True)
        assert bool(found) == bool(wait)
        clients.leave(client, connection)
    connection, found = ask(clients, client, streams=True)
    assert not found
    clients.open_stream(connection, 1)
    assert ask(clients, client, streams=True)[1] > 0
    clients.open_stream(connection, -1)
    assert ask(clients, client, streams=True)[1] == 0
    clients.count_body(connection, 200)
    assert ask(clients, client)[1] == pytest.approx(10)
    watch.now += 20
    assert ask(clients, client)[1] > 0  # five under way
    clients.leave(client, connection)
    clients.leave(client, connection)
    assert ask(clients, client)[1] == 0


def test_one_connection_has_no_more_requests_at_once_than_its_limit_exempt_or_not(
    watch: Watch,
) -> None:
    clients = Clients(Shares(per_connection=2), watch)
    assert [bool(ask(clients, "127.0.0.1:1")[1]) for _ in range(3)] == [False, False, True]


def test_in_a_crowd_each_address_may_have_fewer_requests_under_way(watch: Watch) -> None:
    clients = Clients(Shares(crowd=4, in_crowd=2), watch)
    assert not any(ask(clients, f"{SOMEBODY}:1")[1] for _ in range(4))
    assert ask(clients, f"{SOMEBODY}:1")[1] > 0
    assert ask(clients, "203.0.113.8:1")[1] == 0


def test_what_is_kept_in_memory_is_bounded_by_address_and_in_all(watch: Watch) -> None:
    clients = Clients(Shares(held=100, held_in_all=150, held_anyway=10), watch)
    one, other = clients.enter(f"{SOMEBODY}:1"), clients.enter("203.0.113.8:1")
    local = clients.enter("127.0.0.1:1")
    assert clients.hold(one, 100)
    assert not clients.hold(one, 1)
    assert clients.hold(other, 49)
    assert not clients.hold(local, 11)  # more than everybody's
    clients.hold(local, -11)
    assert clients.hold(local, 10)  # so much anybody may have
    clients.hold(one, -101)
    assert clients.hold(local, 11)


def test_those_who_are_held_to_no_share_leave_half_of_the_memory_to_the_others(
    watch: Watch,
) -> None:
    """Whoever comes through Tor, and reads no answer, else takes all of it."""
    clients = Clients(Shares(held=100, held_in_all=150, held_anyway=10), watch)
    one, local = clients.enter(f"{SOMEBODY}:1"), clients.enter("127.0.0.1:1")

    def reads(connection: Connection) -> float:
        return clients.must_wait(connection, creates=False, streams=False, reads=True)

    assert clients.hold(local, 75)
    assert not clients.hold(clients.enter("127.0.0.1:2"), 11)
    assert reads(local) > 0
    assert reads(one) == 0
    assert clients.hold(one, 64)


def test_connections_above_an_addresss_share_are_ended_and_the_first_ones_stay(
    watch: Watch,
) -> None:
    clients = Clients(Shares(connections=2), watch)
    found = [f"{SOMEBODY}:{port}" for port in range(4)]
    assert look(clients, *found) == set(found[2:])
    connection, wait = ask(clients, found[3])
    assert wait > 0
    clients.leave(found[3], connection)
    assert look(clients, *found[:2]) == set()
    assert look(clients, *found[:2], "203.0.113.7:9") == {"203.0.113.7:9"}
    assert look(clients, found[0]) == set()  # now there is room
    assert look(clients, found[0], "203.0.113.7:10") == set()


def test_a_connection_without_a_request_is_ended_and_sooner_when_they_run_short(
    watch: Watch,
) -> None:
    clients = Clients(Shares(first_request=10, idle=75, hurried=2), watch)
    new, used, busy = "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"
    clients.begin_look()
    clients.leave(used, clients.enter(used))
    clients.enter(busy)
    look(clients, new, used, busy)
    watch.now += 1.9
    assert look(clients, new, used, busy, hurried=True) == set()
    watch.now += 0.2
    assert look(clients, new, used, busy, hurried=True) == {new, used}
    watch.now += 8
    assert look(clients, new, used, busy) == {new}
    watch.now += 66
    assert look(clients, used, busy) == {used}


def test_who_sends_much_and_asks_nothing_is_ended_and_its_address_refused(watch: Watch) -> None:
    shares = Shares(unasked=1000, unasked_per_second=1, refused=60)
    clients = Clients(shares, watch)
    client, local = f"{SOMEBODY}:1", "127.0.0.1:1"
    assert look(clients, client, local, received=1000) == set()
    assert look(clients, client, local, received=1001) == set()  # a request may be behind it
    assert look(clients, client, local, received=1001) == {client, local}
    assert set(clients.refused) == {bytes((203, 0, 113, 7))}
    assert look(clients, f"{SOMEBODY}:2") == {f"{SOMEBODY}:2"}
    assert look(clients, "203.0.113.8:1") == set()
    watch.now += 61
    assert look(clients, f"{SOMEBODY}:3") == set()
    assert not clients.refused


def test_bytes_of_bodies_and_a_long_life_are_no_flood(watch: Watch) -> None:
    clients = Clients(Shares(unasked=1000, unasked_per_second=1, unread=5000), watch)
    client = "127.0.0.1:1"
    clients.begin_look()
    connection = clients.enter(client)
    assert look(clients, client, received=5000) == set()  # its body may be on its way
    clients.count_body(connection, 100_000)
    clients.leave(client, connection)
    assert look(clients, client, received=200_000) == set()
    watch.now += 70
    assert look(clients, client, received=203_100) == set()
    assert look(clients, client, received=204_200) == set()
    assert look(clients, client, received=204_200) == {client}


def test_a_request_that_the_loop_had_not_heard_of_is_no_flood(watch: Watch) -> None:
    clients = Clients(Shares(unasked=1000, unasked_per_second=1, unread=0), watch)
    client, received = "127.0.0.1:1", 0
    for _ in range(3):
        received += 5000
        assert look(clients, client, received=received) == set()
        connection = clients.enter(client)
        clients.count_body(connection, 5000)
        clients.leave(client, connection)
    assert look(clients, client, received=received) == set()
    received += 30_000
    assert look(clients, client, received=received) == set()
    assert look(clients, client, received=received) == {client}


def test_an_address_that_comes_for_nothing_again_and_again_is_refused(watch: Watch) -> None:
    clients = Clients(Shares(fruitless=3), watch)
    for port in range(4):
        assert look(clients, f"{SOMEBODY}:{port}") == set()
    assert look(clients) == set()
    assert look(clients, f"{SOMEBODY}:9") == {f"{SOMEBODY}:9"}
    assert clients.refused


def test_an_address_whose_connections_make_requests_is_not(watch: Watch) -> None:
    clients = Clients(Shares(fruitless=3), watch)
    for port in range(20):
        client = f"{SOMEBODY}:{port}"
        look(clients, client)
        if port % 2:
            clients.leave(client, clients.enter(client))
    assert look(clients, f"{SOMEBODY}:99") == set()
    assert not clients.refused


def test_who_comes_for_nothing_now_and_then_does_not_add_up(watch: Watch) -> None:
    clients = Clients(Shares(fruitless=3, fruitless_forgotten=1), watch)
    for port in range(20):
        assert look(clients, f"{SOMEBODY}:{port}") == set()
        watch.now += 1
    assert not clients.refused
    assert not any(look(clients, f"{SOMEBODY}:{port}") for port in range(20, 24))
    assert look(clients) == set()
    assert look(clients, f"{SOMEBODY}:99") == {f"{SOMEBODY}:99"}


def test_of_a_refused_address_who_works_already_goes_on(watch: Watch) -> None:
    clients = Clients(Shares(fruitless=3, unasked=1000, unasked_per_second=0, unread=0), watch)
    works, flood = f"{SOMEBODY}:1", f"{SOMEBODY}:2"
    clients.open_stream(clients.enter(works), 1)
    for port in range(10, 14):
        assert look(clients, works, f"{SOMEBODY}:{port}") == set()
    assert look(clients, works) == set()
    assert look(clients, works, f"{SOMEBODY}:9") == {f"{SOMEBODY}:9"}
    assert clients.refused
    clients.begin_look()
    assert [clients.look(flood, 9000, hurried=False) for _ in range(2)] == [True, True]
    assert not clients.look(works, 1000, hurried=False)


def test_more_connections_than_fit_end_none_of_those_that_fit(watch: Watch) -> None:
    clients = Clients(Shares(connections=2, fruitless=3), watch)
    fit = [f"{SOMEBODY}:1", f"{SOMEBODY}:2"]
    for each in fit:
        clients.enter(each)
    for port in range(10, 60, 5):
        more = {f"{SOMEBODY}:{port + number}" for number in range(5)}
        assert look(clients, *fit, *more) == more


def test_another_salt_keeps_what_is_open_and_forgets_the_rest(watch: Watch) -> None:
    shares = Shares(connections=2, requests=0.001, requests_burst=2, salt=600)
    clients = Clients(shares, watch)
    gone = "203.0.113.8:1"
    open_ones = [f"{SOMEBODY}:1", f"{SOMEBODY}:2"]
    look(clients, gone, *open_ones)
    connection, _ = ask(clients, open_ones[0])
    clients.enter(open_ones[1])
    ask(clients, gone)
    ask(clients, gone)
    clients.leave(gone, clients._connections[hash(gone)])
    look(clients, *open_ones)
    keys = set(clients._origins)
    watch.now += 601
    assert look(clients, *open_ones, f"{SOMEBODY}:3") == {f"{SOMEBODY}:3"}
    assert keys.isdisjoint(clients._origins)
    assert connection.origin in clients._origins.values()
    assert clients.enter(open_ones[1]).origin is connection.origin


def test_somebody_new_while_the_salt_is_changed_is_no_second_person(watch: Watch) -> None:
    clients = Clients(Shares(salt=600), watch)
    look(clients, f"{SOMEBODY}:1")
    origin = clients.enter(f"{SOMEBODY}:1").origin
    watch.now += 601
    clients.begin_look()
    assert clients.enter(f"{SOMEBODY}:2").origin is origin
    clients.look(f"{SOMEBODY}:1", 0, hurried=False)
    clients.end_look()
    assert clients.enter(f"{SOMEBODY}:3").origin is origin


def test_addresses_that_rest_are_dropped_when_they_are_many(watch: Watch) -> None:
    clients = Clients(Shares(), watch)
    for number in range(1500):
        client = f"198.51.{number // 250}.{number % 250}:1"
        clients.leave(client, clients.enter(client))
    assert len(clients) == 0  # nobody looks: a connection is forgotten with its request
    assert len(clients._origins) == 1500
    watch.now += 60
    look(clients)
    assert not clients._origins


def test_nothing_in_the_table_tells_an_address_of_a_connection_that_is_gone(watch: Watch) -> None:
    clients = Clients(Shares(), watch)
    client = f"{SOMEBODY}:4711"
    look(clients, client)
    clients.leave(client, clients.enter(client))
    held = repr([list(clients._connections), list(clients._origins), clients.refused])
    assert SOMEBODY not in held
    assert repr(bytes((203, 0, 113, 7)))[2:-1] not in held
