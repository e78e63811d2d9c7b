"""The contracts of a repository: working files, published versions, and the registry of gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify._yaml import read_yaml
from abverify.errors import (
    FaultsError,
    InvalidError,
    NothingToCheckError,
    members,
    raise_all,
)
from abverify.model.contract import Contract
from abverify.model.ids import GateId, resolve
from abverify.workspace.documents import validate
from abverify.workspace.files import read_bytes, read_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abverify._yaml import Document
    from abverify.errors import AbverifyError

VERSIONS = "contracts/_versions"


@frozen
class LoadedContract:
    """A contract with the file it came from.

    Attributes:
        path: the file, relative to the repository root.
        data: its bytes.
        contract: what they say.
        document: the same as plain data, with the place of every value.
    """

    path: str
    data: bytes
    contract: Contract
    document: Document

    @property
    def sha256(self) -> str:
        """Digest of the file's raw bytes: what records are about."""
        return sha256_hex(self.data)


@frozen
class Registry:
    """Every working contract, by gate."""

    contracts: Mapping[GateId, LoadedContract]

    def find(self, text: str) -> LoadedContract:
        """The contract of the gate that `text` names, qualified or short.

        Raises:
            UsageError: AV110 for an unknown name, AV111 for an ambiguous one.
        """
        return self.contracts[resolve(text, self.contracts)]

    def all(self) -> tuple[LoadedContract, ...]:
        """The contracts in the order of their gates."""
        return tuple(self.contracts[gate] for gate in sorted(self.contracts))


def contract_paths(root: Path) -> tuple[str, ...]:
    """The working contract files, relative to the root, sorted."""
    skipped = {"policy.yaml"}
    files = sorted((root / "contracts").glob("*.yaml"))
    return tuple(f"contracts/{file.name}" for file in files if file.name not in skipped)


def misnamed_paths(root: Path) -> tuple[str, ...]:
    """Files beside the contracts that say they are one, and whose names would pass them over."""
    names = sorted(file.name for file in (root / "contracts").glob("*.*"))
    paths = (
        f"contracts/{name}"
        for name in names
        if name.lower().endswith((".yaml", ".yml")) and not name.endswith(".yaml")
    )
    return tuple(path for path in paths if says_contract(read_bytes(root, path)))


def says_contract(data: bytes) -> bool:
    """Whether a file's bytes say that it is a contract in our schema, readable or not."""
    return b"abverify/contract/" in data


def read_contract(root: Path, path: str) -> LoadedContract:
    """Reads one contract file.

    Raises:
        InvalidError: AV101 or AV102 with the place of the fault.
    """
    return contract_from(read_bytes(root, path), path)


def contract_from(data: bytes, path: str) -> LoadedContract:
    """Reads a contract from its bytes; errors as for `read_contract`."""
    document = read_yaml(data, name=path)
    return LoadedContract(path, data, validate(Contract, document), document)


def load_registry(root: Path) -> Registry:
    """Reads every working contract.

    Raises:
        NothingToCheckError: AV004 when there is none.
        InvalidError: for a malformed contract, AV112 for a gate declared twice, or AV116 for a
            contract whose file would be passed over.
    """
    faults: list[AbverifyError] = [_misnamed(path) for path in misnamed_paths(root)]
    found: dict[GateId, LoadedContract] = {}
    for path in contract_paths(root):
        try:
            loaded = read_contract(root, path)
        except (InvalidError, FaultsError) as error:
            faults += members(error)
            continue
        gate = loaded.contract.gate
        if gate in found:
            faults.append(declared_twice(gate, loaded.path, found[gate].path))
        found[gate] = loaded
    raise_all(faults)
    if not found:
        raise NothingToCheckError(
            "there is no contract", rule="AV004", place=str(root / "contracts")
        )
    return Registry(found)


def _misnamed(path: str) -> InvalidError:
    return InvalidError(
        "a contract whose file name would pass it over",
        rule="AV116",
        place=path,
        expected="a name that ends in .yaml",
        found=path.rpartition("/")[2],
        next_step=f"git mv {path} {path.rpartition('.')[0]}.yaml",
    )


def declared_twice(gate: GateId, path: str, other: str) -> InvalidError:
    """The error that two working contracts are about one gate."""
    return InvalidError(
        f"two contracts declare the gate {gate}",
        rule="AV112",
        place=path,
        expected="one contract for each gate",
        found=f"also in {other}",
    )


def version_path(gate: GateId, version: str) -> str:
    """Where a published version of a gate's contract is frozen."""
    return f"{VERSIONS}/{gate.namespace}/{gate.name}/{version}.yaml"


def published_files(root: Path) -> dict[str, bytes]:
    """The bytes of every published version, by path relative to the root."""
    if not (root / VERSIONS).is_dir():
        return {}
    return {f"{VERSIONS}/{name}": data for name, data in read_tree(root, VERSIONS).items()}
