"""Every rule a finding can name: what it says, an example that breaks it, one that keeps it.

Ids are stable for ever and grouped by hundreds: 0xx the command and the
machine, 1xx documents, 3xx evidence and verdicts, 4xx integrity and records,
5xx measuring, 6xx experiments, 8xx pages, adoption, early stops and imports, 9xx abverify itself.
"""

from __future__ import annotations

from functools import cache

from abverify.model.rules.rule import Rule

__all__ = ["Rule", "all_rules"]


@cache
def all_rules() -> dict[str, Rule]:
    """The whole catalogue, by id.

    Raises:
        ValueError: if two rules share an id (a bug that the tests catch).
    """
    from abverify.model.rules import (
        adoption,
        amendments,
        authority,
        cluster,
        documents,
        evidence,
        experiments,
        foreign,
        integrity,
        machine,
        measuring,
        pages,
        stopping,
        trail,
    )

    rules = [
        *machine.RULES,
        *amendments.RULES,
        *authority.RULES,
        *cluster.RULES,
        *documents.RULES,
        *evidence.RULES,
        *integrity.RULES,
        *measuring.RULES,
        *trail.RULES,
        *experiments.RULES,
        *adoption.RULES,
        *pages.RULES,
        *stopping.RULES,
        *foreign.RULES,
    ]
    catalogue = {rule.id: rule for rule in rules}
    if len(catalogue) != len(rules):
        raise ValueError("two rules share an id")
    return catalogue
