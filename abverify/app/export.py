"""A record as tools that are not ours read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypeAlias

from abverify.app.docket import open_repository, require_sound
from abverify.app.locate import find_record
from abverify.errors import UsageError
from abverify.records.envelope import STATEMENT_TYPE, pae, unverified_payload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

Form: TypeAlias = Literal["sigstore-bundle", "dsse", "pae"]
FORMS: tuple[Form, ...] = ("sigstore-bundle", "dsse", "pae")
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def export_record(root: Path, name: str, form: Form, signer: str | None = None) -> bytes:
    """A verified record in another form.

    Args:
        root: the repository.
        name: the record, as `find_record` takes it.
        form: `dsse` is the envelope as it stands in its file; `pae` the bytes that each
            signature is over; `sigstore-bundle` a Sigstore bundle with a public key's hint.
        signer: the start of a key id, to choose one of several signatures for a bundle.

    Raises:
        UntrustedError: AV400 when the ledger has faults.
        UsageError: AV480 if no one record is called that, AV470 for a bundle of several
            signatures, or of none of that signer.
    """
    repository = open_repository(root)
    require_sound(repository)
    path = find_record(repository, name).path
    data = repository.ledger.files[path]
    if form == "dsse":
        return data
    if form == "pae":
        payload = unverified_payload(data, name=path, payload_type=STATEMENT_TYPE)
        return pae(STATEMENT_TYPE, payload)
    return _bundle(json.loads(data), path, signer)


def _bundle(envelope: Mapping[str, Any], path: str, signer: str | None) -> bytes:
    signatures = envelope["signatures"]
    chosen = [item for item in signatures if item["keyid"].startswith(signer or "")]
    if len(chosen) != 1:
        raise UsageError(
            f"a Sigstore bundle holds one signature, and this names {len(chosen)}",
            rule="AV470",
            place=path,
            expected="one of " + ", ".join(item["keyid"][:16] for item in signatures),
            found=signer or "no --signer",
            next_step="export it once for each: --signer KEYID",
        )
    (signature,) = chosen
    bundle = {
        "mediaType": BUNDLE,
        "verificationMaterial": {
            "publicKey": {"hint": signature["keyid"]},
            "tlogEntries": [],
            "timestampVerificationData": {"rfc3161Timestamps": []},
        },
        "dsseEnvelope": {**envelope, "signatures": [signature]},
    }
    return (json.dumps(bundle, indent=2) + "\n").encode()
