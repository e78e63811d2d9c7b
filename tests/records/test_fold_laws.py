"""Laws of the fold, over arbitrary histories: what may open a scope, and what never does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from abverify.records.ledger import Ledger, read_ledger
from abverify.records.lifecycle import gate_state, scope_states, unlifted
from abverify.records.lifting import find_suspension, lift_refusal
from abverify.records.record import Record
from tests.records.simulator import ROOT_PATH, V4, V5, V6, Simulator

if TYPE_CHECKING:
    from random import Random

    from abverify.model.ids import GateId

GATES = (V4, V5, V6)
ACTS = ("amend", "discharge", "not met", "suspend", "suspend gate", "lift", "retract", "wait")
steps = st.lists(
    st.tuples(st.sampled_from(ACTS), st.sampled_from(GATES), st.integers(0, 11)), max_size=9
)


def _begin() -> Simulator:
    simulator = Simulator()
    simulator.publish(V4)
    simulator.suspend(V4, "M0")
    simulator.publish(V5, succeeds=V4)
    simulator.publish(V6)
    return simulator


def _act(simulator: Simulator, act: str, gate: GateId, choice: int) -> str:
    """Does one thing if the rules allow it; the act, or `nothing` when they do not."""
    name = f"M{len(simulator.files)}"
    match act:
        case "amend":
            major = int(simulator.versions[gate].version.split(".")[0]) + 1
            simulator.publish(gate, f"{major}.0.0", succeeds=V4 if gate == V5 else None)
        case "discharge":
            simulator.discharge(gate, days=1 + choice)
        case "not met":
            simulator.non_discharge(gate)
        case "suspend":
            simulator.suspend(gate, name, scope=f"phase-{choice % 2}")
        case "suspend gate":
            simulator.suspend(gate, name, scope=None, gates=(str(GATES[choice % 3]),))
        case "wait":
            simulator.now += timedelta(days=choice)
        case "lift":
            return _lift(simulator, gate, choice)
        case _:
            return _retract(simulator, gate, choice)
    return act


def _lift(simulator: Simulator, gate: GateId, choice: int) -> str:
    ledger = simulator.ledger()
    holding = unlifted(ledger)
    if not holding:
        return "nothing"
    digest = holding[choice % len(holding)].sha256
    if lift_refusal(ledger, digest, simulator.now) is not None:
        return "nothing"
    assert isinstance(find_suspension(ledger, digest), Record)
    simulator.lift(gate, digest)
    return "lift"


def _retract(simulator: Simulator, gate: GateId, choice: int) -> str:
    targets = [
        record.path
        for record in simulator.ledger().records
        if record.kind not in ("suspension", "retraction")
    ]
    simulator.retract(gate, targets[choice % len(targets)])
    return "retract"


def _view(ledger: Ledger, simulator: Simulator) -> tuple[set[str], set[str], set[str]]:
    """Discharged gates, open scopes, and unlifted suspensions."""
    discharged = {
        str(gate) for gate in GATES if gate_state(ledger, gate, simulator.now).state == "discharged"
    }
    opened = {scope.scope for scope in scope_states(ledger) if scope.state == "open"}
    return discharged, opened, {record.sha256 for record in unlifted(ledger)}


@settings(max_examples=40)
@given(steps)
def test_only_a_lift_opens_a_scope_and_only_a_discharge_or_a_lift_discharges_a_gate(
    history: list[tuple[str, GateId, int]],
) -> None:
    simulator = _begin()
    discharged, opened, holding = _view(simulator.ledger(), simulator)
    for act, gate, choice in history:
        done = _act(simulator, act, gate, choice)
        ledger = simulator.ledger()
        assert ledger.faults == ()
        now_discharged, now_opened, now_holding = _view(ledger, simulator)
        if done != "lift":
            assert holding <= now_holding
            assert now_opened <= opened
        gained = now_discharged - discharged
        assert not gained or done == "lift" or (done == "discharge" and gained == {str(gate)})
        discharged, opened, holding = now_discharged, now_opened, now_holding


@settings(max_examples=20)
@given(steps, st.randoms(use_true_random=False))
def test_the_order_in_which_gates_are_read_changes_nothing(
    history: list[tuple[str, GateId, int]], random: Random
) -> None:
    simulator = _begin()
    for act, gate, choice in history:
        _act(simulator, act, gate, choice)
    ledger = simulator.ledger()
    paths = list(simulator.files)
    random.shuffle(paths)
    shuffled = read_ledger(
        {path: simulator.files[path] for path in paths},
        simulator.contracts,
        {ROOT_PATH: simulator.root},
        simulator.log,
        now=simulator.now,
    )
    backwards = Ledger(
        ledger.root,
        dict(sorted(ledger.chains.items(), reverse=True)),
        ledger.faults,
        ledger.total,
        ledger.files,
        ledger.contracts,
    )
    assert _view(shuffled, simulator) == _view(ledger, simulator)
    assert _view(backwards, simulator) == _view(ledger, simulator)


@settings(max_examples=20)
@given(steps)
def test_every_earlier_ledger_reads_as_it_did_then(
    history: list[tuple[str, GateId, int]],
) -> None:
    simulator = _begin()
    seen = []
    for act, gate, choice in history:
        _act(simulator, act, gate, choice)
        heads = {g: len(simulator.ledger().chain(g)) for g in GATES}
        seen.append((heads, simulator.now, _view(simulator.ledger(), simulator)))
    final = simulator.ledger()
    end = simulator.now
    for heads, moment, view in seen:
        simulator.now = moment
        assert _view(final.up_to(heads), simulator) == view
        assert _view(final.as_of(moment - timedelta(seconds=1)), simulator) == view
    simulator.now = end
