"""Appending: what is handed out verifies already, and what would not is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from abverify.errors import AbverifyError, RefusedError, UntrustedError
from abverify.records.append import ContractVersion, append
from abverify.records.bodies import AllGates, Amendment, AnyGate, Lift, LiftCondition, Suspension
from abverify.records.ledger import read_ledger
from abverify.records.lifting import (
    Refusal,
    covering,
    find_suspension,
    lift_body,
    lift_refusal,
    missing_conditions,
)
from abverify.records.record import Record
from tests.records.simulator import OPERATOR, START, V4, V5, V6, Simulator, milestone, signer
from tests.records.test_trust import ALICE, BOB, CAROL, document, signed

SUSPENSION = "gates/serve/V1_004/000002.suspension.dsse.json"


@pytest.fixture
def held() -> Simulator:
    """V1_004 introduced, and M280 over phase-6 until it is discharged."""
    simulator = Simulator()
    simulator.publish(V4)
    simulator.suspend(V4)
    return simulator


def _suspension(simulator: Simulator, name: str = "M280") -> Record:
    found = find_suspension(simulator.ledger(), name)
    assert isinstance(found, Record)
    return found


def _add(simulator: Simulator, *, reason: str = "as the test says", actor: str = "operator") -> str:
    done = append(
        simulator.ledger(),
        V6,
        Amendment(supersedes=None, change_class=None, pins={"fixtures/prompts/a.md": "0" * 64}),
        subject=ContractVersion(
            "1.0.0", b"id: serve/V1_006\nversion: 1.0.0\nevidence: {valid_days: 1}\n"
        ),
        signers=simulator.signers,
        actor=actor,
        reason=reason,
        now=simulator.now,
    )
    return done.path


def test_the_first_record_of_a_gate_has_number_one_and_no_predecessor(held: Simulator) -> None:
    assert _add(held) == "gates/serve/V1_006/000001.amendment.dsse.json"


def test_the_same_record_at_the_same_moment_has_the_same_bytes(held: Simulator) -> None:
    """Ed25519 and canonical bytes leave no room: recording can be repeated and compared."""
    again = Simulator()
    again.publish(V4)
    again.suspend(V4)
    assert again.files == held.files


def test_a_ledger_with_a_fault_takes_no_record(held: Simulator) -> None:
    held.files["gates/serve/V1_004/stray"] = b""
    with pytest.raises(UntrustedError) as caught:
        _add(held)
    assert caught.value.rule == "AV425"
    assert caught.value.found is not None
    assert caught.value.found.startswith("AV408: ")


def test_a_ledger_without_a_trust_root_takes_no_record() -> None:
    with pytest.raises(UntrustedError) as caught:
        append(
            read_ledger({}, {}, {}, {}, now=START),
            V4,
            Amendment(supersedes=None, change_class=None, pins={}),
            subject=ContractVersion("1.0.0", b""),
            signers=[OPERATOR],
            actor="operator",
            reason="none",
            now=START,
        )
    assert caught.value.rule == "AV424"


def test_somebody_who_may_not_issue_it_is_refused(held: Simulator) -> None:
    held.signers = (signer("mallory"),)
    with pytest.raises(UntrustedError) as caught:
        _add(held)
    assert caught.value.rule == "AV406"


def test_an_actor_who_does_not_sign_is_refused(held: Simulator) -> None:
    with pytest.raises(UntrustedError) as caught:
        _add(held, actor="alice")
    assert caught.value.rule == "AV414"


def test_below_the_threshold_nothing_is_recorded() -> None:
    team = Simulator(root=signed(document()), signers=(ALICE,), actor="alice")
    with pytest.raises(UntrustedError) as caught:
        team.publish(V4)
    assert (caught.value.rule, caught.value.found) == ("AV414", "alice")


def test_with_the_threshold_met_the_issuers_are_named() -> None:
    team = Simulator(root=signed(document()), signers=(ALICE, BOB, CAROL), actor="bob")
    team.publish(V4)
    assert team.ledger().chain(V4)[0].issuers == ("alice", "bob", "carol")


def test_after_the_trust_root_expired_nothing_is_recorded(held: Simulator) -> None:
    held.now = START + timedelta(days=730)
    with pytest.raises(UntrustedError, match="not in force") as caught:
        _add(held)
    assert caught.value.rule == "AV413"


def test_a_record_that_breaks_a_rule_of_the_chain_is_refused(held: Simulator) -> None:
    held.versions[V4] = ContractVersion("1.0.0", b"id: serve/V1_004\nversion: 1.0.0\n")
    with pytest.raises(AbverifyError):
        held.discharge(V4)


def test_a_reason_with_a_hidden_character_is_refused(held: Simulator) -> None:
    with pytest.raises(ValidationError, match=r"U\+202E"):
        _add(held, reason="fine\u202e")


def test_the_name_of_a_suspension_is_used_once(held: Simulator) -> None:
    with pytest.raises(RefusedError, match="M280 already") as caught:
        held.suspend(V4, scope="phase-7")
    assert caught.value.rule == "AV426"


@pytest.mark.parametrize("gate", ["serve/V1_004", "serve/V1_009"])
def test_a_suspension_that_could_never_be_lifted_is_refused(held: Simulator, gate: str) -> None:
    never = LiftCondition(gate=gate, contract_sha256="0" * 64)
    body = Suspension(suspension_id="M1", scope="x", gates=(), lift_when=AnyGate(any_of=(never,)))
    with pytest.raises(RefusedError) as caught:
        held.append(V4, body)
    assert caught.value.rule == "AV428"


def test_a_lift_is_refused_while_no_condition_is_covered(held: Simulator) -> None:
    refusal = lift_refusal(held.ledger(), "M280", held.now)
    assert refusal is not None
    assert refusal.rule == "AV427"
    assert refusal.message == "M280 still holds: this gate is not discharged: serve/V1_004"
    assert refusal.missing == (held.condition(V4),)


def test_a_lift_is_refused_by_append_as_well(held: Simulator) -> None:
    early = held.ledger()
    held.discharge(V4)
    body = lift_body(held.ledger(), _suspension(held), held.now)
    with pytest.raises(RefusedError) as caught:
        append(
            early,
            V4,
            body,
            subject=held.versions[V4],
            signers=held.signers,
            actor="operator",
            reason="too early",
            now=held.now,
        )
    assert caught.value.rule == "AV427"


@pytest.mark.parametrize("ending", ["amended", "expired", "retracted", "not met since"])
def test_a_discharge_that_is_no_longer_live_covers_nothing(held: Simulator, ending: str) -> None:
    discharge = held.discharge(V4, days=30)
    assert lift_refusal(held.ledger(), "M280", held.now) is None
    match ending:
        case "amended":
            held.publish(V4, "2.0.0")
        case "expired":
            held.now += timedelta(days=31)
        case "retracted":
            held.retract(V4, discharge)
        case _:
            held.non_discharge(V4)
    assert covering(held.ledger(), _suspension(held), held.now) == ()
    assert lift_refusal(held.ledger(), "M280", held.now) is not None


def test_a_successor_covers_and_a_stranger_does_not(held: Simulator) -> None:
    held.publish(V6)
    held.discharge(V6)
    assert missing_conditions(held.ledger(), _suspension(held), held.now) != ()
    held.publish(V5, succeeds=V4)
    discharge = held.discharge(V5)
    body = lift_body(held.ledger(), _suspension(held), held.now)
    assert isinstance(body, Lift)
    assert [item.gate for item in body.satisfied_by] == ["serve/V1_005"]
    assert body.suspension.sha256 == _suspension(held).sha256
    assert [record.path for record in covering(held.ledger(), _suspension(held), held.now)] == [
        discharge
    ]


def test_all_of_is_refused_while_one_gate_is_missing_and_names_that_one() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    simulator.publish(V6)
    both = AllGates(all_of=(simulator.condition(V4), simulator.condition(V6)))
    simulator.append(V4, Suspension(suspension_id="M3", scope="x", gates=(), lift_when=both))
    simulator.discharge(V4)
    refusal = lift_refusal(simulator.ledger(), "M3", simulator.now)
    assert refusal is not None
    assert refusal.missing == (simulator.condition(V6),)
    simulator.discharge(V6)
    assert lift_refusal(simulator.ledger(), "M3", simulator.now) is None


def test_a_suspension_that_is_lifted_or_unknown_is_named_as_such() -> None:
    simulator = milestone()
    for name in ("M280", "M281"):
        refusal = find_suspension(simulator.ledger(), name)
        assert isinstance(refusal, Refusal)
        assert refusal.rule == "AV426"
        assert refusal.message.endswith("there are: none")


def test_two_suspensions_of_one_name_must_be_named_by_digest() -> None:
    """Two branches may merge so; neither is hidden behind the other."""
    simulator = Simulator()
    simulator.publish(V4)
    simulator.publish(V5)
    simulator.suspend(V4, "M280")
    path = simulator.suspend(V5, "M281")
    simulator.rewrite(path, lambda s: s["predicate"].update(suspensionId="M280"))
    simulator.relog()
    ledger = simulator.ledger()
    assert ledger.faults == ()
    refusal = find_suspension(ledger, "M280")
    assert isinstance(refusal, Refusal)
    second = ledger.chain(V5)[1]
    assert second.sha256 in refusal.message
    assert find_suspension(ledger, second.sha256) == second


def test_a_lift_is_refused_in_a_ledger_with_faults(held: Simulator) -> None:
    held.discharge(V4)
    held.files["gates/serve/V1_004/stray"] = b""
    refusal = lift_refusal(held.ledger(), "M280", held.now)
    assert refusal is not None
    assert refusal.rule == "AV425"
