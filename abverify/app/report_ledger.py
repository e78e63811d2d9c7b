"""The pages about everything: the audit, and the repository as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._clock import timestamp
from abverify._version import __version__
from abverify.app.audit import audit
from abverify.app.docket import open_repository
from abverify.app.reasons import error_reasons
from abverify.app.report_provenance import ledger_facts, ledger_provenance
from abverify.app.report_trail import trail
from abverify.app.status import status
from abverify.errors import AbverifyError
from abverify.model.page import Page
from abverify.model.status_report import StatusReport

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.model.page import Tone


def audit_page(root: Path) -> Page:
    """Gathers the page of the audit; a ledger that cannot be trusted is told as such."""
    found = audit(root)
    repository = open_repository(root)
    state = _status(root)
    tones: dict[int, Tone] = {0: "good", 4: "bad"}
    return Page(
        kind="audit",
        subject=dict(found.facts).get("ledger", "no ledger"),
        title="Every record, its signatures, and all that it cites",
        verdict=found.verdict,
        tone=tones.get(found.exit_code, "open"),
        exit_code=found.exit_code,
        checked=found.checked,
        total=found.total,
        what="items verified",
        made_at=timestamp(repository.now),
        version=__version__,
        facts=found.facts,
        reasons=(*found.reasons, *state.reasons),
        trail=trail(repository, None),
        provenance=ledger_provenance(repository),
        gates=state.gates,
        scopes=state.scopes,
    )


def _status(root: Path) -> StatusReport:
    """The states beside an audit, which looks at no working contract: these may be malformed."""
    try:
        found = status(root)
    except AbverifyError as error:
        return StatusReport((), (), error_reasons(error, "no-states"))
    return StatusReport(found.gates, found.scopes, ())


def repository_page(repository: Repository) -> Page:
    """Gathers the page of the repository as it stands; errors as for `status`."""
    found = status(repository.root)
    open_gates = sum(line.state == "discharged" for line in found.gates)
    tone: Tone = "bad" if found.errors else "good" if open_gates == len(found.gates) else "open"
    return Page(
        kind="repository",
        subject=dict(ledger_facts(repository)).get("ledger", "no ledger"),
        title="Every gate and every scope",
        verdict="faults" if found.errors else f"{open_gates} of {len(found.gates)} discharged",
        tone=tone,
        exit_code=found.exit_code,
        checked=open_gates,
        total=len(found.gates),
        what="gates discharged",
        made_at=timestamp(repository.now),
        version=__version__,
        facts=(),
        reasons=found.reasons,
        trail=trail(repository, None),
        provenance=ledger_provenance(repository),
        gates=found.gates,
        scopes=found.scopes,
    )
