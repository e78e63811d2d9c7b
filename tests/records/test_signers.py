"""Signing through securesystemslib's signers by URI; the one for files needs no service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.errors import IndeterminateError, UsageError
from abverify.records.envelope import STATEMENT_TYPE, open_envelope, seal
from abverify.records.signers import EXTRAS, known_schemes, uri_signer
from tests.records.simulator import OPERATOR, signer

if TYPE_CHECKING:
    from pathlib import Path


def _nothing() -> str:
    return ""


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "operator.pem"
    path.write_bytes(OPERATOR.to_pem(None))
    return path


def test_a_file_uri_signs_records_that_verify_like_any_other(pem: Path) -> None:
    found = uri_signer(f"file2:{pem}", OPERATOR.public_key, _nothing)
    data = seal(b'{"a":1}', payload_type=STATEMENT_TYPE, signers=[found])
    assert data == seal(b'{"a":1}', payload_type=STATEMENT_TYPE, signers=[OPERATOR])
    known = {OPERATOR.public_key.keyid: OPERATOR.public_key}
    assert open_envelope(data, name="x", payload_type=STATEMENT_TYPE, keys=known).signers


def test_a_uri_that_leads_to_another_key_is_refused(pem: Path) -> None:
    other = signer("somebody else").public_key
    with pytest.raises(IndeterminateError, match="no signature of this key") as caught:
        uri_signer(f"file2:{pem}", other, _nothing).sign(b"message")
    assert caught.value.rule == "AV468"


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(IndeterminateError) as caught:
        uri_signer(f"file2:{tmp_path}/none.pem", OPERATOR.public_key, _nothing)
    assert caught.value.rule == "AV468"
    assert str(caught.value.found).startswith("FileNotFoundError: Private key not found")


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        uri_signer("https://example.org/key", OPERATOR.public_key, _nothing)
    assert caught.value.rule == "AV468"
    assert caught.value.expected is not None
    assert {"file2:", "awskms:", "hsm:"} <= set(caught.value.expected.split(", "))


@pytest.mark.parametrize(
    ("uri", "extra"),
    [
        ("awskms:alias/records", "awskms"),
        ("azurekms://vault.example/keys/records", "azurekms"),
        ("gcpkms:projects/p/cryptoKeyVersions/1", "gcpkms"),
        ("hv:records/1", "vault"),
    ],
)
def test_a_service_whose_package_is_missing_names_the_extra_to_install(
    uri: str, extra: str
) -> None:
    with pytest.raises(IndeterminateError) as caught:
        uri_signer(uri, OPERATOR.public_key, _nothing)
    assert caught.value.rule == "AV468"
    assert caught.value.next_step == f"pip install 'securesystemslib[{extra}]'"


def test_every_scheme_that_needs_an_extra_is_one_that_the_library_knows() -> None:
    assert set(EXTRAS) <= set(known_schemes())
