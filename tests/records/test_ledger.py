"""The ledger: each way to falsify it, done to one valid ledger, and the rule that sees it."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_bytes, sha256_hex
from abverify._clock import timestamp
from abverify.errors import UntrustedError
from abverify.model.ids import GateId
from abverify.records.append import ContractVersion
from abverify.records.ledger import read_ledger
from abverify.records.record import Fault, contract_path
from abverify.records.trust import parse_root
from tests.records.simulator import (
    ROOT_PATH,
    START,
    V4,
    V5,
    V6,
    Simulator,
    contract_bytes,
    milestone,
    signer,
    solo,
)
from tests.records.test_trust import ALICE, BOB, document, signed

if TYPE_CHECKING:
    from collections.abc import Callable

INTRODUCTION = "gates/serve/V1_004/000001.amendment.dsse.json"
SUSPENSION = "gates/serve/V1_004/000002.suspension.dsse.json"
LIFT = "gates/serve/V1_004/000003.lift.dsse.json"
SUCCESSOR = "gates/serve/V1_005/000001.amendment.dsse.json"
DISCHARGE = "gates/serve/V1_005/000002.discharge.dsse.json"
CONTRACT = "contracts/_versions/serve/V1_004/1.0.0.yaml"


@pytest.fixture
def ledger() -> Simulator:
    return milestone()


def fault_of(simulator: Simulator, rule: str) -> Fault:
    """The first fault of that rule; the ledger must have one."""
    return next(fault for fault in simulator.ledger().faults if fault.rule == rule)


def predicate(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """A change of some top-level fields of the predicate."""
    return lambda statement: statement["predicate"].update(changes)


def place(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """A change of the record's place in its gate's chain."""
    return lambda statement: statement["predicate"]["gate"].update(changes)


def test_a_valid_ledger_has_no_fault_and_every_record_is_checked(ledger: Simulator) -> None:
    read = ledger.ledger()
    assert read.faults == ()
    assert (read.checked, read.total) == (5, 5)
    assert read.gates == (V4, V5)
    assert [record.kind for record in read.chain(V4)] == ["amendment", "suspension", "lift"]
    assert [record.path for record in read.chain(V5)] == [SUCCESSOR, DISCHARGE]
    assert read.chain(V6) == ()
    assert {record.issuers for record in read.records} == {("operator",)}


def test_a_record_is_found_by_the_digest_of_its_file(ledger: Simulator) -> None:
    found = ledger.ledger().find(sha256_hex(ledger.files[DISCHARGE]))
    assert found is not None
    assert found.path == DISCHARGE


def test_an_empty_ledger_has_nothing_and_no_fault() -> None:
    read = read_ledger({}, {}, {}, {}, now=START)
    assert (read.faults, read.total, read.root) == ((), 0, None)


def test_an_edited_payload(ledger: Simulator) -> None:
    value = json.loads(ledger.files[DISCHARGE])
    payload = base64.b64decode(value["payload"]).replace(b'"checked":20', b'"checked":19')
    ledger.files[DISCHARGE] = canonical_bytes(
        {**value, "payload": base64.b64encode(payload).decode()}
    )
    assert fault_of(ledger, "AV406").file == DISCHARGE


def test_a_record_signed_by_a_key_outside_the_trust_root(ledger: Simulator) -> None:
    ledger.rewrite(DISCHARGE, lambda _: None, signer("mallory"))
    assert fault_of(ledger, "AV406").found == f"key id {signer('mallory').public_key.keyid}"


def test_a_payload_that_is_no_statement(ledger: Simulator) -> None:
    ledger.rewrite(DISCHARGE, predicate(verdict="perhaps"))
    assert fault_of(ledger, "AV407").file == DISCHARGE


def test_a_record_under_the_name_of_another_kind(ledger: Simulator) -> None:
    moved = LIFT.replace("lift", "discharge")
    ledger.files[moved] = ledger.files.pop(LIFT)
    assert fault_of(ledger, "AV408") == Fault(
        moved, "AV408", "the file is not where its record belongs", LIFT, moved
    )


def test_a_record_in_the_directory_of_another_gate(ledger: Simulator) -> None:
    ledger.files[LIFT.replace("V1_004", "V1_005")] = ledger.files.pop(LIFT)
    assert "AV408" in ledger.rules()


@pytest.mark.parametrize(
    "path",
    [
        "gates/serve/V1_004/000004.lift.dsse.json.bak",
        "gates/serve/V1_004/4.lift.dsse.json",
        "gates/serve/V1_004/notes.txt",
        "gates/serve/V1_004/deep/000004.lift.dsse.json",
        "gates/SERVE/V1_004/000001.amendment.dsse.json",
        "gates/readme",
    ],
)
def test_a_stray_file_among_the_records(ledger: Simulator, path: str) -> None:
    ledger.files[path] = ledger.files[LIFT]
    assert [fault.file for fault in ledger.ledger().faults] == [path]
    assert ledger.rules() == ["AV408"]


@pytest.mark.parametrize(
    "path",
    [
        "gates/serve/V1_004/evidence/bench-1/manifest.json",
        "gates/_log/checkpoint",
        "gates/serve/V1_004/.abverify-x7f3",
    ],
)
def test_evidence_log_and_unfinished_writes_are_no_records(ledger: Simulator, path: str) -> None:
    ledger.files[path] = b"anything"
    assert ledger.rules() == []
    assert ledger.ledger().total == 5


def test_a_namespace_called_evidence_hides_nothing() -> None:
    simulator = Simulator()
    path = simulator.publish(GateId("evidence", "evidence"))
    assert simulator.ledger().checked == 1
    simulator.files[path] += b" "
    assert simulator.rules() == ["AV401"]


@pytest.mark.parametrize("path", [INTRODUCTION, SUSPENSION, SUCCESSOR, DISCHARGE])
def test_a_record_removed_from_the_middle(ledger: Simulator, path: str) -> None:
    del ledger.files[path]
    assert ledger.ledger().faults != ()


def test_the_gap_that_a_removed_record_leaves(ledger: Simulator) -> None:
    del ledger.files[SUSPENSION]
    assert fault_of(ledger, "AV409").expected == "record 2"
    assert fault_of(ledger, "AV409").found == "record 3"
    assert "AV410" in ledger.rules()


def test_a_record_renumbered_and_signed_again_to_close_the_gap(ledger: Simulator) -> None:
    """Its own signature is good; the digest of its predecessor is not."""
    del ledger.files[SUSPENSION]
    ledger.files[LIFT.replace("3.", "2.")] = ledger.files.pop(LIFT)
    ledger.rewrite(LIFT.replace("3.", "2."), place(seq=2))
    assert "AV410" in ledger.rules()


def test_two_records_in_one_place(ledger: Simulator) -> None:
    ledger.files[LIFT.replace("3.lift", "2.lift")] = ledger.files[LIFT]
    assert "AV409" in ledger.rules()


def test_two_records_swapped(ledger: Simulator) -> None:
    ledger.files[SUSPENSION], ledger.files[LIFT] = ledger.files[LIFT], ledger.files[SUSPENSION]
    assert {"AV408", "AV409", "AV410"} <= set(ledger.rules())


def test_a_record_signed_again_with_other_content(ledger: Simulator) -> None:
    """The insider holds the key, but what follows holds the old digest."""
    ledger.rewrite(SUSPENSION, predicate(reason="never mind"))
    assert ledger.rules() == ["AV410"]
    assert fault_of(ledger, "AV410").file == LIFT


def test_a_chain_whose_first_record_has_a_predecessor(ledger: Simulator) -> None:
    ledger.rewrite(SUCCESSOR, place(prior={"sha256": "0" * 64}))
    assert fault_of(ledger, "AV410").expected == "prior None"


def test_a_record_of_another_ledger(ledger: Simulator) -> None:
    ledger.rewrite(LIFT, predicate(ledger={"origin": "example.org/elsewhere"}))
    assert fault_of(ledger, "AV411") == Fault(
        LIFT,
        "AV411",
        "the record belongs to another ledger",
        "example.org/ledger",
        "example.org/elsewhere",
    )


@pytest.mark.parametrize("named", [{"version": 2}, {"sha256": "0" * 64}])
def test_a_record_issued_under_another_trust_root(ledger: Simulator, named: dict[str, Any]) -> None:
    ledger.rewrite(LIFT, lambda s: s["predicate"]["trustRoot"].update(named))
    assert ledger.rules() == ["AV412"]


def test_a_record_issued_before_the_one_it_follows(ledger: Simulator) -> None:
    ledger.rewrite(DISCHARGE, predicate(issuedAt=timestamp(START + timedelta(minutes=1))))
    assert fault_of(ledger, "AV413").message == "issued before the record it follows"


def test_a_record_from_the_future(ledger: Simulator) -> None:
    later = ledger.now + timedelta(minutes=5)
    ledger.rewrite(LIFT, predicate(issuedAt=timestamp(later)))
    assert ledger.rules() == []
    ledger.rewrite(LIFT, predicate(issuedAt=timestamp(later + timedelta(seconds=1))))
    assert fault_of(ledger, "AV413").message == "issued in the future"


def test_a_record_issued_before_the_trust_root(ledger: Simulator) -> None:
    ledger.rewrite(INTRODUCTION, predicate(issuedAt=timestamp(START - timedelta(seconds=1))))
    assert "issued while the trust root was not in force" in {
        fault.message for fault in ledger.ledger().faults
    }


def test_a_record_issued_after_the_trust_root_expired(ledger: Simulator) -> None:
    ledger.now = START + timedelta(days=800)
    ledger.rewrite(LIFT, predicate(issuedAt=timestamp(START + timedelta(days=730))))
    messages = {fault.message for fault in ledger.ledger().faults}
    assert "issued while the trust root was not in force" in messages


def test_old_records_stay_valid_after_the_trust_root_expired(ledger: Simulator) -> None:
    ledger.now = START + timedelta(days=4000)
    assert ledger.rules() == []


@pytest.mark.parametrize(
    "actor",
    [
        {"id": "alice", "role": "lifter"},
        {"id": "operator", "role": "amender"},
        {"id": "operator", "role": "root"},
    ],
)
def test_an_actor_who_did_not_sign_in_that_role(ledger: Simulator, actor: dict[str, str]) -> None:
    ledger.rewrite(LIFT, predicate(actor=actor))
    assert ledger.rules() == ["AV414"]
    assert fault_of(ledger, "AV414").expected == "operator as lifter"


def test_a_discharge_with_the_signature_of_one_of_two_stripped() -> None:
    team = Simulator(root=signed(document()), signers=(ALICE, BOB), actor="alice")
    team.publish(V4)
    discharge = team.discharge(V4)
    assert team.rules() == []
    value = json.loads(team.files[discharge])
    team.files[discharge] = canonical_bytes({**value, "signatures": value["signatures"][:1]})
    fault = fault_of(team, "AV414")
    assert fault.expected == "2 of role discharger: alice, bob, carol"


def test_a_flipped_byte_in_a_published_contract(ledger: Simulator) -> None:
    ledger.contracts[CONTRACT] = ledger.contracts[CONTRACT].replace(b"180", b"181")
    assert fault_of(ledger, "AV415") == Fault(
        CONTRACT,
        "AV415",
        "the published contract version is not the one that was signed",
        f"sha256 {sha256_hex(contract_bytes(V4, '1.0.0'))}",
        f"sha256 {sha256_hex(ledger.contracts[CONTRACT])}",
    )


def test_what_cites_a_faulty_record_is_named_too(ledger: Simulator) -> None:
    ledger.contracts[CONTRACT] += b"#"
    assert fault_of(ledger, "AV418").file == SUCCESSOR


def test_a_published_contract_that_is_missing(ledger: Simulator) -> None:
    del ledger.contracts[CONTRACT]
    assert fault_of(ledger, "AV415").file == CONTRACT


def test_a_record_whose_subject_is_another_gates_contract(ledger: Simulator) -> None:
    other = contract_path(V5, "1.0.0")
    subject = [{"name": other, "digest": {"sha256": sha256_hex(ledger.contracts[other])}}]
    ledger.rewrite(LIFT, lambda s: s.update(subject=subject))
    assert fault_of(ledger, "AV415").message == "the subject is another file"


@pytest.mark.parametrize(
    "data",
    [
        contract_bytes(V5, "1.0.0"),
        contract_bytes(V4, "1.0.1"),
        b"id: serve/V1_004\n",
        b"- no\n- contract\n",
        b"\xff\xfe",
    ],
)
def test_an_introduction_of_a_file_that_is_not_that_contract(data: bytes) -> None:
    simulator = Simulator()
    path = simulator.publish(V4)
    simulator.contracts[CONTRACT] = data
    digest = {"sha256": sha256_hex(data)}
    simulator.rewrite(path, lambda s: s["subject"][0].update(digest=digest))
    assert fault_of(simulator, "AV415").message == (
        "the contract is another gate's, or another version"
    )


def test_an_introduction_that_succeeds_what_its_contract_does_not_name(ledger: Simulator) -> None:
    ledger.rewrite(SUCCESSOR, predicate(supersedes=None))
    assert fault_of(ledger, "AV415").message == (
        "contract and introduction name different predecessors"
    )


def test_a_discharge_replayed_after_the_contract_was_amended() -> None:
    """The old discharge is copied to the end of the chain and signed again, subject unchanged."""
    simulator = Simulator()
    simulator.publish(V4)
    old = simulator.discharge(V4)
    newest = simulator.publish(V4, "2.0.0")
    replay = "gates/serve/V1_004/000004.discharge.dsse.json"
    simulator.files[replay] = simulator.files[old]
    prior = {"sha256": sha256_hex(simulator.files[newest])}
    moment = timestamp(simulator.now)

    def reissue(statement: dict[str, Any]) -> None:
        place(seq=4, prior=prior)(statement)
        predicate(issuedAt=moment)(statement)

    simulator.rewrite(replay, reissue)
    assert simulator.rules() == ["AV416"]
    assert fault_of(simulator, "AV416").message == (
        "the record is about a contract version that is not in force"
    )


def test_a_chain_that_does_not_begin_with_an_introduction(ledger: Simulator) -> None:
    del ledger.files[INTRODUCTION]
    ledger.files[INTRODUCTION.replace("amendment", "suspension")] = ledger.files.pop(SUSPENSION)
    del ledger.files[LIFT]
    ledger.rewrite(INTRODUCTION.replace("amendment", "suspension"), place(seq=1, prior=None))
    assert fault_of(ledger, "AV416").message == "the gate was never introduced"


def test_an_introduction_that_supersedes_its_own_gate() -> None:
    simulator = Simulator()
    path = simulator.publish(V4)
    own = {"gate": str(V4), "version": "0.9.0", "sha256": "0" * 64}
    simulator.rewrite(path, predicate(supersedes=own))
    assert "AV416" in simulator.rules()


@pytest.mark.parametrize(
    "superseded",
    [
        None,
        {"gate": "serve/V1_004", "version": "0.9.0", "sha256": "0" * 64},
        {"gate": "serve/V1_005", "version": "1.0.0", "sha256": "0" * 64},
    ],
)
def test_an_amendment_that_does_not_supersede_the_version_in_force(superseded: Any) -> None:
    simulator = Simulator()
    simulator.publish(V4)
    path = simulator.publish(V4, "1.1.0")
    simulator.rewrite(path, predicate(supersedes=superseded))
    assert "the amendment does not supersede the version in force" in {
        fault.message for fault in simulator.ledger().faults
    }


def test_an_amendment_that_lowers_the_version() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    path = simulator.publish(V4, "1.1.0")
    data = contract_bytes(V4, "0.9.0")
    name = contract_path(V4, "0.9.0")
    simulator.contracts[name] = data

    def lower(statement: dict[str, Any]) -> None:
        statement["subject"] = [{"name": name, "digest": {"sha256": sha256_hex(data)}}]
        place(contractVersion="0.9.0")(statement)

    simulator.rewrite(path, lower)
    assert simulator.rules() == ["AV416"]
    assert fault_of(simulator, "AV416").message == "the amendment does not raise the version"


@pytest.mark.parametrize("field", ["version", "sha256"])
def test_an_introduction_that_succeeds_what_was_never_published(field: str) -> None:
    simulator = Simulator()
    simulator.publish(V4)
    path = simulator.publish(V5, succeeds=V4)
    other = {"version": "9.9.9", "sha256": "0" * 64}[field]
    simulator.rewrite(path, lambda s: s["predicate"]["supersedes"].update({field: other}))
    assert simulator.rules() == ["AV418"]


def test_an_introduction_that_succeeds_a_gate_that_is_not_here() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    simulator.publish(V5, succeeds=V4)
    del simulator.files[INTRODUCTION]
    assert simulator.rules() == ["AV418"]


def test_an_amendment_that_publishes_the_same_version_again() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    with pytest.raises(UntrustedError, match="does not raise the version") as caught:
        simulator.publish(V4, "1.0.0")
    assert caught.value.rule == "AV416"


def test_a_discharge_of_a_contract_that_allows_no_time() -> None:
    simulator = Simulator()
    path = simulator.publish(V4)
    data = b"id: serve/V1_004\nversion: 1.0.0\n"
    simulator.contracts[CONTRACT] = data
    simulator.versions[V4] = ContractVersion("1.0.0", data)
    digest = {"sha256": sha256_hex(data)}
    simulator.rewrite(path, lambda s: s["subject"][0].update(digest=digest))
    simulator.relog()
    assert simulator.ledger().faults == ()
    with pytest.raises(UntrustedError) as caught:
        simulator.discharge(V4)
    assert caught.value.rule == "AV419"


def test_a_lift_from_before_the_discharge_it_cites(ledger: Simulator) -> None:
    ledger.rewrite(LIFT, predicate(issuedAt=timestamp(START + timedelta(hours=3))))
    assert ledger.rules() == ["AV417"]


def test_a_lift_stays_good_when_the_contract_is_amended_after_it() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    simulator.suspend(V4)
    simulator.discharge(V4)
    simulator.lift(V4)
    simulator.publish(V4, "2.0.0")
    assert simulator.rules() == []


@pytest.mark.parametrize("gate", [V4, V5])
def test_a_lift_by_a_discharge_that_an_amendment_had_ended(gate: GateId) -> None:
    """The lift is dated and placed after the amendment, in the same chain and in another."""
    simulator = Simulator()
    simulator.publish(V4)
    simulator.suspend(V4)
    simulator.publish(V5, succeeds=V4)
    simulator.discharge(gate)
    without = {**simulator.files}, {**simulator.log}, simulator.now
    lift = simulator.lift(V4)
    signed_lift = simulator.files[lift]
    simulator.files, simulator.log, simulator.now = without
    amendment = simulator.publish(gate, "2.0.0", succeeds=V4 if gate == V5 else None)
    moved = "gates/serve/V1_004/000005.lift.dsse.json" if gate == V4 else lift
    simulator.files[moved] = signed_lift
    now, basis = timestamp(simulator.now), simulator.basis()

    def reissue(statement: dict[str, Any]) -> None:
        predicate(issuedAt=now, basis=basis)(statement)
        if gate == V4:
            prior = {"sha256": sha256_hex(simulator.files[amendment])}
            place(seq=5, prior=prior, contractVersion="2.0.0")(statement)
            name = contract_path(V4, "2.0.0")
            digest = {"sha256": sha256_hex(simulator.contracts[name])}
            statement["subject"] = [{"name": name, "digest": digest}]

    simulator.rewrite(moved, reissue)
    assert simulator.rules() == ["AV417"]


def test_a_lift_of_a_suspension_that_is_not_here(ledger: Simulator) -> None:
    ledger.rewrite(LIFT, lambda s: s["predicate"]["suspension"].update(sha256="0" * 64))
    assert ledger.rules() == ["AV418"]


def test_a_lift_that_calls_the_suspension_by_another_name(ledger: Simulator) -> None:
    ledger.rewrite(LIFT, lambda s: s["predicate"]["suspension"].update(id="M281"))
    assert ledger.rules() == ["AV418"]


@pytest.mark.parametrize("field", ["gate", "sha256"])
def test_a_lift_by_a_discharge_that_is_not_here(ledger: Simulator, field: str) -> None:
    other = {"gate": "serve/V1_004", "sha256": "0" * 64}[field]
    ledger.rewrite(LIFT, lambda s: s["predicate"]["satisfiedBy"][0].update({field: other}))
    assert "AV418" in ledger.rules()


def test_a_lift_that_cites_a_record_that_is_no_discharge(ledger: Simulator) -> None:
    digest = sha256_hex(ledger.files[SUCCESSOR])
    ledger.rewrite(LIFT, lambda s: s["predicate"]["satisfiedBy"][0].update(sha256=digest))
    assert ledger.rules() == ["AV417"]


def test_a_lift_by_a_discharge_whose_validity_was_over() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    simulator.suspend(V4)
    simulator.discharge(V4, days=1)
    lift = simulator.lift(V4)
    simulator.now += timedelta(days=30)
    simulator.rewrite(lift, predicate(issuedAt=timestamp(simulator.now)))
    assert simulator.rules() == ["AV417"]


def test_a_lift_by_the_discharge_of_a_gate_that_succeeds_nothing() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    simulator.suspend(V4)
    simulator.publish(V6)
    simulator.suspend(V6, "M999", scope="elsewhere")
    discharge = simulator.discharge(V6)
    lift = simulator.lift(V6, "M999")
    suspension = sha256_hex(simulator.files[SUSPENSION])
    simulator.rewrite(lift, predicate(suspension={"id": "M280", "sha256": suspension}))
    assert discharge.endswith("000003.discharge.dsse.json")
    assert simulator.rules() == ["AV417"]
    assert "leaves a condition of M280 open" in fault_of(simulator, "AV417").message


@pytest.mark.parametrize("days", [0, -1, 181])
def test_a_discharge_that_counts_for_longer_than_its_contract_allows_or_not_at_all(
    ledger: Simulator, days: int
) -> None:
    issued = START + timedelta(hours=4)
    until = timestamp(issued + timedelta(days=days))
    ledger.rewrite(DISCHARGE, predicate(validUntil=until))
    assert "AV419" in ledger.rules()


def test_a_retraction_of_a_record_that_is_not_here(ledger: Simulator) -> None:
    path = ledger.retract(V5, DISCHARGE)
    ledger.rewrite(path, predicate(target={"sha256": "0" * 64}))
    assert ledger.rules() == ["AV420"]


def test_a_retraction_of_a_suspension(ledger: Simulator) -> None:
    path = ledger.retract(V5, DISCHARGE)
    target = {"sha256": sha256_hex(ledger.files[SUSPENSION])}
    ledger.rewrite(path, predicate(target=target))
    assert ledger.rules() == ["AV420"]


def test_a_retraction_of_a_retraction(ledger: Simulator) -> None:
    first = ledger.retract(V5, DISCHARGE)
    second = ledger.retract(V5, LIFT)
    ledger.rewrite(second, predicate(target={"sha256": sha256_hex(ledger.files[first])}))
    assert ledger.rules() == ["AV420"]


@pytest.mark.parametrize(
    "roots",
    [
        pytest.param({}, id="none"),
        pytest.param({ROOT_PATH: solo(), "gates/_trust/2.root.dsse.json": solo()}, id="two"),
        pytest.param({"gates/_trust/2.root.dsse.json": solo()}, id="version 1 under the name 2"),
        pytest.param({"gates/_trust/root.json": solo()}, id="another name"),
    ],
)
def test_a_ledger_without_exactly_one_trust_root(
    ledger: Simulator, roots: dict[str, bytes]
) -> None:
    read = read_ledger(ledger.files, ledger.contracts, roots, ledger.log, now=ledger.now)
    assert [fault.rule for fault in read.faults] == ["AV424"]
    assert (read.checked, read.total) == (0, 5)


def test_a_trust_root_of_a_later_version_alone_is_refused() -> None:
    value = document(version=2, prevSha256="0" * 64, fromIndex=0)
    roots = {"gates/_trust/2.root.dsse.json": signed(value)}
    read = read_ledger({}, {}, roots, {}, now=START)
    assert [fault.rule for fault in read.faults] == ["AV424"]


def test_a_trust_root_replaced_by_another_that_is_sound_in_itself(ledger: Simulator) -> None:
    roots = {ROOT_PATH: solo(signer("mallory"))}
    read = read_ledger(ledger.files, ledger.contracts, roots, ledger.log, now=ledger.now)
    assert {fault.rule for fault in read.faults} == {"AV406", "AV450"}


def test_a_whole_ledger_replaced_is_seen_by_a_pin_and_by_nothing_else() -> None:
    forger = signer("mallory")
    forged = Simulator(root=solo(forger), signers=(forger,))
    forged.publish(V4)
    forged.discharge(V4)
    roots = {ROOT_PATH: forged.root}
    pin = parse_root(solo(), ROOT_PATH).sha256
    assert forged.rules() == []
    read = read_ledger(
        forged.files, forged.contracts, roots, forged.log, now=forged.now, pinned_root=pin
    )
    assert [fault.rule for fault in read.faults] == ["AV424"]
    assert read.faults[0].expected == f"sha256 {pin}"


def test_the_pinned_trust_root_is_accepted(ledger: Simulator) -> None:
    pin = parse_root(solo(), ROOT_PATH).sha256
    read = read_ledger(
        ledger.files,
        ledger.contracts,
        {ROOT_PATH: solo()},
        ledger.log,
        now=ledger.now,
        pinned_root=pin,
    )
    assert read.faults == ()


def test_every_fault_is_reported_and_not_only_the_first(ledger: Simulator) -> None:
    for path in (SUSPENSION, DISCHARGE):
        ledger.files[path] = ledger.files[path][:-1]
    ledger.contracts[CONTRACT] += b"#"
    files = {fault.file for fault in ledger.ledger().faults}
    assert {SUSPENSION, DISCHARGE, CONTRACT} <= files


def test_removing_the_last_record_of_a_chain_is_not_seen_until_there_is_a_log() -> None:
    """A known limit, stated in the documentation: what is left is a whole chain."""
    simulator = Simulator()
    simulator.publish(V4)
    suspension = simulator.suspend(V4)
    del simulator.files[suspension]
    assert simulator.rules() == []


def test_a_published_version_that_no_record_is_about_is_named(ledger: Simulator) -> None:
    assert ledger.ledger().unvouched() == ()
    stray = contract_path(V6, "1.0.0")
    ledger.contracts[stray] = contract_bytes(V6, "1.0.0")
    assert ledger.ledger().unvouched() == (stray,)


def test_the_evidence_that_decisions_cite_is_listed(ledger: Simulator) -> None:
    ((record, bundle),) = ledger.ledger().cited_evidence()
    assert record.path == DISCHARGE
    assert bundle.manifest_sha256 == sha256_hex(b"bench-1")


def test_an_earlier_ledger_is_read_by_moment_or_by_heads(ledger: Simulator) -> None:
    read = ledger.ledger()
    first_two = read.as_of(START + timedelta(hours=2))
    assert [record.path for record in first_two.records] == [INTRODUCTION, SUSPENSION]
    cut = read.up_to({V4: 2})
    assert [record.path for record in cut.records] == [INTRODUCTION, SUSPENSION]


def test_reading_does_not_depend_on_the_order_of_the_files(ledger: Simulator) -> None:
    backwards = dict(reversed(ledger.files.items()))
    read = read_ledger(
        backwards, ledger.contracts, {ROOT_PATH: ledger.root}, ledger.log, now=ledger.now
    )
    assert read.records == ledger.ledger().records
