"""The options of a verb that can measure on a cluster."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNNER_HELP = (
    "Measure the bench on a Ray cluster: at ADDRESS; without it at $RAY_ADDRESS, or on one of "
    "this machine alone."
)


def cluster_options(function: Callable[..., Any]) -> Any:
    """Adds `--runner`, `--workers` and `--worker-cpus`, handed over as one `Cluster` or None."""

    @wraps(function)
    def wrapper(
        *arguments: Any, runner: str | None, workers: int | None, worker_cpus: int, **rest: Any
    ) -> Any:
        if runner is None:
            return function(*arguments, cluster=None, **rest)
        from abverify.app.cluster.runner import Cluster

        cluster = Cluster(None if runner == "ray" else runner, workers, worker_cpus)
        return function(*arguments, cluster=cluster, **rest)

    options = (
        click.option("--runner", metavar="ray[://ADDRESS]", callback=_named, help=_RUNNER_HELP),
        click.option(
            "--workers",
            type=click.IntRange(1),
            help="Engines on the cluster; by default as many as it has room for.",
        ),
        click.option(
            "--worker-cpus",
            type=click.IntRange(1),
            default=1,
            show_default=True,
            help="CPUs, and threads, of each engine on the cluster.",
        ),
    )
    for option in reversed(options):
        wrapper = option(wrapper)
    return wrapper


def _named(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None or value == "ray" or value.startswith("ray://"):
        return value
    raise click.BadParameter("ray, or ray://ADDRESS")
