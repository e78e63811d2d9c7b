"""Vectors that others published: the facts re-typed here always, their whole sets from a folder.

`ABVERIFY_VECTORS=FOLDER pytest tests/records/test_external_vectors.py` runs the sets as well;
docs/guide/auditor.md says which files the folder needs.
"""

from __future__ import annotations

import base64
import json
import os
from hashlib import sha512
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_bytes, parse_canonical
from abverify.errors import UntrustedError
from abverify.records.keys import SMALL_ORDER, PublicKey
from abverify.records.log.tree import (
    EMPTY_ROOT,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.records.curve import ORDER, PREHASHED, TORSION, Point, sign
from tests.records.test_verifiers import accepts_quickly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RFC_8032 = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
"""Section 7.1, tests 1 to 3: private key, message, signature."""

PH_SEED = "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"
PH_SIGNATURE = (
    "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
    "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
)
"""Section 7.3: Ed25519ph of "abc"."""

CT_LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
             "606162636465666768696a6b6c6d6e6f")  # fmt: skip
CT_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
"""The eight leaves of Certificate Transparency's own tests, and the root over them."""


def _public(seed: bytes) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return PublicKey.of(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


@pytest.mark.parametrize(("seed", "message", "signature"), RFC_8032)
def test_rfc_8032_signatures_verify_and_are_made_again(
    seed: str, message: str, signature: str
) -> None:
    private, data = bytes.fromhex(seed), bytes.fromhex(message)
    assert sign(private, data).hex() == signature
    assert _public(private).verifies(bytes.fromhex(signature), data)
    assert accepts_quickly(_public(private).raw, bytes.fromhex(signature), data)
    assert not _public(private).verifies(bytes.fromhex(signature), data + b"\0")


def test_rfc_8032_a_prehashed_signature_is_none_of_the_pure_kind() -> None:
    seed, hashed = bytes.fromhex(PH_SEED), sha512(b"abc").digest()
    assert sign(seed, hashed, domain=PREHASHED).hex() == PH_SIGNATURE
    for message in (b"abc", hashed):
        assert not _public(seed).verifies(bytes.fromhex(PH_SIGNATURE), message)
        assert not accepts_quickly(_public(seed).raw, bytes.fromhex(PH_SIGNATURE), message)


@pytest.mark.parametrize(
    ("data", "canonical"),
    [
        ('{"peach":1,"pêche":2}', None),
        ('{"1":{"f":{"f":"hi","F":5},"\\n":56},"":"empty","a":{}}',
         '{"":"empty","1":{"\\n":56,"f":{"F":5,"f":"hi"}},"a":{}}'),
        ('[56,{"d":true,"10":null,"1":[]}]', '[56,{"1":[],"10":null,"d":true}]'),
        ('["\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"]',
         '["€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"]'),
        ("[333333333.33333329]", None),
        ("[1E30]", None),
    ],
    ids=["key beyond ASCII", "structures", "arrays", "values", "float", "exponent"],
)  # fmt: skip
def test_rfc_8785_the_form_is_the_standards_or_the_value_is_refused(
    data: str, canonical: str | None
) -> None:
    """Ours is a subset: what the standard writes in a way that libraries differ on is refused."""
    if canonical is None:
        with pytest.raises(ValueError, match=r"not an ASCII string|float"):
            canonical_bytes(json.loads(data))
        return
    assert canonical_bytes(json.loads(data)) == canonical.encode()
    assert parse_canonical(canonical.encode(), name="jcs") == json.loads(data)
    with pytest.raises(UntrustedError):
        parse_canonical(data.encode(), name="jcs")


def test_rfc_6962_the_tree_of_certificate_transparency() -> None:
    leaves = [leaf_hash(bytes.fromhex(text)) for text in CT_LEAVES]
    assert root_of(leaves).hex() == CT_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


def test_every_way_to_break_a_proof_is_refused() -> None:
    """The mutations that transparency-dev/merkle publishes, made anew for a tree of our own."""
    leaves = [leaf_hash(bytes([number])) for number in range(5)]
    left = node_hash(node_hash(*leaves[:2]), node_hash(*leaves[2:4]))
    root = node_hash(left, leaves[4])
    proof = [leaves[3], node_hash(*leaves[:2]), leaves[4]]
    assert verify_inclusion(leaves[2], 2, 5, proof, root)
    broken: list[tuple[int, int, list[bytes]]] = [
        (1, 5, proof), (3, 5, proof), (2 + 8, 5, proof), (2, 3, proof), (2, 10, proof),
        (2, 0, proof), (2, 5, proof[:-1]), (2, 5, [*proof, root]), (2, 5, [b"", *proof]),
        (2, 5, [leaves[2], *proof]), (2, 5, proof[::-1]), (2, 5, []),
        (2, 5, [proof[0], bytes([proof[1][0] ^ 16]) + proof[1][1:], proof[2]]),
    ]  # fmt: skip
    assert not [case for case in broken if verify_inclusion(leaves[2], *case, root)]


def _multiples() -> Iterator[Point]:
    point = Point(0, 1)
    for _ in range(8):
        yield point
        point += TORSION


def test_small_order_points_are_refused_as_keys_and_as_first_halves() -> None:
    """The flags `low_order_A` and `low_order_R` of CCTV, whose equations may well hold."""
    seed = bytes(range(32))
    for point in _multiples():
        assert point.encoded() in SMALL_ORDER
        with pytest.raises(UntrustedError):
            PublicKey.of(point.encoded())
        assert not _public(seed).verifies(point.encoded() + bytes(32), b"")
    good = sign(seed, b"message")
    raised = int.from_bytes(good[32:], "little") + ORDER
    assert not _public(seed).verifies(good[:32] + raised.to_bytes(32, "little"), b"message")


def _set(*parts: str) -> Path | None:
    folder = os.environ.get("ABVERIFY_VECTORS")
    path = Path(folder, *parts) if folder else None
    assert path is None or path.exists(), f"{path} is missing; see docs/guide/auditor.md"
    return path


def _accepts(key: str, signature: str, message: bytes) -> bool:
    try:
        return PublicKey.of(bytes.fromhex(key)).verifies(bytes.fromhex(signature), message)
    except UntrustedError:
        return False


def quick_alone(path: Path) -> list[int]:
    """The numbers of the vectors that libsodium accepts and we do not, of either published set."""
    content = json.loads(path.read_bytes())
    if isinstance(content, list):
        cases = [(v["number"], v["key"], v["sig"], v["msg"].encode()) for v in content]
    else:
        cases = [
            (test["tcId"], group["publicKey"]["pk"], test["sig"], bytes.fromhex(test["msg"]))
            for group in content["testGroups"]
            for test in group["tests"]
        ]
    return [
        number
        for number, key, signature, message in cases
        if accepts_quickly(bytes.fromhex(key), bytes.fromhex(signature), message)
        and not _accepts(key, signature, message)
    ]


def cctv_differences(path: Path) -> tuple[int, list[int]]:
    """How many vectors we accept, and the numbers of those where we leave our declared rule.

    The rule: no small order in A or R, every other equation as RFC 8032 without cofactor.
    """
    vectors = json.loads(path.read_bytes())
    wrong, accepted = [], 0
    for vector in vectors:
        flags = set(vector["flags"] or ())
        refused = flags & {
            "low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"
        }  # fmt: skip
        ours = _accepts(vector["key"], vector["sig"], vector["msg"].encode())
        accepted += ours
        if ours == bool(refused):
            wrong.append(vector["number"])
    return accepted, wrong


def wycheproof_differences(path: Path) -> tuple[int, list[int]]:
    """How many vectors there are, and the numbers of those on which we differ."""
    groups = json.loads(path.read_bytes())["testGroups"]
    cases = [(group["publicKey"]["pk"], test) for group in groups for test in group["tests"]]
    wrong = [
        test["tcId"]
        for key, test in cases
        if _accepts(key, test["sig"], bytes.fromhex(test["msg"])) != (test["result"] == "valid")
    ]
    return len(cases), wrong


def merkle_differences(folder: Path) -> tuple[int, list[str]]:
    """How many proofs there are, and the files of those on which we differ.

    One published case accepts two roots that are equal and no hashes; we refuse those.
    """
    checks: tuple[tuple[str, Callable[[Any], bool]], ...] = (
        ("inclusion", _included),
        ("consistency", _consistent),
    )
    files = [(path, check) for name, check in checks for path in (folder / name).rglob("*.json")]
    cases = [(path, check, json.loads(path.read_bytes())) for path, check in files]
    wrong = [
        str(path)
        for path, check, case in cases
        if check(case) != (not case["wantErr"] and _of_hashes(case))
    ]
    return len(cases), sorted(wrong)


def _of_hashes(case: dict[str, Any]) -> bool:
    roots = _decoded(case, *(name for name in ("root", "root1", "root2") if name in case))
    return all(len(root) == len(EMPTY_ROOT) for root in roots)


def _decoded(case: dict[str, Any], *names: str) -> list[bytes]:
    return [base64.b64decode(case[name] or "") for name in names]


def _included(case: dict[str, Any]) -> bool:
    leaf, root = _decoded(case, "leafHash", "root")
    proof = [base64.b64decode(item) for item in case["proof"] or ()]
    return verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)


def _consistent(case: dict[str, Any]) -> bool:
    old, new = _decoded(case, "root1", "root2")
    proof = [base64.b64decode(item) for item in case["proof"] or ()]
    return verify_consistency((case["size1"], old), (case["size2"], new), proof)


def test_the_whole_sets_agree_where_they_are_at_hand(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the folder the facts above are what is tested, and this says so."""
    cctv = _set("CCTV", "ed25519", "ed25519vectors.json")
    wycheproof = _set("wycheproof", "testvectors_v1", "ed25519_test.json")
    merkle = _set("merkle", "testdata")
    if cctv is None or wycheproof is None or merkle is None:
        assert "ABVERIFY_VECTORS" not in os.environ
        return
    accepted, wrong = cctv_differences(cctv)
    total, differ = wycheproof_differences(wycheproof)
    proofs, unlike = merkle_differences(merkle)
    with capsys.disabled():
        print(  # noqa: T201 (what an auditor asked for)
            f"\nCCTV: {accepted} accepted, {len(wrong)} against the declared rule"
            f"\nWycheproof: {total} vectors, {len(differ)} differences"
            f"\nmerkle: {proofs} proofs, {len(unlike)} differences"
        )
    assert (wrong, differ, unlike) == ([], [], [])
    assert quick_alone(cctv) == quick_alone(wycheproof) == []
