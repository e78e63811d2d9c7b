from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import sha256_hex
from abverify.errors import FaultsError, InvalidError, NothingToCheckError, UsageError
from abverify.model.ids import GateId
from abverify.workspace.contracts import load_registry, published_files, read_contract, version_path
from tests.builders import contract_document

if TYPE_CHECKING:
    from pathlib import Path


def put(root: Path, name: str, **changes: Any) -> bytes:
    """Writes a contract; JSON is strict YAML."""
    data = json.dumps(contract_document(**changes), indent=1).encode()
    (root / "contracts").mkdir(exist_ok=True)
    (root / "contracts" / name).write_bytes(data)
    return data


def test_every_working_contract_is_found_by_its_gate(tmp_path: Path) -> None:
    data = put(tmp_path, "T1_001.yaml")
    put(tmp_path, "other.yaml", id="aaa/T1_002")
    (tmp_path / "contracts" / "policy.yaml").write_text("not: a contract\n")
    (tmp_path / "contracts" / "notes.md").write_text("nor this\n")

    registry = load_registry(tmp_path)

    assert [str(loaded.contract.gate) for loaded in registry.all()] == [
        "aaa/T1_002",
        "laptop/T1_001",
    ]
    found = registry.find("T1_001")
    assert (found.path, found.data, found.sha256) == (
        "contracts/T1_001.yaml",
        data,
        sha256_hex(data),
    )
    with pytest.raises(UsageError):
        registry.find("T1_003")


def test_a_repository_without_contracts_has_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()

    with pytest.raises(NothingToCheckError) as refusal:
        load_registry(tmp_path)

    assert refusal.value.rule == "AV004"


def test_a_gate_declared_twice_is_refused_with_both_files(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml")
    put(tmp_path, "b.yaml")

    with pytest.raises(InvalidError) as refusal:
        load_registry(tmp_path)

    assert (refusal.value.rule, str(refusal.value.place), refusal.value.found) == (
        "AV112",
        "contracts/b.yaml",
        "also in contracts/a.yaml",
    )


@pytest.mark.parametrize("name", ["b.yml", "b.YAML", "b.Yml"])
def test_a_contract_under_a_name_that_would_be_passed_over_is_refused(
    tmp_path: Path, name: str
) -> None:
    put(tmp_path, "a.yaml")
    put(tmp_path, name, id="ns/T1_009")

    with pytest.raises(InvalidError) as refusal:
        load_registry(tmp_path)

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV116", f"contracts/{name}")


def test_other_documents_may_have_any_name(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml")
    (tmp_path / "contracts" / "notes.yml").write_text("of: somebody else's\n")
    (tmp_path / "contracts" / "c.yamml").write_text("schema: abverify/contract/v1\n")

    assert len(load_registry(tmp_path).contracts) == 1


def test_the_faults_of_all_contracts_are_told_together(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", title="", evidence__valid_days=0)
    put(tmp_path, "b.yaml", lifts="x")
    (tmp_path / "contracts" / "c.yaml").write_text("a: [\n")

    with pytest.raises(FaultsError) as refusal:
        load_registry(tmp_path)

    places = [fault.place.file for fault in refusal.value.errors if fault.place]
    assert places == ["contracts/a.yaml"] * 2 + ["contracts/b.yaml", "contracts/c.yaml"]


def test_a_missing_contract_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_contract(tmp_path, "contracts/none.yaml")


def test_published_versions_are_kept_by_gate_and_version(tmp_path: Path) -> None:
    path = version_path(GateId("laptop", "T1_001"), "1.2.3")
    assert path == "contracts/_versions/laptop/T1_001/1.2.3.yaml"
    assert published_files(tmp_path) == {}

    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_bytes(b"frozen")

    assert published_files(tmp_path) == {path: b"frozen"}
