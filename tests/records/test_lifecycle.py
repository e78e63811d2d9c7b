"""The fold: a test for each rule of the lifecycle, by its number."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from abverify.records.bodies import AllGates, Retraction, Suspension
from abverify.records.fields import Digest
from abverify.records.lifecycle import gate_state, scope_state, scope_states, unlifted
from tests.records.simulator import V4, V5, V6, Simulator, milestone

if TYPE_CHECKING:
    from abverify.model.ids import GateId


@pytest.fixture
def simulator() -> Simulator:
    """V1_004, introduced and nothing more."""
    simulator = Simulator()
    simulator.publish(V4)
    return simulator


def state(simulator: Simulator, gate: GateId = V4) -> str:
    ledger = simulator.ledger()
    assert ledger.faults == ()
    return gate_state(ledger, gate, simulator.now).state


def scope(simulator: Simulator, name: str = "phase-6") -> str:
    return scope_state(simulator.ledger(), name).state


def test_rule_1_an_earlier_ledger_gives_the_earlier_state(simulator: Simulator) -> None:
    before = simulator.now
    simulator.discharge(V4)
    ledger = simulator.ledger()
    assert gate_state(ledger, V4, simulator.now).state == "discharged"
    assert gate_state(ledger.up_to({V4: 1}), V4, simulator.now).state == "proposed"
    earlier = ledger.as_of(before - timedelta(minutes=1))
    assert gate_state(earlier, V4, before).state == "proposed"


def test_rule_2_a_gate_that_was_never_introduced_is_unknown(simulator: Simulator) -> None:
    found = gate_state(simulator.ledger(), V6, simulator.now)
    assert (found.state, found.why, found.version) == ("unknown", "never introduced", None)


def test_rule_3_the_newest_amendment_says_which_version_is_in_force(simulator: Simulator) -> None:
    simulator.publish(V4, "1.10.0")
    found = gate_state(simulator.ledger(), V4, simulator.now)
    assert (found.version, found.published_seq) == ("1.10.0", 2)


def test_rule_4_a_gate_whose_introduction_was_retracted_is_retracted(simulator: Simulator) -> None:
    simulator.discharge(V4)
    simulator.retract(V4, "gates/serve/V1_004/000001.amendment.dsse.json")
    assert state(simulator) == "retracted"


def test_rule_4_a_gate_whose_discharge_was_retracted_is_retracted(simulator: Simulator) -> None:
    discharge = simulator.discharge(V4)
    simulator.retract(V4, discharge)
    assert state(simulator) == "retracted"
    simulator.discharge(V4)
    assert state(simulator) == "discharged"


def test_rule_4_a_new_amendment_ends_a_retraction(simulator: Simulator) -> None:
    simulator.retract(V4, "gates/serve/V1_004/000001.amendment.dsse.json")
    simulator.publish(V4, "1.0.1")
    assert state(simulator) == "proposed"


def test_rule_5_a_gate_that_a_suspension_names_is_suspended_even_when_discharged(
    simulator: Simulator,
) -> None:
    simulator.suspend(V4, gates=(str(V4),))
    assert state(simulator) == "suspended"
    simulator.discharge(V4)
    assert state(simulator) == "suspended"
    simulator.lift(V4)
    assert state(simulator) == "discharged"


def test_rule_5_a_suspension_of_a_scope_alone_leaves_its_gate_as_it_is(
    simulator: Simulator,
) -> None:
    simulator.suspend(V4)
    assert state(simulator) == "proposed"


def test_rule_6_a_gate_is_discharged_up_to_the_last_second_of_its_validity(
    simulator: Simulator,
) -> None:
    simulator.discharge(V4, days=30)
    ledger = simulator.ledger()
    found = gate_state(ledger, V4, simulator.now)
    assert found.state == "discharged"
    assert found.valid_until is not None
    last = found.valid_until - timedelta(seconds=1)
    assert gate_state(ledger, V4, last).state == "discharged"
    assert gate_state(ledger, V4, found.valid_until).state == "lapsed"


def test_rule_7_a_gate_lapses_when_its_contract_is_amended(simulator: Simulator) -> None:
    discharge = simulator.discharge(V4)
    simulator.publish(V4, "1.0.1")
    found = gate_state(simulator.ledger(), V4, simulator.now)
    assert (found.state, found.why) == (
        "lapsed",
        f"the contract was amended after {discharge}",
    )


def test_rule_7_a_discharge_that_was_retracted_before_the_amendment_did_not_lapse(
    simulator: Simulator,
) -> None:
    simulator.retract(V4, simulator.discharge(V4))
    simulator.publish(V4, "1.0.1")
    assert state(simulator) == "proposed"


def test_rule_8_a_non_discharge_leaves_a_gate_proposed(simulator: Simulator) -> None:
    simulator.non_discharge(V4)
    assert state(simulator) == "proposed"


def test_rule_8_a_non_discharge_ends_the_discharge_before_it(simulator: Simulator) -> None:
    simulator.discharge(V4)
    non_discharge = simulator.non_discharge(V4)
    assert state(simulator) == "proposed"
    simulator.retract(V4, non_discharge)
    assert state(simulator) == "proposed"


def test_rule_9_retraction_outweighs_suspension(simulator: Simulator) -> None:
    simulator.suspend(V4, gates=(str(V4),))
    simulator.retract(V4, "gates/serve/V1_004/000001.amendment.dsse.json")
    assert state(simulator) == "retracted"


def test_rule_9_suspension_outweighs_lapse(simulator: Simulator) -> None:
    simulator.discharge(V4)
    simulator.publish(V4, "1.0.1")
    assert state(simulator) == "lapsed"
    simulator.suspend(V4, gates=(str(V4),))
    assert state(simulator) == "suspended"


def test_rule_10_retracting_a_discharge_voids_the_lift_that_cites_it() -> None:
    simulator = milestone()
    assert scope(simulator) == "open"
    simulator.retract(V5, "gates/serve/V1_005/000002.discharge.dsse.json")
    assert scope(simulator) == "suspended"


def test_rule_10_retracting_an_introduction_voids_its_discharge_and_the_lift_by_it() -> None:
    simulator = milestone()
    simulator.retract(V5, "gates/serve/V1_005/000001.amendment.dsse.json")
    assert state(simulator, V5) == "retracted"
    assert scope(simulator) == "suspended"


def test_rule_10_retracting_a_lift_suspends_again() -> None:
    simulator = milestone()
    simulator.retract(V4, "gates/serve/V1_004/000003.lift.dsse.json")
    assert scope(simulator) == "suspended"
    assert state(simulator, V5) == "discharged"
    simulator.lift(V4)
    assert scope(simulator) == "open"


def test_rule_10_retracting_a_predecessor_leaves_its_successor_standing() -> None:
    simulator = milestone()
    simulator.retract(V4, "gates/serve/V1_004/000001.amendment.dsse.json")
    assert state(simulator, V4) == "retracted"
    assert state(simulator, V5) == "discharged"
    assert scope(simulator) == "open"


def test_rule_11_a_scope_stays_open_when_the_discharge_merely_lapses() -> None:
    simulator = milestone()
    simulator.now += timedelta(days=365)
    assert state(simulator, V5) == "lapsed"
    assert scope(simulator) == "open"
    simulator.publish(V5, "2.0.0")
    assert scope(simulator) == "open"


def test_rule_12_a_version_succeeds_through_amendments_and_introductions() -> None:
    """M280 names V1_004 1.0.0; what is discharged is V1_006, three signed steps away."""
    simulator = Simulator()
    simulator.publish(V4)
    simulator.suspend(V4)
    simulator.publish(V4, "1.1.0")
    simulator.publish(V5, succeeds=V4)
    simulator.publish(V6, succeeds=V5)
    simulator.discharge(V6)
    simulator.lift(V6)
    assert scope(simulator) == "open"


def test_rule_12_a_retracted_link_breaks_the_succession() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    simulator.suspend(V4)
    link = simulator.publish(V5, succeeds=V4)
    simulator.publish(V6, succeeds=V5)
    simulator.discharge(V6)
    simulator.lift(V6)
    simulator.retract(V5, link)
    assert state(simulator, V6) == "discharged"
    assert scope(simulator) == "suspended"


def test_rule_12_all_of_needs_every_gate() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    simulator.publish(V6)
    both = AllGates(all_of=(simulator.condition(V4), simulator.condition(V6)))
    simulator.append(
        V4, Suspension(suspension_id="M300", scope="phase-7", gates=(), lift_when=both)
    )
    simulator.discharge(V4)
    first_of_v6 = simulator.discharge(V6)
    simulator.lift(V4, "M300")
    assert scope(simulator, "phase-7") == "open"
    simulator.retract(V6, first_of_v6)
    assert scope(simulator, "phase-7") == "suspended"


def test_rule_13_a_scope_is_held_by_every_unlifted_suspension() -> None:
    simulator = milestone()
    simulator.suspend(V4, "M281")
    simulator.suspend(V5, "M282")
    (found,) = scope_states(simulator.ledger())
    assert (found.scope, found.state) == ("phase-6", "suspended")
    assert found.suspension_ids == ("M281", "M282")
    simulator.lift(V5, "M282")
    assert scope_states(simulator.ledger())[0].suspension_ids == ("M281",)


def test_rule_13_scopes_are_listed_by_name(simulator: Simulator) -> None:
    simulator.suspend(V4, "M1", scope="b")
    simulator.suspend(V4, "M2", scope="a")
    simulator.suspend(V4, "M3", scope=None, gates=(str(V4),))
    assert [item.scope for item in scope_states(simulator.ledger())] == ["a", "b"]
    assert len(unlifted(simulator.ledger())) == 3


def test_rule_13_a_scope_that_nothing_ever_named_is_open(simulator: Simulator) -> None:
    assert scope(simulator, "phase-9") == "open"


def test_rule_14_with_a_fault_anywhere_nothing_is_discharged_and_no_scope_is_open() -> None:
    simulator = milestone()
    simulator.publish(V6)
    simulator.files["gates/serve/V1_006/stray"] = b""
    ledger = simulator.ledger()
    for gate in (V4, V5, V6):
        found = gate_state(ledger, gate, simulator.now)
        assert (found.state, found.why) == ("unknown", "the ledger has 1 faults")
    assert scope_state(ledger, "phase-6").state == "suspended"
    assert scope_state(ledger, "phase-9").state == "suspended"


def test_rule_14_a_fault_does_not_hide_that_a_gate_lapsed_or_is_suspended() -> None:
    simulator = Simulator()
    simulator.publish(V4)
    simulator.discharge(V4)
    simulator.publish(V4, "2.0.0")
    simulator.publish(V5)
    simulator.suspend(V5, gates=(str(V5),))
    simulator.files["gates/serve/V1_004/stray"] = b""
    ledger = simulator.ledger()
    assert gate_state(ledger, V4, simulator.now).state == "lapsed"
    assert gate_state(ledger, V5, simulator.now).state == "suspended"


def test_rule_14_without_a_trust_root_every_gate_is_unknown() -> None:
    simulator = milestone()
    simulator.root = simulator.root[:-1]
    found = gate_state(simulator.ledger(), V5, simulator.now)
    assert found.state == "unknown"
    assert "fault" in found.why


def test_a_retraction_says_why(simulator: Simulator) -> None:
    path = simulator.retract(V4, "gates/serve/V1_004/000001.amendment.dsse.json")
    (retraction,) = [r for r in simulator.ledger().records if r.path == path]
    assert isinstance(retraction.body, Retraction)
    assert isinstance(retraction.body.target, Digest)
    assert retraction.body.cause == "evidenceInvalid"
