"""Calibration: known states and scripted agents, through the real loop, sandbox and oracle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from abverify.bench.calibrate import calibrate
from abverify.bench.scripted import DIALECTS, good_script, run_agent
from abverify.evidence.reparse import parse_turn
from abverify.evidence.rows import AgentRow, CalibrationRow, ParserCalibrationRow
from abverify.model.corpus import Corpus, Fixture
from abverify.toolcalls import PROFILES, STRICT, Profile

from .tasks import RIGHT, bench, config, task

PROMPT = "You are a code agent."
READ = '<tool_call>\n{"name": "file_read", "arguments": {"path": "head.py"}}\n</tool_call>'


def corpus(*fixtures: Fixture) -> Corpus:
    return Corpus("corpora/one", "0" * 64, fixtures)


def solved_by(**solution: str) -> Fixture:
    files = {name.replace("_", "."): text.encode() for name, text in solution.items()}
    return replace(task(deliverables=["*.py"]), solution=files)


def good(fixture: Fixture, **knobs: object) -> AgentRow:
    return run_agent("good", fixture, config(**knobs), PROMPT, bench(), dialect="hermes")


def tools(script: tuple[str, ...], profile: Profile = STRICT) -> list[str]:
    """The tools that a script calls, all of them natively."""
    turns = [parse_turn(raw, "stop", profile, ("head.py",)) for raw in script]
    assert {turn.verdict for turn in turns} == {"native"}
    return [call.name for turn in turns for call in turn.calls]


class TestCalibrate:
    def test_a_working_meter_reads_every_state_and_agent_as_it_is(self) -> None:
        *readings, parser = calibrate(corpus(task()), config(), PROMPT, bench())

        states = [row for row in readings if isinstance(row, CalibrationRow)]
        assert [(row.state, row.passed, row.expected) for row in states] == [
            ("reference", True, True),
            ("untouched", False, False),
            ("broken", False, False),
        ]
        assert states[0].detail == "tests: passed (exit 0)"
        agents = [row for row in readings if isinstance(row, AgentRow)]
        assert [(row.agent, row.passed, row.expected) for row in agents] == [
            ("good", True, True),
            ("give-up", False, False),
        ]
        assert isinstance(parser, ParserCalibrationRow)
        assert parser.exact == parser.total > 0

    def test_a_meter_whose_tests_test_nothing_is_found_out(self) -> None:
        blind = corpus(task(command={"run": ["true"]}))

        readings = calibrate(blind, config(), PROMPT, bench())

        states = [row for row in readings if isinstance(row, CalibrationRow)]
        assert {row.passed == row.expected for row in states} == {True, False}

    def test_the_fixtures_take_the_native_dialects_by_turns(self) -> None:
        fixtures = [task(id=f"unix__0{number}-head") for number in range(1, 6)]

        readings = calibrate(corpus(*fixtures), config(), PROMPT, bench())

        first = [row.turns[0].raw for row in readings if isinstance(row, AgentRow) and row.expected]
        assert [raw[:13] for raw in first] == [
            "<tool_call>\n{",
            "<tool_call>\n<",
            "[TOOL_CALLS] ",
            "[TOOL_CALLS]f",
            "<|python_tag|",
        ]


class TestTheGoodAgent:
    def test_it_reads_edits_and_passes_with_every_row_of_a_trial(self) -> None:
        row = good(task())

        assert row.turns[0].raw == READ
        assert [result.ok for turn in row.turns for result in turn.results] == [True, True]
        assert (row.ended.outcome, row.ended.reason) == (
            "oracle_passed",
            "the oracle passed after turn 2",
        )
        assert [(oracle.turn, oracle.passed) for oracle in row.oracle] == [(2, True)]
        assert [change.path for change in row.ended.changes] == ["head.py"]

    @pytest.mark.parametrize("profile", PROFILES, ids=str)
    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_every_profile_reads_every_dialect_as_native(
        self, dialect: str, profile: Profile
    ) -> None:
        script = good_script(task(), dialect)

        assert tools(script, profile) == ["file_read", "file_edit"]

    @pytest.mark.parametrize(
        ("knobs", "turns"),
        [
            ({"loop": {"calls": "first"}}, 2),
            ({"loop": {"calls": "all", "oracle_every_turns": 0}}, 4),
            ({"budgets__max_turns": 1}, 2),
        ],
        ids=["one call a turn", "the oracle at the end only", "a tighter contract"],
    )
    def test_it_passes_under_every_loop_that_a_contract_may_declare(
        self, knobs: dict[str, object], turns: int
    ) -> None:
        row = good(task(), **knobs)

        assert (row.ended.outcome, len(row.turns)) == ("oracle_passed", turns)

    def test_a_file_that_is_new_is_written(self) -> None:
        fixture = solved_by(head_py="from other import head\n", other_py=RIGHT.decode())

        assert tools(good_script(fixture, "hermes")) == ["file_read", "file_edit", "file_write"]
        assert good(fixture).passed

    @pytest.mark.parametrize(
        ("start", "solution", "expected"),
        [
            ("a\nb\nc\n", "a\nB\nc\n", ["file_read", "file_edit"]),
            ("a\nb\nc\n", "a\nc\n", ["file_read", "file_edit"]),
            ("a\nc\n", "a\nb\nc\n", ["file_read", "file_write"]),
            ("a\na\n", "a\nb\n", ["file_read", "file_write"]),
            ("", "a\n", ["file_read", "file_write"]),
        ],
        ids=["a line", "a line less", "a line more", "a line that stands twice", "an empty file"],
    )
    def test_an_edit_is_made_where_its_place_is_certain(
        self, start: str, solution: str, expected: list[str]
    ) -> None:
        fixture = replace(
            task(workspace={"head.py": start.encode()}), solution={"head.py": solution.encode()}
        )

        assert tools(good_script(fixture, "hermes")) == expected

    def test_text_that_the_xml_dialect_cannot_carry_goes_as_json(self) -> None:
        fixture = replace(task(), solution={"head.py": b"# </parameter>\n"})

        first, last = good_script(fixture, "qwen-xml")

        assert first.startswith("<tool_call>\n<function=file_read>")
        assert last.startswith('<tool_call>\n{"name": "file_edit"')

    def test_it_fails_where_the_reference_does(self) -> None:
        fixture = replace(task(), solution={"head.py": b"def head(lines, count):\n    return []\n"})

        assert good(fixture).ended.outcome == "text_loop"


def test_the_agent_that_gives_up_makes_no_call_and_fails() -> None:
    row = run_agent("give-up", task(), config(), PROMPT, bench(), dialect="hermes")

    assert [turn.parse.verdict for turn in row.turns] == ["none", "none"]
    assert (row.ended.outcome, row.ended.reason, row.oracle) == (
        "text_loop",
        "2 turns in a row without a call",
        (),
    )
