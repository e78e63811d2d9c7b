"""The content of generated regions: tables of gates and scopes, from facts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abverify.model.policy import Region


def content_of(region: Region, facts: Mapping[str, Any]) -> str:
    """What must stand between a region's markers."""
    match region.name:
        case "gates":
            return _gates(facts)
        case "scopes":
            return _scopes(facts)
        case "status":
            return f"{_gates(facts)}\n{_scopes(facts)}"


def _gates(facts: Mapping[str, Any]) -> str:
    rows = (
        (gate["id"], gate["state"], gate["version"] or "-", gate["model"])
        for _, gate in sorted(facts["gates"].items())
    )
    return _table(("gate", "state", "version", "model"), rows)


def _scopes(facts: Mapping[str, Any]) -> str:
    return _table(("scope", "state"), sorted(facts["scopes"].items()))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_row(head), _row(tuple("---" for _ in head)), *map(_row, rows)]
    return "".join(f"{line}\n" for line in lines)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
