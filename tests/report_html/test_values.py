"""What a page is gathered from: curves, spans, lanes and locks, from real bundles and ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.app.report_lock import lock_table
from abverify.app.report_page import PageRequest, page
from abverify.app.report_survival import survival_line
from abverify.app.report_transcript import transcripts
from abverify.errors import UntrustedError
from abverify.model.page import SurvivalLine, SurvivalStep
from abverify.workspace.evidence_store import load_bundle, write_bundle
from tests.builders import (
    FIXTURES,
    NATIVE,
    PATH,
    PROSE,
    RECOVERED,
    Run,
    failed_trial,
    lock_values,
    passed_trial,
)
from tests.support.repository import done

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.evidence.bundle import Bundle
    from abverify.model.page_transcript import TrialPage
    from tests.support.repository import Repository


def run(first: tuple[str, ...], second: tuple[str, ...]) -> Run:
    """A bench of two trials with these turns: the first passes, the second fails."""
    rows = [*passed_trial(FIXTURES[0], raws=first), *failed_trial(FIXTURES[1], raws=second)]
    return Run(rows=rows)


def bundle(first: tuple[str, ...], second: tuple[str, ...]) -> Bundle:
    """Its bundle."""
    return run(first, second).bundle()


def told(root: Path, of: Run) -> tuple[TrialPage, ...]:
    """The trials of a bundle on disk, as a page shows them."""
    write_bundle(root, PATH, of.files())
    return transcripts(root, load_bundle(root, PATH), "arm", "t")


class TestSurvival:
    def test_the_format_is_lost_at_the_first_turn_without_a_call(self) -> None:
        line = survival_line(bundle((NATIVE, NATIVE, NATIVE), (RECOVERED, PROSE, NATIVE)), "arm")
        assert line is not None
        (step,) = line.steps
        assert (step.turn, step.at_risk, step.events, step.share) == (2, 2, 1, 0.5)
        assert step.low == pytest.approx(0.1251, abs=1e-4)
        assert step.high == 1.0
        assert (line.censored, line.last, line.trials) == ((3,), 3, 2)

    def test_a_share_of_nothing_has_no_limits(self) -> None:
        line = survival_line(bundle((PROSE,), (PROSE, PROSE)), "arm")
        steps = (SurvivalStep(1, 2, 2, 0.0, None, None),)
        assert line == SurvivalLine("arm", 2, steps, (), 2)

    def test_who_never_loses_it_is_censored_at_the_last_turn(self) -> None:
        line = survival_line(bundle((NATIVE,), (NATIVE, RECOVERED)), "arm")
        assert line == SurvivalLine("arm", 2, (), (1, 2), 2)

    def test_what_was_no_measurement_is_no_subject(self) -> None:
        rows = [
            *passed_trial(FIXTURES[0]),
            *failed_trial(FIXTURES[1], raws=(PROSE,), outcome="infrastructure_failure"),
        ]
        line = survival_line(Run(rows=rows).bundle(), "arm")
        assert line == SurvivalLine("arm", 1, (), (1,), 1)


class TestTranscripts:
    def test_calls_and_repairs_stand_where_the_parser_read_them(self, tmp_path: Path) -> None:
        first, second = told(tmp_path, run((f"Well. {NATIVE}",), (RECOVERED,)))
        (mark,) = first.turns[0].marks
        assert (mark.kind, mark.code, mark.start, mark.end) == ("call", "file_edit", 6, 118 + 6)
        kinds = {(m.kind, m.code): (m.start, m.end) for m in second.turns[0].marks}
        assert kinds == {
            ("call", "file_read"): (0, len(RECOVERED)),
            ("repair", "untagged-call"): (0, len(RECOVERED)),
        }

    def test_a_trial_has_its_turns_calls_results_and_oracle(self, tmp_path: Path) -> None:
        trial, _ = told(tmp_path, run((PROSE, NATIVE), (PROSE,)))
        assert (trial.anchor, trial.fixture, trial.outcome) == ("t-1", FIXTURES[0], "oracle_passed")
        assert [turn.verdict for turn in trial.turns] == ["none", "native"]
        (call,) = trial.turns[1].calls
        assert (call.tool, call.ok, call.output) == ("file_edit", True, "")
        assert [(run.turn, run.passed, run.ended) for run in trial.turns[1].oracle] == [
            (2, True, "exit 0")
        ]
        assert trial.turns[0].oracle == trial.oracle == ()

    def test_a_journal_that_tells_another_parse_than_its_text_is_found_out(
        self, tmp_path: Path
    ) -> None:
        rows = passed_trial(FIXTURES[0])
        turn = rows[1]
        lied = turn.model_copy(update={"raw": PROSE})
        rows[1] = lied
        first, _ = told(tmp_path, Run(rows=[*rows, *failed_trial(FIXTURES[1])]))
        assert first.turns[0].agrees is False

    def test_without_a_declared_parser_nothing_is_claimed_of_the_parse(
        self, tmp_path: Path
    ) -> None:
        values = lock_values()
        del values["parser.profile"]
        first, _ = told(tmp_path, Run(values=values))
        assert (first.turns[0].agrees, first.turns[0].marks) == (None, ())

    def test_evidence_that_changed_since_it_was_judged_is_not_shown(self, tmp_path: Path) -> None:
        write_bundle(tmp_path, PATH, run((NATIVE,), (PROSE,)).files())
        judged = bundle((NATIVE,), (NATIVE,))

        with pytest.raises(UntrustedError, match="changed while it was read"):
            transcripts(tmp_path, judged, "arm", "t")


class TestLocks:
    def test_each_key_is_the_same_the_variable_or_a_confound(self) -> None:
        base = Run().bundle()
        other = Run(
            values=lock_values(sampling__temperature="0.5", engine__version="2", harness__version=1)
        ).bundle()
        table = lock_table([("a", base), ("b", other)], ["sampling.temperature"])
        assert table is not None
        assert {row.key: (row.difference, row.values) for row in table.differing} == {
            "sampling.temperature": ("varied", ("0.3", "0.5")),
            "engine.version": ("confound", ("absent", "2")),
            "harness.version": ("confound", ("0.1.0", "1")),
        }
        assert len(table.rows) == len(other.lock.values)

    def test_no_run_is_no_table(self) -> None:
        assert lock_table([]) is None


class TestTrail:
    def test_the_lanes_hold_the_state_after_each_record_and_now(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        copy = laboratory.copy(tmp_path)
        done(copy.sign("suspend", "T281", "--scope", "phase-2", "--lift-when", "T1_002"))
        done(copy.sign("discharge", "T1_002"))
        done(copy.sign("lift", "T281"))
        done(copy.sign("retract", "T1_002#3", "--cause", "issued-in-error"))
        trail = page(copy.root, PageRequest("T1_002")).trail
        kinds = [line.kind for line in trail.lines]
        assert kinds == ["amendment", "suspension", "discharge", "lift", "retraction"]
        assert {lane.name: lane.states for lane in trail.lanes} == {
            "phase-2": ("none", "suspended", "suspended", "open", "suspended", "suspended"),
            "laptop/T1_002": (
                "proposed",
                "proposed",
                "discharged",
                "discharged",
                "retracted",
                "retracted",
            ),
        }
        assert trail.links == ((1, 3), (2, 3), (2, 4))

    def test_the_chain_that_holds_a_gate_from_elsewhere_is_there(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        copy = laboratory.copy(tmp_path)
        alone = page(copy.root, PageRequest("T1_001")).trail
        assert {line.gate for line in alone.lines} == {"laptop/T1_001"}
        done(copy.sign("suspend", "T282", "--gate", "T1_001", "--lift-when", "T1_002"))
        held = page(copy.root, PageRequest("T1_001")).trail
        assert [line.summary for line in held.lines if line.gate == "laptop/T1_002"] == [
            "introduces the gate",
            "T282 holds laptop/T1_001",
        ]
        (lane,) = (lane for lane in held.lanes if lane.name == "laptop/T1_001")
        assert lane.states[-1] == "suspended"


class TestCriteria:
    def test_a_bound_on_a_count_is_a_share_of_the_denominator(self, laboratory: Repository) -> None:
        (bar,) = page(laboratory.root, PageRequest("T1_002")).criteria
        assert (bar.share, bar.at_least, bar.at_most) == (0.8, 0.05, None)
        assert bar.interval == (0.5634, 0.9427)
