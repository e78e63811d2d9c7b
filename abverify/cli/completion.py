"""What the shell offers when a name is typed; `eval "$(_ABVERIFY_COMPLETE=bash_source abverify)"`.

Click speaks with bash, zsh and fish. A repository that cannot be found or read
offers nothing: completing is no occasion for an error.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from abverify.errors import AbverifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import click

    Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def _in_repository(names: Callable[[Path], Iterable[str]]) -> Completion:
    def complete(context: click.Context, _: click.Parameter, typed: str) -> list[str]:
        from abverify.workspace.root import find_root

        with suppress(AbverifyError, OSError):
            return _beginning(typed, names(find_root(context.params.get("root"))))
        return []

    return complete


def _beginning(typed: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(typed)]


def _gates(root: Path) -> Iterable[str]:
    from abverify.app.known_names import gate_names

    return gate_names(root)


def _experiments(root: Path) -> Iterable[str]:
    from abverify.app.known_names import experiment_names

    return experiment_names(root)


def _records(root: Path) -> Iterable[str]:
    from abverify.app.known_names import record_names

    return record_names(root)


def _bundles(root: Path) -> Iterable[str]:
    from abverify.app.known_names import bundle_names

    return bundle_names(root)


gates = _in_repository(_gates)
experiments = _in_repository(_experiments)
records = _in_repository(_records)
bundles = _in_repository(_bundles)


def keys(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    """The keys in the key folder."""
    from abverify.app.keys import known_keys

    with suppress(AbverifyError, OSError):
        return _beginning(typed, (key.name for key in known_keys()))
    return []


def rules(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    """The rules that `explain` knows."""
    from abverify.model.rules import all_rules

    return _beginning(typed.upper(), sorted(all_rules()))


def schemas(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    """The documents that have a schema."""
    from abverify.app.schemas import SCHEMAS

    return _beginning(typed, sorted(SCHEMAS))
