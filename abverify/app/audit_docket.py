"""What a decision was judged against when it was signed, from signed things alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp
from abverify.errors import AbverifyError
from abverify.records.bodies import Amendment
from abverify.records.carrying import decisive_amendment
from abverify.verify.eligibility import Docket
from abverify.verify.stopping.judgement import fixtures_of
from abverify.workspace.corpora import load_corpus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from abverify.evidence.bundle import Bundle
    from abverify.model.contract import Contract
    from abverify.model.corpus import Corpus
    from abverify.records.record import Record


class PastDockets:
    """The dockets of past decisions, chain by chain.

    A gate's amendments must be shown before the decisions that follow them.
    """

    def __init__(self, root: Path) -> None:
        """Takes the repository, whose corpora count where they are what was pinned."""
        self._root = root
        self._amendments: dict[str, list[Record]] = {}
        self._corpora: dict[str, Corpus | None] = {}

    def show(self, amendment: Record) -> None:
        """Takes an amendment into account for the decisions after it."""
        self._amendments.setdefault(str(amendment.gate), []).append(amendment)

    def at(
        self, record: Record, contract: Contract, bundle: Bundle, calibrations: Sequence[Bundle]
    ) -> Docket:
        """The docket at the moment of a decision.

        Args:
            record: the decision.
            contract: the version that it was about.
            bundle: the evidence that it cites.
            calibrations: the calibration that it cites, if it can be read.
        """
        amendments = self._amendments.get(str(record.gate), [])
        decisive = decisive_amendment(amendments)
        pins = _pins(amendments)
        corpus = self._corpus(contract.evidence.bench.corpus, pins)
        oracles = {one.id: one.spec.oracle for one in corpus.fixtures} if corpus else {}
        return Docket(
            contract=contract,
            others=(),
            pins=pins,
            fixtures=tuple(oracles) or tuple(sorted(fixtures_of(bundle))),
            published_seq=decisive.seq if decisive else None,
            calibrations=calibrations,
            now=parse_timestamp(record.statement.common.issued_at),
            oracles=oracles,
        )

    def _corpus(self, path: str, pins: dict[str, str]) -> Corpus | None:
        """The corpus that was pinned; None where another one, or none, lies in its place."""
        if path not in self._corpora:
            try:
                self._corpora[path] = load_corpus(self._root, path)
            except AbverifyError:
                self._corpora[path] = None
        corpus = self._corpora[path]
        return corpus if corpus and corpus.sha256 == pins.get(path) else None


def _pins(amendments: Sequence[Record]) -> dict[str, str]:
    """The inputs' digests that the newest amendment signed."""
    body = amendments[-1].body if amendments else None
    return dict(body.pins) if isinstance(body, Amendment) else {}
