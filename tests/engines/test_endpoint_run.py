"""A gate behind a server, through the command line: measured, interrupted, and judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.processes import press_ctrl_c, running, wait_until
from tests.support.repository import S1_004, Repository, done
from tests.support.short import BENCH, journal, short_repository

from .serving import KEY, NAME, LlamaServer, llama_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECK = ("check", "S1_004", "--format", "json")
FIXTURES = 3
AT_A_SERVER = (
    ("{name: llama, n_ctx: 4096", "{name: endpoint, server: llama-cpp-python, n_ctx: 2048"),
    ('repeat_penalty: "1.2"', 'repeat_penalty: "1"'),
)


@pytest.fixture(scope="module")
def server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    with llama_server(weights, tmp_path_factory.mktemp("server")) as up:
        yield up


def repository(folder: Path, *more: tuple[str, str]) -> Repository:
    """A repository whose S1_004 is run at a server, on three fixtures."""

    def prepare(made: Repository) -> None:
        for old, new in (*AT_A_SERVER, *more):
            made.edit(S1_004, old, new)

    return short_repository(folder, prepare=prepare)


def bundle(made: Repository, name: str) -> Any:
    found = journal(made)
    assert found is not None
    return json.loads(found.with_name(name).read_text(encoding="ascii"))


def evidence_text(made: Repository) -> str:
    files = (made.root / "gates").rglob("*")
    return "".join(file.read_text(errors="replace") for file in files if file.is_file())


@pytest.mark.slow
def test_a_servers_evidence_is_asserted_and_a_gate_that_wants_proof_says_so(
    server: LlamaServer, tmp_path: Path
) -> None:
    made = repository(tmp_path)
    ran = done(made.run(*BENCH, **server.environment))
    assert (ran.json["verdict"], ran.json["checked"]) == ("complete", FIXTURES)
    assert bundle(made, "manifest.json")["identity"] == "asserted"

    lock = bundle(made, "lock.json")["values"]
    assert (lock["model.name"], lock["engine.server"]) == (NAME, "llama-cpp-python")
    unknown = {"model.weights_sha256", "model.file_type", "engine.n_ubatch", "engine.system"}
    assert unknown.isdisjoint(lock)

    judged = done(made.run(*CHECK), 3)
    assert {"identity-unproven", "uncalibrated"} == judged.codes
    told = "".join([ran.out, ran.err, judged.out, judged.err, evidence_text(made)])
    assert KEY not in told
    assert server.url not in told


@pytest.mark.slow
def test_a_gate_that_takes_a_servers_word_counts_its_evidence(
    server: LlamaServer, tmp_path: Path
) -> None:
    made = repository(tmp_path, ("config:\n", "identity: asserted\nconfig:\n"))
    done(made.run("run", "S1_004", "--stage", "calibrate"))
    done(made.run(*BENCH, **server.environment))
    judged = made.run(*CHECK)
    assert judged.json["verdict"] in ("met", "not-met")
    assert judged.json["identity"] == "asserted"


@pytest.mark.slow
def test_a_server_killed_in_mid_trial_leaves_no_measurement_and_a_later_run_makes_it(
    weights: Path, tmp_path: Path
) -> None:
    made = repository(tmp_path)
    with llama_server(weights, tmp_path) as mortal:
        with running(made, *BENCH, **mortal.environment) as process:
            wait_until(lambda: _has_a_turn(made), process)
            mortal.kill()
            out, _ = process.communicate(timeout=120)
        report = json.loads(out)
        assert report["verdict"] == "incomplete"
        assert report["outcomes"]["infrastructure_failure"] == FIXTURES
        assert "incomplete" in done(made.run(*CHECK), 3).codes

        mortal.start()
        again = done(made.run(*BENCH, **mortal.environment)).json
    assert (again["verdict"], again["checked"]) == ("complete", FIXTURES)
    assert "incomplete" not in done(made.run(*CHECK), 3).codes


@pytest.mark.slow
def test_ctrl_c_in_mid_trial_ends_with_one_message_and_keeps_what_is_finished(
    server: LlamaServer, tmp_path: Path
) -> None:
    made = repository(tmp_path)
    with running(made, *BENCH, **server.environment) as process:
        wait_until(lambda: _has_a_turn(made), process)
        press_ctrl_c(process)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == (
        "interrupted: everything finished so far is kept; run the same command to go on"
    )
    assert "Traceback" not in err
    assert "Warning" not in err


@pytest.mark.parametrize(
    ("edit", "code", "words"),
    [
        (
            ('repeat_penalty: "1"', 'repeat_penalty: "1.2"'),
            2,
            "error[AV541]: a llama-cpp-python server cannot be made to keep sampling.repeat_last_n",
        ),
        (
            ("{name: endpoint, server: llama-cpp-python, ", "{name: replay, "),
            2,
            "error[AV530]: a replay measures no model, so no gate can be run with it",
        ),
        (("max_turns: 8", "max_turns: 7"), 3, "error[AV540]: the contract's engine is a server"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_written(
    tmp_path: Path, edit: tuple[str, str], code: int, words: str
) -> None:
    made = repository(tmp_path, edit)
    ran = made.run(*BENCH, ABVERIFY_ENDPOINT="")
    assert (ran.code, ran.json["schema"]) == (code, "abverify/error/v1")
    assert ran.err.startswith(words)
    assert journal(made) is None


def _has_a_turn(made: Repository) -> bool:
    found = journal(made)
    return found is not None and b'"kind":"turn"' in found.read_bytes()
