"""What a pool of workers refuses, whoever the workers are."""

from __future__ import annotations

import pytest

from abverify.app.cluster.pool import Pool
from abverify.app.cluster.worker import Opened, Order
from abverify.app.measurement import open_gate
from abverify.errors import IndeterminateError, RefusedError
from abverify.evidence.lock import RunLock
from tests.support.repository import CHECKOUT


@pytest.fixture
def pool() -> Pool:
    """A pool whose first worker is open."""
    gate = open_gate(CHECKOUT, "S1_004")
    order = Order(CHECKOUT, gate, threads=1, unsafe=False, paranoid=False)
    return Pool(order, cpus=1, first=opened("b1"))


def opened(build: str) -> Opened:
    """A worker with a build of the engine."""
    lock = RunLock({"engine.name": "llama", "engine.version": build})
    return Opened(lock, "attested", ())


def test_a_worker_under_the_same_lock_is_taken(pool: Pool) -> None:
    pool.admit("worker", opened("b1"))
    assert pool.idle == ["worker"]


def test_a_worker_under_another_lock_is_refused_with_the_key(pool: Pool) -> None:
    with pytest.raises(RefusedError) as refusal:
        pool.admit("worker", opened("b2"))
    error = refusal.value
    assert error.rule == "AV591"
    assert (
        error.message == "the workers do not measure the same; their locks differ in engine.version"
    )
    assert (error.expected, error.found) == ("engine.version=b1", "engine.version=b2")
    assert pool.idle == []


def test_what_keeps_a_worker_from_opening_is_told_as_it_told_it(pool: Pool) -> None:
    missing = IndeterminateError("the weights are not here", rule="AV510", place="x.gguf")
    with pytest.raises(IndeterminateError) as refusal:
        pool.admit("worker", missing)
    assert refusal.value is missing
