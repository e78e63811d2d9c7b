"""Public keys in the spellings that other tools read and write."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from abverify.errors import InvalidError
from abverify.records.keys import KEY_BYTES, PublicKey
from abverify.records.log.note import verifier_key
from abverify.records.ssh_wire import ED25519, key_blob, raw_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Format: TypeAlias = Literal["pem", "hex", "openssh", "note"]

_NOTE_ED25519 = b"\x01"
_NOTE = re.compile(r"(?P<name>[^+\s]+)\+(?P<hash>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]+=*)")
_SSH = re.compile(r"ssh-ed25519 (?P<blob>[A-Za-z0-9+/]+=*)( .*)?")
_HEX = re.compile(r"[0-9a-f]{64}")


def write_key(key: PublicKey, form: Format) -> str:
    """A public key as text with a final line break.

    Args:
        key: the key; its name becomes the comment, or the signer's name in a note.
        form: `pem` (SubjectPublicKeyInfo), `hex` (32 bytes), `openssh` (as in
            authorized_keys), or `note` (a verifier key of a signed note, C2SP).

    Raises:
        InvalidError: AV431 for `note`, if the name holds white space or a `+`.
    """
    writers: Mapping[Format, Callable[[PublicKey], str]] = {
        "pem": _pem,
        "hex": lambda known: known.raw.hex() + "\n",
        "openssh": _openssh,
        "note": _note,
    }
    return writers[form](key)


def read_key(text: str, *, name: str) -> PublicKey:
    """A public key from any of the spellings that `write_key` writes.

    Args:
        text: the file's text.
        name: what to call the key, and the file in messages.

    Raises:
        InvalidError: AV431 if it is none of them.
        UntrustedError: AV422 for a point of small order.
    """
    line = text.strip()
    try:
        raw = _from_pem(text) if line.startswith("-----BEGIN") else _from_line(line)
    except (ValueError, binascii.Error) as error:
        raise InvalidError(
            "not an Ed25519 public key",
            rule="AV431",
            place=name,
            expected="PEM, 64 hex digits, an ssh-ed25519 line, or a note's verifier key",
            found=" ".join(str(error).split())[:200],
            next_step="abverify keys export writes one",
        ) from None
    return PublicKey.of(raw, name=name)


def _pem(key: PublicKey) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    loaded = Ed25519PublicKey.from_public_bytes(key.raw)
    return loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _openssh(key: PublicKey) -> str:
    blob = base64.b64encode(key_blob(key.raw)).decode("ascii")
    return f"{ED25519.decode()} {blob} {' '.join(key.name.split())}\n"


def _note(key: PublicKey) -> str:
    if not key.name or re.search(r"[\s+]", key.name):
        raise InvalidError(
            "a signed note cannot name its signer so",
            rule="AV431",
            expected="a name without white space and without '+'",
            found=key.name,
            next_step="give another name with --name",
        )
    return verifier_key(key.name, key.raw) + "\n"


def _from_pem(text: str) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        loaded = load_pem_public_key(text.encode("utf-8"))
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from None
    if not isinstance(loaded, Ed25519PublicKey):
        raise ValueError(type(loaded).__name__)  # noqa: TRY004 (a wrong file, not a wrong call)
    return loaded.public_bytes_raw()


def _from_line(line: str) -> bytes:
    if _HEX.fullmatch(line):
        return bytes.fromhex(line)
    if match := _SSH.fullmatch(line):
        return raw_key(base64.b64decode(match["blob"], validate=True))
    if match := _NOTE.fullmatch(line):
        data = base64.b64decode(match["key"], validate=True)
        kind, raw = data[:1], data[1:]
        if kind != _NOTE_ED25519 or len(raw) != KEY_BYTES:
            raise ValueError("a verifier key of another algorithm")
        if verifier_key(match["name"], raw) != line:
            raise ValueError("a verifier key whose hash is not its own")
        return raw
    raise ValueError(line[:60] or "nothing")
