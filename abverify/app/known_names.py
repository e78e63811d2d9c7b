"""The names a person may mean: read from file names alone, so that a keystroke costs nothing."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from abverify.workspace.contracts import contract_paths
from abverify.workspace.experiments import experiment_paths

if TYPE_CHECKING:
    from pathlib import Path

_RECORD = re.compile(r"(?P<seq>[0-9]{6})\.[a-z-]+\.dsse\.json")


def gate_names(root: Path) -> tuple[str, ...]:
    """The gates' short ids."""
    return tuple(PurePosixPath(path).stem for path in contract_paths(root))


def experiment_names(root: Path) -> tuple[str, ...]:
    """The experiments' ids."""
    return tuple(PurePosixPath(path).stem for path in experiment_paths(root))


def record_names(root: Path) -> tuple[str, ...]:
    """Every record, as GATE#SEQ."""
    return tuple(
        f"{path.parent.name}#{int(found['seq'])}"
        for path in sorted((root / "gates").glob("*/*/*.dsse.json"))
        if (found := _RECORD.fullmatch(path.name))
    )


def bundle_names(root: Path) -> tuple[str, ...]:
    """The names of stored evidence bundles."""
    places = ("gates/*/*/evidence/*/manifest.json", "fixtures/recorded/*/manifest.json")
    return tuple(sorted(path.parent.name for place in places for path in root.glob(place)))
