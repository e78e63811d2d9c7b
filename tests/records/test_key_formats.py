"""Public keys as other tools spell them, read and written."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from abverify.errors import InvalidError, UntrustedError
from abverify.records.key_formats import read_key, write_key
from abverify.records.keys import SMALL_ORDER, PublicKey
from tests.records.simulator import OPERATOR

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.records.key_formats import Format

FORMATS: tuple[Format, ...] = ("pem", "hex", "openssh", "note")
# From C2SP's signed-note.md: the example key of the Go checksum database.
GO_SUM = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
# From RFC 8032, section 7.1, test 1: a public key in hex.
RFC_8032 = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_reads_back_as_the_same_key(form: Format) -> None:
    text = write_key(OPERATOR.public_key, form)
    assert text.endswith("\n")
    assert read_key(text, name="x").raw == OPERATOR.public_key.raw


def test_a_key_in_hex_is_the_one_of_the_rfc() -> None:
    key = read_key(RFC_8032, name="rfc")
    assert key.raw.hex() == RFC_8032
    assert write_key(key, "hex") == RFC_8032 + "\n"


def test_a_verifier_key_is_the_one_that_others_write() -> None:
    key = read_key(GO_SUM, name="sum.golang.org")
    assert write_key(key, "note") == GO_SUM + "\n"


def test_a_verifier_key_under_another_name_is_another_key_and_refused() -> None:
    with pytest.raises(InvalidError, match="not an Ed25519 public key") as caught:
        read_key(GO_SUM.replace("sum.golang.org", "example.org"), name="x")
    assert caught.value.found == "a verifier key whose hash is not its own"


def test_openssl_and_ssh_keygen_read_what_is_written(tmp_path: Path) -> None:
    pem, line = tmp_path / "key.pem", tmp_path / "key.pub"
    pem.write_text(write_key(OPERATOR.public_key, "pem"))
    line.write_text(write_key(OPERATOR.public_key, "openssh"))
    words = ["openssl", "pkey", "-pubin", "-in", str(pem), "-outform", "DER", "-pubout"]
    der = subprocess.run(words, check=True, capture_output=True).stdout
    assert der[-32:] == OPERATOR.public_key.raw
    words = ["ssh-keygen", "-l", "-f", str(line)]
    shown = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert shown.startswith("256 SHA256:")
    assert shown.endswith("operator (ED25519)\n")


@pytest.mark.parametrize("name", ["two words", "a+b", "line\nbreak"])
def test_a_name_that_a_note_cannot_hold_is_refused(name: str) -> None:
    key = PublicKey(OPERATOR.public_key.keyid, OPERATOR.public_key.raw, name)
    with pytest.raises(InvalidError, match="cannot name its signer"):
        write_key(key, "note")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        RFC_8032[:-2],
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!!",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "x+00000000+AA==",
    ],
)
def test_what_is_no_key_is_one_clear_error(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read_key(text, name="key.txt")
    assert caught.value.rule == "AV431"
    assert str(caught.value.place) == "key.txt"


def test_a_key_of_another_algorithm_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ec.pem"
    words = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    private = subprocess.run(words, check=True, capture_output=True).stdout
    public = subprocess.run(
        ["openssl", "pkey", "-pubout"], input=private, check=True, capture_output=True
    ).stdout
    path.write_bytes(public)
    with pytest.raises(InvalidError) as caught:
        read_key(path.read_text(), name="ec.pem")
    assert caught.value.found == "ECPublicKey"


@pytest.mark.parametrize("raw", sorted(SMALL_ORDER))
def test_a_key_of_small_order_is_refused_however_it_is_written(raw: bytes) -> None:
    with pytest.raises(UntrustedError) as caught:
        read_key(raw.hex(), name="weak")
    assert caught.value.rule == "AV422"
