"""Public keys: how they are named, and which nobody may trust."""

from __future__ import annotations

from hashlib import sha512

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer._key import SSlibKey

from abverify.errors import UntrustedError
from abverify.records.keys import SMALL_ORDER, KeySigner, PublicKey
from tests.records.simulator import OPERATOR

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def _square_root(value: int) -> int | None:
    root = pow(value, (P + 3) // 8, P)
    for candidate in (root, root * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == value % P:
            return candidate
    return None


def _small_order_encodings() -> set[bytes]:
    """Derived from the curve: y of order 1, 2, 4 and 8, in every 255-bit spelling, both signs."""
    ys = {1, P - 1, 0}
    for sign in (1, -1):
        square = (-1 + sign * (_square_root(1 + D) or 0)) * pow(D, -1, P) % P
        root = _square_root(square)
        if root is not None:
            ys |= {root, P - root}
    spellings = {y + k * P for y in ys for k in (0, 1) if y + k * P < 2**255}
    return {(y | sign << 255).to_bytes(32, "little") for y in spellings for sign in (0, 1)}


def test_the_blocklist_is_every_encoding_of_the_points_of_small_order() -> None:
    derived = _small_order_encodings()
    assert derived == SMALL_ORDER
    assert len(derived) == 14


@pytest.mark.parametrize("raw", sorted(SMALL_ORDER))
def test_a_key_of_small_order_is_refused(raw: bytes) -> None:
    with pytest.raises(UntrustedError, match="not a public key") as caught:
        PublicKey.of(raw)
    assert caught.value.rule == "AV422"


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(UntrustedError):
        PublicKey.of(b"\x42" * length)


def test_anyone_can_sign_for_a_key_of_small_order_and_the_library_would_accept_it() -> None:
    """Why the blocklist exists: this signature needed no private key at all."""
    identity = bytes.fromhex("01" + "00" * 31)
    forged = identity + bytes(32)
    Ed25519PublicKey.from_public_bytes(identity).verify(forged, b"the gate is discharged")


def test_a_signature_whose_r_has_small_order_is_refused_though_the_library_accepts_it() -> None:
    """Its holder made it with the nonce 0; others reject it, so nobody may rely on it."""
    seed = bytes(range(32))
    private = Ed25519PrivateKey.from_private_bytes(seed)
    raw = private.public_key().public_bytes_raw()
    identity = bytes.fromhex("01" + "00" * 31)
    half = bytearray(sha512(seed).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 63 | 64
    challenge = int.from_bytes(sha512(identity + raw + b"message").digest(), "little")
    scalar = challenge * int.from_bytes(half, "little") % ORDER
    signature = identity + scalar.to_bytes(32, "little")
    private.public_key().verify(signature, b"message")
    assert not PublicKey.of(raw).verifies(signature, b"message")


def test_a_signature_with_a_scalar_beyond_the_group_order_is_refused() -> None:
    signature = OPERATOR.sign(b"message")
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    assert OPERATOR.public_key.verifies(signature, b"message")
    assert not OPERATOR.public_key.verifies(
        signature[:32] + scalar.to_bytes(32, "little"), b"message"
    )


def test_the_key_id_is_the_one_that_securesystemslib_computes() -> None:
    raw = OPERATOR.public_key.raw
    theirs = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(raw))
    assert OPERATOR.public_key.keyid == theirs.keyid
    assert OPERATOR.public_key.to_json() == theirs.to_dict()


def test_a_signer_shows_its_name_and_nothing_of_its_secret() -> None:
    assert repr(KeySigner.generate("alice")) == "KeySigner('alice')"
