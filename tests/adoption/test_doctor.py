"""`abverify doctor`: what is missing, whom it matters to, and the command that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.console import Ran, in_subprocess
from tests.support.repository import CHECKOUT, done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adoption.conftest import Newcomer


def doctor(*arguments: str, cwd: Path = CHECKOUT, **environment: str) -> Ran:
    return in_subprocess("doctor", *arguments, "--format", "json", cwd=cwd, environment=environment)


def line(ran: Ran, name: str) -> dict[str, Any]:
    """The one line of that name."""
    (found,) = (line for line in ran.json["lines"] if line["name"] == name)
    return dict(found)


def test_what_a_gate_needs_is_here() -> None:
    ran = done(doctor("S1_004"))
    assert ran.json["verdict"] == "ready"
    assert line(ran, "bubblewrap")["found"].endswith("and isolation holds")
    assert line(ran, "weights SmolLM2-135M-Instruct.Q4_1.gguf")["purpose"] == "S1_004"
    assert line(ran, "python toolchain")["needed"] is True
    assert line(ran, "cargo")["needed"] is False
    assert line(ran, "trust root")["found"].startswith("version 1")
    present = [one for one in ran.json["lines"] if one["present"]]
    assert (ran.json["checked"], ran.json["total"]) == (len(present), len(ran.json["lines"]))


def test_weights_that_are_not_here_are_needed_by_the_gate_that_names_them() -> None:
    ran = done(doctor("V1_004"), 3)
    assert ran.json["verdict"] == "cannot-evaluate"
    missing = line(ran, "weights Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf")
    assert (missing["present"], missing["needed"]) == (False, True)
    assert missing["purpose"] == "V1_004"
    errors = [reason for reason in ran.json["reasons"] if reason["severity"] == "error"]
    assert [(reason["rule"], reason["next"]) for reason in errors] == [
        ("AV810", missing["mend"]),
    ]


def test_without_the_programs_each_has_its_own_command(tmp_path: Path) -> None:
    ran = done(doctor("V1_005", PATH=str(tmp_path), CARGO_HOME=str(tmp_path)), 3)
    mends = {name: line(ran, name)["mend"] for name in ("bubblewrap", "cargo", "git", "compiler")}
    assert mends == {
        "bubblewrap": "sudo apt-get install -y bubblewrap util-linux; or --unsafe-no-sandbox, "
        "whose evidence never counts",
        "cargo": "sudo apt-get install -y cargo",
        "git": "sudo apt-get install -y git",
        "compiler": "sudo apt-get install -y gcc libc6-dev",
    }
    assert line(ran, "cargo")["needed"] is True
    assert line(ran, "git")["needed"] is False


def test_an_engine_that_does_not_load_is_missing(tmp_path: Path) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise OSError('a library is missing')\n")
    ran = done(doctor("S1_004", PYTHONPATH=str(tmp_path)), 3)
    assert line(ran, "llama-cpp-python")["found"].endswith("does not load")
    assert "--force-reinstall" in line(ran, "llama-cpp-python")["mend"]


def test_keys_are_wanted_only_for_signing(tmp_path: Path) -> None:
    ran = done(doctor("S1_004", ABVERIFY_KEYS=str(tmp_path / "none")))
    keys = line(ran, "keys")
    assert (keys["present"], keys["needed"]) == (False, False)
    assert keys["mend"] == "abverify keys new operator"


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = done(doctor("S1_004", ABVERIFY_CACHE=str(tmp_path / "file" / "below")))
    assert line(ran, "model cache")["present"] is False


def test_without_a_repository_a_start_is_what_is_judged(tmp_path: Path) -> None:
    ran = done(doctor(cwd=tmp_path))
    assert "abverify init" in ran.json["judgedFor"]
    assert line(ran, "llama-cpp-python")["needed"] is True
    assert line(ran, "repository")["mend"] == "abverify init"


def test_contracts_that_cannot_be_read_keep_it_from_being_ready(newcomer: Newcomer) -> None:
    done(newcomer.run("init"))
    assert done(newcomer.run("doctor")).out.endswith("present\n")
    (newcomer.folder / "contracts/G1_001.yaml").write_text("schema: [\n")
    ran = done(newcomer.run("doctor"), 3)
    assert "mend     abverify lint" in ran.out


def test_a_gate_that_is_not_there_is_an_error_of_usage() -> None:
    assert "error[AV110]" in done(doctor("Z9_999"), 2).err


def test_text_says_one_line_each_and_the_mending_under_it() -> None:
    ran = in_subprocess("doctor", "V1_004", cwd=CHECKOUT, environment={})
    assert "  present    bubblewrap: " in ran.out
    assert "  MISSING    weights Qwen3-Coder" in ran.out
    assert "    mend     put the file there" in ran.out
    assert "doctor  CANNOT-EVALUATE" in ran.out
