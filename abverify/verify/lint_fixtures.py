"""What is wrong with fixtures that load: gaps, impossible budgets, prompts that say too little."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from abverify.model.report import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abverify.model.contract import Contract
    from abverify.model.corpus import Fixture

    Place = Callable[..., str]


def lint_fixture(fixture: Fixture, *, place: Place) -> Iterator[Reason]:
    """Every finding on one fixture.

    Args:
        fixture: the fixture; it is whole, or it would not have loaded.
        place: gives `file:line:column` of a path of keys in its document.
    """
    named = [path.rsplit("/", 1)[-1] for path in (*fixture.workspace, *fixture.solution)]
    if not any(name in fixture.spec.prompt for name in named):
        yield Reason(
            "prompt-without-file",
            "AV154",
            "warning",
            "the prompt names no file of the task, so a model must guess where to work",
            place=place("prompt"),
            expected=f"one of {', '.join(dict.fromkeys(named))}",
            found="none",
            next="say in the prompt which file to change",
        )
    for number, command in enumerate(fixture.spec.oracle):
        if command.kind == "tests" and command.expect is None:
            yield Reason(
                "oracle-without-expect",
                "AV155",
                "warning",
                f"{command.id} passes by its exit code alone, so leaving early passes too",
                place=place("oracle", number),
                expected="expect: what the runner says when all tests have run, as `Ran 4 tests`",
                found="no expect",
                next="add expect to the command",
            )


def lint_fixture_budget(fixture: Fixture, contract: Contract, *, place: Place) -> Iterator[Reason]:
    """Whether the oracle could finish within the time that the contract gives a trial."""
    seconds, wall = fixture.spec.limits.seconds, contract.config.budgets.wall_seconds
    if seconds > wall:
        yield Reason(
            "oracle-outlasts-trial",
            "AV156",
            "error",
            f"one oracle command of {fixture.id} may take longer than a whole trial of"
            f" {contract.gate.name}",
            place=place("limits", "seconds"),
            expected=f"at most {wall} (config.budgets.wall_seconds)",
            found=str(seconds),
            next="shorten the fixture's limit or lengthen wall_seconds",
        )


def lint_categories(ids: Sequence[str], *, place: str) -> Iterator[Reason]:
    """Whether the fixtures are numbered 01, 02, … in each category, and the categories equal.

    Args:
        ids: the ids of the corpus's fixtures.
        place: the corpus's folder.
    """
    numbers: dict[str, list[int]] = {}
    for category, number in (split_id(id_) for id_ in sorted(ids)):
        numbers.setdefault(category, []).append(number)
    for category, found in numbers.items():
        if found != list(range(1, len(found) + 1)):
            yield Reason(
                "fixture-numbering",
                "AV157",
                "error" if len(set(found)) < len(found) else "warning",
                f"the fixtures of {category} are not numbered one by one",
                place=place,
                expected=", ".join(f"{n:02}" for n in range(1, len(found) + 1)),
                found=", ".join(f"{n:02}" for n in found),
                next="rename the folders and the ids in their documents",
            )
    counts = Counter({category: len(found) for category, found in numbers.items()})
    if len(set(counts.values())) > 1:
        yield Reason(
            "uneven-categories",
            "AV157",
            "warning",
            "the categories have different counts, so they do not weigh the same",
            place=place,
            expected=f"{max(counts.values())} fixtures in each category",
            found=", ".join(f"{category} {n}" for category, n in sorted(counts.items())),
        )


def split_id(fixture_id: str) -> tuple[str, int]:
    """The category and the number of an id `<category>__<NN>-<slug>`."""
    category, _, rest = fixture_id.partition("__")
    return category, int(rest[:2])
