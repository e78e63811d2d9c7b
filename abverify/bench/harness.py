"""The harness's identity: a digest over the code and the data that measure."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from abverify._canonical import tree_digest
from abverify._version import __version__

_MEASURES = (
    "bench",
    "toolcalls",
    "evidence/detect.py",
    "evidence/reparse.py",
    "evidence/seeds.py",
)


@cache
def harness_sha256() -> str:
    """Digest over the package's measuring parts: agent loop, engines, sandbox, oracle, parser.

    What only reads, decides or signs is left out: it cannot change a result.
    """
    package = Path(__file__).resolve().parent.parent
    files: dict[str, bytes] = {}
    for part in _MEASURES:
        path = package / part
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in found:
            if file.is_file() and file.suffix in (".py", ".jsonl", ".json", ".tsv"):
                files[file.relative_to(package).as_posix()] = file.read_bytes()
    return tree_digest(files)


def harness_facts() -> dict[str, str]:
    """The run-lock keys the harness answers for."""
    return {"harness.version": __version__, "harness.sha256": harness_sha256()}
