"""`evidence import`: a log becomes a bundle that is verified against the log, and never decides."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.refusals import refused
from tests.support.repository import CHECKOUT, Repository, done, introduced, shared

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = CHECKOUT / "tests/foreign/samples"
FULL = str(SAMPLES / "inspect/full.eval")
EVIDENCE = "gates/laptop-replica/S1_004/evidence"


@pytest.fixture(scope="module")
def docket(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    folder = shared(tmp_path_factory, "import-docket", introduced)
    return Repository(folder / "repository", folder / "keys")


@pytest.fixture
def repository(docket: Repository, tmp_path: Path) -> Repository:
    return docket.copy(tmp_path)


def imported(repository: Repository, *words: str) -> str:
    """Imports a log; the bundle's folder."""
    ran = repository.run("evidence", "import", *words, "--format", "json")
    path: str = done(ran).json["path"]
    return path


def test_the_bundle_says_of_every_key_how_it_is_known(repository: Repository) -> None:
    ran = repository.run("evidence", "import", FULL, "--gate", "S1_004", "--format", "json")
    report = done(ran).json
    assert report["path"].startswith(f"{EVIDENCE}/import-inspect-")
    assert (report["checked"], report["total"]) == (6, 6)
    assert report["claims"]["model.name"] == {
        "standing": "asserted",
        "value": "openai-api/local/smollm2-135m-instruct",
        "where": "eval.model",
    }
    assert report["claims"]["prompt.system_sha256"]["standing"] == "attested"
    assert "model.weights_sha256" in report["absent"]


def test_it_is_shown_verified_and_rescored_like_any_other(repository: Repository) -> None:
    path = imported(repository, FULL)
    assert path.startswith("fixtures/recorded/import-inspect-")
    verified = done(repository.run("evidence", "verify", path)).out
    assert "oracle_passed 2/3  student_pass_rate 4/6" in verified
    assert "includes: C" in done(repository.run("evidence", "show", path)).out
    done(repository.run("evidence", "rescore", path, "--profile", "strict/1"))


def test_the_log_itself_stands_in_the_bundle(repository: Repository) -> None:
    path = imported(repository, FULL)
    kept = repository.root / path / "log/1-full.eval"
    assert kept.read_bytes() == (SAMPLES / "inspect/full.eval").read_bytes()


def test_the_same_log_is_imported_once(repository: Repository) -> None:
    path = imported(repository, FULL)
    before = repository.tree()
    assert imported(repository, FULL) == path
    assert repository.tree() == before


def test_it_never_discharges_a_gate_that_names_its_model_by_bytes(repository: Repository) -> None:
    path = imported(repository, FULL, "--gate", "S1_004")
    report = done(repository.run("check", "S1_004", "--format", "json"), 3).json
    (line,) = report["evidence"]
    assert (line["path"], line["identity"], line["eligible"]) == (path, "asserted", False)
    codes = {reason["code"] for reason in line["reasons"]}
    assert {"model-mismatch", "identity-unproven", "lock-mismatch", "post-hoc"} <= codes
    before = repository.tree()
    done(repository.sign("discharge", "S1_004"), 3)
    assert repository.tree() == before


@pytest.mark.parametrize(
    ("log", "code"),
    [("limited.json", "limited"), ("token-limit.eval", "limited"), ("failed.json", "errored")],
)
def test_a_limited_or_broken_run_is_kept_and_says_why_it_does_not_count(
    repository: Repository, log: str, code: str
) -> None:
    path = imported(repository, str(SAMPLES / "inspect" / log), "--gate", "S1_004")
    report = done(repository.run("check", "S1_004", "--format", "json"), 3).json
    (line,) = report["evidence"]
    found = [r for r in line["reasons"] if r["rule"] == "AV844"]
    assert code in {reason["code"] for reason in found}
    assert all(reason["place"].startswith(f"{path}: ") for reason in found)


class TestWhatWasEditedAfterwards:
    @staticmethod
    def edit(repository: Repository, path: str, name: str, old: bytes, new: bytes) -> None:
        """Edits a file of the bundle, and makes the manifest fit it."""
        from abverify._canonical import canonical_bytes, sha256_hex

        folder = repository.root / path
        data = (folder / name).read_bytes()
        assert old in data
        data = data.replace(old, new)
        (folder / name).write_bytes(data)
        manifest = json.loads((folder / "manifest.json").read_bytes())
        for entry in manifest["files"]:
            if entry["name"] == name:
                entry.update(size=len(data), sha256=sha256_hex(data))
        if name == "lock.json":
            manifest["lock_sha256"] = sha256_hex(data)
        (folder / "manifest.json").write_bytes(canonical_bytes(manifest))

    @pytest.mark.parametrize(
        ("name", "old", "new"),
        [
            ("rows.jsonl", b"oracle_failed", b"oracle_passed"),
            ("scores.json", b'"student_pass_rate":[4,6]', b'"student_pass_rate":[6,6]'),
            ("lock.json", b'"sampling.max_tokens":48', b'"sampling.max_tokens":160'),
            ("imported.json", b'"standing":"asserted"', b'"standing":"attested"'),
            ("manifest.json", b'"identity":"asserted"', b'"identity":"attested"'),
        ],
    )
    def test_it_is_not_what_the_log_gives(
        self, repository: Repository, name: str, old: bytes, new: bytes
    ) -> None:
        path = imported(repository, FULL)
        self.edit(repository, path, name, old, new)
        report = done(repository.run("evidence", "verify", path, "--format", "json"), 4).json
        found = {(r["place"], r["message"]) for r in report["reasons"]}
        assert (f"{path}/{name}", "not what the imported log gives") in found

    def test_a_log_that_contradicts_itself_is_found_too(self, repository: Repository) -> None:
        path = imported(repository, str(SAMPLES / "inspect/limited.json"))
        huge = b'"epoch": ' + b"9" * 20
        self.edit(repository, path, "log/1-limited.json", b'"epoch": 1', huge)
        done(repository.run("evidence", "verify", path), 4)

    def test_importing_again_does_not_replace_it(self, repository: Repository) -> None:
        path = imported(repository, FULL)
        self.edit(repository, path, "rows.jsonl", b"oracle_failed", b"oracle_passed")
        before = repository.tree()
        refused(repository.run("evidence", "import", FULL), 1, "AV847")
        assert repository.tree() == before


class TestWhatCannotBeImported:
    def test_no_such_file(self, repository: Repository) -> None:
        refused(repository.run("evidence", "import", "none.eval"), 3, "AV404")

    def test_another_file(self, repository: Repository) -> None:
        readme = str(CHECKOUT / "README.md")
        told = refused(repository.run("evidence", "import", readme), 2, "AV840")
        assert told["at"] == readme

    def test_a_file_that_is_cut_off(self, repository: Repository, tmp_path: Path) -> None:
        cut = tmp_path / "cut.eval"
        cut.write_bytes((SAMPLES / "inspect/full.eval").read_bytes()[:9000])
        told = refused(repository.run("evidence", "import", str(cut)), 2, "AV841")
        assert told["at"] == str(cut)

    def test_a_log_without_samples(self, repository: Repository, tmp_path: Path) -> None:
        log = json.loads((SAMPLES / "inspect/limited.json").read_text())
        (tmp_path / "empty.json").write_text(json.dumps({**log, "samples": []}))
        refused(repository.run("evidence", "import", str(tmp_path / "empty.json")), 5, "AV843")

    def test_nothing_is_left_of_it(self, repository: Repository, tmp_path: Path) -> None:
        before = repository.tree()
        shutil.copy(CHECKOUT / "README.md", tmp_path / "run.json")
        repository.run("evidence", "import", str(tmp_path / "run.json"), "--gate", "S1_004")
        assert repository.tree() == before
