"""The guide's own commands, run as they stand on a ledger on disk, without abverify."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.records.simulator import OPERATOR, ROOT_PATH, V4, Simulator, payload_of

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guide" / "verify-by-hand.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference" / "records.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
(SCRIPT,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
RECORD = "gates/serve/V1_004/000001.amendment.dsse.json"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    simulator = Simulator()
    simulator.publish(V4)
    for path, data in {
        **simulator.files,
        **simulator.contracts,
        ROOT_PATH: simulator.root,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "take_apart.py").write_text(SCRIPT, encoding="utf-8")
    return tmp_path


def _follow(checkout: Path) -> subprocess.CompletedProcess[str]:
    script = "set -e\n" + "".join(SHELL).replace("python3", sys.executable + " -I")
    return subprocess.run(
        ["sh", "-c", script], cwd=checkout, capture_output=True, text=True, check=False
    )


def test_the_guide_verifies_a_real_record(checkout: Path) -> None:
    done = _follow(checkout)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Signature Verified Successfully") == 2
    assert OPERATOR.public_key.keyid in done.stdout
    statement = json.loads((checkout / "statement.json").read_text())
    assert statement == payload_of((checkout / RECORD).read_bytes())
    assert statement["subject"][0]["digest"]["sha256"] in done.stdout
    assert statement["predicate"]["trustRoot"]["sha256"] in done.stdout


def test_the_guide_rejects_the_tampered_twin(checkout: Path) -> None:
    envelope = json.loads((checkout / RECORD).read_text())
    payload = base64.b64decode(envelope["payload"]).replace(b"as the test says", b"as nobody says")
    envelope["payload"] = base64.b64encode(payload).decode()
    (checkout / RECORD).write_text(json.dumps(envelope))
    done = _follow(checkout)
    assert done.returncode != 0
    assert (done.stdout, done.stderr) == ("Signature Verification Failure\n", "")


def test_the_reference_lists_every_rule_that_the_records_layer_names() -> None:
    sources = (ROOT / "abverify" / "records").rglob("*.py")
    named = {rule for file in sources for rule in re.findall(r"\bAV4\d\d\b", file.read_text())}
    listed = set(re.findall(r"^\| (AV4\d\d) \|", REFERENCE, re.MULTILINE))
    assert listed == named
