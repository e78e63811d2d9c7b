"""DSSE v1 envelopes: exact bytes, signatures checked with given keys, then the payload and no more.

Reading is strict where the format leaves room: canonical JSON, standard base64 in its one
canonical spelling, a key id in every signature, signatures in the order of their key ids. So
one envelope has exactly one spelling, and no bit of it can change unseen.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from abverify._canonical import canonical_bytes, parse_canonical, sha256_hex
from abverify._frozen import frozen
from abverify.errors import UntrustedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abverify.records.keys import PublicKey, Signer

STATEMENT_TYPE = "application/vnd.in-toto+json"
ROOT_TYPE = "application/vnd.abverify.trust-root+json"
MAX_ENVELOPE_BYTES = 65_535
MAX_SIGNATURES = 16
_FIELDS = {"payload", "payloadType", "signatures"}


@frozen
class VerifiedPayload:
    """A payload whose every signature verified. What follows reads this, never the envelope.

    Attributes:
        payload: the signed bytes.
        sha256: digest of the envelope's own bytes: what other records cite.
        signers: the keys that signed, each once.
    """

    payload: bytes
    sha256: str
    signers: tuple[PublicKey, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: the bytes a signature is over (lengths in bytes)."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, *, payload_type: str, signers: Iterable[Signer]) -> bytes:
    """Signs a payload and gives the envelope's canonical bytes.

    Raises:
        ValueError: if nobody signs, a key signs twice, or the envelope outgrows 65,535 bytes.
    """
    return _sealed(payload, payload_type, [], tuple(signers))


def cosign(data: bytes, *, name: str, payload_type: str, signers: Iterable[Signer]) -> bytes:
    """Adds signatures to a sealed envelope and gives the bytes of the new one.

    The signatures that are there are carried over, not verified.

    Raises:
        UntrustedError: AV401 or AV405 for another form.
        ValueError: as `seal`; a key that has signed already signs twice.
    """
    payload, signatures = _parsed(data, name, payload_type)
    return _sealed(payload, payload_type, signatures, tuple(signers))


def _sealed(
    payload: bytes, kind: str, there: list[tuple[str, bytes]], signers: tuple[Signer, ...]
) -> bytes:
    message = pae(kind, payload)
    added = [(signer.public_key.keyid, signer.sign(message)) for signer in signers]
    signatures = dict([*there, *added])
    if not 1 <= len(signatures) == len(there) + len(added) <= MAX_SIGNATURES:
        raise ValueError(f"an envelope needs 1 to {MAX_SIGNATURES} signatures by different keys")
    data = canonical_bytes(
        {
            "payload": _encoded(payload),
            "payloadType": kind,
            "signatures": [
                {"keyid": keyid, "sig": _encoded(signature)}
                for keyid, signature in sorted(signatures.items())
            ],
        }
    )
    if len(data) > MAX_ENVELOPE_BYTES:
        raise ValueError(f"an envelope of {len(data)} bytes; at most {MAX_ENVELOPE_BYTES}")
    return data


def open_envelope(
    data: bytes, *, name: str, payload_type: str, keys: Mapping[str, PublicKey]
) -> VerifiedPayload:
    """Verifies an envelope: its form, its type, and every one of its signatures.

    Args:
        data: the envelope's bytes as they stand in the file.
        name: the file, for messages.
        payload_type: the only type accepted.
        keys: the keys that may have signed, by key id.

    Raises:
        UntrustedError: AV401 or AV405 for another form, AV406 for a signature
            by an unknown key or one that does not verify.
    """
    payload, signatures = _parsed(data, name, payload_type)
    message = pae(payload_type, payload)
    signers = tuple(
        _signer(keyid, signature, message, keys, name) for keyid, signature in signatures
    )
    return VerifiedPayload(payload, sha256_hex(data), signers)


def unverified_payload(data: bytes, *, name: str, payload_type: str) -> bytes:
    """The payload of a well-formed envelope before any signature is checked.

    Only the trust root is read so, because it names the keys that signed it.

    Raises:
        UntrustedError: AV401 or AV405 for another form.
    """
    return _parsed(data, name, payload_type)[0]


def _signer(
    keyid: str, signature: bytes, message: bytes, keys: Mapping[str, PublicKey], name: str
) -> PublicKey:
    key = keys.get(keyid)
    if key is None:
        raise UntrustedError(
            "signed by a key that the trust root does not know",
            rule="AV406",
            place=name,
            expected="a key of the trust root",
            found=f"key id {keyid}",
            next_step="abverify trust show lists the keys",
        )
    if not key.verifies(signature, message):
        raise UntrustedError(
            "the signature does not verify: what was signed is not what is here",
            rule="AV406",
            place=name,
            expected=f"a signature by {key.name} ({keyid})",
            found="a signature of other bytes or by another key",
            next_step="restore the file from version control",
        )
    return key


def _parsed(data: bytes, name: str, payload_type: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    if len(data) > MAX_ENVELOPE_BYTES:
        raise _malformed(name, f"at most {MAX_ENVELOPE_BYTES} bytes", f"{len(data)} bytes")
    value = parse_canonical(data, name=name)
    if not isinstance(value, dict) or set(value) != _FIELDS:
        raise _malformed(name, "payload, payloadType and signatures", "other fields")
    if value["payloadType"] != payload_type:
        raise _malformed(name, f"payloadType {payload_type}", str(value["payloadType"])[:80])
    return _decoded(value["payload"], name), _signatures(value["signatures"], name)


def _signatures(value: Any, name: str) -> list[tuple[str, bytes]]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SIGNATURES:
        raise _malformed(name, f"1 to {MAX_SIGNATURES} signatures", "none, or more")
    result: list[tuple[str, bytes]] = []
    for item in value:
        if not isinstance(item, dict) or set(item) != {"keyid", "sig"}:
            raise _malformed(name, "keyid and sig in every signature", "other fields")
        keyid = item["keyid"]
        if not isinstance(keyid, str) or (result and keyid <= result[-1][0]):
            raise _malformed(name, "key ids in rising order, each once", str(keyid)[:80])
        result.append((keyid, _decoded(item["sig"], name)))
    return result


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decoded(text: Any, name: str) -> bytes:
    """Standard base64 in its only canonical spelling: padding whole, unused bits zero."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise _malformed(name, "standard base64 with padding", str(text)[:40]) from None
    if _encoded(data) != text:
        raise _malformed(name, "canonical base64", "unused bits that are not zero")
    return data


def _malformed(name: str, expected: str, found: str) -> UntrustedError:
    return UntrustedError(
        "not a DSSE envelope in canonical form",
        rule="AV405",
        place=name,
        expected=expected,
        found=found,
        next_step="restore the file from version control",
    )
