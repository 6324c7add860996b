"""Properties of sessions, over orders that hypothesis makes up."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exile_tui.crypto.session import Session
from exile_tui.errors import CryptoError
from tests.unit.crypto.support import (
    BODIES,
    DAY,
    EXAMPLES,
    SYSTEM,
    body,
    established,
    reload,
    send_many,
)

JOINER, INVITER = established()
RUNS = settings(EXAMPLES, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def opens(session: Session, envelope: bytes) -> bytes | None:
    try:
        return session.open(envelope, DAY).body
    except CryptoError:
        return None


@RUNS
@given(order=st.permutations(range(8)))
def test_any_order_of_one_chain_arrives_once(order: list[int]) -> None:
    _, envelopes = send_many(JOINER, 8)
    session = INVITER
    for number in order:
        opened = session.open(envelopes[number], DAY)
        assert opened.body == body(f"m{number}")
        session = reload(opened.session)
    assert all(opens(session, envelope) is None for envelope in envelopes)


@RUNS
@given(turns=st.lists(st.tuples(st.booleans(), st.integers(1, 4), st.booleans()), max_size=12))
def test_whoever_speaks_how_often_everything_arrives(turns: list[tuple[bool, int, bool]]) -> None:
    sides = {True: JOINER, False: INVITER}
    late: list[tuple[bool, bytes, bytes]] = []
    for who, count, hold in turns:
        sides[who], envelopes = send_many(sides[who], count)
        for number, envelope in enumerate(envelopes):
            if hold and number == 0:
                late.append((not who, envelope, body("m0")))
                continue
            opened = sides[not who].open(envelope, DAY)
            assert opened.body == body(f"m{number}")
            sides[not who] = opened.session
    for who, envelope, text in late:
        opened = sides[who].open(envelope, DAY)
        assert opened.body == text
        sides[who] = opened.session


@RUNS
@given(content=st.binary(max_size=1683), size=st.sampled_from(BODIES))
def test_any_body_comes_back(content: bytes, size: int) -> None:
    text = content.ljust(size, b"\0")
    _, envelope = JOINER.seal(text, SYSTEM)
    assert INVITER.open(envelope, DAY).body == text


@RUNS
@given(noise=st.binary(max_size=64), size=st.sampled_from([0, 4096, 16384, 65536]))
def test_noise_opens_nothing(noise: bytes, size: int) -> None:
    for session in (JOINER, INVITER):
        before = session.to_bytes()
        assert opens(session, noise.ljust(size, b"\xaa")) is None
        assert session.to_bytes() == before


def test_two_seals_of_one_body_have_nothing_in_common() -> None:
    joiner, (one, two) = send_many(JOINER, 2)
    _, again = JOINER.seal(body("m0"), SYSTEM)
    for first, second in ((one, two), (one, again)):
        assert sum(a == b for a, b in zip(first, second, strict=True)) < 60
    assert joiner is not JOINER
