"""What a verb does not need, it does not load: a gate is asked about many times a day."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SIGNING = {
    "abverify.app.keys",
    "abverify.app.record",
    "abverify.records.keystore",
    "abverify.records.signers",
    "securesystemslib",
}
MEASURING = {"abverify.app.run", "abverify.bench", "jinja2", "llama_cpp", "ray"}
OTHER_PATHS = {
    "abverify.model.bundle_report",
    "abverify.toolcalls.calibration",
    "abverify.toolcalls.codes",
    "abverify.toolcalls.markdown_edit",
    "abverify.toolcalls.mistral",
    "abverify.toolcalls.other_bodies",
    "abverify.toolcalls.xml_body",
    "abverify.verify.amendment",
    "abverify.verify.experiment",
    "abverify.verify.stopping.rule",
}
"""What a check needs only where a contract, a profile or a record asks for it."""

STANDARD = {"asyncio", "bz2", "csv", "difflib", "email", "importlib.metadata", "multiprocessing"}
STANDARD |= {"shutil", "socket", "ssl", "subprocess", "tempfile", "_strptime", "zipfile"}
_PROBE = """
import json, sys
from abverify.cli.group import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit as exit:
    code = exit.code
print()
print(json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""


def after(*arguments: str, path: Path = ROOT) -> tuple[int, set[str]]:
    """A verb's exit code, and the modules that its process had loaded when it was done."""
    run = subprocess.run(
        [sys.executable, "-c", _PROBE, json.dumps(arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(run.stdout.splitlines()[-1])
    return told["code"], set(told["modules"])


def test_a_check_that_signs_nothing_loads_nothing_that_signs_or_measures() -> None:
    code, modules = after("check", "S1_004", "--quiet")

    assert code in {0, 1, 3}
    assert "abverify.app.check" in modules
    assert modules & (SIGNING | MEASURING | {"scipy", "numpy"}) == set()


def test_a_check_loads_no_part_of_the_law_and_of_python_that_it_does_not_use() -> None:
    _, modules = after("check", "S1_004", "--quiet")

    assert "abverify.toolcalls.parser" in modules
    assert modules & (OTHER_PATHS | STANDARD | {"rich", "jsonschema", "ruamel"}) == set()


def test_a_pydantic_plugin_of_another_package_has_no_say_in_what_contracts_mean(
    tmp_path: Path,
) -> None:
    (tmp_path / "meddler.py").write_text("plugin = None\n")
    facts = tmp_path / "meddler-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: meddler\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[pydantic]\nmeddler = meddler:plugin\n")

    _, modules = after("check", "S1_004", "--quiet", path=tmp_path)

    assert "pydantic" in modules
    assert "meddler" not in modules


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_no_part_of_the_law(option: str) -> None:
    code, modules = after(option)

    assert code == 0
    assert {name for name in modules if name.startswith("abverify.")} <= {
        "abverify._frozen",
        "abverify._version",
        "abverify.cli",
        "abverify.cli.group",
        "abverify.cli.streams",
        "abverify.errors",
    }
    assert "pydantic" not in modules
