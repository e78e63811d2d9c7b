"""Who signs: the key, the principal it belongs to, and the reason given."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import UntrustedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.app.docket import Repository
    from abverify.records.keys import Signer

_URI = re.compile(r"[a-z][a-z0-9+.-]*:.*")


@frozen
class Signature:
    """What a person gives when asked to sign.

    Attributes:
        key: what the key is called, see `load_signer`.
        reason: why, for later readers.
        milestone: the milestone it belongs to, if any.
        ask: asks for a passphrase; `ABVERIFY_PASSPHRASE` answers first.
        propose: whether the record may wait for other people's signatures.
    """

    key: str
    reason: str
    milestone: str | None
    ask: Callable[[], str]
    propose: bool = False


def load_signer(root: Path, key: str, ask: Callable[[], str]) -> Signer:
    """Whoever signs with a key; private keys stay outside the repository.

    Args:
        root: the repository.
        key: a name in the key folder; a private key's file (a path with a `/`, in
            OpenSSH's format or PKCS #8 PEM); `agent:` and a comment, fingerprint or key
            id; or a URI that securesystemslib signs with, and after `#` its public key.
        ask: asks for a passphrase or PIN.

    Raises:
        AbverifyError: if there is no such key, it does not open, or others can read it.
    """
    # Not above: every verb that may sign hands a `Signature` on, and most calls sign nothing.
    from abverify.app.keys import AGENT, key_store
    from abverify.records.keystore import environment_passphrase, load_key_file
    from abverify.records.ssh_agent import Agent

    secret = environment_passphrase(os.environ) or ask
    if key.startswith(AGENT):
        return Agent.of(os.environ).signer(key.removeprefix(AGENT))
    if _URI.fullmatch(key):
        return _at_uri(root, key, secret)
    if "/" in key:
        return load_key_file(Path(key).expanduser(), secret, repository=root)
    return key_store(root).load(key, secret)


def _at_uri(root: Path, key: str, ask: Callable[[], str]) -> Signer:
    from abverify.app.keys import public_key_named
    from abverify.records.signers import uri_signer

    uri, _, name = key.rpartition("#")
    if not uri:
        raise UsageError(
            "a URI says where a private key is, not which one",
            rule="AV468",
            place=key,
            expected="SCHEME:PLACE#PUBLIC, where PUBLIC names the public key",
            found="no '#'",
            next_step=f"--key '{key}#KEYID', or '#' and a public key file",
        )
    return uri_signer(uri, public_key_named(root, name), ask)


def principal_of(repository: Repository, signer: Signer) -> str:
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
