"""A bench on a real Ray cluster of two nodes is the bench of one process, also when a node dies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import running, wait_until
from tests.support.ray_nodes import two_nodes
from tests.support.refusals import refused
from tests.support.repository import done
from tests.support.rows import steady
from tests.support.short import BENCH, journal, uninterrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.ray_nodes import TwoNodes
    from tests.support.repository import Repository

pytestmark = pytest.mark.slow

ON_RAY = (*BENCH, "--runner", "ray")


@pytest.fixture
def cluster() -> Iterator[TwoNodes]:
    """Two nodes with a CPU each."""
    with two_nodes() as nodes:
        yield nodes


@pytest.fixture
def repository(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Repository:
    """The short bench, not begun."""
    return uninterrupted(tmp_path_factory)[0].copy(tmp_path)


@pytest.fixture
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process measured."""
    finished = journal(uninterrupted(tmp_path_factory)[1])
    assert finished is not None
    return finished.parent


def folder(repository: Repository) -> Path:
    path = journal(repository)
    assert path is not None
    return path.parent


def attempts(repository: Repository) -> int:
    path = journal(repository)
    file = path.parent / "attempts.jsonl" if path else None
    return file.read_bytes().count(b"\n") if file and file.exists() else 0


def equals(repository: Repository, whole: Path) -> None:
    """The same journal apart from times; the same scores."""
    found = folder(repository)
    assert steady(found / "rows.jsonl") == steady(whole / "rows.jsonl")
    for name in ("lock.json", "scores.json"):
        assert (found / name).read_bytes() == (whole / name).read_bytes()
    done(repository.run("evidence", "verify", found.name))


def test_two_nodes_measure_what_one_process_measures(
    cluster: TwoNodes, repository: Repository, whole: Path
) -> None:
    report = done(repository.spawn(*ON_RAY, RAY_ADDRESS=cluster.address)).json
    assert (report["verdict"], report["checked"], report["total"]) == ("complete", 3, 3)
    equals(repository, whole)
    assert attempts(repository) == 3


def test_a_node_that_dies_loses_no_trial(
    cluster: TwoNodes, repository: Repository, whole: Path
) -> None:
    """The other node is held as soon as a trial has begun, so the second one begins on this."""
    with running(repository, *ON_RAY, RAY_ADDRESS=cluster.address) as driver:
        wait_until(lambda: attempts(repository) >= 1, driver)
        cluster.hold_one()
        wait_until(lambda: attempts(repository) >= 2, driver)
        cluster.lose_one()
        said, complaint = driver.communicate(timeout=300)
    assert driver.returncode == 0, said + complaint
    assert json.loads(said)["checked"] == 3
    equals(repository, whole)
    assert attempts(repository) == 4, "no trial was under way on the node that died"


def test_what_a_killed_driver_left_goes_on_in_one_process(
    cluster: TwoNodes, repository: Repository, whole: Path
) -> None:
    with running(repository, *ON_RAY, RAY_ADDRESS=cluster.address) as driver:
        wait_until(lambda: attempts(repository) == 3, driver)
        driver.kill()
    done(repository.spawn(*BENCH))
    equals(repository, whole)


def test_a_client_measures_on_a_cluster_it_is_no_part_of(
    cluster: TwoNodes, repository: Repository, whole: Path
) -> None:
    done(repository.spawn(*BENCH, "--runner", cluster.client))
    equals(repository, whole)


def test_a_cluster_that_is_not_there_is_not_replaced(repository: Repository) -> None:
    before = repository.tree()
    ran = repository.spawn(*BENCH, "--runner", "ray", RAY_ADDRESS="127.0.0.1:9")
    assert refused(ran, 3, "AV590")["at"] == "127.0.0.1:9"
    assert repository.tree() == before
