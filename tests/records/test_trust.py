"""The trust root: it must hold together, be signed by its own, and decide who may issue what."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_bytes
from abverify._clock import timestamp
from abverify.errors import UntrustedError
from abverify.records.bodies import BODIES
from abverify.records.envelope import ROOT_TYPE, STATEMENT_TYPE, seal
from abverify.records.keys import PublicKey, key_document
from abverify.records.trust import ROLE_OF, ROLES, TrustRoot, parse_root, solo_root
from tests.records.simulator import OPERATOR, ORIGIN, ROOT_PATH, START, payload_of, signer, solo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from abverify.records.bodies import Kind
    from abverify.records.keys import Signer

ALICE, BOB, CAROL = (signer(name) for name in ("alice", "bob", "carol"))
CAROLS_OTHER = signer("carol's other key")


def document(**changes: Any) -> dict[str, Any]:
    """A root of three people: Alice for everything, two of three for what resumes."""
    people = {"alice": [ALICE], "bob": [BOB], "carol": [CAROL, CAROLS_OTHER]}
    everybody = {"principals": ["alice", "bob", "carol"], "threshold": 2}
    alone = {"principals": ["alice", "bob"], "threshold": 1}
    return {
        "version": 1,
        "origin": ORIGIN,
        "prevSha256": None,
        "note": None,
        "issuedAt": timestamp(START),
        "expires": timestamp(START + timedelta(days=365)),
        "principals": {
            name: {"keys": [key.public_key.keyid for key in keys]} for name, keys in people.items()
        },
        "keys": {
            key.public_key.keyid: key.public_key.to_json()
            for keys in people.values()
            for key in keys
        },
        "roles": {
            "root": everybody,
            "suspender": alone,
            "discharger": everybody,
            "lifter": everybody,
            "amender": everybody,
            "runner": {"principals": [], "threshold": 1},
            "integrator": alone,
        },
        **changes,
    }


def signed(value: dict[str, Any], *signers: Signer) -> bytes:
    return seal(canonical_bytes(value), payload_type=ROOT_TYPE, signers=signers or (ALICE, BOB))


def team() -> TrustRoot:
    return parse_root(signed(document()), ROOT_PATH)


def _refused(data: bytes) -> str:
    with pytest.raises(UntrustedError) as caught:
        parse_root(data, ROOT_PATH)
    return caught.value.rule


def _people(root: TrustRoot, kind: Kind, keys: Iterable[Signer]) -> set[str] | str:
    try:
        return set(root.authorise(kind, [key.public_key for key in keys]))
    except UntrustedError as error:
        return error.rule


def test_a_solo_root_gives_one_person_every_role() -> None:
    root = parse_root(solo(), ROOT_PATH)
    for kind in BODIES:
        assert root.authorise(kind, [OPERATOR.public_key]) == {"operator"}


def test_a_root_says_in_a_note_what_a_reader_should_know() -> None:
    note = "The key was destroyed after signing."
    data = solo_root(
        ORIGIN, "maker", OPERATOR, issued_at=START, expires=START + timedelta(1), note=note
    )
    assert parse_root(data, ROOT_PATH).document.note == note


def test_a_root_is_in_force_from_its_issue_until_it_expires() -> None:
    root = team()
    assert not root.in_force(START - timedelta(seconds=1))
    assert root.in_force(START)
    assert root.in_force(START + timedelta(days=365, seconds=-1))
    assert not root.in_force(START + timedelta(days=365))


def test_every_kind_of_record_has_its_role() -> None:
    assert dict(ROLE_OF) == {
        "suspension": "suspender",
        "retraction": "suspender",
        "discharge": "discharger",
        "non-discharge": "discharger",
        "lift": "lifter",
        "amendment": "amender",
    }


@pytest.mark.parametrize(("role", "kind"), list(product(ROLES, BODIES)))
def test_a_person_in_one_role_issues_the_kinds_of_that_role_and_no_others(
    role: str, kind: Kind
) -> None:
    roles: dict[str, Any] = {name: {"principals": ["bob"], "threshold": 1} for name in ROLES}
    roles |= {role: {"principals": ["alice"], "threshold": 1}}
    signers = [ALICE] if role == "root" else [BOB]
    root = parse_root(signed(document(roles=roles), *signers), ROOT_PATH)
    assert _people(root, kind, [ALICE]) == ({"alice"} if ROLE_OF[kind] == role else "AV414")


def test_one_person_may_suspend_and_two_must_resume() -> None:
    root = team()
    assert _people(root, "suspension", [ALICE]) == {"alice"}
    assert _people(root, "retraction", [BOB]) == {"bob"}
    for kind in ("discharge", "non-discharge", "lift", "amendment"):
        assert _people(root, kind, [ALICE]) == "AV414"
        assert _people(root, kind, [ALICE, BOB]) == {"alice", "bob"}


def test_one_person_with_two_keys_counts_once() -> None:
    assert _people(team(), "discharge", [CAROL, CAROLS_OTHER]) == "AV414"
    assert _people(team(), "discharge", [CAROL, CAROLS_OTHER, BOB]) == {"carol", "bob"}


def test_one_key_given_twice_counts_once() -> None:
    assert _people(team(), "discharge", [ALICE, ALICE]) == "AV414"


def test_one_key_under_two_ids_does_not_meet_a_threshold_of_two() -> None:
    """The alias that a library counts twice: same bytes, another name for them."""
    alias = PublicKey("f" * 64, ALICE.public_key.raw, "alias")
    with pytest.raises(UntrustedError):
        team().authorise("discharge", [ALICE.public_key, alias])


def test_a_root_that_lists_one_key_under_two_ids_is_refused() -> None:
    value = document()
    value["keys"]["f" * 64] = key_document(ALICE.public_key.raw)
    value["principals"]["mallory"] = {"keys": ["f" * 64]}
    assert _refused(signed(value)) == "AV421"


def test_a_key_spelt_in_capitals_is_refused() -> None:
    """Another spelling would be another key id for the same bytes."""
    value = document()
    entry = key_document(ALICE.public_key.raw)
    entry["keyval"] = {"public": ALICE.public_key.raw.hex().upper()}
    value["keys"][ALICE.public_key.keyid] = entry
    assert _refused(signed(value)) == "AV421"


def test_two_people_sharing_one_key_are_refused() -> None:
    value = document()
    value["principals"]["bob"]["keys"].append(ALICE.public_key.keyid)
    assert _refused(signed(value)) == "AV421"


def test_a_key_of_small_order_is_refused() -> None:
    raw = bytes.fromhex("01" + "00" * 31)
    keyid = "b" * 64
    value = document()
    value["keys"][keyid] = key_document(raw)
    value["principals"]["mallory"] = {"keys": [keyid]}
    assert _refused(signed(value)) == "AV422"


def test_a_root_below_its_own_threshold_is_refused() -> None:
    assert _refused(signed(document(), ALICE)) == "AV414"


def test_a_root_signed_by_a_stranger_is_refused() -> None:
    assert _refused(signed(document(), ALICE, BOB, signer("mallory"))) == "AV406"


def test_a_record_is_no_root() -> None:
    data = seal(canonical_bytes(document()), payload_type=STATEMENT_TYPE, signers=[ALICE, BOB])
    assert _refused(data) == "AV405"


def _without_role(value: dict[str, Any]) -> None:
    del value["roles"]["lifter"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda v: v.update(extra=None), id="unknown field"),
        pytest.param(lambda v: v["roles"]["root"].update(extra=1), id="unknown field in a role"),
        pytest.param(lambda v: v.pop("note"), id="missing field"),
        pytest.param(lambda v: v.update(version=0), id="version 0"),
        pytest.param(lambda v: v.update(prevSha256="0" * 64), id="a first one with a predecessor"),
        pytest.param(lambda v: v.update(origin=""), id="no origin"),
        pytest.param(lambda v: v.update(expires=v["issuedAt"]), id="expires at once"),
        pytest.param(lambda v: v["roles"]["root"].update(threshold=0), id="threshold 0"),
        pytest.param(
            lambda v: v["roles"]["root"].update(principals=["alice", "alice"]), id="named twice"
        ),
        pytest.param(lambda v: v["roles"]["root"].update(principals=["eve"]), id="no principal"),
        pytest.param(lambda v: v["roles"].update(king=v["roles"]["root"]), id="unknown role"),
        pytest.param(_without_role, id="missing role"),
        pytest.param(lambda v: v["principals"].pop("carol"), id="keys of nobody"),
        pytest.param(lambda v: v["principals"]["alice"].update(keys=[]), id="nobody's keys"),
        pytest.param(lambda v: v["principals"]["bob"].update(keys=["0" * 64]), id="unknown key"),
    ],
)
def test_a_root_that_does_not_hold_together_is_refused(
    change: Callable[[dict[str, Any]], object],
) -> None:
    value = document()
    change(value)
    assert _refused(signed(value)) == "AV421"


def test_the_python_name_of_a_field_is_not_accepted_for_its_json_name() -> None:
    value = document()
    value["issued_at"] = value.pop("issuedAt")
    assert _refused(signed(value)) == "AV421"


def test_another_algorithm_is_refused() -> None:
    value = document()
    value["keys"][ALICE.public_key.keyid]["scheme"] = "ed25519ph"
    assert _refused(signed(value)) == "AV421"


def test_the_example_itself_is_accepted() -> None:
    assert payload_of(signed(document())) == document()
    assert set(team().document.principals) == {"alice", "bob", "carol"}
