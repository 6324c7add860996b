import pytest

from exile_tui.crypto.handshake import InvitePublic, generate_invite, join, open_request
from exile_tui.crypto.keys import (
    MlKem768Public,
    MlKem768Seed,
    MlKem1024Public,
    MlKem1024Seed,
    X25519Private,
    X25519Public,
)
from exile_tui.errors import CryptoError
from tests.unit.crypto.support import (
    DAY,
    PROFILE,
    SYSTEM,
    body,
    established,
    forge,
    invited,
    sending_chain,
)

P = 2**255 - 19
LOW_ORDER = (
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
)


def le(number: int) -> bytes:
    return number.to_bytes(32, "little")


def pack12(coefficients: list[int]) -> bytes:
    number = sum(c << (12 * i) for i, c in enumerate(coefficients))
    return number.to_bytes(len(coefficients) * 12 // 8, "little")


@pytest.mark.parametrize("number", [P, P + 1, P + 18, 2**255 - 1, 2**255, 2**255 + 9, 2**256 - 1])
def test_a_non_canonical_x25519_key_is_refused(number: int) -> None:
    with pytest.raises(CryptoError):
        X25519Public(le(number))


def test_the_largest_canonical_x25519_key_is_taken() -> None:
    assert X25519Public(le(P - 1)).raw == le(P - 1)


@pytest.mark.parametrize("point", LOW_ORDER)
def test_an_exchange_with_a_low_order_key_is_refused(point: int) -> None:
    private = X25519Private(SYSTEM.bytes(32))
    with pytest.raises(CryptoError):
        private.exchange(X25519Public(le(point)))


@pytest.mark.parametrize("point", LOW_ORDER)
@pytest.mark.parametrize("name", ["ik", "spk", "rdh"])
def test_a_bundle_with_a_low_order_key_makes_no_session(name: str, point: int) -> None:
    public = generate_invite(SYSTEM).public
    keys = {f: getattr(public, f) for f in ("ik", "spk", "kemh", "rdh", "rkem")}
    keys[name] = X25519Public(le(point))
    with pytest.raises(CryptoError):
        join(InvitePublic(**keys), bytes(32), PROFILE, SYSTEM)


@pytest.mark.parametrize(
    "kind",
    [X25519Public, X25519Private, MlKem768Public, MlKem768Seed, MlKem1024Public, MlKem1024Seed],
)
@pytest.mark.parametrize("length", [0, 1, 31, 33, 63, 65, 1183, 1185, 1567, 1569])
def test_a_key_of_another_length_is_refused(kind: type, length: int) -> None:
    with pytest.raises(CryptoError):
        kind(bytes(length))


@pytest.mark.parametrize(("kind", "count"), [(MlKem768Public, 768), (MlKem1024Public, 1024)])
def test_every_mlkem_coefficient_is_checked(kind: type, count: int) -> None:
    for position in range(count):
        coefficients = [0] * count
        coefficients[position] = 3328
        kind(pack12(coefficients) + bytes(32))
        coefficients[position] = 3329
        with pytest.raises(CryptoError):
            kind(pack12(coefficients) + bytes(32))


def test_a_step_with_a_bad_key_is_refused_on_arrival() -> None:
    joiner, inviter = established()
    joiner, _ = joiner.seal(bytes(1683), SYSTEM)
    joiner, _ = joiner.seal(bytes(1683), SYSTEM)
    before = inviter.to_bytes()
    bad_ek = b"\xff\xff" + bytes(1182)
    forgeries = [forge(joiner, lambda h: h[:41] + bad_ek + h[41 + 1184 :])]
    for number in (*LOW_ORDER, P, 2**255):
        dh = le(number)
        forgeries.append(forge(joiner, lambda h, dh=dh: h[:9] + dh + h[41:]))
    for envelope in forgeries:
        with pytest.raises(CryptoError):
            inviter.open(envelope, DAY)
        assert inviter.to_bytes() == before
    assert inviter.open(forge(joiner, bytes), DAY).body == body("forged")


def test_a_joiner_with_the_inviters_identity_is_refused() -> None:
    invite = invited()

    class Echo:
        def bytes(self, length: int) -> bytes:
            return invite.secret.ik.raw if length == 32 else SYSTEM.bytes(length)

        encapsulate_768 = SYSTEM.encapsulate_768
        encapsulate_1024 = SYSTEM.encapsulate_1024

    same = join(invite.secret.public, invite.bh, PROFILE, Echo())
    _, envelope = same.seal(bytes(11215), SYSTEM)
    with pytest.raises(CryptoError):
        open_request(invite.secret, invite.bh, envelope, DAY)


def test_secrets_have_no_readable_repr() -> None:
    _, inviter = established()
    secret = invited().secret
    chain = sending_chain(inviter)
    own = chain.stepped.own
    raws = [secret.ik.raw, secret.kemh.raw, secret.rkem.raw, own.dh.raw, own.kem.raw]
    raws += [inviter._ratchet.roots.root_key, chain.chain_key, chain.head.header_key.raw]
    raws += [inviter.bundle_hash]
    text = repr((secret, inviter, inviter._ratchet, inviter._pairing, chain))
    for raw in raws:
        assert repr(raw) not in text
        assert raw.hex() not in text
