"""Who signs: the key, the principal it belongs to, and the reason given."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abverify.app.keys import key_store
from abverify.errors import UntrustedError
from abverify.records.keystore import environment_passphrase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.records.keys import KeySigner


@dataclass(frozen=True, slots=True)
class Signature:
    """What a person gives when asked to sign.

    Attributes:
        key: the name of a key in the key folder.
        reason: why, for later readers.
        milestone: the milestone it belongs to, if any.
        ask: asks for a passphrase; `ABVERIFY_PASSPHRASE` answers first.
    """

    key: str
    reason: str
    milestone: str | None
    ask: Callable[[], str]


def load_signer(root: Path, key: str, ask: Callable[[], str]) -> KeySigner:
    """Loads a private key from outside the repository.

    Raises:
        AbverifyError: if there is no such key, it does not open, or others can read it.
    """
    return key_store(root).load(key, environment_passphrase(os.environ) or ask)


def principal_of(repository: Repository, signer: KeySigner) -> str:
    """The one principal that a key belongs to.

    Raises:
        UntrustedError: AV437 without a trust root, or if it does not know the key.
    """
    trust = repository.ledger.root
    names = sorted(trust.principals_of([signer.public_key])) if trust else []
    if not names:
        raise UntrustedError(
            "the trust root does not know this key" if trust else "there is no trust root",
            rule="AV437",
            place="gates/_trust",
            expected="a key of one of its principals",
            found=f"keyid {signer.public_key.keyid}",
            next_step="abverify trust show" if trust else "abverify trust init",
        )
    return names[0]
