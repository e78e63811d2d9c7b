"""SSH signatures of files (`ssh-keygen -Y sign`), parsed and verified without `ssh-keygen`.

Such a signature is over a digest of the file in a frame of its own (OpenSSH, PROTOCOL.sshsig),
so it is no DSSE signature. It suits approvals from people whose only key is an SSH key. The
namespace says what the signature was given for: one given for e-mail approves nothing here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.records.keys import PublicKey
from abverify.records.ssh_wire import Wire, fingerprint, raw_key, raw_signature, string

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAGIC = b"SSHSIG"
_VERSION = 1
_MAX_BYTES = 65_535
_ARMOUR = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n?"
)
_HASHES: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"sha256": lambda message: hashlib.sha256(message).digest(),
    b"sha512": lambda message: hashlib.sha512(message).digest(),
}


@frozen
class SshSignature:
    """A parsed SSH signature; nothing in it is verified yet.

    Attributes:
        key: the key it says it is by.
        namespace: what it was given for.
        hash: the digest it is over, `sha256` or `sha512`.
        signature: the 64 bytes of the Ed25519 signature.
    """

    key: PublicKey
    namespace: str
    hash: str
    signature: bytes

    def verifies(self, message: bytes) -> bool:
        """Whether its key signed this message in its namespace."""
        return self.key.verifies(self.signature, self._frame(message))

    def _frame(self, message: bytes) -> bytes:
        name = self.hash.encode("ascii")
        parts = (self.namespace.encode("utf-8"), b"", name, _HASHES[name](message))
        return _MAGIC + b"".join(map(string, parts))


def parse_sshsig(armoured: bytes, *, name: str) -> SshSignature:
    """Reads a signature file.

    Args:
        armoured: the file as `ssh-keygen -Y sign` writes it.
        name: the file, for messages.

    Raises:
        UntrustedError: AV467 for another form, algorithm or version; AV422 for a key
            of small order.
    """
    match = _ARMOUR.fullmatch(armoured)
    if match is None or len(armoured) > _MAX_BYTES:
        raise _malformed(name, "no SSH signature between its BEGIN and END lines")
    try:
        return _parsed(base64.b64decode(match[1].replace(b"\n", b""), validate=True))
    except (binascii.Error, ValueError) as error:
        raise _malformed(name, str(error)) from None


def verify_sshsig(
    armoured: bytes,
    message: bytes,
    *,
    name: str,
    namespace: str,
    keys: Mapping[str, PublicKey],
) -> PublicKey:
    """Verifies a signature of a file by one of some keys.

    Args:
        armoured: the signature file.
        message: the bytes of the file that it is of.
        name: the signature file, for messages.
        namespace: what it must have been given for.
        keys: whose signature counts, by key id.

    Returns:
        The key that signed, as `keys` lists it.

    Raises:
        UntrustedError: AV467 if it does not verify, or is by nobody or for nothing of these.
    """
    signature = parse_sshsig(armoured, name=name)
    if signature.namespace != namespace:
        raise _refused(name, f"namespace {namespace}", f"namespace {signature.namespace}")
    known = keys.get(signature.key.keyid)
    if known is None:
        raise _refused(name, "a key of the trust root", f"keyid {signature.key.keyid}")
    if not signature.verifies(message):
        raise _refused(name, f"a signature of these bytes by {known.name}", "one of other bytes")
    return known


def _parsed(blob: bytes) -> SshSignature:
    wire = Wire(blob)
    if wire.take(len(_MAGIC)) != _MAGIC or wire.number() != _VERSION:
        raise ValueError("no SSHSIG of version 1")
    key, namespace, reserved, hash_ = (wire.string() for _ in range(4))
    signature = wire.string()
    wire.end()
    if reserved or hash_ not in _HASHES or not namespace:
        raise ValueError("an unknown digest, an empty namespace, or reserved bytes that are set")
    public = PublicKey.of(raw_key(key), name=fingerprint(key))
    text = namespace.decode("utf-8")
    return SshSignature(public, text, hash_.decode("ascii"), raw_signature(signature))


def _malformed(name: str, found: str) -> UntrustedError:
    return UntrustedError(
        "not an SSH signature that can be verified here",
        rule="AV467",
        place=name,
        expected="an Ed25519 signature file as ssh-keygen -Y sign writes it",
        found=found[:200],
        next_step="ssh-keygen -Y sign -n abverify -f KEY FILE",
    )


def _refused(name: str, expected: str, found: str) -> UntrustedError:
    return UntrustedError(
        "the SSH signature does not count",
        rule="AV467",
        place=name,
        expected=expected,
        found=found,
        next_step="ask for a signature of these very bytes by a key of the trust root",
    )
