"""Private keys on disk, always outside the repository: the one place here that touches files."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import AbverifyError, InvalidError, RefusedError, UsageError
from abverify.records.key_formats import read_key, write_key
from abverify.records.keys import KeySigner, PublicKey
from abverify.records.ssh_wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FOLDER_VARIABLE = "ABVERIFY_KEYS"
PASSPHRASE_VARIABLE = "ABVERIFY_PASSPHRASE"  # noqa: S105 (the variable's name, not a secret)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_OTHERS = 0o077


def key_folder(environment: Mapping[str, str]) -> Path:
    """`$ABVERIFY_KEYS`, or `~/.config/abverify/keys`."""
    named = environment.get(FOLDER_VARIABLE)
    return Path(named) if named else Path.home() / ".config" / "abverify" / "keys"


def environment_passphrase(environment: Mapping[str, str]) -> Callable[[], str] | None:
    """A source of the passphrase in `$ABVERIFY_PASSPHRASE`; None when it is not set."""
    secret = environment.get(PASSPHRASE_VARIABLE)
    return (lambda: secret) if secret else None


@frozen
class KeyStore:
    """A folder of keys: `<name>.pem` (private, mode 0600) and `<name>.pub.pem` beside it."""

    folder: Path

    @classmethod
    def open(cls, folder: Path, *, repository: Path | None) -> KeyStore:
        """The store at `folder`, which need not exist yet.

        Raises:
            RefusedError: AV434 if the folder lies inside the repository: a
                private key in a work tree gets committed sooner or later.
        """
        _refuse_inside(folder, repository, "the key folder", f"set {FOLDER_VARIABLE} elsewhere")
        return cls(folder)

    def new(
        self, name: str, passphrase: Callable[[], str] | None, *, unencrypted: bool = False
    ) -> KeySigner:
        """Makes a key and writes both of its files.

        Args:
            name: the name of the key, a plain word.
            passphrase: asked once; its text encrypts the private key.
            unencrypted: write the private key in the clear; the passphrase is not asked.

        Raises:
            UsageError: AV431 for a name that is no plain word.
            RefusedError: AV433 without a passphrase, AV435 if the key exists.
        """
        path = self._path(name)
        secret = None if unencrypted else _asked(passphrase, name)
        signer = KeySigner.generate(name)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_once(path, signer.to_pem(secret), 0o600)
        _write_once(_public_path(path), write_key(signer.public_key, "pem").encode("ascii"), 0o644)
        return signer

    def list(self) -> tuple[PublicKey, ...]:
        """The public keys of the store, by name; needs no passphrase.

        Raises:
            InvalidError: AV431 for a file that is no public key.
        """
        if not self.folder.is_dir():
            return ()
        files = sorted(self.folder.glob("*.pub.pem"))
        return tuple(_read_public(file, file.name.removesuffix(".pub.pem")) for file in files)

    def load(self, name: str, passphrase: Callable[[], str] | None) -> KeySigner:
        """Reads a private key; the passphrase is asked only if the key is encrypted.

        Raises:
            UsageError: AV431 if there is no such key.
            RefusedError: AV432 if others may read the file, AV433 for a wrong passphrase.
            InvalidError: AV431 if the file holds no Ed25519 key.
        """
        path = self._path(name)
        try:
            data = _private_bytes(path)
        except OSError as error:
            raise self._missing(name, error) from None
        return KeySigner(_private_key(data, path, passphrase), name=name)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name.endswith(".pub"):
            raise UsageError(
                f"{name!r} cannot name a key",
                rule="AV431",
                expected="letters, digits, '_', '.', '-', not ending in .pub",
                found=name,
            )
        return self.folder / f"{name}.pem"

    def _missing(self, name: str, error: OSError) -> UsageError:
        names = sorted(file.name.removesuffix(".pub.pem") for file in self.folder.glob("*.pub.pem"))
        return UsageError(
            f"cannot read the key {name!r}",
            rule="AV431",
            place=str(self._path(name)),
            expected=f"one of: {', '.join(names)}" if names else "a key",
            found=error.strerror,
            next_step=f"abverify keys new {name}",
        )


def load_key_file(
    path: Path, passphrase: Callable[[], str] | None, *, repository: Path | None
) -> KeySigner:
    """Reads a private key from any file: OpenSSH's own format, or PKCS #8 PEM.

    Args:
        path: the file, such as `~/.ssh/id_ed25519`.
        passphrase: asked only if the key is encrypted.
        repository: the repository that the file must lie outside of.

    Raises:
        UsageError: AV431 if the file cannot be read.
        RefusedError: AV432 if others may read it, AV433 for a wrong passphrase, AV434
            if it lies inside the repository.
        InvalidError: AV431 if it holds no Ed25519 key.
    """
    _refuse_inside(path, repository, "the private key", "move it out, and count it as known")
    try:
        data = _private_bytes(path)
    except OSError as error:
        raise UsageError(
            "cannot read the private key",
            rule="AV431",
            place=str(path),
            expected="a file with an Ed25519 private key",
            found=error.strerror,
            next_step="abverify keys list names the keys in the key folder",
        ) from None
    return KeySigner(_private_key(data, path, passphrase), name=path.name)


def read_key_file(path: Path) -> PublicKey:
    """Reads a public key from a file, in any spelling that `read_key` knows.

    Raises:
        InvalidError: AV431 if the file cannot be read, or holds no Ed25519 public key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _not_a_key(path, str(error)) from None
    return read_key(text, name=str(path))


def _refuse_inside(path: Path, repository: Path | None, what: str, way: str) -> None:
    if repository is not None and path.resolve().is_relative_to(repository.resolve()):
        raise RefusedError(
            f"{what} lies inside the repository",
            rule="AV434",
            place=str(path),
            expected=f"a place outside {repository}",
            next_step=way,
        )


def _private_bytes(path: Path) -> bytes:
    data, mode = path.read_bytes(), path.stat().st_mode
    if mode & _OTHERS:
        raise RefusedError(
            "others may read the private key",
            rule="AV432",
            place=str(path),
            expected="mode 0600",
            found=f"mode {mode & 0o777:04o}",
            next_step=f"chmod 600 {path}; if others had access, make a new key",
        )
    return data


def _asked(passphrase: Callable[[], str] | None, name: str) -> str:
    secret = passphrase() if passphrase is not None else ""
    if not secret:
        raise RefusedError(
            f"the key {name!r} needs a passphrase",
            rule="AV433",
            expected=f"a passphrase, typed or in {PASSPHRASE_VARIABLE}",
            found="none",
            next_step=f"set {PASSPHRASE_VARIABLE}, or ask for an unencrypted key by name",
        )
    return secret


def _write_once(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, mode)
    except FileExistsError:
        raise RefusedError(
            "the key exists already and is never overwritten",
            rule="AV435",
            place=str(path),
            next_step="choose another name",
        ) from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _public_path(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix('.pem')}.pub.pem")


def _read_public(path: Path, name: str) -> PublicKey:
    return PublicKey.of(read_key_file(path).raw, name=name)


def _private_key(
    data: bytes, path: Path, passphrase: Callable[[], str] | None
) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519

    load, secret = _opener(data, path, passphrase)
    try:
        loaded = load(data, secret)
    except (ValueError, TypeError) as error:
        raise _unopened(path, error, encrypted=secret is not None) from None
    except UnsupportedAlgorithm as error:
        raise _not_a_key(path, str(error)) from None
    if not isinstance(loaded, ed25519.Ed25519PrivateKey):
        raise _not_a_key(path, type(loaded).__name__)
    return loaded


def _opener(
    data: bytes, path: Path, passphrase: Callable[[], str] | None
) -> tuple[Callable[[bytes, bytes | None], object], bytes | None]:
    """How to read a private key, and the passphrase if it is encrypted."""
    from cryptography.hazmat.primitives import serialization as s

    secret = None
    openssh = data.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    if _ssh_is_encrypted(data) if openssh else b"ENCRYPTED" in data:
        secret = _asked(passphrase, path.stem).encode("utf-8")
    return (s.load_ssh_private_key if openssh else s.load_pem_private_key), secret


def _ssh_is_encrypted(data: bytes) -> bool:
    """Whether a key in OpenSSH's format names a cipher, which stands in front of all else."""
    magic = b"openssh-key-v1\x00"
    try:
        wire = Wire(base64.b64decode(b"".join(data.split(b"\n")[1:-2])))
        return wire.take(len(magic)) == magic and wire.string() != b"none"
    except ValueError:
        return False


def _unopened(path: Path, error: Exception, *, encrypted: bool) -> AbverifyError:
    if not encrypted:
        return _not_a_key(path, str(error))
    return RefusedError(
        "the private key does not open",
        rule="AV433",
        place=str(path),
        expected="the passphrase it was made with",
        found="a wrong passphrase, or a damaged file",
        next_step=f"try again, or check {PASSPHRASE_VARIABLE}",
    )


def _not_a_key(path: Path, found: str) -> InvalidError:
    return InvalidError(
        "not an Ed25519 key file",
        rule="AV431",
        place=str(path),
        expected="an Ed25519 key in PKCS #8 PEM or OpenSSH's format",
        found=" ".join(found.split())[:200],
        next_step="make a key: abverify keys new",
    )
