"""Rules about the command and the machine it runs on."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV001",
        "a command needs a repository",
        "Contracts, gates and fixtures live in one repository; without it no question can be"
        " answered. The root is --root, or [tool.abverify] root in pyproject.toml, or the nearest"
        " folder upwards that holds contracts/.",
        "abverify check V1_004        (in a folder without contracts/ above it)",
        "abverify check V1_004 --root path/to/repository",
    ),
    Rule(
        "AV002",
        "the clock must be readable",
        "ABVERIFY_NOW replays a decision as of a date; a value that cannot be read is refused,"
        " because ignoring it would decide as of another date.",
        "ABVERIFY_NOW=yesterday abverify check V1_004",
        "ABVERIFY_NOW=2026-01-31T12:00:00Z abverify check V1_004",
    ),
    Rule(
        "AV003",
        "files must be readable",
        "A file that exists but cannot be read answers nothing, and nothing is guessed instead.",
        "contracts/V1_004.yaml with mode 0000",
        "contracts/V1_004.yaml with mode 0644",
    ),
    Rule(
        "AV004",
        "a check needs something to check",
        "A check over zero items is its own verdict (exit 5), never a pass.",
        "a contracts/ folder without a contract",
        "a contracts/ folder with contracts/V1_004.yaml",
    ),
    Rule(
        "AV900",
        "a bug in abverify",
        "An unexpected failure says nothing about a gate. It exits with 70 and leaves a report file"
        " to attach to a bug report.",
        "any command that exits with 70",
        "any command that exits with 0 to 5",
    ),
)
