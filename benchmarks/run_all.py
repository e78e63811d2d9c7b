"""Every benchmark, one after the other, into benchmarks/RESULTS.md: `make bench`.

Usage: python benchmarks/run_all.py [--only engine,startup]

Each one measures its own reference in the same run, so that its ratios mean something on a
machine that does other things as well; the seconds beside them are this machine's alone. With
`--only`, the others' parts of RESULTS.md stay as they are.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER / "RESULTS.md"
NEEDS = {"inspect": "inspect_ai", "cluster": "ray"}
"""Modules without which a benchmark is left out; `pip install 'abverify[bench]'` brings them."""
BENCHMARKS = {
    "engine": ("engine.py",),
    "waves": ("waves.py", "--runs", "1x1,1x2,10x1,10x2,20x1"),
    "memory": ("waves.py", "--runs", "1x1,1x2,10x2", "--memory"),
    "inspect": ("inspect_server.py", "--as-it-comes"),
    "cluster": ("cluster.py", "--rounds", "2"),
    "startup": ("startup.py",),
    "journal": ("journal.py",),
    "toolcalls": ("toolcalls.py", "--megabytes", "0.25,1"),
    "audit": ("audit.py", "--sizes", "10000,100000,1000000", "--since", "1000000"),
    "history": ("history.py", "--sizes", "250", "500"),
}
_HEAD = """\
# Results of the benchmarks

Written by `make bench`; each part says when and where it was measured.
A ratio's two sides were measured in the same run; do not compare seconds across parts or machines.
"""


def machine() -> str:
    """Processor, cores, kernel, load, and the versions that matter."""
    cpu = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("abverify", "llama-cpp-python", "pydantic")
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {cpu.group(1) if cpu else platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the start; "
        f"Linux {platform.release()}; Python {platform.python_version()}, {packages}"
    )


def parts() -> dict[str, str]:
    """The parts of RESULTS.md as it stands, by benchmark."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    found = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def measured(name: str) -> str:
    """A benchmark's part: how, where and when, and what it printed.

    Raises:
        SystemExit: if it fails.
    """
    script, *options = BENCHMARKS[name]
    where = machine()
    run = subprocess.run(
        [sys.executable, str(FOLDER / script), *options],
        cwd=FOLDER.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(f"benchmarks/{script} failed with {run.returncode}:\n{run.stdout}")
    command = " ".join(["python", f"benchmarks/{script}", *options])
    return f"\n`{command}`\n\n{where}\n\n```\n{run.stdout.rstrip()}\n```\n\n"


def main() -> None:
    """Measures what was asked for, prints it, and writes RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default=",".join(BENCHMARKS), help="names, parted by commas")
    names = parser.parse_args().only.split(",")
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    told = parts()
    for name in names:
        if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
            print(f"## {name}\nleft out: it needs {NEEDS[name]} (pip install 'abverify[bench]')")
            continue
        told[name] = measured(name)
        print(f"## {name}\n{told[name]}", flush=True)
        body = "".join(f"## {key}\n{told[key]}" for key in BENCHMARKS if key in told)
        RESULTS.write_text(f"{_HEAD}\n{body.rstrip()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
