"""Envelopes: one spelling, every signature checked, and verifiable by tools we did not write."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey

from abverify._canonical import canonical_bytes
from abverify.errors import UntrustedError
from abverify.records.envelope import (
    MAX_ENVELOPE_BYTES,
    ROOT_TYPE,
    STATEMENT_TYPE,
    open_envelope,
    pae,
    seal,
)
from abverify.records.keys import KeySigner, PublicKey
from tests.records.simulator import OPERATOR, signer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from securesystemslib.signer._key import Key

    from abverify.records.envelope import VerifiedPayload

OTHER = signer("other")
PAYLOAD = b'{"gate":"V1_004","note":"\xc3\xa9"}'
SEALED = seal(PAYLOAD, payload_type=STATEMENT_TYPE, signers=[OPERATOR])


def _open(data: bytes, *trusted: KeySigner, payload_type: str = STATEMENT_TYPE) -> VerifiedPayload:
    keys = {key.public_key.keyid: key.public_key for key in trusted or (OPERATOR,)}
    return open_envelope(data, name="record", payload_type=payload_type, keys=keys)


def _refused(data: bytes, *trusted: KeySigner) -> str:
    with pytest.raises(UntrustedError) as caught:
        _open(data, *trusted)
    assert caught.value.place is not None
    assert caught.value.place.file == "record"
    return caught.value.rule


def _changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    value: dict[str, Any] = json.loads(SEALED)
    change(value)
    return canonical_bytes(value)


def test_the_encoding_that_is_signed_counts_bytes_and_not_characters() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é", "ü".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"


def test_a_sealed_payload_comes_back_with_its_signers() -> None:
    data = seal(PAYLOAD, payload_type=STATEMENT_TYPE, signers=[OPERATOR, OTHER])
    opened = _open(data, OPERATOR, OTHER)
    assert opened.payload == PAYLOAD
    assert {key.raw for key in opened.signers} == {OPERATOR.public_key.raw, OTHER.public_key.raw}


def test_signing_in_another_order_gives_the_same_bytes() -> None:
    forward = seal(PAYLOAD, payload_type=STATEMENT_TYPE, signers=[OPERATOR, OTHER])
    backward = seal(PAYLOAD, payload_type=STATEMENT_TYPE, signers=[OTHER, OPERATOR])
    assert forward == backward


def test_an_edited_payload_does_not_verify() -> None:
    edited = base64.b64encode(PAYLOAD.replace(b"V1_004", b"V1_005")).decode()
    assert _refused(_changed(lambda v: v.update(payload=edited))) == "AV406"


def test_another_payload_type_is_refused_even_with_a_good_signature() -> None:
    data = seal(PAYLOAD, payload_type=ROOT_TYPE, signers=[OPERATOR])
    assert _refused(data) == "AV405"


def test_a_signature_over_another_payload_type_does_not_verify() -> None:
    """Swapping the type moves a signature from one domain to another; it is inside the message."""
    root = json.loads(seal(PAYLOAD, payload_type=ROOT_TYPE, signers=[OPERATOR]))
    assert _refused(canonical_bytes({**root, "payloadType": STATEMENT_TYPE})) == "AV406"


def test_a_signature_by_an_unknown_key_is_refused() -> None:
    assert _refused(SEALED, OTHER) == "AV406"


def test_one_bad_signature_among_good_ones_is_refused() -> None:
    data = json.loads(seal(PAYLOAD, payload_type=STATEMENT_TYPE, signers=[OPERATOR, OTHER]))
    data["signatures"][1]["sig"] = data["signatures"][0]["sig"]
    assert _refused(canonical_bytes(data), OPERATOR, OTHER) == "AV406"


def test_a_signature_under_the_key_id_of_another_key_is_refused() -> None:
    data = _changed(lambda v: v["signatures"][0].update(keyid=OTHER.public_key.keyid))
    assert _refused(data, OPERATOR, OTHER) == "AV406"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda v: v.update(signatures=[]), id="no signature"),
        pytest.param(lambda v: v.update(signatures=None), id="signatures null"),
        pytest.param(lambda v: v.update(signatures=v["signatures"] * 2), id="signature twice"),
        pytest.param(lambda v: v.update(signatures=v["signatures"] * 17), id="17 signatures"),
        pytest.param(lambda v: v["signatures"][0].pop("keyid"), id="no key id"),
        pytest.param(lambda v: v["signatures"][0].update(keyid=None), id="key id null"),
        pytest.param(lambda v: v["signatures"][0].update(extra=1), id="field in signature"),
        pytest.param(lambda v: v["signatures"][0].update(sig=7), id="signature a number"),
        pytest.param(lambda v: v["signatures"][0].update(sig="é"), id="signature not ASCII"),
        pytest.param(lambda v: v.update(payload=v["payload"].rstrip("=")), id="no padding"),
        pytest.param(lambda v: v.update(payload=v["payload"] + "===="), id="excess padding"),
        pytest.param(lambda v: v.update(payload=v["payload"] + "\n"), id="line break"),
        pytest.param(lambda v: v.update(payload="_-__"), id="URL-safe base64"),
        pytest.param(lambda v: v.update(payload="QR=="), id="padding bits not zero"),
        pytest.param(lambda v: v.update(extra=1), id="unknown field"),
        pytest.param(lambda v: v.pop("payloadType"), id="no type"),
        pytest.param(lambda v: v.update(payloadType="text/plain"), id="type of something else"),
    ],
)
def test_another_form_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    assert _refused(_changed(change)) == "AV405"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(SEALED + b"\n", id="trailing line break"),
        pytest.param(b"\xef\xbb\xbf" + SEALED, id="byte order mark"),
        pytest.param(SEALED.replace(b":", b": ", 1), id="white space"),
        pytest.param(SEALED[:-1] + b',"payload":"QQ=="}', id="duplicate key"),
        pytest.param(b'{"payload":NaN}', id="NaN"),
        pytest.param(b"[" * 20_000, id="deep nesting"),
    ],
)
def test_bytes_that_are_not_canonical_are_refused(data: bytes) -> None:
    assert _refused(data) == "AV401"


def test_an_envelope_beyond_64_kib_is_neither_made_nor_read() -> None:
    with pytest.raises(ValueError, match="at most 65535"):
        seal(b"x" * 60_000, payload_type=STATEMENT_TYPE, signers=[OPERATOR])
    assert _refused(b" " * (MAX_ENVELOPE_BYTES + 1)) == "AV405"


def test_nobody_signing_and_one_key_signing_twice_make_no_envelope() -> None:
    for signers in ([], [OPERATOR, OPERATOR]):
        with pytest.raises(ValueError, match="different keys"):
            seal(PAYLOAD, payload_type=STATEMENT_TYPE, signers=signers)


@given(st.binary(max_size=200))
def test_every_payload_survives_sealing_and_opening(payload: bytes) -> None:
    assert _open(seal(payload, payload_type=STATEMENT_TYPE, signers=[OPERATOR])).payload == payload


def _sslib_key(key: PublicKey) -> SSlibKey:
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(key.raw))


def test_securesystemslib_verifies_ours_and_rejects_the_tampered_twin() -> None:
    keys: list[Key] = [_sslib_key(OPERATOR.public_key)]
    accepted = Envelope.from_dict(json.loads(SEALED)).verify(keys, 1)
    assert list(accepted) == [OPERATOR.public_key.keyid]
    twin = _changed(lambda v: v.update(payload=base64.b64encode(PAYLOAD + b" ").decode()))
    with pytest.raises(VerificationError):
        Envelope.from_dict(json.loads(twin)).verify(keys, 1)


def test_we_verify_what_securesystemslib_signed_and_reject_the_tampered_twin() -> None:
    theirs = CryptoSigner.generate_ed25519()
    envelope = Envelope(PAYLOAD, STATEMENT_TYPE, {})
    envelope.sign(theirs)
    data = canonical_bytes(envelope.to_dict())
    public = PublicKey.of(bytes.fromhex(theirs.public_key.keyval["public"]))
    keys = {public.keyid: public}
    opened = open_envelope(data, name="r", payload_type=STATEMENT_TYPE, keys=keys)
    assert opened.payload == PAYLOAD
    envelope.payload = PAYLOAD + b" "
    twin = canonical_bytes(envelope.to_dict())
    with pytest.raises(UntrustedError):
        open_envelope(twin, name="r", payload_type=STATEMENT_TYPE, keys=keys)


def test_openssl_verifies_ours_and_rejects_the_tampered_twin(tmp_path: Path) -> None:
    pem = Ed25519PublicKey.from_public_bytes(OPERATOR.public_key.raw).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    value = json.loads(SEALED)
    signature = base64.b64decode(value["signatures"][0]["sig"])
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "sig").write_bytes(signature)
    assert _openssl_verifies(tmp_path, pae(STATEMENT_TYPE, PAYLOAD))
    assert not _openssl_verifies(tmp_path, pae(STATEMENT_TYPE, PAYLOAD + b" "))
    assert not _openssl_verifies(tmp_path, pae(ROOT_TYPE, PAYLOAD))


def _openssl_verifies(folder: Path, message: bytes) -> bool:
    (folder / "pae").write_bytes(message)
    command = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in pae -sigfile sig"
    done = subprocess.run(command.split(), cwd=folder, check=False, capture_output=True)
    return done.returncode == 0
