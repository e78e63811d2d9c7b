"""An insider with every key: a record changed after the fact, and signed into a log anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abverify._canonical import canonical_bytes, sha256_hex
from abverify.records.append import ContractVersion, append
from abverify.records.envelope import STATEMENT_TYPE, seal, unverified_payload
from abverify.records.keystore import load_key_file
from abverify.records.ledger import read_ledger
from abverify.records.log.entries import Entry, read_entries
from abverify.records.log.state import empty_log
from abverify.workspace.contracts import published_files
from abverify.workspace.ledger_store import commit, ledger_files, root_files, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.support.repository import Repository


def signed_anew(
    repository: Repository, record: str, change: Callable[[dict[str, Any]], object]
) -> None:
    """Changes the predicate of the last record, a file, and signs it and the log."""
    file = repository.root / record
    payload = unverified_payload(file.read_bytes(), name=record, payload_type=STATEMENT_TYPE)
    statement = json.loads(payload)
    change(statement["predicate"])
    key = load_key_file(repository.keys / "operator.pem", None, repository=repository.root)
    data = seal(canonical_bytes(statement), payload_type=STATEMENT_TYPE, signers=[key])
    file.write_bytes(data)
    held = {
        path.relative_to(repository.root).as_posix(): path.read_bytes()
        for path in (repository.root / "gates/_log").rglob("*")
        if path.is_file()
    }
    *rest, last = read_entries(held)
    assert last.path == record
    origin = statement["predicate"]["ledger"]["origin"]
    for path, written in (
        empty_log(origin).grown([*rest, Entry(sha256_hex(data), record)], [key]).items()
    ):
        (repository.root / path).write_bytes(written)


def decided_again(repository: Repository, record: str, *, version: str, now: datetime) -> str:
    """Signs a decision's own words once more, about another version or at another time.

    Args:
        repository: where.
        record: the file of a decision.
        version: the contract version that the new decision is about.
        now: when it says that it is issued.

    Returns:
        The new record's file.
    """
    root = repository.root
    with writing(root):
        files = ledger_files(root)
        contracts = published_files(root)
        ledger = read_ledger(files.records, contracts, root_files(root), files.log, now=now)
        old = next(one for one in ledger.records if one.path == record)
        frozen = f"contracts/_versions/{old.gate}/{version}.yaml"
        done = append(
            ledger,
            old.gate,
            old.body,
            subject=ContractVersion(version, contracts[frozen]),
            signers=[load_key_file(repository.keys / "operator.pem", None, repository=root)],
            actor="operator",
            reason="by an insider",
            now=now,
        )
        commit(root, done.path, {done.path: done.data, **done.log})
    return done.path
