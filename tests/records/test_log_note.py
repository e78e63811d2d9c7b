"""Signed notes and checkpoints: the format's published example, and every way to forge one."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from abverify.errors import UntrustedError
from abverify.records.keys import PublicKey
from abverify.records.log.checkpoint import (
    Checkpoint,
    integrators_among,
    may_integrate,
    open_checkpoint,
    parse_text,
    sign_checkpoint,
)
from abverify.records.log.note import key_hash, open_note, sign_note, verifier_key
from abverify.records.log.tree import EMPTY_ROOT
from abverify.records.trust import TrustRoot, parse_root
from abverify.records.trust_history import TrustHistory
from tests.records.simulator import OPERATOR, ORIGIN, ROOT_PATH, signer, solo
from tests.records.test_trust import ALICE, BOB, CAROL, CAROLS_OTHER, document, signed

# The example in the documentation of Go's golang.org/x/mod/sumdb/note.
NEUMANN = "PeterNeumann"
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
EXAMPLE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotp"
    "RZb6KE6RyyBwJnAM=\n"
).encode()
FILE = "gates/_log/checkpoint"
CHECKPOINT = Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def root(data: bytes | None = None) -> TrustRoot:
    return parse_root(data or solo(), ROOT_PATH)


def history(*roots: TrustRoot) -> TrustHistory:
    return TrustHistory(roots)


def refused(data: bytes, trust: TrustRoot | None = None) -> str | None:
    with pytest.raises(UntrustedError) as caught:
        open_checkpoint(data, trust=history(trust or root()), file=FILE)
    assert caught.value.rule == "AV450"
    assert str(caught.value.place) == FILE
    return caught.value.found


def test_it_reads_the_published_example() -> None:
    raw = base64.b64decode(VERIFIER.split("+", 2)[2])[1:]
    text, keys = open_note(EXAMPLE, name=NEUMANN, keys=[PublicKey.of(raw)], file="example")
    assert text.startswith("If you think cryptography")
    assert [key.raw for key in keys] == [raw]
    assert verifier_key(NEUMANN, raw) == VERIFIER


def test_a_checkpoint_is_three_lines_and_a_signature_that_other_tools_verify() -> None:
    data = sign_checkpoint(CHECKPOINT, [OPERATOR])
    text, _, line = data.decode().partition("\n\n")
    assert text == f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    dash, name, coded = line.rstrip("\n").split(" ")
    assert (dash, name) == ("\N{EM DASH}", ORIGIN)
    value, raw = base64.b64decode(coded), OPERATOR.public_key.raw
    assert (
        value[:4] == sha256(f"{ORIGIN}\n\x01".encode() + raw).digest()[:4] == key_hash(ORIGIN, raw)
    )
    Ed25519PublicKey.from_public_bytes(raw).verify(value[4:], (text + "\n").encode())


def test_a_checkpoint_reads_back() -> None:
    assert (
        open_checkpoint(sign_checkpoint(CHECKPOINT, [OPERATOR]), trust=history(root()), file=FILE)
        == CHECKPOINT
    )


def test_every_bit_of_a_checkpoint_counts() -> None:
    data = sign_checkpoint(CHECKPOINT, [OPERATOR])
    for position, byte in enumerate(data):
        for bit in range(8):
            refused(data[:position] + bytes([byte ^ 1 << bit]) + data[position + 1 :])


@pytest.mark.parametrize("end", range(0, 240, 7))
def test_every_part_of_a_checkpoint_is_none(end: int) -> None:
    data = sign_checkpoint(CHECKPOINT, [OPERATOR])
    if end < len(data):
        refused(data[:end])


def test_somebody_who_is_no_integrator_signs_no_checkpoint() -> None:
    found = refused(sign_checkpoint(CHECKPOINT, [signer("mallory")]))
    assert found is not None
    assert found.startswith("one by an unknown key")


def test_an_integrator_signs_and_a_discharger_does_not() -> None:
    """In this team Alice and Bob integrate; Carol may discharge, lift and amend."""
    team = root(signed(document()))
    assert integrators_among(team, [ALICE, CAROL]) == (ALICE,)
    assert may_integrate(team, [BOB])
    assert not may_integrate(team, [CAROL])
    refused(sign_checkpoint(CHECKPOINT, [CAROL]), team)


def test_one_person_with_two_keys_is_one_integrator() -> None:
    roles = document()["roles"]
    two = {"principals": ["alice", "carol"], "threshold": 2}
    team = root(signed(document(roles={**roles, "integrator": two})))
    assert not may_integrate(team, [CAROL, CAROLS_OTHER])
    assert may_integrate(team, [ALICE, CAROL])
    found = refused(sign_checkpoint(CHECKPOINT, [CAROL, CAROLS_OTHER]), team)
    assert found == "carol"


def test_a_signature_by_somebody_else_beside_a_good_one_is_refused() -> None:
    refused(sign_checkpoint(CHECKPOINT, [OPERATOR, signer("mallory")]))


def test_a_checkpoint_of_another_ledger_is_refused() -> None:
    refused(sign_checkpoint(Checkpoint("example.org/other", 0, EMPTY_ROOT), [OPERATOR]))


def test_a_checkpoint_of_another_ledger_under_our_name_is_refused() -> None:
    """The line names our origin; the signed text does not."""
    text = Checkpoint("example.org/other", 0, EMPTY_ROOT).text
    assert refused(sign_note(text, name=ORIGIN, signers=[OPERATOR])) == text


def test_a_signature_line_twice_is_refused() -> None:
    data = sign_checkpoint(CHECKPOINT, [OPERATOR])
    refused(data + data.rpartition(b"\n\n")[2])


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n0\n",
        f"{ORIGIN}\n00\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        f"{ORIGIN}\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
        f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n",
        f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\n",
        f"{ORIGIN}\n\N{ARABIC-INDIC DIGIT ZERO}\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    ],
    ids=["no root", "zeros", "negative", "unused bits", "short root", "extension", "other digits"],
)
def test_a_checkpoint_has_one_spelling(text: str) -> None:
    """Signed by the right key, and still not what we write."""
    refused(sign_note(text, name=ORIGIN, signers=[OPERATOR]))


def test_a_text_that_is_no_checkpoint_is_none() -> None:
    assert parse_text("hello\n") is None


def test_nobody_signs_nothing() -> None:
    with pytest.raises(ValueError, match="1 to 16 signatures"):
        sign_checkpoint(CHECKPOINT, [])
    with pytest.raises(ValueError, match="1 to 16 signatures"):
        sign_checkpoint(CHECKPOINT, [OPERATOR, OPERATOR])
    with pytest.raises(ValueError, match="whole lines"):
        sign_note("no line break", name=ORIGIN, signers=[OPERATOR])


def test_what_is_not_text_is_refused() -> None:
    refused(b"\xff\xfe\n\n\xff\n")
    refused(b"")
    refused(b"\n\n")
