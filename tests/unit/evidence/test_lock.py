from __future__ import annotations

import pytest

from abverify._canonical import canonical_bytes
from abverify.errors import UntrustedError
from abverify.evidence.lock import LOCK_KEYS, METER_KEYS, RunLock, Scalar, parse_lock


def test_a_lock_reads_back_from_its_bytes_and_its_digest_is_theirs() -> None:
    lock = RunLock({"model.name": "Tiny", "engine.n_ctx": 2048, "sandbox.isolated": True})

    assert lock.to_bytes() == (
        b'{"schema":"abverify/run-lock/v1","values":'
        b'{"engine.n_ctx":2048,"model.name":"Tiny","sandbox.isolated":true}}'
    )
    assert parse_lock(lock.to_bytes(), name="lock.json") == lock


def test_a_lock_holds_registered_keys_only() -> None:
    with pytest.raises(ValueError, match=r"unknown lock keys: engine\.colour, sampling\.luck"):
        RunLock({"sampling.luck": 1, "engine.colour": "red"})


def test_every_key_has_a_meaning_and_the_meter_is_made_of_keys() -> None:
    assert all(LOCK_KEYS.values())
    assert set(METER_KEYS) <= set(LOCK_KEYS)


def test_keys_that_differ_or_are_absent_are_named_in_registry_order() -> None:
    lock = RunLock({"model.name": "Tiny", "engine.n_ctx": 2048, "model.adapter_sha256": None})
    wanted: dict[str, Scalar] = {
        "sampling.top_k": 50,
        "engine.n_ctx": 4096,
        "model.name": "Tiny",
        "model.adapter_sha256": None,
        "model.adapter_scale": None,
    }

    assert lock.differing(wanted) == ("model.adapter_scale", "engine.n_ctx", "sampling.top_k")


def test_what_an_imported_log_cannot_tell_is_absent_but_toolchains_are_per_language() -> None:
    lock = RunLock(dict.fromkeys(set(LOCK_KEYS) - {"engine.version", "toolchain.rust"}))

    assert lock.absent() == ("engine.version",)


@pytest.mark.parametrize(
    "document",
    [
        {"schema": "abverify/run-lock/v2", "values": {}},
        {"schema": "abverify/run-lock/v1"},
        {"schema": "abverify/run-lock/v1", "values": {}, "more": 1},
        {"schema": "abverify/run-lock/v1", "values": {"model.name": ["Tiny"]}},
        {"schema": "abverify/run-lock/v1", "values": {"unknown": 1}},
        [],
    ],
)
def test_other_documents_are_no_lock(document: object) -> None:
    with pytest.raises(UntrustedError) as refusal:
        parse_lock(canonical_bytes(document), name="run/lock.json")

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV401", "run/lock.json")
