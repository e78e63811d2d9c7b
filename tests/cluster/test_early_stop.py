"""A bench on a cluster stops where one process stops, whichever trial ends first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.early import stopped_early
from tests.support.ray_nodes import two_nodes
from tests.support.repository import done
from tests.support.short import BENCH, journal

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_two_nodes_stop_where_one_process_stops(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    before, alone = stopped_early(tmp_path_factory)
    repository = before.copy(tmp_path)

    with two_nodes() as cluster:
        ran = repository.spawn(*BENCH, "--runner", "ray", RAY_ADDRESS=cluster.address)

    report = done(ran).json
    assert (report["verdict"], report["checked"], report["total"]) == ("stopped", 2, 3)
    one, other = journal(repository), journal(alone)
    assert one is not None
    assert other is not None
    for name in ("lock.json", "scores.json"):
        assert (one.parent / name).read_bytes() == (other.parent / name).read_bytes()
    done(repository.run("evidence", "verify", one.parent.name))
