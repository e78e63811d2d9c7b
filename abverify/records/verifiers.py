"""The two libraries that verify Ed25519 here, and when the quicker one may be asked.

`cryptography` says what a valid signature is. libsodium (in PyNaCl) verifies in two thirds of
its time, and an audit of many records takes its word where it accepts; what it refuses is
judged by `cryptography`. So libsodium may accept nothing that the other refuses. With no point
of small order as key or first half, what is left to differ in is the equation: ours is the one
without cofactor, libsodium's was until 1.0.20, and is not in what came after it. So it is asked
first about signatures that only other equations accept, and never again if it accepts one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

Verify: TypeAlias = Callable[[bytes, bytes], bool]
"""Whether a signature of 64 bytes, its first half of no small order, is one of the message."""
Verifying: TypeAlias = Callable[[bytes], Verify]
"""What verifies under a public key, which must not be of small order."""

MANY = 1000
"""From so many records on, the quicker library is worth loading."""

_KEY = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
_MESSAGE = b"held against the equation"
_GOOD = bytes.fromhex(
    "e7d142d275797452b23d6ff4587ce10e2e2cf8c7d6cfa609aba4ff94e940dae8"
    "88a924f337897cbda4b342034647641f164d11be3da184c8126af04e93a4700c"
)
_LOOSE = (
    bytes.fromhex(
        "16b981d0b88cdf3ab9fa87190822fe4905b475efda3aec7c34abfa92c19320f4"
        "e75bcf0ec2ed17439e6d6028fe46e2be3bdd480420a8bbd8a42df75327643d03"
    ),
    bytes.fromhex(
        "e7d142d275797452b23d6ff4587ce10e2e2cf8c7d6cfa609aba4ff94e940dae8"
        "757d1a5052ec8e157b503aa624414334164d11be3da184c8126af04e93a4701c"
    ),
)
"""Signatures of the same that only looser rules accept: the equation times the cofactor holds,
the second half exceeds the order of the group."""


def verifying_for(count: int) -> Verifying:
    """What to verify so many records with."""
    return by_libsodium if count >= MANY and is_strict(by_libsodium) else by_cryptography


@cache
def is_strict(verifying: Verifying) -> bool:
    """Whether a library accepts what is valid, and nothing that only looser rules accept."""
    verify = verifying(_KEY)
    return verify(_GOOD, _MESSAGE) and not any(verify(loose, _MESSAGE) for loose in _LOOSE)


def by_cryptography(raw: bytes) -> Verify:
    """Verifies with `cryptography`, whose word is final."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    verify = Ed25519PublicKey.from_public_bytes(raw).verify

    def verifies(signature: bytes, message: bytes) -> bool:
        try:
            verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verifies


def by_libsodium(raw: bytes) -> Verify:
    """Verifies with libsodium, whose word counts only where it accepts."""
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    def verifies(signature: bytes, message: bytes) -> bool:
        try:
            crypto_sign_open(signature + message, raw)
        except BadSignatureError:
            return False
        return True

    return verifies
