"""Joining a Ray cluster, or starting one on this machine."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from abverify.bench.extras import missing_package
from abverify.errors import IndeterminateError

if TYPE_CHECKING:
    from collections.abc import Iterator

_KNOCK_SECONDS: Final = 10.0
_FAILED_OF_ITSELF: Final = "Initialization failure from server"


@contextmanager
def joined(address: str | None) -> Iterator[Any]:
    """The module `ray`, joined to a cluster until the end.

    Args:
        address: Ray's address; None for `$RAY_ADDRESS`, or else a cluster of this machine alone.

    Raises:
        IndeterminateError: AV514 without Ray, AV590 if the cluster cannot be joined.
    """
    ray = _joined(address or os.environ.get("RAY_ADDRESS"))
    try:
        yield ray
    finally:
        ray.shutdown()


def _joined(address: str | None) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing here calls home
    try:
        import ray
    except ImportError:
        raise missing_package("ray", extra="ray") from None
    try:
        _knock(address)
        _join(ray, address)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise IndeterminateError(
            "the cluster cannot be joined",
            rule="AV590",
            place=address or "this machine",
            expected="the address of a running Ray cluster of the same Ray and Python versions",
            found=" ".join(str(error).split())[:300],
            next_step="ray status --address ADDRESS says whether it can be reached",
        ) from None
    return ray


def _join(ray: Any, address: str | None) -> None:
    """Joins, in three tries where Ray's client fails of itself.

    The server behind `ray://` starts a process for each client, and that process now and then
    hangs at its start: the server forks while its threads are inside gRPC. Another one is then
    started for whoever asks again.
    """
    for last in (False, False, True):
        try:
            ray.init(
                address=address, include_dashboard=False, log_to_driver=False, logging_level=50
            )
        except (ConnectionError, RuntimeError) as error:
            if last or _FAILED_OF_ITSELF not in str(error):
                raise
            ray.shutdown()
        else:
            return


def _knock(address: str | None) -> None:
    """Finds out at once what Ray finds out only after minutes of trying: that nobody is there.

    Raises:
        OSError: if nothing listens at an address of the form HOST:PORT.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_SECONDS).close()
