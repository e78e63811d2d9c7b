"""C2SP signed notes (c2sp.org/signed-note): a text, and lines that sign it with Ed25519.

Read in one spelling only: every line is a signature that verifies, by a key
that was asked for, in the order of the lines' key hashes, none twice. A line
by anybody else is refused rather than passed over, so that no byte can change unseen.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import TYPE_CHECKING

from abverify.errors import UntrustedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from abverify.records.keys import PublicKey, Signer

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"
_HASH_BYTES = 4
_MAX_LINES = 16
_MAX_BYTES = 1 << 16


def key_hash(name: str, raw: bytes) -> bytes:
    """The four bytes by which a note's line names its key: a hint, never a proof."""
    return sha256(name.encode("utf-8") + b"\n" + _ED25519 + raw).digest()[:_HASH_BYTES]


def verifier_key(name: str, raw: bytes) -> str:
    """The key as note-reading tools take it: `name+hash+base64`."""
    coded = base64.b64encode(_ED25519 + raw).decode("ascii")
    return f"{name}+{key_hash(name, raw).hex()}+{coded}"


def sign_note(text: str, *, name: str, signers: Iterable[Signer]) -> bytes:
    """Signs a text of whole lines.

    Args:
        text: the text; it ends with a line break.
        name: the name that every key signs under.
        signers: who signs.

    Raises:
        ValueError: if the text does not end its last line, or a key signs twice, or nobody.
    """
    if not text.endswith("\n"):
        raise ValueError("a note is made of whole lines")
    message = text.encode("utf-8")
    given = tuple(signers)
    lines = {key_hash(name, signer.public_key.raw): signer.sign(message) for signer in given}
    if not 1 <= len(lines) == len(given) <= _MAX_LINES:
        raise ValueError(f"a note needs 1 to {_MAX_LINES} signatures by different keys")
    return message + b"\n" + b"".join(_line(name, *item) for item in sorted(lines.items()))


def open_note(
    data: bytes, *, name: str, keys: Iterable[PublicKey], file: str
) -> tuple[str, tuple[PublicKey, ...]]:
    """Verifies a note.

    Args:
        data: the note's bytes as they stand in the file.
        name: the name under which the keys sign.
        keys: the keys that may have signed.
        file: the file, for messages.

    Returns:
        The text, and the keys that signed it, each once.

    Raises:
        UntrustedError: AV450 for another form, or for a line that is no valid
            signature by one of the keys.
    """
    text, lines = _split(data, file)
    known = {key_hash(name, key.raw): key for key in keys}
    signed: dict[bytes, bytes] = dict(_parsed(line, name, file) for line in lines)
    if text + b"\n" + b"".join(_line(name, *item) for item in sorted(signed.items())) != data:
        raise _bad(file, "signature lines in rising order, each key once", "another spelling")
    for hint, signature in signed.items():
        key = known.get(hint)
        if key is None:
            raise _bad(file, "signatures by integrators", f"one by an unknown key, {hint.hex()}")
        if not key.verifies(signature, text):
            raise _bad(file, f"a signature of this text by {key.name}", "one that does not verify")
    try:
        return text.decode("utf-8"), tuple(known[hint] for hint in signed)
    except UnicodeDecodeError:
        raise _bad(file, "a text in UTF-8", "other bytes") from None


def _line(name: str, hint: bytes, signature: bytes) -> bytes:
    coded = base64.b64encode(hint + signature).decode("ascii")
    return f"{_DASH} {name} {coded}\n".encode()


def _split(data: bytes, file: str) -> tuple[bytes, Sequence[bytes]]:
    text, found, rest = data.rpartition(b"\n\n")
    lines = rest.split(b"\n")
    whole = found and lines.pop() == b"" and 1 <= len(lines) <= _MAX_LINES
    if not whole or len(data) > _MAX_BYTES:
        wanted = f"a text, an empty line, and 1 to {_MAX_LINES} signature lines"
        raise _bad(file, wanted, f"{len(data)} bytes of another form")
    return text + b"\n", lines


def _parsed(line: bytes, name: str, file: str) -> tuple[bytes, bytes]:
    prefix = f"{_DASH} {name} ".encode()
    try:
        coded = base64.b64decode(line.removeprefix(prefix), validate=True)
    except binascii.Error:
        coded = b""
    if not line.startswith(prefix) or len(coded) <= _HASH_BYTES:
        found = line[:80].decode("utf-8", "backslashreplace")
        raise _bad(file, f"signature lines of {name}", found)
    return coded[:_HASH_BYTES], coded[_HASH_BYTES:]


def _bad(file: str, expected: str, found: str) -> UntrustedError:
    return UntrustedError(
        "not a checkpoint that an integrator signed",
        rule="AV450",
        place=file,
        expected=expected,
        found=found,
        next_step="restore the file from version control",
    )
