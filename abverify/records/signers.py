"""Keys that live in services and tokens, through securesystemslib's signers by URI.

A URI says where the private key is, never which key it is. So the public key comes from the
caller, and no signature leaves here that does not verify under it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.errors import AbverifyError, IndeterminateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.records.keys import PublicKey

EXTRAS = {
    "awskms": "awskms",
    "azurekms": "azurekms",
    "gcpkms": "gcpkms",
    "hsm": "hsm",
    "hv": "vault",
    "tkey": "tkey",
}
"""The extra of securesystemslib that each scheme needs; `file2` and `gnupg` need none."""


def known_schemes() -> tuple[str, ...]:
    """The URI schemes that this securesystemslib can sign with."""
    from securesystemslib.signer._signer import SIGNER_FOR_URI_SCHEME

    return tuple(sorted(SIGNER_FOR_URI_SCHEME))


@frozen
class UriSigner:
    """Signs with a key that a securesystemslib signer reaches."""

    uri: str
    public_key: PublicKey
    _signer: Any

    def sign(self, message: bytes) -> bytes:
        """The 64-byte pure Ed25519 signature of the message.

        Raises:
            IndeterminateError: AV468 if the signer fails, or signs with another key.
        """
        try:
            signature = bytes.fromhex(self._signer.sign(message).signature)
        except Exception as error:  # noqa: BLE001 (each service's client raises what it likes)
            raise _failed(self.uri, error) from None
        if not self.public_key.verifies(signature, message):
            raise _failed(self.uri, ValueError("a signature by another key"))
        return signature


def uri_signer(uri: str, public_key: PublicKey, ask: Callable[[], str]) -> UriSigner:
    """A signer for a private key URI.

    Args:
        uri: for example `file2:/media/token/key.pem` or `hv:records/1`.
        public_key: the public half of the key that it leads to.
        ask: asks for a PIN or passphrase, where the signer needs one.

    Raises:
        UsageError: AV468 for a scheme that securesystemslib does not know, or a key that
            the scheme cannot hold.
        IndeterminateError: AV468 if the package or the service it needs is not there.
    """
    from securesystemslib.exceptions import UnsupportedLibraryError
    from securesystemslib.signer._key import SSlibKey
    from securesystemslib.signer._signer import Signer

    scheme = uri.partition(":")[0]
    if scheme not in known_schemes():
        raise UsageError(
            f"no signer for {scheme!r}",
            rule="AV468",
            place=uri,
            expected=", ".join(f"{known}:" for known in known_schemes()),
            found=f"{scheme}:",
            next_step="abverify keys list names the keys in the key folder",
        )
    key = SSlibKey.from_dict(public_key.keyid, public_key.to_json())
    try:
        return UriSigner(uri, public_key, Signer.from_priv_key_uri(uri, key, lambda _: ask()))
    except UnsupportedLibraryError as error:
        raise _missing(uri, scheme, error) from None
    except Exception as error:  # noqa: BLE001 (each service's client raises what it likes)
        raise _failed(uri, error) from None


def _missing(uri: str, scheme: str, error: Exception) -> AbverifyError:
    extra = EXTRAS.get(scheme, "crypto")
    return IndeterminateError(
        f"signing with {scheme}: needs a package that is not installed",
        rule="AV468",
        place=uri,
        expected=f"securesystemslib with its extra {extra}",
        found=_plain(error),
        next_step=f"pip install 'securesystemslib[{extra}]'",
    )


def _failed(uri: str, error: Exception) -> AbverifyError:
    return IndeterminateError(
        "the signer at this URI gave no signature of this key",
        rule="AV468",
        place=uri,
        expected="an Ed25519 signature by the named public key",
        found=_plain(error),
        next_step="check the URI, the public key after '#', and the service's own credentials",
    )


def _plain(error: Exception) -> str:
    text = " ".join(" ".join(map(str, error.args)).split())
    return f"{type(error).__name__}: {text}"[:200]
