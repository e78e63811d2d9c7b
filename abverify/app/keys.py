"""Signing keys: made and listed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abverify.errors import UsageError
from abverify.records.keystore import KeyStore, environment_passphrase, key_folder
from abverify.workspace.root import find_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
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


def _repository(option: str | None) -> Path | None:
    """The repository a key must lie outside of, if there is one here."""
    try:
        return find_root(option)
    except UsageError:
        if option is not None:
            raise
        return None
