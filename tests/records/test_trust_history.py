"""Versions of a trust root: each follows from the one before, and none can be slipped in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_bytes
from abverify.errors import UntrustedError
from abverify.records.envelope import ROOT_TYPE, seal
from abverify.records.rotation import Change
from abverify.records.trust import TrustRoot, parse_root
from abverify.records.trust_history import check_pin, parse_history
from tests.records.roots import (
    DAVE,
    FIRST,
    LATER,
    NEXT,
    bob_revoked,
    dave_joins,
    first,
    following,
    history,
    path,
)
from tests.records.simulator import START, payload_of, signer
from tests.records.test_trust import ALICE, BOB, CAROL
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.records.keys import Signer

MALLORY = signer("mallory")


def _rule(files: dict[str, bytes]) -> str:
    with pytest.raises(UntrustedError) as caught:
        parse_history(files)
    return caught.value.rule


def forged(data: bytes, change: Callable[[dict[str, Any]], object], *signers: Signer) -> bytes:
    """A version changed and signed again by people who could sign it."""
    value = payload_of(data)
    change(value)
    signers = signers or (ALICE, BOB)
    return seal(canonical_bytes(value), payload_type=ROOT_TYPE, signers=signers)


def test_one_version_is_a_history() -> None:
    read = history()
    assert read.newest.document.version == 1
    assert read.sha256_of(1) == first().sha256
    assert not read.is_revoked(ALICE.public_key.keyid, 0)


def test_the_reference_docket_reads_as_before_with_nobody_revoked() -> None:
    name = path(1)
    read = parse_history({name: (CHECKOUT / name).read_bytes()})
    assert read.newest.document.origin == "abverify/reference-docket"
    assert read.newest.document.revoked == {}
    assert read.newest.document.from_index is None


def test_a_second_version_signed_by_old_and_new_follows() -> None:
    read = history(dave_joins())
    assert [root.document.version for root in read.roots] == [1, 2]
    assert read.newest.document.prev_sha256 == read.sha256_of(1)
    assert read.newest.document.roles["root"].principals == ("alice", "bob", "carol", "dave")
    assert DAVE.public_key.keyid in read.keys
    assert read.at(1).keys.keys() < read.at(2).keys.keys()


def test_a_version_that_is_not_there_is_named_as_such() -> None:
    for version in (0, 2):
        with pytest.raises(UntrustedError) as caught:
            history().at(version)
        assert (caught.value.rule, caught.value.found) == ("AV412", f"version {version}")


def test_a_record_finds_the_version_it_names_by_number_and_digest_together() -> None:
    read = history(dave_joins())
    assert read.named(1, read.sha256_of(1)) is read.at(1)
    assert read.named(2, read.sha256_of(2)) is read.at(2)
    assert read.named(2, read.sha256_of(1)) is None
    assert read.named(3, read.sha256_of(2)) is None
    assert read.named(0, read.sha256_of(2)) is None


class TestRotation:
    def test_by_the_new_people_alone_is_refused(self) -> None:
        """The attack: whoever can write to the repository appoints themselves."""
        takeover = forged(
            dave_joins(),
            lambda v: v.update(
                principals={"mallory": {"keys": [MALLORY.public_key.keyid]}},
                keys={MALLORY.public_key.keyid: MALLORY.public_key.to_json()},
                roles={name: {"principals": ["mallory"], "threshold": 1} for name in v["roles"]},
            ),
            MALLORY,
        )
        assert _rule({path(1): FIRST, path(2): takeover}) == "AV461"

    def test_by_too_few_of_the_old_people_is_refused(self) -> None:
        alone = following(first(), Change(thresholds=(("root", 1),)), ALICE)
        assert _rule({path(1): FIRST, path(2): alone}) == "AV461"

    def test_by_one_person_of_the_old_root_with_two_keys_is_refused(self) -> None:
        from tests.records.test_trust import CAROLS_OTHER

        alone = following(first(), Change(thresholds=(("root", 1),)), CAROL, CAROLS_OTHER)
        assert _rule({path(1): FIRST, path(2): alone}) == "AV461"

    def test_by_the_old_people_alone_is_refused(self) -> None:
        """All that was signed: three of the new version, of whom the old people hold two."""
        change = Change(
            add_keys=(("dave", DAVE.public_key),),
            grant=(("root", "dave"),),
            thresholds=(("root", 3),),
        )
        assert _rule({path(1): FIRST, path(2): following(first(), change)}) == "AV414"
        whole = following(first(), change, ALICE, BOB, DAVE)
        assert history(whole).newest.document.roles["root"].threshold == 3

    def test_with_a_strangers_signature_beside_is_refused(self) -> None:
        data = following(first(), Change(note="moved"), ALICE, BOB, MALLORY)
        assert _rule({path(1): FIRST, path(2): data}) == "AV406"

    def test_of_every_person_is_signed_by_both_sets(self) -> None:
        change = Change(
            remove_principals=("alice", "bob", "carol"),
            add_keys=(("dave", DAVE.public_key),),
            grant=tuple((role, "dave") for role in ("root", "suspender", "discharger")),
            thresholds=tuple((role, 1) for role in ("root", "discharger", "lifter", "amender")),
        )
        read = history(following(first(), change, ALICE, BOB, DAVE))
        assert set(read.newest.document.principals) == {"dave"}


class TestSuccession:
    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            pytest.param(lambda v: v.update(version=3), "AV424", id="a version skipped"),
            pytest.param(
                lambda v: v.update(origin="example.org/other"), "AV460", id="other ledger"
            ),
            pytest.param(lambda v: v.update(prevSha256="0" * 64), "AV460", id="other predecessor"),
            pytest.param(
                lambda v: v.update(issuedAt="2025-12-31T00:00:00Z"), "AV460", id="dated before"
            ),
            pytest.param(lambda v: v.update(prevSha256=None), "AV421", id="no predecessor"),
            pytest.param(lambda v: v.pop("fromIndex"), "AV421", id="no place in the log"),
            pytest.param(lambda v: v.update(revoked={}), "AV421", id="a field that says nothing"),
            pytest.param(
                lambda v: v.update(
                    revoked={"0" * 64: {"cause": "keyLost", "fromIndex": v["fromIndex"]}}
                ),
                "AV460",
                id="a key revoked that was never there",
            ),
        ],
    )
    def test_a_version_that_does_not_follow_is_refused(
        self, change: Callable[[dict[str, Any]], object], rule: str
    ) -> None:
        assert _rule({path(1): FIRST, path(2): forged(dave_joins(), change)}) == rule

    def test_a_first_version_with_a_place_in_the_log_is_refused(self) -> None:
        data = forged(FIRST, lambda v: v.update(fromIndex=0))
        assert _rule({path(1): data}) == "AV421"

    def test_a_log_that_shrinks_is_refused(self) -> None:
        second = dave_joins()
        older = history(second).newest
        third = following(older, Change(note="x"), issued_at=LATER, from_index=9)
        assert _rule({path(1): FIRST, path(2): second, path(3): third}) == "AV460"

    def test_an_older_version_put_in_the_place_of_a_newer_is_refused(self) -> None:
        assert _rule({path(1): FIRST, path(2): FIRST}) == "AV424"

    @pytest.mark.parametrize("kept", [(1,), (2,), (1, 3), (2, 3)])
    def test_without_one_of_its_versions_only_the_first_is_still_a_history(
        self, kept: tuple[int, ...]
    ) -> None:
        second = dave_joins()
        third = following(history(second).newest, Change(note="x"), issued_at=LATER)
        versions = {path(1): FIRST, path(2): second, path(3): third}
        files = {name: versions[name] for name in map(path, kept)}
        if kept == (1,):
            assert parse_history(files).newest.document.version == 1
        else:
            assert _rule(files) == "AV424"

    def test_something_else_among_the_versions_is_refused(self) -> None:
        for name in ("gates/_trust/01.root.dsse.json", "gates/_trust/x.dsse.json"):
            assert _rule({path(1): FIRST, name: FIRST}) == "AV424"
        assert _rule({}) == "AV424"

    def test_a_second_history_from_the_same_start_is_seen_by_a_pin(self) -> None:
        """The fork: two next versions, both rightly signed; outside knowledge tells them apart."""
        ours, theirs = history(dave_joins()), history(bob_revoked())
        check_pin(ours, ours.sha256_of(2))
        check_pin(ours, ours.sha256_of(1))
        check_pin(theirs, ours.sha256_of(1))
        with pytest.raises(UntrustedError) as caught:
            check_pin(theirs, ours.sha256_of(2))
        assert caught.value.rule == "AV424"

    def test_a_rolled_back_history_is_seen_by_a_pin(self) -> None:
        pin = history(dave_joins()).sha256_of(2)
        with pytest.raises(UntrustedError, match="not the trust root that was pinned"):
            check_pin(history(), pin)


class TestTerm:
    def test_a_version_takes_records_until_the_next_is_issued(self) -> None:
        read = history(dave_joins())
        old, new = read.roots
        assert read.in_force(old, START)
        assert read.in_force(old, NEXT)
        assert not read.in_force(old, NEXT + timedelta(seconds=1))
        assert not read.in_force(new, NEXT - timedelta(seconds=1))
        assert read.in_force(new, NEXT)

    def test_an_expired_version_takes_no_records_even_without_a_successor(self) -> None:
        read = history()
        assert not read.in_force(read.newest, START + timedelta(days=365))

    def test_a_version_is_superseded_from_the_leaf_that_the_next_one_names(self) -> None:
        read = history(dave_joins())
        old, new = read.roots
        assert [read.is_superseded(old, index) for index in (0, 9, 10, 11)] == [
            False, False, True, True,
        ]  # fmt: skip
        assert not read.is_superseded(new, 10_000)
        assert not read.is_superseded(old, None)


class TestRevocation:
    def test_counts_from_its_leaf_on_and_not_before(self) -> None:
        read = history(bob_revoked())
        keyid = BOB.public_key.keyid
        assert [read.is_revoked(keyid, index) for index in (0, 9, 10, 11)] == [
            False, False, True, True,
        ]  # fmt: skip
        assert not read.is_revoked(ALICE.public_key.keyid, 11)

    def test_counts_everywhere_where_no_log_says_what_came_before(self) -> None:
        assert history(bob_revoked()).is_revoked(BOB.public_key.keyid, None)

    def test_takes_the_key_and_a_person_without_keys_from_every_role(self) -> None:
        document = history(bob_revoked()).newest.document
        assert BOB.public_key.keyid not in document.keys
        assert "bob" not in document.principals
        assert all("bob" not in role.principals for role in document.roles.values())
        assert document.revoked[BOB.public_key.keyid].cause == "keyCompromise"

    def test_can_be_signed_by_the_revoked_key_for_the_old_threshold(self) -> None:
        """A solo operator who lost trust in the only key must still be able to replace it."""
        data = bob_revoked(ALICE, BOB, CAROL)
        assert history(data).is_revoked(BOB.public_key.keyid, 10)

    def test_by_the_revoked_key_in_place_of_another_person_is_refused(self) -> None:
        """The new version's own threshold needs two of those who are left."""
        assert _rule({path(1): FIRST, path(2): bob_revoked(ALICE, BOB)}) == "AV414"

    def test_is_kept_by_every_later_version(self) -> None:
        second = bob_revoked()
        older = history(second).newest
        third = following(older, Change(note="x"), ALICE, CAROL, issued_at=LATER, from_index=20)
        assert history(second, third).is_revoked(BOB.public_key.keyid, 10)
        for change in (
            lambda v: v.pop("revoked"),
            lambda v: v["revoked"][BOB.public_key.keyid].update(fromIndex=20),
            lambda v: v["revoked"][BOB.public_key.keyid].update(cause="superseded"),
        ):
            softened = forged(third, change, ALICE, CAROL)
            assert _rule({path(1): FIRST, path(2): second, path(3): softened}) == "AV460"

    def test_cannot_reach_back_or_forward(self) -> None:
        def move(index: int) -> Callable[[dict[str, Any]], object]:
            return lambda v: v["revoked"][BOB.public_key.keyid].update(fromIndex=index)

        for index in (0, 9, 11):
            moved = forged(bob_revoked(), move(index), ALICE, CAROL)
            assert _rule({path(1): FIRST, path(2): moved}) == "AV460"

    def test_of_a_key_that_is_still_listed_is_refused(self) -> None:
        def restore(value: dict[str, Any]) -> None:
            value["keys"][BOB.public_key.keyid] = BOB.public_key.to_json()
            value["principals"]["bob"] = {"keys": [BOB.public_key.keyid]}

        data = forged(bob_revoked(), restore, ALICE, CAROL)
        assert _rule({path(1): FIRST, path(2): data}) == "AV421"

    def test_is_for_good(self) -> None:
        second = bob_revoked()

        def reinstate(value: dict[str, Any]) -> None:
            value.update(prevSha256=history(second).sha256_of(2), version=3)
            del value["revoked"]
            value["keys"][BOB.public_key.keyid] = BOB.public_key.to_json()
            value["principals"]["bob"] = {"keys": [BOB.public_key.keyid]}

        third = forged(second, reinstate, ALICE, CAROL)
        assert _rule({path(1): FIRST, path(2): second, path(3): third}) == "AV460"


def test_every_byte_of_a_second_version_counts() -> None:
    data = dave_joins()
    step = 7  # every seventh byte: the signatures' check is the same for all
    for position in range(0, len(data), step):
        mutated = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        with pytest.raises(UntrustedError):
            parse_history({path(1): FIRST, path(2): mutated})


def test_a_later_version_does_not_stand_alone_as_a_root() -> None:
    read: TrustRoot = parse_root(dave_joins(), path(2), first())
    assert read.document.version == 2
    assert _rule({path(1): dave_joins()}) == "AV424"
