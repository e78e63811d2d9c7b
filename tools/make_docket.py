"""Makes the reference docket of this checkout again: before 1.0, when a format changes.

It tells the docket's story from the frozen contract versions: each gate is introduced at its
first version and amended to each later one, the working contract last, with the inputs that
each version was published with; then M280 suspends `phase-6`. All of it is signed by a key
that is made for it and destroyed with this process, as the trust root's note says. The docket
gives a fresh clone a real trail to read; nobody can add to it.

So a contract is published by raising its version and running this again. A version that was
published once keeps its bytes for ever: the tool stops before it would change one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).resolve().parent.parent
NOTE = (
    "Reference docket of the abverify checkout. Its key was made for it and destroyed; "
    "nothing can be added, and it binds nobody."
)
VERSIONS = "contracts/_versions"
WRITTEN = ("gates", VERSIONS, "contracts/pin.lock")
SMALL = "fixtures/corpora/small"
FIRST_SIX = (
    "leetcode__01-missing-number",
    "leetcode__02-climb-stairs",
    "oo__01-water-tank",
    "transpile__01-midpoint",
    "unix__01-count-lines",
    "unix__02-head",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One publication.

    Attributes:
        gate: whose contract.
        version: the version published.
        reason: why, as the record says it.
        corpora: corpora that held only some of today's fixtures then, by path.
    """

    gate: str
    version: str
    reason: str
    corpora: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


STORY = (
    Step("V1_004", "1.0.0", "introduces V1_004 in the reference docket"),
    Step("V1_005", "1.0.0", "introduces V1_005 in the reference docket"),
    Step("S1_004", "1.0.0", "introduces S1_004 in the reference docket", {SMALL: FIRST_SIX}),
    Step("S1_005", "1.0.0", "introduces S1_005 in the reference docket", {SMALL: FIRST_SIX}),
    Step("S1_004", "2.0.0", "the small corpus grows from 6 to 20 fixtures, 5 of each category"),
    Step("S1_005", "2.0.0", "the small corpus grows from 6 to 20 fixtures, 5 of each category"),
    Step("S1_005", "2.1.0", "the adapter exists now, and is bound by its bytes"),
)


def main() -> int:
    """Signs a new docket in a scratch copy and puts it in the place of the old one."""
    if any((CHECKOUT / "gates").glob("*/*/evidence")):
        print("gates/ holds evidence; move it away first, so that nothing is lost", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="abverify-docket-") as folder:
        scratch = Path(folder) / "checkout"
        for part in ("contracts", "fixtures"):
            shutil.copytree(CHECKOUT / part, scratch / part)
        for path in WRITTEN:
            _remove(scratch / path)
        os.environ["ABVERIFY_KEYS"] = str(Path(folder) / "keys")
        _sign(scratch)
        _refuse_other_bytes(scratch)
        for path in WRITTEN:
            _replace(scratch / path, CHECKOUT / path)
    _abverify(CHECKOUT, "audit")
    return 0


def _sign(scratch: Path) -> None:
    _abverify(scratch, "keys", "new", "docket", "--unencrypted")
    _abverify(
        scratch, "trust", "init", "--origin", "abverify/reference-docket", "--principal", "docket",
        "--key", "docket", "--expires-days", "3650", "--note", NOTE,
    )  # fmt: skip
    introduced: set[str] = set()
    for step in STORY:
        _set_scene(scratch, step)
        introduce = () if step.gate in introduced else ("--introduce",)
        _abverify(
            scratch, "amend", step.gate, *introduce, "--key", "docket", "--reason", step.reason
        )
        introduced.add(step.gate)
    _abverify(
        scratch, "suspend", "M280", "--scope", "phase-6", "--lift-when", "V1_004",
        "--key", "docket", "--milestone", "M280",
        "--reason", "no student pass under contract: phase 6 is held",
    )  # fmt: skip


def _set_scene(scratch: Path, step: Step) -> None:
    """Puts contract and inputs as they stood when a version was published."""
    frozen = sorted((CHECKOUT / VERSIONS).glob(f"*/{step.gate}/{step.version}.yaml"))
    source = frozen[0] if frozen else CHECKOUT / f"contracts/{step.gate}.yaml"
    shutil.copyfile(source, scratch / f"contracts/{step.gate}.yaml")
    shutil.rmtree(scratch / "fixtures")
    shutil.copytree(CHECKOUT / "fixtures", scratch / "fixtures")
    for corpus, kept in step.corpora.items():
        for fixture in (scratch / corpus).iterdir():
            if fixture.name not in kept:
                shutil.rmtree(fixture)


def _refuse_other_bytes(scratch: Path) -> None:
    """Every version this checkout ever published must come out with the same bytes."""
    for frozen in (CHECKOUT / VERSIONS).rglob("*.yaml"):
        path = frozen.relative_to(CHECKOUT)
        again = scratch / path
        if not again.exists() or again.read_bytes() != frozen.read_bytes():
            sys.exit(f"{path} would change or vanish: give STORY its step; nothing was written")
    for working in (CHECKOUT / "contracts").glob("*.yaml"):
        last = scratch / "contracts" / working.name
        if last.read_bytes() != working.read_bytes():
            sys.exit(f"{working.name} has a version that STORY does not tell; nothing was written")


def _replace(source: Path, target: Path) -> None:
    _remove(target)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _abverify(root: Path, *arguments: str) -> None:
    """Runs one command on a repository and stops at the first that fails."""
    command = [sys.executable, "-m", "abverify", *arguments, "--root", str(root)]
    code = subprocess.run(command, check=False).returncode
    if code:
        sys.exit(f"abverify {arguments[0]} exited with {code}; the docket is as it was")


if __name__ == "__main__":
    sys.exit(main())
