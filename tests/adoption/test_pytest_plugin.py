"""`pytest --abverify`: each gate's true state as a test's result, in a real pytest."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.repository import CHECKOUT, done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adoption.conftest import Newcomer

pytest_plugins = ["pytester"]
GATES = (
    "laptop-replica/S1_004",
    "laptop-replica/S1_005",
    "qwen3-moe-serve-dispatch/V1_004",
    "qwen3-moe-serve-dispatch/V1_005",
)
ROLLUPS = (
    "rollup under-contract-tasks in docs/status.md",
    "rollup small-tasks in docs/status.md",
    "rollup discharged in docs/status.md",
    "region status in docs/status.md",
)


@pytest.fixture
def asked(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with one plain test, where pytest has the plugin once, however it was installed.

    Pytester forgets what was imported beside it, and numpy cannot be imported twice: so
    every command here runs in a process of its own.
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p abverify.pytest_plugin")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    pytester.makepyfile(test_plain="def test_plain():\n    pass\n")
    return pytester


def run(asked: pytest.Pytester, root: Path, *arguments: str) -> pytest.RunResult:
    return asked.runpytest_subprocess("--abverify", "--abverify-root", str(root), *arguments)


class TestTheGatesOfThisCheckout:
    def test_each_is_listed(self, asked: pytest.Pytester) -> None:
        result = run(asked, CHECKOUT, "--collect-only", "-q", "-m", "abverify")
        listed = [line for line in result.outlines if line.startswith("abverify::")]
        assert listed == [f"abverify::{name}" for name in (*GATES, *ROLLUPS)]

    def test_no_gate_can_be_evaluated_and_none_passes_or_is_skipped(
        self, asked: pytest.Pytester
    ) -> None:
        result = run(asked, CHECKOUT)
        result.assert_outcomes(passed=1 + len(ROLLUPS), errors=4)
        assert result.ret == 1
        text = result.stdout.str()
        for gate in GATES:
            assert f"{gate}  CANNOT-EVALUATE" in text
        assert "error[AV301] smoke-only" in text
        assert "Traceback" not in text
        assert "pytest_plugin.py" not in text

    def test_a_gate_is_chosen_by_name(self, asked: pytest.Pytester) -> None:
        run(asked, CHECKOUT, "-k", "V1_004").assert_outcomes(errors=1, deselected=8)

    def test_junit_keeps_the_state_beside_the_result(self, asked: pytest.Pytester) -> None:
        run(asked, CHECKOUT, "--junit-xml", "junit.xml")
        text = (asked.path / "junit.xml").read_text()
        assert '<property name="abverify.verdict" value="cannot-evaluate"' in text
        assert text.count("<error ") == 4


@pytest.mark.slow
class TestAMeasuredGate:
    @pytest.fixture
    def measured(self, newcomer: Newcomer) -> Newcomer:
        done(newcomer.spawn("init"))
        return newcomer

    def test_met_passes_and_not_met_fails_with_reasons(
        self, asked: pytest.Pytester, measured: Newcomer
    ) -> None:
        run(asked, measured.folder).assert_outcomes(passed=1, errors=1)
        done(measured.spawn("check", "G1_001", "--run"))
        run(asked, measured.folder).assert_outcomes(passed=2)

        contract = measured.folder / "contracts/G1_001.yaml"
        text = contract.read_text().replace("version: 1.0.0", "version: 1.1.0")
        text = text.replace(
            "  - {id: clean,",
            "  - {id: calls, metric: native_call_rate, at_least: '1'}\n  - {id: clean,",
        )
        contract.write_text(text)
        done(measured.spawn("amend", "G1_001", "--reason", "asks for native calls"))
        run(asked, measured.folder).assert_outcomes(passed=1, errors=1)
        done(measured.spawn("check", "G1_001", "--run"), 1)
        result = run(asked, measured.folder)
        result.assert_outcomes(passed=1, failed=1)
        assert "criterion-not-met: native_call_rate >= 1: observed 0" in result.stdout.str()


class TestNothingToCheck:
    def test_a_folder_without_contracts_is_an_error(self, asked: pytest.Pytester) -> None:
        result = asked.runpytest_subprocess("--abverify")
        result.assert_outcomes(passed=1, errors=1)
        assert "error[AV001]" in result.stdout.str()

    def test_a_repository_without_a_contract_is_an_error(
        self, asked: pytest.Pytester, tmp_path: Path
    ) -> None:
        (tmp_path / "empty/contracts").mkdir(parents=True)
        result = run(asked, tmp_path / "empty")
        result.assert_outcomes(passed=1, errors=1)
        assert "error[AV004]" in result.stdout.str()

    def test_a_malformed_contract_is_an_error(self, asked: pytest.Pytester, tmp_path: Path) -> None:
        (tmp_path / "bad/contracts").mkdir(parents=True)
        (tmp_path / "bad/contracts/X.yaml").write_text("schema: abverify/contract/v1\n")
        run(asked, tmp_path / "bad").assert_outcomes(passed=1, errors=1)


class TestRollUps:
    POLICY = (
        "rollups:\n  - id: state\n    file: README.md\n"
        "    pattern: 'is (?P<state>[a-z]+)'\n"
        "    equals: {state: 'gates.G1_001.state'}\n"
    )

    def test_one_that_is_true_passes_and_one_that_is_not_fails(
        self, asked: pytest.Pytester, newcomer: Newcomer
    ) -> None:
        done(newcomer.spawn("init"))
        policy = newcomer.folder / "contracts/policy.yaml"
        policy.write_text(policy.read_text() + self.POLICY)
        readme = newcomer.folder / "README.md"
        readme.write_text("G1_001 is proposed\n")
        run(asked, newcomer.folder, "-k", "rollup").assert_outcomes(passed=1, deselected=2)
        readme.write_text("G1_001 is discharged\n")
        result = run(asked, newcomer.folder, "-k", "rollup")
        result.assert_outcomes(failed=1, deselected=2)
        assert "README.md:1:11" in result.stdout.str()
        assert "expected: proposed" in result.stdout.str()
        policy.write_text(policy.read_text().replace("gates.G1_001", "gates.Z9_999"))
        result = run(asked, newcomer.folder, "-k", "rollup")
        result.assert_outcomes(errors=1, deselected=2)


class TestFixtures:
    def test_ledger_and_contracts_are_at_hand(self, asked: pytest.Pytester) -> None:
        asked.makepyfile(
            test_law="""
            def test_law(abverify_ledger, abverify_contract):
                assert abverify_contract("V1_004").lifts == ("M280",)
                assert len(abverify_ledger.records) >= 8
            """
        )
        result = asked.runpytest_subprocess("--abverify-root", str(CHECKOUT))
        result.assert_outcomes(passed=2)


def test_it_costs_nothing_unless_it_is_asked() -> None:
    code = (
        "import sys, pytest; import abverify.pytest_plugin;"
        "print(sorted(n for n in sys.modules if n.startswith('abverify')))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "['abverify', 'abverify._version', 'abverify.pytest_plugin']\n"


def test_an_installation_offers_it_to_pytest() -> None:
    text = (CHECKOUT / "pyproject.toml").read_text()
    assert '[project.entry-points.pytest11]\nabverify = "abverify.pytest_plugin"\n' in text
