"""Our records as npm's @sigstore/verify sees them, another team's code in another language.

The two packages are no part of the checkout. `ABVERIFY_SIGSTORE=FOLDER` names a folder in which
`npm install @sigstore/verify @sigstore/bundle` was run; without it, what is tested is that the
tool never calls a record verified when it could not verify it.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from abverify._canonical import canonical_bytes
from tests.records.simulator import OPERATOR, milestone
from tests.support.repository import CHECKOUT

TOOL = CHECKOUT / "tools/verify_sigstore.mjs"


def bundle(envelope: bytes) -> bytes:
    """A Sigstore bundle around an envelope, as `abverify record export` makes it."""
    value = json.loads(envelope)
    return canonical_bytes(
        {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "publicKey": {"hint": value["signatures"][0]["keyid"]},
                "tlogEntries": [],
                "timestampVerificationData": {"rfc3161Timestamps": []},
            },
            "dsseEnvelope": value,
        }
    )


def twin(envelope: bytes) -> bytes:
    """The same envelope, and in its payload another reason."""
    value = json.loads(envelope)
    payload = base64.b64decode(value["payload"]).replace(b"as the test says", b"as nobody says!!")
    return canonical_bytes({**value, "payload": base64.b64encode(payload).decode()})


def verified(envelope: bytes, packages: Path, folder: Path) -> tuple[int, str, str]:
    """Exit code, output and errors of the tool, run where the packages are."""
    key = Ed25519PublicKey.from_public_bytes(OPERATOR.public_key.raw)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pem").write_bytes(pem)
    (folder / "bundle.json").write_bytes(bundle(envelope))
    ran = subprocess.run(
        ["node", str(TOOL), str(folder / "bundle.json"), str(folder / "key.pem")],
        cwd=packages,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_it_verifies_every_kind_of_record_and_no_tampered_twin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packages = os.environ.get("ABVERIFY_SIGSTORE")
    if packages is None:
        with capsys.disabled():
            print("\n@sigstore/verify: not run; ABVERIFY_SIGSTORE names no folder")  # noqa: T201
        return
    assert (Path(packages) / "node_modules/@sigstore/verify").is_dir()
    for data in milestone().files.values():
        assert verified(data, Path(packages), tmp_path) == (0, "verified\n", "")
        code, out, err = verified(twin(data), Path(packages), tmp_path)
        assert (code, out, err) == (1, "", "refused: SIGNATURE_ERROR\n")


def test_without_node_or_its_packages_nothing_is_called_verified(tmp_path: Path) -> None:
    (data, *_) = milestone().files.values()
    if shutil.which("node") is None:
        with pytest.raises(FileNotFoundError):
            verified(data, tmp_path, tmp_path)
        return
    code, out, err = verified(data, tmp_path, tmp_path)
    assert code != 0
    assert out == ""
    assert "Cannot find module '@sigstore/bundle'" in err
