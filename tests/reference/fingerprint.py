"""exile/1 written down a second time: safety numbers (docs/protocol.md, 7)."""

from tests.reference.tools import SHA512, H


def fingerprint_hash(identifier, key):
    value = SHA512(b"\x00\x00" + key + identifier + key)
    for _ in range(5199):
        value = SHA512(value + key)
    return value


def thirty_digits(value):
    digits = ""
    for i in range(6):
        number = 0
        for byte in value[5 * i : 5 * i + 5]:
            number = number * 256 + byte
        digits = digits + str(number % 100000).zfill(5)
    return digits


def numeric_fingerprint(local_id, local_key, remote_id, remote_key):
    local = fingerprint_hash(local_id, local_key)
    remote = fingerprint_hash(remote_id, remote_key)
    halves = sorted([thirty_digits(local), thirty_digits(remote)])
    scannable = bytes.fromhex("080212220a20") + local[0:32]
    scannable = scannable + bytes.fromhex("1a220a20") + remote[0:32]
    return halves[0] + halves[1], scannable


def fingerprint_id(ik, bh):
    return H(b"exile/1/fpid" + ik + bh)


def word_indices(digits):
    bits = "".join(format(byte, "08b") for byte in H(digits.encode("ascii")))
    return [int(bits[11 * i : 11 * i + 11], 2) for i in range(12)]
