"""A Ray cluster of two nodes on this machine, in a process of its own.

`python -m tests.support.ray_nodes` starts it with one CPU a node, prints its
address and its client's, and ends with its standard input. A line `hold` stops
what works on the first node where it is; `lose` kills the second node as a power
failure would, and lets the first go on.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.processes import descendants
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

_STORE_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TwoNodes:
    """A running cluster.

    Attributes:
        address: where drivers on this machine join it.
        client: where Ray's client joins it from anywhere.
    """

    address: str
    client: str
    _process: subprocess.Popen[str]

    def hold_one(self) -> None:
        """Stops the first node's workers, until the second node is lost."""
        self._ask("hold", "held")

    def lose_one(self) -> None:
        """Kills the second node with everything on it."""
        self._ask("lose", "lost")

    def _ask(self, what: str, answer: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == f"{answer}\n"


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """A cluster for as long as it is needed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.ray_nodes"],
        cwd=CHECKOUT,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        yield TwoNodes(**json.loads(process.stdout.readline()), _process=process)
    finally:
        process.communicate(timeout=60)


def _free_port() -> int:
    """A port that nobody has, out of a range in which neither Ray nor the kernel looks for one."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 (a port, not a secret)
        with socket.socket() as listening, suppress(OSError):
            listening.bind(("127.0.0.1", port))
            return port


def _signal(node: Any, number: signal.Signals) -> None:
    """Sends a signal to everything that a node has started."""
    for started in node.all_processes.get("raylet", ()):
        for pid, _ in descendants(started.process):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _main() -> None:
    from ray.cluster_utils import Cluster

    port = _free_port()
    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": _STORE_BYTES}
    head = {**node, "include_dashboard": False, "ray_client_server_port": port}
    cluster: Any = Cluster(initialize_head=True, head_node_args=head)
    second = cluster.add_node(**node)
    cluster.wait_for_nodes()
    facts = {"address": cluster.address, "client": f"ray://127.0.0.1:{port}"}
    print(json.dumps(facts), flush=True)  # noqa: T201 (the answer that is waited for)
    for line in sys.stdin:
        if line.strip() == "hold":
            _signal(cluster.head_node, signal.SIGSTOP)
            print("held", flush=True)  # noqa: T201
        else:
            # Its workers first, before they can tell of their trials.
            _signal(second, signal.SIGKILL)
            cluster.remove_node(second, allow_graceful=False)
            _signal(cluster.head_node, signal.SIGCONT)
            print("lost", flush=True)  # noqa: T201
    cluster.shutdown()


if __name__ == "__main__":
    _main()
