"""The Merkle tree against published values, the RFC's own recursion, and forged proofs."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abverify.records.log.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    every_root,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# The eight inputs with which Certificate Transparency's implementations test themselves.
INPUTS = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]

sizes = st.integers(min_value=1, max_value=70)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(index).encode()) for index in range(count)]


def by_the_book(hashes: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, as the text defines it."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    left, right = by_the_book(hashes[:half]), by_the_book(hashes[half:])
    return sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]
    assert Frontier().extended(LEAVES[:size]).root.hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            3,
            ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
        ),
    ],
)
def test_inclusion_proofs_are_those_of_certificate_transparency(
    index: int, size: int, path: list[str]
) -> None:
    assert [step.hex() for step in inclusion_proof(LEAVES[:size], index)] == path


@pytest.mark.parametrize(
    ("size", "grown", "path"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
    ],
)
def test_consistency_proofs_are_those_of_certificate_transparency(
    size: int, grown: int, path: list[str]
) -> None:
    assert [step.hex() for step in consistency_proof(LEAVES[:grown], size)] == path


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert sha256(b"").digest() == EMPTY_ROOT == root_of([]) == Frontier().root


def test_a_leaf_never_passes_for_a_node() -> None:
    """Without the prefixes an entry of 64 bytes would have the hash of a node."""
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


@given(sizes)
def test_the_root_is_the_one_the_rfc_defines(size: int) -> None:
    assert root_of(leaves(size)) == by_the_book(leaves(size))


@given(sizes, st.integers(min_value=0, max_value=70))
def test_a_tree_grown_in_two_steps_is_the_tree_grown_at_once(first: int, more: int) -> None:
    every = leaves(first + more)
    grown = Frontier().extended(every[:first]).extended(every[first:])
    assert grown == Frontier().extended(every)
    assert grown.root == by_the_book(every)


@given(sizes)
def test_every_earlier_root_is_found_again(size: int) -> None:
    every = leaves(size)
    assert every_root(every) == b"".join(by_the_book(every[:n]) for n in range(size + 1))


@given(sizes, st.data())
def test_an_inclusion_proof_shows_one_leaf_at_one_index(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    every = leaves(size)
    proof, root = inclusion_proof(every, index), root_of(every)
    assert verify_inclusion(every[index], index, size, proof, root)
    assert [i for i in range(size) if verify_inclusion(every[i], i, size, proof, root)] == [index]
    shown = [i for i in range(size) if verify_inclusion(every[index], i, size, proof, root)]
    assert shown == [index]


@given(sizes, st.data())
def test_a_consistency_proof_shows_one_earlier_root(size: int, data: st.DataObject) -> None:
    earlier = data.draw(st.integers(min_value=1, max_value=size))
    every = leaves(size)
    proof, root = consistency_proof(every, earlier), root_of(every)
    assert verify_consistency((earlier, root_of(every[:earlier])), (size, root), proof)
    forked = [*every[: earlier - 1], leaf_hash(b"another")]
    assert not verify_consistency((earlier, root_of(forked)), (size, root), proof)


@settings(max_examples=60)
@given(sizes, st.data())
def test_no_altered_proof_shows_anything(size: int, data: st.DataObject) -> None:
    """A bit flipped, a step more, a step less, a step too short: none of them verifies."""
    at = data.draw(st.integers(min_value=1, max_value=size))
    every = leaves(size)
    root = root_of(every)
    inclusion = inclusion_proof(every, at - 1)
    for forged in _altered(inclusion, data):
        assert not verify_inclusion(every[at - 1], at - 1, size, forged, root)
    consistency = consistency_proof(every, at)
    for forged in _altered(consistency, data):
        assert not verify_consistency((at, root_of(every[:at])), (size, root), forged)


def _altered(proof: tuple[bytes, ...], data: st.DataObject) -> list[tuple[bytes, ...]]:
    more = (*proof, bytes(32))
    if not proof:
        return [more]
    place = data.draw(st.integers(min_value=0, max_value=len(proof) - 1))
    step = proof[place]
    changed = [bytes([step[0] ^ 1, *step[1:]]), step[:31], step + b"\x00"]
    return [
        more,
        proof[:-1],
        *((*proof[:place], other, *proof[place + 1 :]) for other in changed),
    ]


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=rf"no leaf {index} in a tree of {size}"):
        inclusion_proof(LEAVES[:size], index)
    assert not verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize("size", [0, 9])
def test_nothing_is_shown_about_an_empty_tree_or_a_larger_one(size: int) -> None:
    with pytest.raises(ValueError, match=rf"no earlier tree of size {size} in one of 8"):
        consistency_proof(LEAVES, size)
    assert not verify_consistency((size, EMPTY_ROOT), (8, root_of(LEAVES)), [])
