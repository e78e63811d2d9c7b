"""All that a GGUF file says of itself is read, and a hostile file gets one clear error."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.bench.gguf_header import float_text
from abverify.bench.inspection import inspect_gguf
from abverify.bench.tensor_diff import compare_tensors
from abverify.errors import InvalidError
from tests.support.gguf_files import write_adapter, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.model.gguf_facts import GgufFacts


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small model; its tensor table is in front of its data."""
    return write_model(tmp_path_factory.mktemp("whole") / "m.gguf", experts=8).read_bytes()


@pytest.fixture(scope="module")
def real(weights: Path) -> GgufFacts:
    return inspect_gguf(weights)


@pytest.fixture
def path(tmp_path: Path, whole: bytes) -> Path:
    """A small model that a test may damage."""
    file = tmp_path / "m.gguf"
    file.write_bytes(whole)
    return file


def refusal(path: Path) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        inspect_gguf(path, name="m.gguf")
    assert (caught.value.rule, str(caught.value.place)) == ("AV511", "m.gguf")
    assert caught.value.next_step
    return caught.value


def entry(data: bytes, tensor: str) -> int:
    """Where the table's entry for a tensor has its dimensions, just behind the name."""
    name = struct.pack("<Q", len(tensor)) + tensor.encode()
    assert data.count(name) == 1
    return data.index(name) + len(name)


def patch(path: Path, at: int, data: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + len(data)] = data
    path.write_bytes(content)


class TestARealModel:
    def test_is_told_in_its_architectures_terms(self, real: GgufFacts) -> None:
        shown = real.to_json()
        assert shown["architecture"] == "llama"
        assert shown["parameters"] == 134_515_008
        assert (shown["blocks"], shown["contextLength"], shown["experts"]) == (30, 8192, None)
        assert shown["quantization"] == "Q4_1"
        assert shown["tensors"]["types"] == {
            "Q4_1": {"count": 210, "bytes": 66_355_200},
            "Q8_0": {"count": 1, "bytes": 30_081_024},
            "F32": {"count": 61, "bytes": 140_544},
        }

    def test_shows_numbers_as_they_were_meant(self, real: GgufFacts) -> None:
        hyperparameters = dict(real.hyperparameters)
        assert hyperparameters["attention.layer_norm_rms_epsilon"] == "1e-05"
        assert hyperparameters["attention.head_count_kv"] == "3"

    def test_shows_its_general_metadata(self, real: GgufFacts) -> None:
        general = dict(real.general)
        assert general["general.license"] == "apache-2.0"
        assert general["general.languages"] == ["en"]

    def test_has_the_tensors_that_ggufs_own_reader_finds(
        self, real: GgufFacts, weights: Path
    ) -> None:
        from gguf import GGUFReader

        tensors = GGUFReader(weights).tensors
        theirs = {one.name: (tuple(map(int, one.shape)), one.tensor_type.name) for one in tensors}
        types = dict(real.types)
        assert {name: (shape, types[name]) for name, shape in real.shapes} == theirs


def test_a_mixture_of_experts_says_how_many_and_how_many_are_used(path: Path) -> None:
    shown = inspect_gguf(path).to_json()
    assert (shown["experts"], shown["expertsUsed"]) == (8, 2)
    assert shown["general"]["general.tags"] == ["tiny", "for tests"]


class TestAnAdapter:
    def test_says_rank_alpha_and_targets(self, tmp_path: Path) -> None:
        facts = inspect_gguf(write_adapter(tmp_path / "a.gguf", rank=4, alpha=8.0))
        assert facts.kind == "adapter"
        assert facts.to_json()["adapter"] == {
            "type": "lora",
            "alpha": "8",
            "ranks": [4],
            "targets": {"attn_q": 2, "attn_v": 1},
        }

    def test_says_which_shape_its_base_must_have(self, tmp_path: Path) -> None:
        path = write_adapter(tmp_path / "a.gguf", targets=["blk.0.attn_q"], width=96)
        lora = inspect_gguf(path).lora
        assert lora is not None
        assert lora.shapes == (("blk.0.attn_q.weight", (96, 96)),)

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            (b"weight.lora_b", b"weight.lora_c", "a tensor blk.0.attn_q.weight.lora_b"),
            (b"weight.lora_a", b"weight.lora_c", "pairs of lora_a and lora_b"),
        ],
    )
    def test_without_its_pairs_is_refused(
        self, tmp_path: Path, old: bytes, new: bytes, expected: str
    ) -> None:
        path = write_adapter(tmp_path / "m.gguf", targets=["blk.0.attn_q"])
        path.write_bytes(path.read_bytes().replace(old, new))
        assert refusal(path).expected == expected

    def test_whose_halves_have_two_ranks_is_refused(self, tmp_path: Path) -> None:
        path = write_adapter(tmp_path / "m.gguf", targets=["blk.0.attn_q"], rank=4)
        at = entry(path.read_bytes(), "blk.0.attn_q.weight.lora_b")
        patch(path, at + 4, struct.pack("<Q", 2))
        assert refusal(path).found == "(64, 4) (2, 64)"


class TestAHostileFile:
    """Offsets: behind the name come dimensions (4), two extents (8 each), type (4), offset (8)."""

    def test_with_overlapping_tensors_is_refused(self, path: Path, whole: bytes) -> None:
        first = entry(whole, "blk.0.attn_q.weight") + 24
        second = entry(whole, "blk.0.attn_v.weight") + 24
        patch(path, second, whole[first : first + 8])
        error = refusal(path)
        assert error.expected == "tensor 'blk.0.attn_v.weight' behind 'blk.0.attn_q.weight'"
        assert (error.found or "").startswith("the two overlap at offset ")

    def test_with_a_tensor_beyond_its_end_is_refused(self, path: Path, whole: bytes) -> None:
        patch(path, entry(whole, "blk.0.attn_v.weight") + 24, struct.pack("<Q", 2**62))
        assert "truncated" in (refusal(path).found or "")

    def test_with_a_tensor_off_its_alignment_is_refused(self, path: Path, whole: bytes) -> None:
        patch(path, entry(whole, "blk.0.attn_v.weight") + 24, struct.pack("<Q", 7))
        assert refusal(path).expected == "tensor 'blk.0.attn_v.weight' at a multiple of 32"

    def test_with_a_tensor_named_twice_is_refused(self, path: Path, whole: bytes) -> None:
        path.write_bytes(whole.replace(b"blk.0.attn_v.weight", b"blk.0.attn_q.weight"))
        assert (refusal(path).found or "").startswith("'blk.0.attn_q.weight' again")

    @pytest.mark.parametrize("extent", [0, 2**48 + 1, 2**63, 2**64 - 1])
    def test_with_an_absurd_extent_is_refused(self, path: Path, whole: bytes, extent: int) -> None:
        patch(path, entry(whole, "blk.0.attn_q.weight") + 4, struct.pack("<Q", extent))
        assert "in every dimension of 'blk.0.attn_q.weight'" in (refusal(path).expected or "")

    @pytest.mark.parametrize("dimensions", [0, 5, 2**32 - 1])
    def test_with_an_absurd_number_of_dimensions_is_refused(
        self, path: Path, whole: bytes, dimensions: int
    ) -> None:
        patch(path, entry(whole, "blk.0.attn_q.weight"), struct.pack("<I", dimensions))
        assert refusal(path).expected == "1 to 4 dimensions of 'blk.0.attn_q.weight'"

    @pytest.mark.parametrize("key", [b"general.name", b"blk.0.attn_v.weight"])
    def test_with_names_that_are_no_text_is_refused(
        self, path: Path, whole: bytes, key: bytes
    ) -> None:
        path.write_bytes(whole.replace(key, b"\xff" * len(key)))
        assert (refusal(path).expected or "").startswith("UTF-8 in a ")

    def test_with_an_array_in_an_array_is_refused(self, path: Path, whole: bytes) -> None:
        tags = whole.index(b"general.tags") + len(b"general.tags") + 4
        patch(path, tags, struct.pack("<I", 9))
        assert (refusal(path).found or "").startswith("element type 9")

    def test_with_more_text_than_anybody_needs_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "m.gguf"
        megabyte = struct.pack("<Q", 1 << 20) + b"a" * (1 << 20)
        keys = [struct.pack("<Q", 2) + b"%02d" % n + struct.pack("<I", 8) for n in range(20)]
        head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys))
        path.write_bytes(head + b"".join(key + megabyte for key in keys))
        assert (refusal(path).found or "").startswith("a count of 1,048,576")

    @pytest.mark.parametrize("count", [2**31, 2**62, 2**64 - 1])
    def test_takes_no_more_memory_than_a_whole_one(
        self, path: Path, whole: bytes, count: int
    ) -> None:
        tokens = whole.index(b"tokenizer.ggml.tokens") + len(b"tokenizer.ggml.tokens") + 8
        patch(path, tokens, struct.pack("<Q", count))
        tracemalloc.start()
        try:
            refusal(path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 1 << 20

    def test_cut_off_anywhere_is_refused(self, tmp_path: Path, whole: bytes) -> None:
        path = tmp_path / "m.gguf"
        table = entry(whole, "blk.1.attn_norm.weight") + 28
        for length in (*range(table), len(whole) - 1):
            path.write_bytes(whole[:length])
            refusal(path)

    @given(data=st.data())
    def test_however_damaged_is_read_or_refused(
        self, tmp_path_factory: pytest.TempPathFactory, whole: bytes, data: st.DataObject
    ) -> None:
        content = bytearray(whole)
        end = entry(whole, "blk.1.attn_norm.weight") + 24
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, end))
            damage = data.draw(st.one_of(st.binary(min_size=1, max_size=9), _NUMBERS))
            content[at : at + len(damage)] = damage
        path = tmp_path_factory.getbasetemp() / "damaged.gguf"
        path.write_bytes(content)
        with suppress(InvalidError):
            assert inspect_gguf(path).sha256 == hashlib.sha256(content).hexdigest()


_NUMBERS = st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**53, 2**63, 2**64 - 1]).map(
    lambda number: struct.pack("<Q", number)
)


class TestComparingBytes:
    def test_the_same_weights_under_another_name_differ_in_nothing(self, tmp_path: Path) -> None:
        a = write_model(tmp_path / "a.gguf", finetune="Instruct")
        b = write_model(tmp_path / "b.gguf", finetune="Coder with a longer name")
        found = compare_tensors(a, b)
        assert (found.compared, found.differing, found.incomparable) == (8, (), 0)

    def test_one_changed_number_is_found(self, tmp_path: Path) -> None:
        a, b = write_model(tmp_path / "a.gguf"), write_model(tmp_path / "b.gguf")
        patch(b, b.stat().st_size - 1, b"\xff")
        assert compare_tensors(a, b).differing == ("blk.1.attn_norm.weight",)

    def test_other_types_cannot_be_compared(self, tmp_path: Path) -> None:
        a, b = write_model(tmp_path / "a.gguf"), write_model(tmp_path / "b.gguf", half=True)
        found = compare_tensors(a, b)
        assert (found.compared, found.differing, found.incomparable) == (2, (), 6)


@pytest.mark.parametrize(
    ("stored", "text"),
    [(1e-5, "1e-05"), (1e6, "1e+06"), (0.1, "0.1"), (1 / 3, "0.33333334"), (float("nan"), "nan")],
)
def test_a_number_of_32_bits_is_shown_by_its_shortest_decimal(stored: float, text: str) -> None:
    narrowed = struct.unpack("<f", struct.pack("<f", stored))[0]
    assert float_text(narrowed) == text


@given(st.floats(allow_nan=False))
def test_no_two_numbers_are_shown_alike(number: float) -> None:
    shown = float(float_text(number))
    with suppress(OverflowError):
        shown = shown if shown == number else struct.unpack("<f", struct.pack("<f", shown))[0]
    assert shown == number
