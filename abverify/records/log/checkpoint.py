"""C2SP checkpoints (c2sp.org/tlog-checkpoint): the log's size and root, signed by integrators."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.records.log.note import open_note, sign_note
from abverify.records.log.tree import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.records.keys import PublicKey, Signer
    from abverify.records.trust import TrustRoot
    from abverify.records.trust_history import TrustHistory

ROLE = "integrator"
_TEXT = re.compile(r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,14})\n(?P<root>[^\n]{44})\n")


@frozen
class Checkpoint:
    """What an integrator vouches for.

    Attributes:
        origin: the ledger's own name.
        size: how many records the log holds.
        root: the root of the tree over them.
    """

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that get signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"

    def __str__(self) -> str:
        return f"size {self.size}, root {self.root.hex()}"


def integrator_keys(root: TrustRoot) -> tuple[PublicKey, ...]:
    """The keys that may sign a checkpoint under a trust root."""
    people = root.document.roles[ROLE].principals
    return tuple(
        root.keys[keyid] for name in people for keyid in root.document.principals[name].keys
    )


def may_integrate(root: TrustRoot, signers: Iterable[Signer]) -> bool:
    """Whether these signers, together, are enough to sign a checkpoint."""
    return _enough(root, [signer.public_key for signer in signers])


def integrators_among(root: TrustRoot, signers: Iterable[Signer]) -> tuple[Signer, ...]:
    """The signers who hold the role; the others have no business in a checkpoint."""
    allowed = {key.raw for key in integrator_keys(root)}
    return tuple(signer for signer in signers if signer.public_key.raw in allowed)


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[Signer]) -> bytes:
    """The bytes of the signed note; every key signs under the log's origin, as C2SP asks."""
    return sign_note(checkpoint.text, name=checkpoint.origin, signers=signers)


def open_checkpoint(data: bytes, *, trust: TrustHistory, file: str) -> Checkpoint:
    """Verifies a checkpoint: its form, its origin, and that enough integrators signed it.

    They are the integrators of a version of the trust root that was in force at the
    log's last record, with keys that were not revoked by then.

    Raises:
        UntrustedError: AV450.
    """
    newest = trust.newest
    for root in reversed(trust.roots[:-1]):
        try:
            checkpoint, signers = _opened(data, root, file)
        except UntrustedError:
            continue
        last = max(0, checkpoint.size - 1)
        revoked = any(trust.is_revoked(key.keyid, last) for key in signers)
        if not revoked and not trust.is_superseded(root, last):
            return checkpoint
    return _opened(data, newest, file)[0]


def _opened(data: bytes, root: TrustRoot, file: str) -> tuple[Checkpoint, tuple[PublicKey, ...]]:
    origin = root.document.origin
    text, signers = open_note(data, name=origin, keys=integrator_keys(root), file=file)
    checkpoint = parse_text(text)
    if checkpoint is None or checkpoint.origin != origin or checkpoint.text != text:
        raise _bad(file, f"the lines {origin}, size and root", text[:120])
    if not _enough(root, signers):
        role = root.document.roles[ROLE]
        wanted = f"{role.threshold} of role {ROLE}: {', '.join(role.principals) or 'nobody'}"
        raise _bad(file, wanted, ", ".join(sorted(root.principals_of(signers))))
    return checkpoint, signers


def parse_text(text: str) -> Checkpoint | None:
    """The checkpoint in a text, unsigned; None if it is not exactly one."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    try:
        root = base64.b64decode(match["root"], validate=True)
    except (binascii.Error, ValueError):
        return None
    return (
        Checkpoint(match["origin"], int(match["size"]), root) if len(root) == HASH_BYTES else None
    )


def _enough(root: TrustRoot, keys: Iterable[PublicKey]) -> bool:
    """Whether the threshold of distinct people, by distinct keys, holds the role."""
    given = tuple(keys)
    role = root.document.roles[ROLE]
    people = root.principals_of(given) & set(role.principals)
    return min(len(people), len({key.raw for key in given})) >= role.threshold


def _bad(file: str, expected: str, found: str) -> UntrustedError:
    return UntrustedError(
        "not a checkpoint of this ledger",
        rule="AV450",
        place=file,
        expected=expected,
        found=found,
        next_step="restore the file from version control",
    )
