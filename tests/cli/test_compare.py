"""`abverify compare` and `abverify plan`, over benches written by hand."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from abverify.app.compare import table
from abverify.report.text import render
from tests.builders import RECOVERED
from tests.support.laboratory import (
    ADAPTER,
    BASE,
    CORPUS,
    FIXTURES,
    Written,
    another,
    bench,
    laboratory,
    put_experiment,
)
from tests.support.refusals import refused
from tests.support.repository import CHECKOUT, Repository, done, scratch
from tests.unit.verify.experiment.arms import experiment_document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.console import Ran

NOTHING = Written(BASE)
NINETEEN = Written(ADAPTER, passes=19)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Two published gates, a calibrated meter, no bench; read only."""
    return laboratory(tmp_path_factory.mktemp("laboratory"))


@pytest.fixture
def lab(published: Repository, tmp_path: Path) -> Repository:
    """The laboratory in a copy that a test may change."""
    return published.copy(tmp_path)


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The checkout's contracts and fixtures without its ledger; read only."""
    return scratch(tmp_path_factory.mktemp("unsigned"))


def compared(lab: Repository, *benches: Written, code: int = 0, **changes: Any) -> dict[str, Any]:
    """The comparison of an experiment over these benches, as JSON."""
    for written in benches:
        bench(lab, written)
    put_experiment(lab, experiment_document(corpus=CORPUS, **changes))
    return done(lab.run("compare", "T294", "--format", "json"), code).json


class TestConfirmed:
    def test_nothing_of_20_against_19_of_20_is_confirmed_at_bench_level(
        self, lab: Repository
    ) -> None:
        report = compared(lab, NOTHING, NINETEEN)
        assert (report["conclusion"], report["level"]) == ("confirmed", "bench")
        assert report["effect"] == 0.95
        assert report["interval"] == [pytest.approx(0.6147, abs=1e-4), 0.95]
        assert report["p"] == pytest.approx(2 / 2**19, rel=1e-5)
        assert report["power"] == pytest.approx(0.0112531)
        assert report["confounds"] == []

    def test_each_arm_is_named_by_lock_and_evidence_digest(self, lab: Repository) -> None:
        base, adapter = compared(lab, NOTHING, NINETEEN)["arms"]
        assert base["evidence"] == "gates/laptop/T1_001/evidence/run-1"
        assert {len(a[d]) for a in (base, adapter) for d in ("lockSha256", "evidenceSha256")} == {
            64
        }
        assert base["lockSha256"] != adapter["lockSha256"]

    def test_nothing_of_twenty_prints_its_upper_bound(self, lab: Repository) -> None:
        compared(lab, NOTHING, NINETEEN)
        text = done(lab.run("compare", "T294")).out
        assert "oracle 0/20  (at most 16.8%, exact 95 %)" in text
        assert "T294  CONFIRMED (bench)" in text
        assert "exact p 3.81e-06" in text

    def test_every_fixture_is_shown_as_a_pair(self, lab: Repository) -> None:
        (contrast,) = compared(lab, NOTHING, NINETEEN)["contrasts"]
        assert [pair["fixture"] for pair in contrast["pairs"]] == list(FIXTURES)
        assert sum(pair["treatment"] for pair in contrast["pairs"]) == 19

    def test_comparing_changes_nothing(self, lab: Repository) -> None:
        compared(lab, NOTHING, NINETEEN)
        before = lab.tree()
        lab.run("compare", "T294")
        lab.run("compare", "--table")
        assert lab.tree() == before

    def test_evidence_for_experiments_leaves_gates_and_audit_alone(self, lab: Repository) -> None:
        compared(lab, NOTHING, NINETEEN)
        done(lab.run("audit"))
        assert done(lab.run("check", BASE, "--format", "json"), 1).json["verdict"] == "not-met"


class TestEndpoints:
    def test_strict_and_repairable_calls_are_counted_apart(self, lab: Repository) -> None:
        repaired = another(NINETEEN, raw=RECOVERED)
        (contrast,) = compared(lab, NOTHING, repaired)["contrasts"]
        effects = {line["endpoint"]: line["treatment"] for line in contrast["effects"]}
        assert effects == {"oracle": [19, 20], "strict": [0, 20], "repairable": [19, 20]}

    def test_calls_without_a_pass_are_necessary_and_not_sufficient(self, lab: Repository) -> None:
        report = compared(lab, NOTHING, Written(ADAPTER, calls=19), code=1)
        assert report["conclusion"] == "necessary-not-sufficient"
        assert "at most 16.8%" in report["reasons"][0]["message"]


class TestConfounded:
    def test_a_second_knob_is_named_with_both_values(self, lab: Repository) -> None:
        knob = another(NINETEEN, facts=(("engine.version", "2"),))
        base = another(NOTHING, facts=(("engine.version", "1"),))
        report = compared(lab, base, knob, code=3)
        assert report["conclusion"] == "confounded"
        assert report["confounds"] == [
            {"key": "engine.version", "what": "its version", "control": "1", "treatment": "2"}
        ]

    def test_a_second_knob_that_is_declared_confounds_before_anything_is_run(
        self, lab: Repository
    ) -> None:
        knob = {"config.sampling.temperature": "0.4"}
        base, adapter = experiment_document()["arms"]
        report = compared(lab, code=3, arms=[base, {**adapter, "set": knob}])
        assert (report["conclusion"], report["level"]) == ("confounded", "none")
        assert report["confounds"] == [
            {
                "key": "sampling.temperature",
                "what": "temperature",
                "control": "0.3",
                "treatment": "0.4",
            }
        ]
        assert [reason["code"] for reason in report["reasons"]] == ["confounded"]

    def test_a_template_that_came_with_the_finetune_is_reported_by_name(
        self, lab: Repository
    ) -> None:
        template = ("model.template_sha256", "1" * 64)
        tokenizer = ("model.tokenizer_sha256", "2" * 64)
        report = compared(lab, NOTHING, another(NINETEEN, facts=(template, tokenizer)), code=3)
        assert [c["what"] for c in report["confounds"]] == ["chat template", "tokenizer"]
        assert report["confounds"][0]["control"] == "absent"

    def test_another_harness_confounds_unless_one_harness_measured_both(
        self, lab: Repository
    ) -> None:
        from tests.support.laboratory import calibrate

        calibrate(lab, harness__sha256="f" * 64)
        newer = (("harness.sha256", "f" * 64),)
        report = compared(lab, NOTHING, another(NINETEEN, facts=newer), code=3)
        assert [c["key"] for c in report["confounds"]] == ["harness.sha256"]
        report = compared(lab, another(NOTHING, facts=newer, run="run-2"))
        assert report["conclusion"] == "confirmed"


class TestInconclusive:
    def test_identical_arms_are_never_confirmed(self, lab: Repository) -> None:
        same = [{"id": "base", "gate": BASE}, {"id": "same", "gate": BASE}]
        report = compared(lab, another(NOTHING, passes=20), code=1, arms=same)
        assert report["conclusion"] == "inconclusive"
        assert [r["code"] for r in report["reasons"]] == ["identical-arms"]

    def test_two_zero_arms_carry_no_weight(self, lab: Repository) -> None:
        report = compared(lab, NOTHING, Written(ADAPTER), code=1)
        assert report["conclusion"] == "inconclusive"
        assert [r["code"] for r in report["reasons"]] == ["no-weight"]
        assert "16.8%" in report["reasons"][0]["message"]

    def test_a_smoke_test_in_both_arms_is_an_observation(self, lab: Repository) -> None:
        smoke = another(NINETEEN, stage="smoke")
        report = compared(lab, another(NOTHING, stage="smoke"), smoke, code=1)
        assert (report["conclusion"], report["level"]) == ("inconclusive", "smoke")
        assert [r["code"] for r in report["reasons"]] == ["observed", "smoke-only"]
        assert report["effect"] == 1.0

    def test_smoke_in_one_arm_drags_the_other_down(self, lab: Repository) -> None:
        report = compared(lab, NOTHING, another(NINETEEN, stage="smoke"), code=1)
        assert report["level"] == "smoke"


class TestEvidenceThatDoesNotCount:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"fixtures": 19}, "incomplete"),
            ({"identity": "asserted"}, "identity-unproven"),
            ({"facts": (("sandbox.isolated", False),)}, "tainted"),
            ({"facts": (("harness.sha256", "f" * 64),)}, "uncalibrated"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_keeps_the_arm_from_speaking(
        self, lab: Repository, change: dict[str, Any], code: str
    ) -> None:
        report = compared(lab, NOTHING, another(NINETEEN, **change), code=3)
        assert report["conclusion"] == "cannot-evaluate"
        assert {"no-evidence", code} <= {r["code"] for r in report["reasons"]}
        assert (report["checked"], report["total"]) == (1, 2)

    def test_an_altered_journal_is_unsound(self, lab: Repository) -> None:
        path = bench(lab, NINETEEN)
        file = lab.root / path / "scores.json"
        file.write_bytes(file.read_bytes().replace(b'"planned":20', b'"planned":21'))
        report = compared(lab, NOTHING, code=3)
        assert "unsound" in {r["code"] for r in report["reasons"]}

    def test_without_any_it_says_how_to_make_it(self, lab: Repository) -> None:
        report = compared(lab, code=3)
        assert report["conclusion"] == "cannot-evaluate"
        assert report["next"] == ["abverify compare T294 --run makes the evidence that is missing"]

    def test_fixtures_that_changed_since_are_other_fixtures(self, lab: Repository) -> None:
        compared(lab, NOTHING, NINETEEN)
        lab.edit(f"{CORPUS}/{FIXTURES[0]}/solution/task.py", "value = 1", "value = 3")
        refused(lab.run("compare", "T294"), 3, "AV114")

    def test_a_tampered_ledger_answers_nothing(self, lab: Repository) -> None:
        compared(lab, NOTHING, NINETEEN)
        (record,) = lab.glob("gates/laptop/T1_001/*.json")
        (lab.root / record).write_text("{}")
        assert lab.run("compare", "T294").code == 4


class TestMoreThanTwoArms:
    def test_an_arm_that_sets_a_knob_has_a_lock_of_its_own(self, lab: Repository) -> None:
        arms = [{"id": "salvage", "gate": BASE}, {"id": "strict", "gate": BASE,
                "set": {"config.parser.profile": "strict"}}]  # fmt: skip
        variable = {"name": "parser profile", "keys": ["parser.profile"]}
        report = compared(lab, NOTHING, code=3, arms=arms, variable=variable, control="salvage")
        assert [arm["settings"] for arm in report["arms"]] == [[], ["config.parser.profile=strict"]]
        assert report["arms"][0]["evidence"] is not None
        assert report["arms"][1]["evidence"] is None


class TestReplication:
    def test_the_same_result_on_another_machine_is_the_strongest_level(
        self, lab: Repository
    ) -> None:
        here, there = ((("engine.system", name),) for name in ("machine 1", "machine 2"))
        for number, place in enumerate((here, there), 1):
            bench(lab, another(NOTHING, facts=place, run=f"run-{number}"))
            bench(lab, another(NINETEEN, facts=place, run=f"run-{number}"))
        assert compared(lab)["level"] == "bench"
        family = {"method": "none", "family": ["T295"]}
        changes = {"id": "T295", "replicates": "T294", "multiplicity": family}
        put_experiment(lab, experiment_document(corpus=CORPUS, **changes))
        report = done(lab.run("compare", "T295", "--format", "json")).json
        assert (report["conclusion"], report["level"]) == ("confirmed", "replication")
        assert [arm["evidence"][-5:] for arm in report["arms"]] == ["run-2", "run-2"]

    def test_the_same_evidence_is_no_replication(self, lab: Repository) -> None:
        compared(lab, NOTHING, NINETEEN)
        family = {"method": "none", "family": ["T295"]}
        changes = {"id": "T295", "replicates": "T294", "multiplicity": family}
        put_experiment(lab, experiment_document(corpus=CORPUS, **changes))
        report = done(lab.run("compare", "T295", "--format", "json"), 3).json
        assert report["conclusion"] == "cannot-evaluate"


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "rule", "place"),
        [
            ({"variable": {"name": "x", "keys": ["model.flavour"]}}, "AV602", "T294.yaml:"),
            ({"seeds": [0]}, "AV102", "T294.yaml:"),
            ({"control": "nobody"}, "AV102", "T294.yaml:"),
            ({"corpus": "fixtures/corpora/other"}, "AV615", "T294.yaml:"),
        ],
        ids=["key", "seed", "control", "corpus"],
    )
    def test_a_faulty_experiment_is_refused_with_its_place(
        self, lab: Repository, changes: dict[str, Any], rule: str, place: str
    ) -> None:
        put_experiment(lab, experiment_document(**{"corpus": CORPUS, **changes}))
        ran = lab.run("compare", "T294")
        assert ran.code == 2
        assert f"error[{rule}]" in ran.err
        assert place in ran.err

    def test_an_unknown_experiment_is_refused_with_a_suggestion(self, lab: Repository) -> None:
        put_experiment(lab, experiment_document(corpus=CORPUS))
        facts = refused(lab.run("compare", "T29"), 2, "AV601")
        assert facts["expected"] == "did you mean T294?"

    @pytest.mark.parametrize("words", [(), ("T294", "--table")])
    def test_one_experiment_or_the_table(self, lab: Repository, words: tuple[str, ...]) -> None:
        assert lab.run("compare", *words).code == 2


class TestPlan:
    def test_the_power_of_m294_as_designed_is_one_in_ninety_and_refused(self) -> None:
        ran = checkout("plan", "M294", "--format", "json")
        assert (ran.code, ran.json["verdict"]) == (1, "refused")
        assert ran.json["power"] == pytest.approx(0.0112531)
        assert ran.json["fixturesNeeded"] == 78
        assert ran.codes == {"underpowered-design"}

    def test_it_prints_it(self) -> None:
        text = checkout("plan", "M294").out
        assert "power      0.011 for a difference of 0.10, control at 0" in text
        assert "error[AV606] underpowered-design" in text

    def test_an_exploratory_design_may_be_small(self, lab: Repository) -> None:
        put_experiment(lab, experiment_document(corpus=CORPUS, exploratory=True))
        ran = lab.run("plan", "T294", "--format", "json")
        assert (ran.code, ran.json["verdict"]) == (0, "exploratory")
        assert ran.json["power"] == pytest.approx(0.0112531)

    def test_half_of_twenty_fixtures_is_enough(self, lab: Repository) -> None:
        put_experiment(lab, experiment_document(corpus=CORPUS, decision__delta_min="0.50"))
        ran = lab.run("plan", "T294", "--format", "json")
        assert (ran.code, ran.json["verdict"]) == (0, "sufficient")
        assert ran.json["power"] == pytest.approx(0.979, abs=5e-4)

    def test_size_does_not_help_arms_that_differ_in_more_than_the_variable(
        self, lab: Repository
    ) -> None:
        document = experiment_document(corpus=CORPUS, decision__delta_min="0.50")
        document["arms"][1]["set"] = {"config.sampling.max_tokens": 99}
        put_experiment(lab, document)
        ran = lab.run("plan", "T294", "--format", "json")
        assert (ran.code, ran.json["verdict"]) == (1, "refused")
        assert [reason["code"] for reason in ran.json["reasons"]] == ["confounded"]
        assert "contracts/experiments/T294.yaml:" in ran.json["reasons"][0]["place"]

    def test_seeds_buy_power_on_this_bench(self, lab: Repository) -> None:
        put_experiment(lab, experiment_document(corpus=CORPUS, seeds=[1, 2, 3, 4, 5]))
        report = done(lab.run("plan", "T294", "--format", "json")).json
        assert report["power"] == pytest.approx(0.944, abs=5e-4)

    def test_a_family_shares_the_level(self, lab: Repository) -> None:
        family = {"method": "holm", "family": ["T294", "T295"]}
        changes = {"decision__delta_min": "0.50", "multiplicity": family}
        put_experiment(lab, experiment_document(corpus=CORPUS, **changes))
        report = done(lab.run("plan", "T294", "--format", "json")).json
        assert report["power"] == pytest.approx(0.9423, abs=5e-4)


class TestTheTable:
    def test_it_shows_every_row_of_the_seed_table(self, unsigned: Repository) -> None:
        assert list(table_rows(unsigned)) == [
            "M286", "M290", "M293-size", "M293-moe", "M294-smoke", "M296",
            "M294", "S290", "S291", "S292", "S294", "S296",
        ]  # fmt: skip

    def test_the_stack_was_necessary_and_not_sufficient(self, unsigned: Repository) -> None:
        assert table_rows(unsigned)["M286"]["conclusion"] == "necessary-not-sufficient"

    @pytest.mark.parametrize(("row", "what"), [("M293-size", ["family"]), ("M293-moe", ["size"])])
    def test_7b_against_30b_was_confounded_not_refuted(
        self, unsigned: Repository, row: str, what: list[str]
    ) -> None:
        found = table_rows(unsigned)[row]
        assert found["conclusion"] == "confounded"
        assert found["said"].startswith("refuted")
        assert [confound["what"] for confound in found["confounds"]] == what
        assert "family and size changed together" in found["reasons"][0]["message"]

    def test_the_smoke_test_of_m294_was_contradicted_at_bench_level(
        self, unsigned: Repository
    ) -> None:
        smoke = table_rows(unsigned)["M294-smoke"]
        assert (smoke["conclusion"], smoke["level"]) == ("inconclusive", "smoke")
        assert smoke["effect"] == 1.0
        assert smoke["p"] == 1.0
        (last,) = [r for r in smoke["reasons"] if r["rule"] == "AV616"]
        assert last["code"] == "contradicted"
        assert last["message"].startswith("contradicted at bench level by M296")

    def test_a_page_of_the_claim_shows_its_strongest_result(self, lab: Repository) -> None:
        keep_history(lab)
        family = {"method": "none", "family": ["M294"]}
        put_experiment(lab, experiment_document(id="M294", corpus=CORPUS, multiplicity=family))
        report = done(lab.run("compare", "M294", "--format", "json"), 3).json
        assert [row["id"] for row in report["known"]] == ["M294-smoke", "M296"]
        assert report["strongest"] == "M296"
        for written in (NOTHING, NINETEEN):
            bench(lab, written)
        report = done(lab.run("compare", "M294", "--format", "json")).json
        assert report["strongest"] == "M294"

    def test_it_cites_the_recorded_bundle(self, unsigned: Repository) -> None:
        shown = done(unsigned.run("evidence", "show", "m294-smoke")).out
        assert table_rows(unsigned)["M294-smoke"]["evidence"] in "".join(shown.split())

    def test_every_conclusion_follows_from_the_facts(self, lab: Repository) -> None:
        """Make the 7B arm of the same family, and the confound is gone."""
        keep_history(lab, "model.architecture: qwen2,", "model.architecture: qwen3moe,")
        report = done(lab.run("compare", "--table", "--format", "json")).json
        rows = {row["id"]: row for row in report["rows"]}
        assert rows["M293-size"]["conclusion"] == "inconclusive"
        assert rows["M293-size"]["confounds"] == []

    def test_it_holds_no_conclusion_of_ours(self) -> None:
        text = (CHECKOUT / "contracts/experiments/history.yaml").read_text(encoding="utf-8")
        assert "conclusion:" not in text
        assert "effect:" not in text

    def test_as_text_every_row_says_what_was_said_then(self, unsigned: Repository) -> None:
        text = done(unsigned.run("compare", "--table")).out
        assert "said then: refuted (both show no tool call)" in " ".join(text.split())
        assert "confounded by model.architecture (family): qwen3moe → qwen2" in text

    @pytest.mark.parametrize("width", [30, 60, 102, 103, 110, 200])
    def test_as_text_no_width_cuts_a_column_off(self, unsigned: Repository, width: int) -> None:
        report = table(unsigned.root)
        text = render(report, width=width, color=False)

        assert all(cell_len(line) <= width for line in text.splitlines())
        for row in report.rows:
            for shown in (row.id, row.conclusion, row.evidence[:10] if row.evidence else "none"):
                assert shown in text
            assert row.interval is None or f"{row.interval[0]:+.2f} … " in text

    def test_a_repository_without_experiments_has_nothing_to_list(self, lab: Repository) -> None:
        assert lab.run("compare", "--table").code == 5


def keep_history(lab: Repository, old: str = "", new: str = "") -> None:
    """Gives a laboratory the checkout's history and recorded bundle, one text replaced."""
    source = CHECKOUT / "contracts/experiments/history.yaml"
    target = lab.root / "contracts/experiments/history.yaml"
    target.parent.mkdir(exist_ok=True)
    text = source.read_text(encoding="utf-8")
    target.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    recorded = "fixtures/recorded/m294-smoke"
    shutil.copytree(CHECKOUT / recorded, lab.root / recorded)


def checkout(*words: str) -> Ran:
    """Runs a command that only reads on this checkout."""
    from tests.support.console import in_process

    return in_process(*words, "--root", str(CHECKOUT), environment={})


def table_rows(repository: Repository) -> dict[str, dict[str, Any]]:
    """The table of a repository, by row."""
    report = done(repository.run("compare", "--table", "--format", "json")).json
    return {row["id"]: row for row in report["rows"]}
