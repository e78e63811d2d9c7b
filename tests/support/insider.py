"""An insider with every key: a record changed after the fact, and signed into a log anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abverify._canonical import canonical_bytes, sha256_hex
from abverify.records.envelope import STATEMENT_TYPE, seal, unverified_payload
from abverify.records.keystore import load_key_file
from abverify.records.log.entries import Entry, read_entries
from abverify.records.log.state import empty_log

if TYPE_CHECKING:
    from collections.abc import Callable

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
