"""What is wrong with a contract before anything runs: contradictions, gaps, placeholders."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from abverify.model.config import Sampling
from abverify.model.report import Reason
from abverify.model.sources import moving_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from abverify.model.contract import Contract

    Place = Callable[..., str]

_PLACEHOLDER = re.compile(
    r"\bthis (PR|pull request|commit|branch)\b|\b(TBD|TODO|FIXME|XXX)\b|\bPR ?+#?+(?!\w)|#\?+",
    re.IGNORECASE,
)


def lint_contract(
    contract: Contract, *, place: Place, corpora: Mapping[str, tuple[str, ...]]
) -> Iterator[Reason]:
    """Every finding on one contract.

    Args:
        contract: the contract.
        place: gives `file:line:column` of a path of keys in the document.
        corpora: the fixture ids of each corpus that could be loaded, by path.
    """
    yield from _budgets(contract, place)
    yield from _weights(contract, place)
    yield from _source(contract, place)
    yield from _adapter(contract, place)
    yield from _sampler(contract, place)
    yield from _context(contract, place)
    yield from _corpus(contract, place, corpora)
    yield from _references(contract, place)


def _budgets(contract: Contract, place: Place) -> Iterator[Reason]:
    budgets = contract.config.budgets
    chain = (
        ("http_timeout_seconds", budgets.http_timeout_seconds),
        ("turn_seconds", budgets.turn_seconds),
        ("wall_seconds", budgets.wall_seconds),
    )
    declared = [(name, value) for name, value in chain if value is not None]
    for (inner, small), (outer, large) in itertools.pairwise(declared):
        if small > large:
            yield Reason(
                "contradictory-budgets",
                "AV120",
                "error",
                f"{inner} is longer than {outer}, which would always end first",
                place=place("config", "budgets", inner),
                expected=f"{inner} <= {large}",
                found=f"{inner}: {small}, {outer}: {large}",
                next=f"shorten {inner} or lengthen {outer}",
            )
    turns = budgets.max_turns * budgets.turn_seconds
    if turns > budgets.wall_seconds >= budgets.turn_seconds:
        yield Reason(
            "contradictory-budgets",
            "AV120",
            "warning",
            "the turns cannot all use their time: the wall would end the trial first",
            place=place("config", "budgets", "wall_seconds"),
            expected=f"wall_seconds >= {turns} (max_turns × turn_seconds)",
            found=str(budgets.wall_seconds),
        )


def _weights(contract: Contract, place: Place) -> Iterator[Reason]:
    if contract.model.weights.sha256 is None:
        yield Reason(
            "weights-unpinned",
            "AV121",
            "warning",
            f"{contract.model.weights.file} is described, not pinned: any bytes of that"
            " description would do",
            place=place("model", "weights", "sha256"),
            expected="the file's SHA-256",
            found="null",
        )


def _source(contract: Contract, place: Place) -> Iterator[Reason]:
    moving = moving_revision(contract.model.source)
    if moving is not None:
        yield Reason(
            "moving-source",
            "AV550",
            "warning",
            f"the source names {moving}, which can move to other bytes",
            place=place("model", "source"),
            expected="the 40 hex digits of a commit",
            found=moving,
            next="write the commit that the weights were taken from",
        )


def _adapter(contract: Contract, place: Place) -> Iterator[Reason]:
    adapter = contract.model.adapter
    if adapter is not None and adapter.sha256 is None:
        yield Reason(
            "adapter-missing",
            "AV122",
            "error",
            f"the adapter {adapter.name} does not exist yet: the gate cannot be run",
            place=place("model", "adapter", "sha256"),
            expected=f"the SHA-256 of {adapter.file}",
            found="null",
            next="train the adapter, put its file in place and pin it",
        )


def _sampler(contract: Contract, place: Place) -> Iterator[Reason]:
    sampling = contract.config.sampling
    missing = [name for name in Sampling.model_fields if name not in sampling.model_fields_set]
    if missing:
        yield Reason(
            "undeclared-sampler-knobs",
            "AV123",
            "warning",
            f"sampler knobs are left to their defaults: {', '.join(missing)}",
            place=place("config", "sampling"),
            expected=", ".join(f"{name}: {getattr(sampling, name)!r}" for name in missing),
            found="not declared",
            next="write the knobs out, so that a reader need not know the defaults",
        )


def _context(contract: Contract, place: Place) -> Iterator[Reason]:
    tokens, window = contract.config.sampling.max_tokens, contract.config.engine.n_ctx
    if tokens >= window:
        yield Reason(
            "context-too-small",
            "AV126",
            "error",
            "one turn's max_tokens fills the whole context, so no prompt fits beside it",
            place=place("config", "engine", "n_ctx"),
            expected=f"more than {tokens}",
            found=str(window),
        )


def _corpus(
    contract: Contract, place: Place, corpora: Mapping[str, tuple[str, ...]]
) -> Iterator[Reason]:
    bench, smoke = contract.evidence.bench, contract.evidence.smoke
    fixtures = corpora.get(bench.corpus)
    if fixtures is None:
        return
    if bench.min_completed > len(fixtures):
        yield Reason(
            "corpus-too-small",
            "AV127",
            "error",
            "the contract wants more fixtures than its corpus has",
            place=place("evidence", "bench", "min_completed"),
            expected=f"at most {len(fixtures)}",
            found=str(bench.min_completed),
        )
    if bench.stop_rules and bench.min_completed < len(fixtures):
        yield Reason(
            "stop-and-min-completed",
            "AV864",
            "error",
            "a bench that may stop early is measured up to its stop, whatever min_completed says",
            place=place("evidence", "bench", "min_completed"),
            expected=str(len(fixtures)),
            found=str(bench.min_completed),
        )
    if smoke.fixture not in fixtures:
        yield Reason(
            "unknown-fixture",
            "AV128",
            "error",
            "the smoke fixture is not in the corpus",
            place=place("evidence", "smoke", "fixture"),
            expected=f"a fixture of {bench.corpus}",
            found=smoke.fixture,
        )


def _references(contract: Contract, place: Place) -> Iterator[Reason]:
    texts = [("title", contract.title)]
    texts += [(name, value) for name, value in contract.origin.to_json().items() if value]
    for name, text in texts:
        match = _PLACEHOLDER.search(text)
        if match:
            path = ("title",) if name == "title" else ("origin", name)
            yield Reason(
                "placeholder-reference",
                "AV124",
                "error",
                f"{name} points at nothing a later reader can find",
                place=place(*path),
                expected="a number, a name or a commit",
                found=match.group().strip(),
            )
