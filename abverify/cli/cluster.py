"""The options that say where a verb measures: how many engines here, or which cluster."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINES_HELP = (
    "Engines that measure side by side on this machine, each with its share of the cores; by "
    "default one for each core where the model is small. It changes no byte of the evidence."
)
_RUNNER_HELP = (
    "Measure the bench on a Ray cluster: at ADDRESS; without it at $RAY_ADDRESS, or on one of "
    "this machine alone."
)


def cluster_options(function: Callable[..., Any]) -> Any:
    """Adds `--engines`, and `--runner` with its own, handed over as one `Cluster` or None."""

    @wraps(function)
    def wrapper(
        *arguments: Any,
        runner: str | None,
        workers: int | None,
        worker_cpus: int,
        engines: int | None,
        **rest: Any,
    ) -> Any:
        if runner is None:
            return function(*arguments, cluster=None, engines=engines, **rest)
        if engines is not None:
            raise click.UsageError("--engines is for this machine; on a cluster, --workers")
        from abverify.app.cluster.runner import Cluster

        cluster = Cluster(None if runner == "ray" else runner, workers, worker_cpus)
        return function(*arguments, cluster=cluster, engines=None, **rest)

    options = (
        click.option("--engines", type=click.IntRange(1, 64), metavar="N", help=ENGINES_HELP),
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
