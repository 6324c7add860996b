"""exile/1 written down a second time: the toolbox and the keys (docs/protocol.md, 2 and 3)."""

import hashlib
import hmac as hmac_module

from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
    MLKEM1024PrivateKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


class Refused(Exception):
    """Anything that the text refuses."""


# Section 3


def H(data):
    return hashlib.sha256(data).digest()


def SHA512(data):
    return hashlib.sha512(data).digest()


def HMAC(key, data):
    return hmac_module.new(key, data, hashlib.sha512).digest()


def hkdf_with_salt(salt, ikm, info, length):
    prk = HMAC(salt, ikm)
    t = b""
    okm = b""
    i = 1
    while len(okm) < length:
        t = HMAC(prk, t + info + bytes([i]))
        okm = okm + t
        i = i + 1
    return okm[0:length]


def HKDF(ikm, info, length):
    return hkdf_with_salt(b"\x00" * 64, ikm, info, length)


def kdf_ck(ck):
    o = HMAC(ck, b"exile/1/ck")
    return o[0:32], o[32:64]


def kdf_rk(rk, ikm, th):
    okm = hkdf_with_salt(rk, ikm, b"exile/1/rk" + th, 96)
    return okm[0:32], okm[32:64], okm[64:96]


def step_th(receiver_dh, sender_dh, receiver_ek, sender_ek, ct):
    return H(b"exile/1/th" + receiver_dh + sender_dh + receiver_ek + sender_ek + ct)


def aead_encrypt(key, nonce, pt, ad):
    return ChaCha20Poly1305(key).encrypt(nonce, pt, ad)


def aead_decrypt(key, nonce, ct, ad):
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ct, ad)
    except Exception as error:
        raise Refused from error


def seal(mk, pt, ad, random32):
    nonce = HMAC(mk, b"exile/1/nonce" + random32 + SHA512(pt) + SHA512(ad))[0:24]
    o = HMAC(mk, b"exile/1/body" + nonce)
    return nonce + o[32:64] + aead_encrypt(o[0:32], b"\x00" * 12, pt, ad)


def unseal(mk, sealed, ad):
    nonce = sealed[0:24]
    o = HMAC(mk, b"exile/1/body" + nonce)
    if o[32:64] != sealed[24:56]:
        raise Refused
    return aead_decrypt(o[0:32], b"\x00" * 12, sealed[56:], ad)


def seal_header(hk, header, ad, random32):
    nonce = HMAC(hk, b"exile/1/hnonce" + random32 + SHA512(header))[0:12]
    return nonce + aead_encrypt(hk, nonce, header, ad)


def unseal_header(hk, sealed, ad):
    return aead_decrypt(hk, sealed[0:12], sealed[12:], ad)


# Section 2: keys


def dh_public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def dh(private, public):
    if int.from_bytes(public, "little") >= 2**255 - 19:
        raise Refused
    try:
        key = X25519PrivateKey.from_private_bytes(private)
        output = key.exchange(X25519PublicKey.from_public_bytes(public))
    except Exception as error:
        raise Refused from error
    if output == b"\x00" * 32:
        raise Refused
    return output


def check_kem768(public):
    """FIPS 203, section 7.2: every coefficient of 12 bits is below q."""
    bits = int.from_bytes(public[0:1152], "little")
    for _ in range(768):
        if bits & 0xFFF >= 3329:
            raise Refused
        bits = bits >> 12


def kem768_public(seed):
    return MLKEM768PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def kem1024_public(seed):
    return MLKEM1024PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def encapsulate768(public):
    return MLKEM768PublicKey.from_public_bytes(public).encapsulate()
