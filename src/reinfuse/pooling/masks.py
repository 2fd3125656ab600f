"""Masks that cancel: of each two centres one adds what the other takes off, and only the sum of all can be read.

Each centre has a key pair of this study alone (X25519, RFC 7748). Two centres have a secret in common; from it, their
names and the SHA-256 of a request HKDF-SHA-256 (RFC 5869) derives the key of a ChaCha20 stream (RFC 8439), so that
every request has masks of its own. The sum of the masks of all centres is 0 modulo 2^128 (Bonawitz et al., CCS
2017:1175-1191, without its recovery of centres that are lost).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from reinfuse.pooling.fixed_point import BYTES, MODULUS, integers_of
from reinfuse.pooling.sealing import canonical

_KEY_BYTES, _NONCE_BYTES, _LIMB_BITS = 32, 12, 32
_FROM_THE_START = bytes(4)
"""The counter of blocks."""


def new_key() -> str:
    """Return a private key, in base64."""
    return base64.b64encode(X25519PrivateKey.generate().private_bytes_raw()).decode("ascii")


def public_key(private: str) -> str:
    """Return the public key of a private one, in base64."""
    return base64.b64encode(_private(private).public_key().public_bytes_raw()).decode("ascii")


def fingerprint(keys: Mapping[str, str]) -> str:
    """Return what centres compare on a way of their own, so that nobody puts keys of his in their place."""
    digest = hashlib.sha256(canonical(dict(keys))).hexdigest()
    return " ".join(digest[i : i + 4] for i in range(0, 24, 4))


def masked(integers: list[int], *, centre: str, private: str, keys: Mapping[str, str], request: str) -> list[int]:
    """Return the integers of a centre under its masks.

    Parameters
    ----------
    private
        The centre's own key.
    keys
        Public keys of all centres.
    request
        SHA-256 of the request that is answered.

    Raises
    ------
    ValueError
        If a key is none.
    """
    sums = {1: np.zeros((len(integers), 4), dtype=np.uint64), -1: np.zeros((len(integers), 4), dtype=np.uint64)}
    for other, key in keys.items():
        if other != centre:
            stream = _stream(private, key, pair=sorted((centre, other)), request=request, size=len(integers))
            sums[1 if centre < other else -1] += np.frombuffer(stream, dtype="<u4").reshape(-1, 4)
    plus, minus = (_whole(sums[sign].tolist()) for sign in (1, -1))
    return [(i + p - m) % MODULUS for i, p, m in zip(integers, plus, minus, strict=True)]


def own_numbers(private: str, *, request: str, size: int) -> list[int]:
    """Return random integers that nobody but this centre can work out, the same each time a request is answered."""
    own = base64.b64decode(private, validate=True)
    return integers_of(_stream_of(own, about=["reinfuse pool held back"], request=request, size=size))


def _whole(limbs: list[list[int]]) -> list[int]:
    """Return the integers whose limbs, the low ones first, have been added without carrying."""
    return [sum(limb << (_LIMB_BITS * i) for i, limb in enumerate(row)) for row in limbs]


def check_weights(request: str, size: int) -> list[int]:
    """Return the odd weights, which everybody knows, of the check on a sum."""
    key = hashlib.sha256(f"weights {request}".encode()).digest()
    cipher = Cipher(ChaCha20(key, _FROM_THE_START + bytes(_NONCE_BYTES)), None)
    return [w | 1 for w in integers_of(cipher.encryptor().update(bytes(BYTES * size)))]


def _stream(private: str, public: str, *, pair: list[str], request: str, size: int) -> bytes:
    """Return what two centres alone can work out."""
    secret = _private(private).exchange(X25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True)))
    return _stream_of(secret, about=["reinfuse pool mask", *pair], request=request, size=size)


def _stream_of(secret: bytes, *, about: list[str], request: str, size: int) -> bytes:
    """Return what follows from a secret, for one purpose and one request."""
    derived = HKDF(SHA256(), _KEY_BYTES + _NONCE_BYTES, salt=bytes.fromhex(request), info=canonical(about)).derive(
        secret
    )
    cipher = Cipher(ChaCha20(derived[:_KEY_BYTES], _FROM_THE_START + derived[_KEY_BYTES:]), None)
    return cipher.encryptor().update(bytes(BYTES * size))


def _private(text: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
