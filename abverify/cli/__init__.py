"""The command line: each verb in a module of its own, loaded when it is typed."""

from __future__ import annotations

import gc
from typing import NoReturn

_NEW_OBJECTS = 200_000
"""How many containers come to be between two looks for unreachable cycles."""


def main() -> NoReturn:
    """Runs what was typed, and ends the process with a documented code."""
    # Most verbs are over before a cycle could matter: looking for them after every 700 new
    # objects, and once more over all objects at the end, took an eighth of a check. What is
    # loaded from here on is no garbage, so it is not looked for there either.
    gc.set_threshold(_NEW_OBJECTS)
    from abverify.cli.group import main as run_and_exit

    run_and_exit()
