"""The facts that roll-ups and generated regions show, gathered only as far as asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._clock import now
from abverify.errors import AbverifyError
from abverify.records.ledger import read_ledger
from abverify.records.lifecycle import gate_state, scope_states
from abverify.workspace.contracts import VERSIONS, contract_from, says_contract
from abverify.workspace.foreign import read_foreign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.model.policy import Policy
    from abverify.records.ledger import Ledger
    from abverify.workspace.contracts import LoadedContract
    from abverify.workspace.snapshot import Snapshot

LEDGER_WORDS = ("gates", "scopes", "ledger")
_NOT_IN_THE_LEDGER = "_proposals/"
_NOT_CONTRACTS = frozenset(["policy.yaml"])


def gather(policy: Policy, files: Snapshot) -> dict[str, Any]:
    """Every fact that the policy's expressions can name.

    Returns:
        `contracts` by file, `corpora` by folder (`fixtures`: how many subfolders), and where an
        expression or a region speaks of them `gates` by short id, `scopes` and `ledger`.
    """
    facts: dict[str, Any] = {
        "contracts": _documents(policy, files),
        "corpora": {path: {"fixtures": _subfolders(files, path)} for path in policy.corpora},
    }
    expressions = [text for rollup in policy.rollups for text in rollup.equals.values()]
    if policy.regions or any(word in text for text in expressions for word in LEDGER_WORDS):
        facts |= _ledger_facts(files)
    return facts


def ledger_at(files: Snapshot) -> Ledger:
    """The ledger as a snapshot holds it."""
    paths = [f"gates/{path}" for path in files.names("gates") if not _apart(path)]
    found = {path: files.read(path) for path in paths}
    below = {path: data for path, data in found.items() if data is not None}
    roots = {path: data for path, data in below.items() if path.startswith("gates/_trust/")}
    versions = {f"{VERSIONS}/{path}": data for path, data in files.folder(VERSIONS).items()}
    log = {path: data for path, data in below.items() if path.startswith("gates/_log/")}
    return read_ledger(below, versions, roots, log, now=now())


def _apart(path: str) -> bool:
    """Whether a file below `gates/` is none of the ledger's: evidence may be of any size."""
    return path.startswith(_NOT_IN_THE_LEDGER) or path.split("/")[2:3] == ["evidence"]


def contracts_at(files: Snapshot) -> dict[str, LoadedContract]:
    """The working contracts in our schema that a snapshot holds, by path.

    What is malformed is left out: lint and check say what is wrong with it.
    """
    found: dict[str, LoadedContract] = {}
    for path, data in contract_files(files):
        try:
            found[path] = contract_from(data, path)
        except AbverifyError:
            continue
    return found


def contract_files(files: Snapshot) -> Iterator[tuple[str, bytes]]:
    """The files of a snapshot that say they are contracts in our schema, readable or not."""
    for name in files.names("contracts"):
        if "/" in name or not name.endswith(".yaml") or name in _NOT_CONTRACTS:
            continue
        data = files.read(f"contracts/{name}")
        if data is not None and says_contract(data):
            yield f"contracts/{name}", data


def _documents(policy: Policy, files: Snapshot) -> dict[str, Any]:
    documents: dict[str, Any] = {
        path: loaded.document.value for path, loaded in contracts_at(files).items()
    }
    for contract in policy.foreign:
        data = files.read(contract.path)
        if data is not None:
            documents[contract.path] = read_foreign(data, contract.path)
    return documents


def _subfolders(files: Snapshot, path: str) -> int:
    return len({name.split("/", 1)[0] for name in files.names(path) if "/" in name})


def _ledger_facts(files: Snapshot) -> dict[str, Any]:
    ledger, moment = ledger_at(files), now()
    gates: dict[str, Mapping[str, Any]] = {}
    for loaded in contracts_at(files).values():
        gate = loaded.contract.gate
        state = gate_state(ledger, gate, moment)
        gates[gate.name] = {
            "id": str(gate),
            "state": state.state,
            "version": state.version,
            "model": loaded.contract.model.name,
        }
    scopes = {item.scope: item.state for item in scope_states(ledger)}
    return {
        "gates": gates,
        "scopes": scopes,
        "ledger": {
            "records": ledger.total,
            "faults": len(ledger.faults),
            "gates": len(gates),
            "discharged": sum(gate["state"] == "discharged" for gate in gates.values()),
        },
    }
