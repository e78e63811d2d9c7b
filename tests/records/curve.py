"""Ed25519 by the book, slowly: what it takes to make the signatures that libraries never make."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
PREHASHED = b"SigEd25519 no Ed25519 collisions" + bytes([1, 0])
"""RFC 8032, section 2: what sets Ed25519ph apart, with flag 1 and an empty context."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the curve -x² + y² = 1 + d·x²·y² over the integers modulo 2²⁵⁵ - 19."""

    x: int
    y: int

    def __add__(self, other: Point) -> Point:
        """The complete addition law; it doubles as well."""
        product = D * self.x * other.x * self.y * other.y % P
        x = (self.x * other.y + other.x * self.y) * pow(1 + product, -1, P)
        y = (self.y * other.y + self.x * other.x) * pow(1 - product, -1, P)
        return Point(x % P, y % P)

    def __rmul__(self, scalar: int) -> Point:
        result, doubled = Point(0, 1), self
        while scalar:
            if scalar & 1:
                result += doubled
            doubled += doubled
            scalar >>= 1
        return result

    def encoded(self) -> bytes:
        """Its 32 bytes."""
        return (self.y | (self.x & 1) << 255).to_bytes(32, "little")


def decoded(data: bytes) -> Point:
    """The point of 32 bytes.

    Raises:
        ValueError: if there is no such point.
    """
    number = int.from_bytes(data, "little")
    y, sign = number % 2**255, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in (root, root * pow(2, (P - 1) // 4, P) % P):
        if x * x % P == square:
            return Point(x if x & 1 == sign else -x % P, y % P)
    raise ValueError(f"{data.hex()} is no point")


BASE = decoded(bytes.fromhex("58" + "66" * 31))
TORSION = decoded(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
"""A point of order 8: with its multiples, all eight points of small order."""


def secret(seed: bytes) -> tuple[int, bytes]:
    """The scalar of a private key, and the prefix from which its nonces are made."""
    digest = sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    return scalar & ((1 << 254) - 8) | 1 << 254, digest[32:]


def sign(seed: bytes, message: bytes, *, domain: bytes = b"", nonce: int | None = None) -> bytes:
    """A signature that satisfies the equation of verification.

    Args:
        seed: the private key's 32 bytes.
        message: what is signed; for Ed25519ph its SHA-512.
        domain: empty for pure Ed25519, `PREHASHED` for Ed25519ph.
        nonce: the scalar behind R; derived as the RFC has it if not given.
    """
    _, prefix = secret(seed)
    if nonce is None:
        nonce = int.from_bytes(sha512(domain + prefix + message).digest(), "little") % ORDER
    commitment = (nonce * BASE).encoded()
    return commitment + answer(seed, commitment, message, domain=domain, nonce=nonce)


def holds(public: bytes, signature: bytes, message: bytes, *, cofactor: int) -> bool:
    """Whether the equation of verification holds, both sides times a number."""
    hashed = sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(hashed, "little") % ORDER
    answered = int.from_bytes(signature[32:], "little")
    right = decoded(signature[:32]) + challenge * decoded(public)
    return cofactor * (answered * BASE) == cofactor * right


def answer(seed: bytes, commitment: bytes, message: bytes, *, domain: bytes, nonce: int) -> bytes:
    """The second half of a signature whose first half is given."""
    scalar, _ = secret(seed)
    public = (scalar * BASE).encoded()
    hashed = sha512(domain + commitment + public + message).digest()
    challenge = int.from_bytes(hashed, "little") % ORDER
    return ((nonce + challenge * scalar) % ORDER).to_bytes(32, "little")
