"""Ed25519 keys as values: who a signature is by, and which keys nobody may trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from abverify._canonical import canonical_digest
from abverify._frozen import frozen
from abverify.errors import UntrustedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_BYTES = 32
SIGNATURE_BYTES = 64
SCHEME = "ed25519"

# Every 32-byte string that some decoder reads as one of the eight points of small order. As a
# public key, anyone can sign for it; as the R of a signature, libraries disagree about validity.
SMALL_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)


@frozen
class PublicKey:
    """An Ed25519 public key.

    Attributes:
        keyid: SHA-256 of the canonical JSON of key type, scheme and value: what
            securesystemslib computes. A hint for finding the key, never a proof.
        raw: the 32 bytes; two keys are one key exactly when these are equal.
        name: what to call it in messages; no part of its identity.
    """

    keyid: str
    raw: bytes
    name: str

    @classmethod
    def of(cls, raw: bytes, *, name: str = "") -> PublicKey:
        """The key of 32 raw bytes.

        Raises:
            UntrustedError: AV422 for another length, or for a point of small order.
        """
        if len(raw) != KEY_BYTES or raw in SMALL_ORDER:
            raise UntrustedError(
                "not a public key that can be trusted",
                rule="AV422",
                place=name or None,
                expected="32 bytes that are no point of small order",
                found=raw.hex(),
                next_step="make a key: abverify keys new",
            )
        keyid = canonical_digest(key_document(raw))
        return cls(keyid, raw, name or keyid[:16])

    def to_json(self) -> dict[str, object]:
        """The key as securesystemslib and the trust root write it."""
        return key_document(self.raw)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this is a valid, unambiguous signature of the message by this key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        if len(signature) != SIGNATURE_BYTES or signature[:KEY_BYTES] in SMALL_ORDER:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def key_document(raw: bytes) -> dict[str, object]:
    """Key type, scheme and value: what a key id is the digest of."""
    return {"keytype": SCHEME, "scheme": SCHEME, "keyval": {"public": raw.hex()}}


class Signer(Protocol):
    """Whatever can sign: a key file now; an agent or a hardware token need only look like this."""

    @property
    def public_key(self) -> PublicKey:
        """The key that the signatures verify under."""

    def sign(self, message: bytes) -> bytes:
        """The 64-byte pure Ed25519 signature of the message."""


class KeySigner:
    """Signs with an Ed25519 private key in memory; shows nothing of it."""

    __slots__ = ("_private", "public_key")

    def __init__(self, private: Ed25519PrivateKey, *, name: str) -> None:
        self._private = private
        self.public_key = PublicKey.of(private.public_key().public_bytes_raw(), name=name)

    @classmethod
    def generate(cls, name: str) -> KeySigner:
        """A fresh key from the system's randomness."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate(), name=name)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte pure Ed25519 signature of the message."""
        return self._private.sign(message)

    def to_pem(self, passphrase: str | None) -> bytes:
        """PKCS #8 PEM, encrypted with the passphrase; in the clear only when it is None."""
        from cryptography.hazmat.primitives import serialization as s

        hidden: s.KeySerializationEncryption = (
            s.NoEncryption()
            if passphrase is None
            else s.BestAvailableEncryption(passphrase.encode("utf-8"))
        )
        return self._private.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, hidden)

    def __repr__(self) -> str:
        return f"KeySigner({self.public_key.name!r})"
