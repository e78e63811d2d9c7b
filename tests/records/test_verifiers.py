"""The quick verifier may accept nothing that the full one refuses, and is not trusted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.errors import UntrustedError
from abverify.records import verifiers
from abverify.records.keys import SMALL_ORDER, PublicKey
from abverify.records.verifiers import (
    MANY,
    by_cryptography,
    by_libsodium,
    is_strict,
    verifying_for,
)
from tests.records.curve import BASE, ORDER, TORSION, P, answer, decoded, holds, secret, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.records.verifiers import Verify

SEED = bytes(range(32))
MESSAGE = b"held against the equation"
KEY = (secret(SEED)[0] * BASE).encoded()


def _forms() -> Iterator[tuple[str, bytes, bytes]]:
    """Keys and signatures of every form on which Ed25519 libraries are known to differ."""
    good = sign(SEED, MESSAGE)
    point, scalar = decoded(KEY), secret(SEED)[0]
    yield "good", KEY, good
    for times in (1, 2, 15):
        raised = int.from_bytes(good[32:], "little") + times * ORDER
        yield f"S + {times} L", KEY, good[:32] + raised.to_bytes(32, "little")
    for multiple in range(8):
        torsion = multiple * TORSION
        first = (7 * BASE + torsion).encoded()
        made = answer(SEED, first, MESSAGE, domain=b"", nonce=7)
        yield f"R + {multiple} T", KEY, first + made
        yield f"R = {multiple} T", KEY, torsion.encoded() + made
        mixed = (point + torsion).encoded()
        for nonce in range(1, 9):
            first = (nonce * BASE).encoded()
            yield f"A + {multiple} T, R = {nonce} B", mixed, _answered(mixed, scalar, nonce, first)
    for small in sorted(SMALL_ORDER):
        yield f"A = {small.hex()[:4]}…", small, (9 * BASE).encoded() + (9).to_bytes(32, "little")
    for over in range(19):
        beyond = (P + over).to_bytes(32, "little")
        yield f"A = p + {over}", beyond, good
        yield f"R = p + {over}", KEY, beyond + good[32:]


def _answered(public: bytes, scalar: int, nonce: int, first: bytes) -> bytes:
    from hashlib import sha512

    hashed = sha512(first + public + MESSAGE).digest()
    challenge = int.from_bytes(hashed, "little") % ORDER
    return first + ((nonce + challenge * scalar) % ORDER).to_bytes(32, "little")


FORMS = tuple(_forms())


def accepts_fully(key: bytes, signature: bytes, message: bytes) -> bool:
    """What `chain` says of a signature."""
    try:
        return PublicKey.of(key).verifies(signature, message)
    except UntrustedError:
        return False


def accepts_quickly(key: bytes, signature: bytes, message: bytes) -> bool:
    """What an audit of many records says of it, before `chain` is asked."""
    try:
        PublicKey.of(key)
    except UntrustedError:
        return False
    blocked = len(signature) != 64 or signature[:32] in SMALL_ORDER
    return not blocked and by_libsodium(key)(signature, message)


@pytest.mark.parametrize(("key", "signature"), [f[1:] for f in FORMS], ids=[f[0] for f in FORMS])
def test_whatever_the_quick_one_accepts_the_full_one_accepts(key: bytes, signature: bytes) -> None:
    quickly = accepts_quickly(key, signature, MESSAGE)
    assert quickly <= accepts_fully(key, signature, MESSAGE)


def test_the_forms_hold_what_each_of_them_accepts_and_refuses() -> None:
    verdicts = {name: accepts_quickly(key, made, MESSAGE) for name, key, made in FORMS}
    assert verdicts["good"]
    assert verdicts["R + 0 T"]
    assert not any(verdicts[f"R + {multiple} T"] for multiple in range(1, 8))
    mixed = {verdict for name, verdict in verdicts.items() if name.startswith("A + 2 T")}
    assert mixed == {True, False}


@given(st.integers(0, 95), st.integers(0, 7))
def test_one_flipped_bit_is_refused_by_both(byte: int, bit: int) -> None:
    whole = bytearray(sign(SEED, MESSAGE) + KEY)
    whole[byte] ^= 1 << bit
    signature, key = bytes(whole[:64]), bytes(whole[64:])
    assert not accepts_quickly(key, signature, MESSAGE)
    assert not accepts_fully(key, signature, MESSAGE)


def test_both_libraries_here_are_strict() -> None:
    assert is_strict(by_cryptography)
    assert is_strict(by_libsodium)


def test_the_vectors_of_strictness_are_what_they_are_said_to_be() -> None:
    assert verifiers._KEY == KEY
    residue, large = verifiers._LOOSE
    assert holds(KEY, verifiers._GOOD, verifiers._MESSAGE, cofactor=1)
    assert not holds(KEY, residue, verifiers._MESSAGE, cofactor=1)
    assert holds(KEY, residue, verifiers._MESSAGE, cofactor=8)
    assert residue[:32] not in SMALL_ORDER
    assert int.from_bytes(large[32:], "little") >= ORDER
    assert holds(KEY, large, verifiers._MESSAGE, cofactor=1)


def _with_cofactor(key: bytes) -> Verify:
    """What libsodium does after 1.0.20."""

    def verifies(signature: bytes, message: bytes) -> bool:
        reduced = int.from_bytes(signature[32:], "little") < ORDER
        return reduced and holds(key, signature, message, cofactor=8)

    return verifies


def _without_bound(key: bytes) -> Verify:
    """A library that takes any second half."""
    return lambda signature, message: holds(key, signature, message, cofactor=1)


def _deaf(key: bytes) -> Verify:
    """A library that accepts nothing would only be slow, and is broken."""
    del key
    return lambda _signature, _message: False


@pytest.mark.parametrize("library", [_with_cofactor, _without_bound, _deaf])
def test_a_library_that_is_not_strict_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, library: verifiers.Verifying
) -> None:
    assert not is_strict(library)
    monkeypatch.setattr(verifiers, "by_libsodium", library)
    assert verifying_for(MANY) is by_cryptography


def test_a_few_records_do_not_load_another_library() -> None:
    assert verifying_for(MANY - 1) is by_cryptography
    assert verifying_for(MANY) is by_libsodium
