from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify._canonical import tree_digest
from abverify.errors import InvalidError
from abverify.workspace.documents import load_document
from abverify.workspace.pins import (
    PinLock,
    PinnedContract,
    empty_pins,
    input_digest,
    load_pins,
    render_pins,
)

if TYPE_CHECKING:
    from pathlib import Path

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}[A-Za-z0-9_]", fullmatch=True)
GATES = st.tuples(st.from_regex(r"[a-z0-9][a-z0-9-]{0,5}", fullmatch=True), NAMES).map("/".join)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
# Names that some reader of YAML takes for something else.
ODD = st.sampled_from(["null", "no", "1", "017", "0x1F", "1.5", "true", "1e3", "y", "2026-01-31"])


def lock(
    contracts: dict[str, PinnedContract] | None = None, inputs: dict[str, str] | None = None
) -> PinLock:
    return empty_pins().model_copy(update={"contracts": contracts or {}, "inputs": inputs or {}})


def test_pins_are_sorted_one_fact_a_line() -> None:
    pins = lock(
        {"b/G": PinnedContract(version="1.0.0", sha256="b" * 64)},
        {"prompts/z.md": "2" * 64, "corpora/a": "1" * 64},
    )

    assert render_pins(pins).decode().splitlines()[2:] == [
        "schema: abverify/pin-lock/v1",
        "contracts:",
        "  b/G:",
        "    version: 1.0.0",
        f'    sha256: "{"b" * 64}"',
        "inputs:",
        f'  corpora/a: "{"1" * 64}"',
        f'  prompts/z.md: "{"2" * 64}"',
    ]


@given(
    st.dictionaries(GATES, DIGESTS, max_size=3), st.dictionaries(PATHS | ODD, DIGESTS, max_size=3)
)
def test_whatever_is_pinned_reads_back(contracts: dict[str, str], inputs: dict[str, str]) -> None:
    windows = ("con", "prn", "aux", "nul", "com", "lpt")
    inputs = {
        path: digest
        for path, digest in inputs.items()
        if not any(part.lower().startswith(windows) for part in path.split("/"))
    }
    pins = lock(
        {
            gate: PinnedContract(version="1.2.3", sha256=digest)
            for gate, digest in contracts.items()
        },
        inputs,
    )

    assert load_document(PinLock, render_pins(pins), name="pin.lock") == pins


def test_a_repository_without_pins_pins_nothing(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()

    assert load_pins(tmp_path) == empty_pins()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("schema: abverify/pin-lock/v2\ncontracts: {}\ninputs: {}\n", "AV102"),
        ("schema: abverify/pin-lock/v1\ncontracts: {}\n", "AV102"),
        ('schema: abverify/pin-lock/v1\ncontracts: {}\ninputs: {../x: "0"}\n', "AV102"),
        ("schema: [\n", "AV101"),
    ],
)
def test_malformed_pins_are_refused(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "pin.lock").write_text(text)

    with pytest.raises(Exception, match=r".") as refusal:
        load_pins(tmp_path)

    assert getattr(refusal.value, "rule", None) == rule


def test_an_input_is_digested_as_a_file_or_as_a_folder(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.md").write_bytes(b"text")

    assert input_digest(tmp_path, "prompts/a.md") == tree_digest({"a.md": b"text"})
    assert input_digest(tmp_path, "prompts") == tree_digest({"a.md": b"text"})


def test_a_missing_input_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as refusal:
        input_digest(tmp_path, "prompts/a.md")

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV113", "prompts/a.md")
