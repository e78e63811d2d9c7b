"""Keys: made, listed, found by whatever they are called, and written as other tools read them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import UsageError
from abverify.records.key_formats import write_key
from abverify.records.keys import PublicKey
from abverify.records.keystore import (
    KeyStore,
    environment_passphrase,
    key_folder,
    read_key_file,
)
from abverify.records.ssh_agent import Agent
from abverify.records.trust_history import parse_history
from abverify.workspace.ledger_store import root_files
from abverify.workspace.root import find_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.records.key_formats import Format

AGENT = "agent:"
_KEYID = re.compile(r"[0-9a-f]{8,64}")
_FILE = re.compile(r"[~./].*|.*/.*|.*\.(pem|pub)")
FORMS = "a key's name, a public key file, agent:NAME, or the start of a key id in the trust root"


@frozen
class KeyLine:
    """A key as listed: its name, its id, and its file."""

    name: str
    keyid: str
    file: str


def key_store(root: Path | None) -> KeyStore:
    """The key folder, which must lie outside the repository.

    Raises:
        RefusedError: AV434 if it does not.
    """
    return KeyStore.open(key_folder(os.environ), repository=root)


def new_key(name: str, root: str | None, ask: Callable[[], str], *, unencrypted: bool) -> KeyLine:
    """Makes a key pair.

    Raises:
        RefusedError: if the key exists, or would lie inside the repository.
    """
    store = key_store(_repository(root))
    passphrase = environment_passphrase(os.environ) or ask
    signer = store.new(name, passphrase, unencrypted=unencrypted)
    return KeyLine(name, signer.public_key.keyid, str(store.folder / f"{name}.pem"))


def known_keys() -> tuple[KeyLine, ...]:
    """The keys in the key folder, by name."""
    store = key_store(None)
    return tuple(
        KeyLine(key.name, key.keyid, str(store.folder / f"{key.name}.pem")) for key in store.list()
    )


def agent_keys() -> tuple[KeyLine, ...]:
    """The Ed25519 keys of the SSH agent, with the name that `--key` takes.

    Raises:
        IndeterminateError: AV466 if there is no agent.
    """
    agent = Agent.of(os.environ)
    return tuple(
        KeyLine(f"{AGENT}{key.fingerprint}", key.public_key.keyid, key.comment)
        for key in agent.identities()
    )


def export_key(name: str, root: str | None, form: Format, label: str | None) -> str:
    """A public key as another tool reads it.

    Args:
        name: what the key is called, see `public_key_named`.
        root: the repository whose trust root may list it.
        form: the spelling.
        label: another name for its comment or its signer.

    Raises:
        UsageError: AV469 if no key, or more than one, is called that.
    """
    key = public_key_named(_repository(root), name)
    return write_key(PublicKey(key.keyid, key.raw, label or key.name), form)


def public_key_named(root: Path | None, name: str) -> PublicKey:
    """The one public key that a name stands for.

    Args:
        root: the repository whose trust root may list it; None if there is none.
        name: a name in the key folder, a public key file, `agent:NAME`, or the start
            of a key id in any version of the trust root, at least eight digits.

    Raises:
        UsageError: AV469 if no key, or more than one, is called that.
        InvalidError: AV431 for a file without a public key.
    """
    if name.startswith(AGENT):
        return Agent.of(os.environ).signer(name.removeprefix(AGENT)).public_key
    if _FILE.fullmatch(name):
        return read_key_file(Path(name).expanduser())
    found = [key for key in key_store(None).list() if key.name == name] or _trusted(root, name)
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} keys are called that" if found else "no key is called that",
            rule="AV469",
            place=name,
            expected=FORMS,
            found=", ".join(f"{key.keyid[:16]} ({key.name})" for key in found) or "nothing",
            next_step="abverify keys list, or abverify trust show",
        )
    return found[0]


def _trusted(root: Path | None, name: str) -> list[PublicKey]:
    files = root_files(root) if root is not None else {}
    if not files or not _KEYID.fullmatch(name):
        return []
    return [key for keyid, key in parse_history(files).keys.items() if keyid.startswith(name)]


def _repository(option: str | None) -> Path | None:
    """The repository a key must lie outside of, if there is one here."""
    try:
        return find_root(option)
    except UsageError:
        if option is not None:
            raise
        return None
