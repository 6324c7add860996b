"""exile/1 written down a second time, from the text of docs/protocol.md alone.

Deliberately plain: dictionaries and functions in the order of the text, no speed, nothing shared
with the program. Randomness is one function `draw(name)` that returns a named value; for an
encapsulation it returns (secret, ciphertext). A state is changed in place only after a success.
"""

import copy

from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM1024PrivateKey,
)

from tests.reference.tools import (
    HKDF,
    SHA512,
    H,
    Refused,
    check_kem768,
    dh,
    dh_public,
    kdf_ck,
    kdf_rk,
    kem768_public,
    kem1024_public,
    seal,
    seal_header,
    step_th,
    unseal,
    unseal_header,
)

# Section 4


def make_invite(draw):
    secret = {}
    for name, length in (("IK", 32), ("SPK", 32), ("KEMH", 64), ("RDH", 32), ("RKEM", 64)):
        secret[name] = draw(name)
        assert len(secret[name]) == length
    return secret


def public_of(secret):
    return {
        "IK": dh_public(secret["IK"]),
        "SPK": dh_public(secret["SPK"]),
        "KEMH": kem1024_public(secret["KEMH"]),
        "RDH": dh_public(secret["RDH"]),
        "RKEM": kem768_public(secret["RKEM"]),
    }


def bundle_hash(bundle):
    return H(b"exile/1/bundle" + bundle)


def transcript(bh, ik_a, ek, ct):
    return SHA512(b"exile/1/T" + bh + ik_a + ek + H(ct))


def pqxdh(dh1, dh2, dh3, ss, t):
    okm = HKDF(b"\xff" * 32 + dh1 + dh2 + dh3 + ss, b"exile/1/pqxdh" + t, 128)
    return okm[0:32], okm[32:64], okm[64:96], okm[96:128]


def associated_data(ik_a, ik_b, t):
    return H(b"exile/1/ad" + ik_a + ik_b + t)


def join(public, bh, profile_block, draw):
    ik_private = draw("IK_A")
    ek_private = draw("EK")
    ss, ct = draw("ct1024")
    dh1 = dh(ik_private, public["SPK"])
    dh2 = dh(ek_private, public["IK"])
    dh3 = dh(ek_private, public["SPK"])
    ik_a = dh_public(ik_private)
    ek = dh_public(ek_private)
    t = transcript(bh, ik_a, ek, ct)
    root_key, hk_a, nhk_b, skh = pqxdh(dh1, dh2, dh3, ss, t)
    sealed_profile = seal(skh, profile_block, t, draw("profile"))
    state = new_state(root_key, associated_data(ik_a, public["IK"], t))
    state["sending_next"] = hk_a
    state["receiving_next"] = nhk_b
    state["peer_dh"] = public["RDH"]
    state["peer_ek"] = public["RKEM"]
    state["pending"] = True
    state["T"] = t
    state["bh"] = bh
    state["prefix"] = ek + ik_a + ct + sealed_profile
    state["requests"] = 0
    return state


def open_request(secret, bh, envelope, day):
    if len(envelope) != 16384:
        raise Refused
    p = unseal_header(HKDF(bh, b"exile/1/link/req", 32), envelope, bh)
    ek, ik_a, ct, sealed_profile, inner = split_request(p)
    ik_b = dh_public(secret["IK"])
    if ik_a == ik_b:
        raise Refused
    dh1 = dh(secret["SPK"], ik_a)
    dh2 = dh(secret["IK"], ek)
    dh3 = dh(secret["SPK"], ek)
    ss = MLKEM1024PrivateKey.from_seed_bytes(secret["KEMH"]).decapsulate(ct)
    t = transcript(bh, ik_a, ek, ct)
    root_key, hk_a, nhk_b, skh = pqxdh(dh1, dh2, dh3, ss, t)
    profile_block = unseal(skh, sealed_profile, t)
    state = new_state(root_key, associated_data(ik_a, ik_b, t))
    state["sending_next"] = nhk_b
    state["receiving_next"] = hk_a
    state["own_dh"] = secret["RDH"]
    state["own_kem"] = secret["RKEM"]
    state["T"] = t
    state["bh"] = bh
    state["inviter"] = True
    body = ratchet_open(state, inner, day)
    return state, profile_block, body


def split_request(p):
    ek = p[0:32]
    ik_a = p[32:64]
    ct = p[64:1632]
    sealed_profile = p[1632:2728]
    inner = p[2728:16356]
    return ek, ik_a, ct, sealed_profile, inner


def session_seal(state, body, draw):
    if state["prefix"] is None:
        assert len(body) in (1683, 13971, 63123)
        return ratchet_seal(state, body, draw)
    assert len(body) == 11215
    if state["requests"] == 8:
        raise Refused
    inner = ratchet_seal(state, body, draw)
    state["requests"] = state["requests"] + 1
    key = HKDF(state["bh"], b"exile/1/link/req", 32)
    return seal_header(key, state["prefix"] + inner, state["bh"], draw("request"))


def session_open(state, envelope, day):
    if len(envelope) not in (4096, 16384, 65536):
        raise Refused
    if state["inviter"] and len(envelope) == 16384:
        try:
            p = unseal_header(HKDF(state["bh"], b"exile/1/link/req", 32), envelope, state["bh"])
        except Refused:
            p = None
        if p is not None:
            ek, ik_a, ct, _, inner = split_request(p)
            if transcript(state["bh"], ik_a, ek, ct) != state["T"]:
                raise Refused
            envelope = inner
    body = ratchet_open(state, envelope, day)
    state["prefix"] = None
    return body


# Section 5


def new_state(root_key, ad):
    return {
        "root_key": root_key,
        "ad": ad,
        "bh": None,
        "T": None,
        "inviter": False,
        "prefix": None,
        "requests": 0,
        "pending": False,
        "own_dh": None,
        "own_kem": None,
        "peer_dh": None,
        "peer_ek": None,
        "sending_key": None,
        "sending_next": None,
        "sending_chain": None,
        "sending_step": None,
        "pn": 0,
        "ns": 0,
        "receiving_key": None,
        "receiving_next": None,
        "receiving_chain": None,
        "receiving_step": None,
        "receiving_pn": None,
        "nr": 0,
        "skipped": [],  # oldest first: header key, pn, step, n, message key, day
        "lapsed": 0,
    }


def ratchet_seal(state, body, draw):
    if state["pending"]:
        own_dh = draw("dh")
        own_kem = draw("ek seed")
        secret, ct = draw("ct")
        my_dh = dh_public(own_dh)
        my_ek = kem768_public(own_kem)
        th = step_th(state["peer_dh"], my_dh, state["peer_ek"], my_ek, ct)
        state["pn"] = state["ns"]
        state["ns"] = 0
        state["sending_key"] = state["sending_next"]
        ikm = dh(own_dh, state["peer_dh"]) + secret
        rk, chain, following = kdf_rk(state["root_key"], ikm, th)
        state["root_key"] = rk
        state["sending_chain"] = chain
        state["sending_next"] = following
        state["sending_step"] = my_dh + my_ek + ct
        state["own_dh"] = own_dh
        state["own_kem"] = own_kem
        state["pending"] = False
    if state["ns"] > 19999:
        raise Refused
    header = (
        b"\x01"
        + state["pn"].to_bytes(4, "big")
        + state["ns"].to_bytes(4, "big")
        + state["sending_step"]
    )
    assert len(header) == 2313
    sealed_header = seal_header(state["sending_key"], header, state["ad"], draw("header"))
    state["sending_chain"], mk = kdf_ck(state["sending_chain"])
    state["ns"] = state["ns"] + 1
    return sealed_header + seal(mk, body, state["ad"] + sealed_header, draw("body"))


def ratchet_open(state, envelope, day):
    work = copy.deepcopy(state)
    body = ratchet_open_in_place(work, envelope, day)
    state.clear()
    state.update(work)
    return body


def parse_header(header):
    version = header[0]
    pn = int.from_bytes(header[1:5], "big")
    n = int.from_bytes(header[5:9], "big")
    if version != 1 or n > 19999:
        raise Refused
    return pn, n, header[9:2313]


def ratchet_open_in_place(state, envelope, day):
    forget_old(state, day)
    sealed_header = envelope[0:2341]
    sealed_body = envelope[2341:]
    ad = state["ad"] + sealed_header
    keys_tried = []
    for entry in state["skipped"]:
        if entry["hk"] in keys_tried:
            continue
        keys_tried.append(entry["hk"])
        try:
            pn, n, step = parse_header(unseal_header(entry["hk"], sealed_header, state["ad"]))
        except Refused:
            continue
        for candidate in state["skipped"]:
            if candidate["hk"] == entry["hk"] and candidate["n"] == n:
                if pn != candidate["pn"] or step != candidate["step"]:
                    raise Refused
                body = unseal(candidate["mk"], sealed_body, ad)
                state["skipped"].remove(candidate)
                return body
    if state["receiving_key"] is not None:
        try:
            header = unseal_header(state["receiving_key"], sealed_header, state["ad"])
        except Refused:
            header = None
        if header is not None:
            pn, n, step = parse_header(header)
            if pn != state["receiving_pn"] or step != state["receiving_step"] or n < state["nr"]:
                raise Refused
            return open_in_chain(state, n, sealed_body, ad, day)
    if state["pending"]:
        raise Refused
    pn, n, step = parse_header(unseal_header(state["receiving_next"], sealed_header, state["ad"]))
    receiving_step(state, pn, step, day)
    return open_in_chain(state, n, sealed_body, ad, day)


def receiving_step(state, pn, step, day):
    new_dh = step[0:32]
    new_ek = step[32:1216]
    ct = step[1216:2304]
    check_kem768(new_ek)
    own_dh = dh_public(state["own_dh"])
    own_ek = kem768_public(state["own_kem"])
    if new_dh == own_dh or new_dh == state["peer_dh"]:
        raise Refused
    if state["receiving_chain"] is None:
        if pn != 0:
            raise Refused
    else:
        skip(state, pn, day)
    th = step_th(own_dh, new_dh, own_ek, new_ek, ct)
    secret = MLKEM768PrivateKey.from_seed_bytes(state["own_kem"]).decapsulate(ct)
    ikm = dh(state["own_dh"], new_dh) + secret
    rk, chain, following = kdf_rk(state["root_key"], ikm, th)
    state["root_key"] = rk
    state["receiving_key"] = state["receiving_next"]
    state["receiving_chain"] = chain
    state["receiving_next"] = following
    state["receiving_step"] = step
    state["receiving_pn"] = pn
    state["nr"] = 0
    state["peer_dh"] = new_dh
    state["peer_ek"] = new_ek
    state["own_dh"] = None
    state["own_kem"] = None
    state["sending_key"] = None
    state["sending_chain"] = None
    state["sending_step"] = None
    state["pending"] = True


def open_in_chain(state, n, sealed_body, ad, day):
    skip(state, n, day)
    state["receiving_chain"], mk = kdf_ck(state["receiving_chain"])
    state["nr"] = state["nr"] + 1
    body = unseal(mk, sealed_body, ad)
    evict(state)
    return body


def skip(state, until, day):
    gap = until - state["nr"]
    if gap < 0 or gap > 25000:
        raise Refused
    while state["nr"] < until:
        state["receiving_chain"], mk = kdf_ck(state["receiving_chain"])
        if until - state["nr"] <= 1000:
            state["skipped"].append(
                {
                    "hk": state["receiving_key"],
                    "pn": state["receiving_pn"],
                    "step": state["receiving_step"],
                    "n": state["nr"],
                    "mk": mk,
                    "day": day,
                }
            )
        else:
            state["lapsed"] = state["lapsed"] + 1
        state["nr"] = state["nr"] + 1


def evict(state):
    while len(state["skipped"]) > 2000 or len(old_header_keys(state)) > 64:
        state["skipped"].pop(0)
        state["lapsed"] = state["lapsed"] + 1


def old_header_keys(state):
    keys = {entry["hk"] for entry in state["skipped"]}
    keys.discard(state["receiving_key"])
    return keys


def forget_old(state, day):
    kept = [entry for entry in state["skipped"] if day - entry["day"] <= 14]
    state["lapsed"] = state["lapsed"] + len(state["skipped"]) - len(kept)
    state["skipped"] = kept
