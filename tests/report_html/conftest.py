"""A laboratory with two benches, an experiment and a signed decision; and a browser to look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import NATIVE
from tests.report_html.browser import Browser
from tests.report_html.pages import HOSTILE
from tests.support.laboratory import ADAPTER, BASE, CORPUS, Written, measured, put_experiment
from tests.support.repository import Repository, done, shared
from tests.unit.verify.experiment.arms import experiment_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _make(folder: Path) -> None:
    benches = (Written(BASE, calls=4), Written(ADAPTER, passes=16, raw=f"{NATIVE}\n{HOSTILE}"))
    made = measured(folder, *benches)
    put_experiment(made, experiment_document(corpus=CORPUS))
    done(made.sign("check", BASE, "--record"), 1)
    done(made.sign("suspend", "T280", "--scope", "phase-1", "--lift-when", BASE))


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """T1_001 measured, refused and held; T1_002 measured, its model hostile; read only."""
    folder = shared(tmp_path_factory, "report-html", _make)
    return Repository(folder / "repository", folder / "keys")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of a process."""
    with Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running
