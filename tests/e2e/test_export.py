"""Records as other tools verify them: each accepts ours, and each rejects the tampered twin.

`tools/verify_sigstore.mjs` does the same with npm's @sigstore/verify, which needs a download.
"""

from __future__ import annotations

import base64
import copy
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._key import SSlibKey

from tests.support.refusals import refused
from tests.support.repository import CHECKOUT, done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repository import Repository

RECORD = "S1_004#1"
SUSPEND = ("suspend", "S281", "--scope", "beta", "--lift-when", "S1_004")


def exported(repository: Repository, form: str, file: Path, *words: str) -> bytes:
    done(repository.run("record", "export", RECORD, "--format", form, "-o", str(file), *words))
    return file.read_bytes()


def tampered(envelope: dict[str, Any]) -> dict[str, Any]:
    """The same envelope about another gate."""
    twin = copy.deepcopy(envelope)
    payload = base64.b64decode(twin["payload"]).replace(b"S1_004", b"S1_005")
    assert payload != base64.b64decode(twin["payload"])
    twin["payload"] = base64.b64encode(payload).decode()
    return twin


def test_the_envelope_is_the_file_as_it_stands(docket: Repository, tmp_path: Path) -> None:
    data = exported(docket, "dsse", tmp_path / "record.json")
    path = "gates/laptop-replica/S1_004/000001.amendment.dsse.json"
    assert data == (docket.root / path).read_bytes()
    assert done(docket.run("record", "export", RECORD)).out.encode() == data


def test_securesystemslib_verifies_it_and_not_its_twin(docket: Repository, tmp_path: Path) -> None:
    envelope = json.loads(exported(docket, "dsse", tmp_path / "record.json"))
    raw = done(docket.run("keys", "export", "operator", "--format", "hex")).out.strip()
    keyid = envelope["signatures"][0]["keyid"]
    key = SSlibKey(keyid, "ed25519", "ed25519", {"public": raw})
    assert list(Envelope.from_dict(copy.deepcopy(envelope)).verify([key], 1)) == [keyid]
    with pytest.raises(VerificationError):
        Envelope.from_dict(tampered(envelope)).verify([key], 1)


def test_openssl_verifies_it_and_not_its_twin(docket: Repository, tmp_path: Path) -> None:
    envelope = json.loads(exported(docket, "dsse", tmp_path / "record.json"))
    message = exported(docket, "pae", tmp_path / "message.bin")
    assert message.startswith(b"DSSEv1 28 application/vnd.in-toto+json ")
    key = done(docket.run("keys", "export", "operator")).out
    (tmp_path / "key.pem").write_text(key, encoding="utf-8")
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    (tmp_path / "signature.bin").write_bytes(signature)
    assert _openssl(tmp_path) == (0, "Signature Verified Successfully\n")
    (tmp_path / "message.bin").write_bytes(message.replace(b"S1_004", b"S1_005"))
    assert _openssl(tmp_path) == (1, "Signature Verification Failure\n")


def _openssl(folder: Path) -> tuple[int, str]:
    words = ("-pubin", "-inkey", "key.pem", "-rawin", "-in", "message.bin")
    ran = subprocess.run(
        ["openssl", "pkeyutl", "-verify", *words, "-sigfile", "signature.bin"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


def test_a_sigstore_bundle_holds_the_envelope_and_the_keys_hint(
    docket: Repository, tmp_path: Path
) -> None:
    envelope = json.loads(exported(docket, "dsse", tmp_path / "record.json"))
    bundle = json.loads(exported(docket, "sigstore-bundle", tmp_path / "record.sigstore.json"))
    assert bundle == {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "publicKey": {"hint": envelope["signatures"][0]["keyid"]},
            "tlogEntries": [],
            "timestampVerificationData": {"rfc3161Timestamps": []},
        },
        "dsseEnvelope": envelope,
    }


def test_of_two_signatures_a_bundle_holds_the_one_that_is_named(repository: Repository) -> None:
    done(repository.run("keys", "new", "ana", "--unencrypted"))
    words = ("--add-key", "ana=ana", "--grant", "suspender=ana", "--threshold", "suspender=2")
    done(repository.run("trust", "rotate", *words, "--key", "operator"))
    done(repository.sign(*SUSPEND, "--propose"))
    (proposed,) = repository.glob("gates/_proposals/**/*.json")
    done(repository.run("sign", proposed, "--key", "ana"))
    done(repository.run("integrate"))
    export = ("record", "export", "S1_004#3", "--format", "sigstore-bundle")
    facts = refused(repository.run(*export), 2, "AV470")
    first, second = facts["expected"].removeprefix("one of ").split(", ")
    for keyid in (first, second):
        bundle = done(repository.run(*export, "--signer", keyid)).json
        (signature,) = bundle["dsseEnvelope"]["signatures"]
        assert signature["keyid"].startswith(keyid)


def test_of_a_ledger_with_faults_nothing_is_exported(repository: Repository) -> None:
    (repository.root / "gates/laptop-replica/S1_004/stray").touch()
    refused(repository.run("record", "export", RECORD), 4, "AV400")


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The published schema of records."""
    file = CHECKOUT / "docs/schemas/record.v1.schema.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


class TestSchema:
    def test_every_record_of_the_docket_fits(
        self, docket: Repository, validator: Draft202012Validator
    ) -> None:
        paths = docket.glob("gates/*/*/*.dsse.json")
        assert len(paths) == 6
        for path in paths:
            validator.validate(statement(docket, path))

    @pytest.mark.parametrize("field", ["ledger", "gate", "basis", "trustRoot", "issuedAt", "pins"])
    def test_a_record_without_a_field_does_not(
        self, docket: Repository, validator: Draft202012Validator, field: str
    ) -> None:
        document = statement(docket, "gates/laptop-replica/S1_004/000001.amendment.dsse.json")
        del document["predicate"][field]
        assert not validator.is_valid(document)

    def test_a_record_with_a_field_too_many_or_of_another_kind_does_not(
        self, docket: Repository, validator: Draft202012Validator
    ) -> None:
        document = statement(docket, "gates/laptop-replica/S1_004/000001.amendment.dsse.json")
        more = {**document, "predicate": {**document["predicate"], "status": "met"}}
        other = {**document, "predicateType": "https://abverify.dev/record/lift/v1"}
        assert (validator.is_valid(more), validator.is_valid(other)) == (False, False)


def statement(repository: Repository, path: str) -> dict[str, Any]:
    envelope = json.loads((repository.root / path).read_bytes())
    document: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return document
