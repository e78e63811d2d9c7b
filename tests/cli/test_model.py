"""`abverify model`: what a file is, and what two models share, from real files."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from abverify.bench.weights import locate
from tests.engines.smollm import FILE, SHA256, SOURCE
from tests.support.console import Ran, command, in_process
from tests.support.gguf_files import write_adapter, write_model
from tests.support.repository import done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repository import Repository

S1_004 = "contracts/S1_004.yaml"


def run(*arguments: object) -> Ran:
    return in_process("model", *map(str, arguments), environment={})


def diff(*arguments: object, code: int = 0) -> dict[str, Any]:
    return done(run("diff", *arguments, "--format", "json"), code).json


def relations(report: dict[str, Any]) -> dict[str, str]:
    return {line["key"]: line["relation"] for line in report["comparisons"]}


def detail(report: dict[str, Any], key: str) -> str | None:
    (line,) = [line for line in report["comparisons"] if line["key"] == key]
    text: str | None = line["detail"]
    return text


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_model(tmp_path / "base.gguf")


class TestInspect:
    def test_shows_a_real_model(self) -> None:
        done(run("inspect", SOURCE))
        ran = done(run("inspect", SOURCE))
        assert ran.out.startswith(f"{SOURCE}  READ\n")
        lines = [line.split(maxsplit=1) for line in ran.out.splitlines()]
        for fact in (
            ["sha256", f"{SHA256} (from cache)"],
            ["architecture", "llama"],
            ["parameters", "134,515,008 (size label 135M)"],
            ["quantization", "Q4_1"],
            ["general.organization", "HuggingFaceTB"],
        ):
            assert fact in lines
        assert "tensor type                  Q4_1: 210 tensors, 66,355,200 bytes\n" in ran.out

    def test_shows_an_adapter(self, tmp_path: Path) -> None:
        path = write_adapter(tmp_path / "a.gguf")
        ran = done(run("inspect", path))
        assert "  rank                 4\n" in ran.out
        assert "  alpha                8\n" in ran.out
        assert "  targets              attn_q x2, attn_v x1\n" in ran.out

    def test_shows_a_model_with_its_adapter(self, base: Path, tmp_path: Path) -> None:
        adapter = write_adapter(tmp_path / "a.gguf")
        report = done(run("inspect", f"{base}+{adapter}", "--format", "json")).json
        assert (report["checked"], report["total"]) == (2, 2)
        assert report["file"]["kind"] == "model"
        assert report["adapter"]["file"]["adapter"]["ranks"] == [4]

    def test_a_gates_model_is_shown_as_declared_and_as_read(self, docket: Repository) -> None:
        report = done(docket.run("model", "inspect", "S1_004", "--format", "json")).json
        assert report["verdict"] == "read"
        assert report["declared"]["weights"] == {"file": FILE, "sha256": SHA256}
        assert report["file"]["sha256"] == SHA256

    def test_a_gate_without_its_file_is_shown_as_declared(self, docket: Repository) -> None:
        ran = done(docket.run("model", "inspect", "V1_004"), 3)
        assert "V1_004  CANNOT-EVALUATE\n" in ran.out
        assert "Qwen3-Coder-30B-A3B-Instruct: qwen3moe, 30B-A3B, Coder-Instruct, Q4_K_M" in ran.out
        assert "error[AV510] not-here: the weights are not here\n" in ran.out

    def test_a_description_that_the_file_contradicts_is_told(self, repository: Repository) -> None:
        repository.edit(S1_004, "size_label: 135M", "size_label: 7B")
        report = done(repository.run("model", "inspect", "S1_004", "--format", "json"), 4).json
        (reason,) = [r for r in report["reasons"] if r["severity"] == "error"]
        found = (reason["rule"], reason["expected"], reason["found"])
        assert found == ("AV531", "7B", "135M")

    def test_another_file_than_the_pinned_is_a_trust_failure(self, repository: Repository) -> None:
        repository.edit(S1_004, SHA256, "ab" * 32)
        ran = done(repository.run("model", "inspect", "S1_004"), 4)
        assert ran.err.startswith("error[AV512]: the weights are not the declared ones\n")

    def test_a_remembered_digest_says_so_unless_paranoid(self) -> None:
        done(run("inspect", SOURCE))
        known = done(run("inspect", SOURCE, "--format", "json")).json
        assert [r["code"] for r in known["reasons"]] == ["cached-digest"]
        assert known["file"]["hashFromCache"] is True
        read = done(run("inspect", SOURCE, "--paranoid", "--format", "json")).json
        assert (read["reasons"], read["file"]["hashFromCache"]) == ([], False)

    def test_hostile_metadata_reaches_no_terminal(self, tmp_path: Path) -> None:
        path = write_model(tmp_path / "m.gguf", finetune="\x1b[2J\nerror[AV000]: forged")
        ran = done(run("inspect", path))
        assert "\x1b" not in ran.out
        assert "\nerror[AV000]" not in ran.out

    def test_a_missing_file_is_one_error(self) -> None:
        ran = done(run("inspect", "none.gguf"), 3)
        assert ran.err.startswith("error[AV510]: the weights are not here\n  at: none.gguf\n")

    @pytest.mark.parametrize("place", ["/", "/dev/null", "./none", "/none"])
    def test_a_path_is_no_gates_name(self, place: str) -> None:
        ran = done(run("inspect", place), 3)
        assert ran.err.startswith(f"error[AV510]: the weights are not here\n  at: {place}\n")

    def test_a_name_that_is_no_file_is_a_gates(self, docket: Repository) -> None:
        ran = done(docket.run("model", "inspect", "V9_999"), 2)
        assert ran.err.startswith("error[AV110]: no gate is called 'V9_999'\n")

    def test_a_damaged_file_is_one_error(self, base: Path) -> None:
        base.write_bytes(base.read_bytes()[:1000])
        ran = done(run("inspect", base), 2)
        assert ran.err.startswith("error[AV511]: not a whole GGUF file\n")


class TestAModelAndItself:
    def test_is_the_same_byte_for_byte(self, base: Path) -> None:
        report = diff(base, base)
        assert (report["verdict"], report["checked"], report["total"]) == ("same", 9, 9)
        assert report["conclusion"] == ["the same model, byte for byte"]
        assert (report["variable"], report["confounds"], report["differs"]) == (None, [], [])

    def test_with_an_adapter_has_the_same_weights(self, base: Path, tmp_path: Path) -> None:
        adapter = write_adapter(tmp_path / "tools.lora.gguf")
        report = diff(base, f"{base}+{adapter}", "--expect-only", "adapter")
        assert report["verdict"] == "met"
        assert report["conclusion"] == ["same weights, adapter differs"]
        assert (report["variable"], report["confounds"]) == ("adapter", [])

    def test_the_real_base_with_an_adapter_has_the_same_weights(self, tmp_path: Path) -> None:
        path = locate(SOURCE, file=FILE, root=tmp_path)
        targets = [f"blk.{block}.attn_output" for block in range(30)]
        adapter = write_adapter(tmp_path / "a.gguf", targets=targets, width=576)
        ran = done(run("diff", path, f"{path}+{adapter}"))
        assert "model diff  DIFFERS\n  conclusion same weights, adapter differs\n" in ran.out
        assert "  adapter         differs: none | sha256 " in ran.out

    def test_under_another_name_is_the_same_model(self, tmp_path: Path) -> None:
        a = write_model(tmp_path / "a.gguf", finetune="Instruct")
        b = write_model(tmp_path / "b.gguf", finetune="Renamed")
        report = diff(a, b)
        assert report["verdict"] == "same"
        assert report["conclusion"] == [
            "the same model: only names and notes in the files' metadata differ"
        ]


class TestTwoModels:
    def test_two_finetunes_differ_in_their_weights_alone(self, base: Path, tmp_path: Path) -> None:
        other = write_model(tmp_path / "other.gguf", seed=2, finetune="Coder")
        report = diff(base, other, "--expect-only", "weights")
        (conclusion,) = report["conclusion"]
        shared = "same architecture, shapes, tokenizer and template"
        assert conclusion == f"{shared}: only the weights differ (a finetune)"
        assert detail(report, "weights") == "8 of 8 compared tensors differ"

    def test_two_families_have_every_confound_listed(self, base: Path, tmp_path: Path) -> None:
        other = write_model(
            tmp_path / "other.gguf",
            architecture="qwen3moe",
            blocks=3,
            experts=8,
            half=True,
            tokens=("x", "y"),
            template="{{ other }}",
        )
        report = diff(base, other)
        everything = [
            "architecture",
            "size",
            "hyperparameters",
            "shapes",
            "tokenizer",
            "template",
            "quantization",
        ]
        assert (report["variable"], report["confounds"]) == ("weights", everything)
        assert report["conclusion"] == [
            "8 things differ together, which confounds an A/B: "
            + ", ".join([*everything, "weights"])
        ]
        assert detail(report, "tokenizer") == "tokenizer.ggml.tokens"
        assert detail(report, "shapes") == (
            "blk.2.attn_norm.weight, blk.2.attn_q.weight, blk.2.attn_v.weight and 1 more"
        )

    def test_a_finetune_with_another_template_is_confounded(
        self, base: Path, tmp_path: Path
    ) -> None:
        other = write_model(tmp_path / "other.gguf", seed=2, template="{{ tools }}{{ messages }}")
        report = diff(base, other, "--expect-only", "weights", code=1)
        assert (report["verdict"], report["confounds"]) == ("not-met", ["template"])
        (reason,) = report["reasons"]
        assert (reason["code"], reason["rule"]) == ("confounded", "AV552")

    @pytest.mark.parametrize(
        ("change", "key", "conclusion"),
        [
            (
                {"template": None},
                "template",
                "same weights and tokenizer: only the chat template differs",
            ),
            (
                {"tokens": ("a", "b", "c", "d")},
                "tokenizer",
                "same weights and template: only the tokenizer differs",
            ),
            (
                {"freq_base": 1e6},
                "hyperparameters",
                "same weights, tokenizer and template: only hyperparameters differ",
            ),
        ],
    )
    def test_one_other_thing_is_named(
        self, base: Path, tmp_path: Path, change: dict[str, Any], key: str, conclusion: str
    ) -> None:
        report = diff(base, write_model(tmp_path / "other.gguf", **change))
        assert (report["differs"], report["conclusion"]) == ([key], [conclusion])

    def test_other_quantizations_of_one_model_leave_its_weights_unknown(
        self, base: Path, tmp_path: Path
    ) -> None:
        other = write_model(tmp_path / "other.gguf", half=True)
        report = diff(base, other, code=3)
        assert (report["differs"], report["unknown"]) == (["quantization"], ["weights"])
        assert report["conclusion"] == [
            "same architecture, shapes, tokenizer and template: the quantization differs",
            "not known, which is not the same: weights",
        ]

    def test_other_quantizations_of_two_models_are_told_by_what_is_not_quantized(
        self, base: Path, tmp_path: Path
    ) -> None:
        other = write_model(tmp_path / "other.gguf", seed=2, half=True)
        report = diff(base, other)
        assert report["differs"] == ["quantization", "weights"]
        assert detail(report, "weights") == "2 of 2 compared tensors differ"

    def test_a_demand_needs_a_difference(self, base: Path) -> None:
        report = diff(base, base, "--expect-only", "weights", code=1)
        assert [r["code"] for r in report["reasons"]] == ["no-difference"]


class TestAdapters:
    def test_of_one_shape_differ_in_their_weights(self, tmp_path: Path) -> None:
        a, b = (write_adapter(tmp_path / f"{seed}.gguf", seed=seed) for seed in (1, 2))
        assert diff(a, b)["conclusion"] == [
            "same architecture, rank, targets and scaling: only the adapter's weights differ"
        ]

    def test_of_another_rank_are_confounded(self, tmp_path: Path) -> None:
        a, b = (write_adapter(tmp_path / f"{rank}.gguf", rank=rank) for rank in (4, 8))
        assert diff(a, b)["confounds"] == ["size", "shapes"]

    def test_of_another_alpha_are_told_apart(self, tmp_path: Path) -> None:
        a, b = (write_adapter(tmp_path / f"{alpha}.gguf", alpha=alpha) for alpha in (4, 8))
        assert diff(a, b)["differs"] == ["hyperparameters"]

    @pytest.mark.parametrize(
        ("adapter", "found"),
        [
            ({"architecture": "qwen3"}, "qwen3"),
            ({"width": 96}, "an adapter for blk.0.attn_q.weight of (96, 96)"),
            ({"targets": ["blk.9.attn_q"]}, "an adapter for blk.9.attn_q.weight of (64, 64)"),
        ],
        ids=["architecture", "shape", "name"],
    )
    def test_made_for_another_base_are_refused(
        self, base: Path, tmp_path: Path, adapter: dict[str, Any], found: str
    ) -> None:
        path = write_adapter(tmp_path / "a.gguf", **adapter)
        ran = done(run("diff", base, f"{base}+{path}"), 2)
        assert ran.err.startswith("error[AV553]: not a model with an adapter that fits it\n")
        assert f"  found: {found}\n" in ran.err

    def test_are_not_weights_and_weights_are_none(self, base: Path, tmp_path: Path) -> None:
        adapter = write_adapter(tmp_path / "a.gguf")
        for pair in ((base, adapter), (base, f"{base}+{base}"), (base, f"{adapter}+{adapter}")):
            assert "error[AV553]" in done(run("diff", *pair), 2).err

    def test_a_plus_in_a_files_own_name_is_no_sign(self, tmp_path: Path) -> None:
        path = write_model(tmp_path / "a+b.gguf")
        adapter = write_adapter(tmp_path / "c+d.gguf")
        assert diff(path, f"{path}+{adapter}")["differs"] == ["adapter"]


class TestGates:
    def test_that_are_only_described_share_what_is_declared(self, docket: Repository) -> None:
        ran = docket.run("model", "diff", "V1_004", "V1_005", "--format", "json")
        report = done(ran, 3).json
        assert (report["verdict"], report["checked"], report["total"]) == ("cannot-evaluate", 5, 9)
        assert relations(report) == {
            "architecture": "same",
            "size": "same",
            "hyperparameters": "unknown",
            "shapes": "unknown",
            "tokenizer": "unknown",
            "template": "unknown",
            "quantization": "same",
            "weights": "differs",
            "adapter": "same",
        }
        assert {line["basis"] for line in report["comparisons"]} == {"declared", "none"}
        assert report["conclusion"] == [
            "as declared: differs in weights, same in architecture, size, quantization, adapter",
            "not known, which is not the same: hyperparameters, shapes, tokenizer, template",
        ]

    def test_a_demand_on_what_is_only_described_cannot_be_evaluated(
        self, docket: Repository
    ) -> None:
        ran = docket.run("model", "diff", "V1_004", "V1_005", "--expect-only", "weights")
        assert "CANNOT-EVALUATE" in done(ran, 3).out

    def test_of_other_sizes_are_confounded_though_not_all_is_known(
        self, docket: Repository
    ) -> None:
        words = ("S1_004", "V1_004", "--expect-only", "weights", "--format", "json")
        report = done(docket.run("model", "diff", *words), 1).json
        assert report["confounds"] == ["architecture", "size", "quantization"]

    def test_the_laptop_pair_differs_in_its_adapter(self, docket: Repository) -> None:
        report = done(docket.run("model", "diff", "S1_004", "S1_005", "--format", "json")).json
        assert (report["differs"], report["unknown"]) == (["adapter"], [])


def test_progress_is_for_terminals_only(base: Path) -> None:
    words = command("model", "inspect", str(base), "--paranoid")
    piped = subprocess.run(words, capture_output=True, check=True)
    assert piped.stderr == b""
    reader, terminal = pty.openpty()
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=terminal, check=True)
    os.close(terminal)
    assert os.read(reader, 1000) == b"\r\x1b[K"
    os.close(reader)
