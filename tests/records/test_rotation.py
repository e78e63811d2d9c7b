"""Drawing up the next version of a trust root, and signing it one after another."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from abverify.errors import AbverifyError, RefusedError, UntrustedError, UsageError
from abverify.records.rotation import (
    Change,
    next_document,
    read_proposal,
    require_root_keys,
    sign_proposal,
)
from tests.records.roots import (
    DAVE,
    FIRST,
    NEXT,
    bob_revoked,
    dave_joins,
    first,
    following,
    history,
)
from tests.records.simulator import START, signer
from tests.records.test_trust import ALICE, BOB, CAROL, CAROLS_OTHER

if TYPE_CHECKING:
    from abverify.records.trust import RootDocument

NAME = "gates/_trust/2.root.proposal.json"
ERIN = signer("erin")


def drawn(change: Change) -> RootDocument:
    return next_document(first(), change, issued_at=NEXT, from_index=10)


def _refusal(change: Change) -> AbverifyError:
    with pytest.raises(AbverifyError) as caught:
        drawn(change)
    assert caught.value.rule == "AV464"
    return caught.value


class TestDrawingUp:
    def test_numbers_links_and_dates_the_next_version(self) -> None:
        document = drawn(Change(note="moved"))
        assert (document.version, document.prev_sha256) == (2, first().sha256)
        assert (document.issued_at, document.from_index) == ("2026-01-31T00:00:00Z", 10)
        assert (document.expires, document.note) == (first().document.expires, "moved")

    def test_keeps_what_is_not_changed(self) -> None:
        old, new = first().document, drawn(Change(note="moved"))
        assert (new.principals, new.keys, new.roles) == (old.principals, old.keys, old.roles)
        assert new.revoked == {}

    def test_replaces_a_key(self) -> None:
        change = Change(remove_keys=(BOB.public_key.keyid,), add_keys=(("bob", DAVE.public_key),))
        document = drawn(change)
        assert document.principals["bob"].keys == (DAVE.public_key.keyid,)
        assert BOB.public_key.keyid not in document.keys
        assert "bob" in document.roles["root"].principals

    def test_takes_one_of_two_keys_and_leaves_the_person(self) -> None:
        document = drawn(Change(remove_keys=(CAROLS_OTHER.public_key.keyid,)))
        assert document.principals["carol"].keys == (CAROL.public_key.keyid,)

    def test_takes_a_person_from_one_role(self) -> None:
        roles = drawn(Change(withdraw=(("lifter", "carol"),))).roles
        assert roles["lifter"].principals == ("alice", "bob")
        assert roles["discharger"].principals == ("alice", "bob", "carol")

    def test_extends_the_term(self) -> None:
        document = drawn(Change(expires=NEXT + timedelta(days=365)))
        assert document.expires == "2027-01-31T00:00:00Z"

    def test_revokes_from_where_the_log_stands(self) -> None:
        revoked = drawn(Change(revoke=((BOB.public_key.keyid, "keyLost"),))).revoked
        assert {key: (r.cause, r.from_index) for key, r in revoked.items()} == {
            BOB.public_key.keyid: ("keyLost", 10)
        }

    def test_of_an_expired_version_needs_a_new_date(self) -> None:
        late = START + timedelta(days=400)
        with pytest.raises(UsageError, match="expired already") as caught:
            next_document(first(), Change(note="late"), issued_at=late, from_index=10)
        assert caught.value.expected == "--expires-days N"
        renewed = Change(expires=late + timedelta(days=365))
        assert next_document(first(), renewed, issued_at=late, from_index=10).version == 2

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (Change(), "change nothing"),
            (Change(expires=START + timedelta(days=365)), "change nothing"),
            (Change(remove_keys=("0" * 64,)), "no such key"),
            (Change(revoke=(("0" * 64, "keyLost"),)), "no such key"),
            (Change(remove_principals=("eve",)), "no such principal"),
            (Change(grant=(("root", "eve"),)), "no such principal"),
            (Change(grant=(("king", "alice"),)), "no such role"),
            (Change(thresholds=(("king", 1),)), "no such role"),
            (Change(thresholds=(("root", 0),)), "cannot say this"),
            (Change(grant=(("root", "alice"),)), "alice is in that role already"),
            (Change(withdraw=(("suspender", "carol"),)), "carol is not in that role"),
            (Change(add_keys=(("eve", ALICE.public_key),)), "there already"),
            (Change(add_keys=(("no name", DAVE.public_key),)), "cannot say this"),
            (Change(note="two\nlines"), "cannot say this"),
            (Change(revoke=((ALICE.public_key.keyid, "whim"),)), "cannot say this"),
        ],
    )
    def test_a_change_of_what_is_not_there_is_refused(self, change: Change, message: str) -> None:
        refusal = _refusal(change)
        assert isinstance(refusal, UsageError)
        assert message in refusal.message

    @pytest.mark.parametrize(
        "change",
        [
            Change(thresholds=(("root", 4),)),
            Change(remove_principals=("alice", "bob")),
            Change(thresholds=(("lifter", 4),)),
            Change(withdraw=(("root", "alice"), ("root", "bob"))),
        ],
    )
    def test_a_role_that_could_never_act_is_refused(self, change: Change) -> None:
        assert isinstance(_refusal(change), RefusedError)

    def test_a_revoked_key_cannot_come_back(self) -> None:
        newest = history(bob_revoked()).newest
        change = Change(add_keys=(("bob", BOB.public_key),))
        with pytest.raises(UsageError, match="revoked, for good"):
            next_document(newest, change, issued_at=NEXT, from_index=10)


class TestProposal:
    def test_counts_signatures_until_both_versions_have_enough(self) -> None:
        data = following(first(), Change(note="moved"), ALICE)
        proposal = read_proposal(data, NAME, history())
        assert [key.keyid for key in proposal.signers] == [ALICE.public_key.keyid]
        assert proposal.missing == (
            "1 more of the 2 that version 1 asks for: bob, carol",
            "1 more of the 2 that version 2 asks for: bob, carol",
        )
        whole = sign_proposal(data, NAME, history(), [CAROL])
        assert read_proposal(whole, NAME, history()).missing == ()
        assert history(whole).newest.document.note == "moved"

    def test_signed_one_after_another_is_what_it_is_when_signed_at_once(self) -> None:
        data = following(first(), Change(note="moved"), BOB)
        assert sign_proposal(data, NAME, history(), [ALICE]) == following(
            first(), Change(note="moved"), ALICE, BOB
        )

    def test_asks_each_version_for_its_own_people(self) -> None:
        change = Change(remove_principals=("carol",), thresholds=(("suspender", 2),))
        proposal = read_proposal(following(first(), change, CAROL, ALICE), NAME, history())
        assert proposal.missing == ("1 more of the 2 that version 2 asks for: bob",)

    def test_one_person_with_two_keys_fills_one_place(self) -> None:
        data = following(first(), Change(note="moved"), CAROL, CAROLS_OTHER)
        assert len(read_proposal(data, NAME, history()).missing) == 2

    def test_a_stranger_cannot_sign(self) -> None:
        data = following(first(), Change(note="moved"), ALICE)
        with pytest.raises(RefusedError) as caught:
            sign_proposal(data, NAME, history(), [ERIN])
        assert caught.value.rule == "AV465"
        assert caught.value.found == f"keyid {ERIN.public_key.keyid}"

    def test_somebody_outside_the_root_role_cannot_sign(self) -> None:
        newest = first()
        change = Change(add_keys=(("erin", ERIN.public_key),), grant=(("suspender", "erin"),))
        document = next_document(newest, change, issued_at=NEXT, from_index=10)
        with pytest.raises(RefusedError, match="would not count"):
            require_root_keys(newest, document, [ERIN])
        require_root_keys(newest, document, [ALICE])

    def test_a_key_cannot_sign_twice(self) -> None:
        data = following(first(), Change(note="moved"), ALICE)
        with pytest.raises(RefusedError, match="would not count") as caught:
            sign_proposal(data, NAME, history(), [ALICE])
        assert caught.value.expected == "a key that has not signed it yet"

    def test_that_was_overtaken_by_another_is_refused(self) -> None:
        """Two proposals for version 2: when one has entered, the other follows nothing."""
        slow = following(first(), Change(note="moved"), ALICE)
        with pytest.raises(UntrustedError) as caught:
            read_proposal(slow, NAME, history(dave_joins()))
        assert caught.value.rule == "AV424"

    def test_with_a_forged_signature_is_refused(self) -> None:
        data = following(first(), Change(note="moved"), ALICE)
        other = following(first(), Change(note="other"), ALICE)
        signature = other.partition(b'"sig":"')[2].partition(b'"')[0]
        mixed = data.replace(data.partition(b'"sig":"')[2].partition(b'"')[0], signature)
        with pytest.raises(UntrustedError) as caught:
            read_proposal(mixed, NAME, history())
        assert caught.value.rule == "AV406"

    def test_the_first_version_is_no_proposal(self) -> None:
        with pytest.raises(UntrustedError):
            read_proposal(FIRST, NAME, history())
