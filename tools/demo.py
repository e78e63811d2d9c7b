"""The main job, live: a real model, a real bench, a signed verdict, in a scratch repository.

Everything happens in `.demo/`, a copy of this checkout's contracts and
fixtures with a trust root and a key of its own; the checkout is not touched.
Every step is an ordinary command line, printed before it runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
DEMO = CHECKOUT / ".demo"
KEYS = CHECKOUT / ".demo-keys"
NO_RECORDS = shutil.ignore_patterns("_versions", "pin.lock", "__pycache__", "target")


def main() -> int:
    """Runs the story; exits with 0 when every step ended as the story says."""
    fresh_copy()
    os.environ["ABVERIFY_KEYS"] = str(KEYS)
    say("A root of trust of its own, with a key made on the spot")
    step(0, "keys", "new", "demo", "--unencrypted")
    step(
        0, "trust", "init", "--origin", "abverify-demo", "--principal", "operator", "--key", "demo"
    )
    say("The four gates enter the ledger, and the two suspensions that they could lift")
    for gate in ("V1_004", "V1_005", "S1_004", "S1_005"):
        step(
            0, "amend", gate, "--introduce", "--key", "demo", "--reason", "introduced for the demo"
        )
    for suspension, scope, gate in (
        ("M280", "phase-6", "V1_004"),
        ("S280", "laptop-phase", "S1_004"),
    ):
        step(
            0, "suspend", suspension, "--scope", scope, "--lift-when", gate, "--key", "demo",
            "--reason", f"no model has passed the bench that {scope} waits for",
        )  # fmt: skip
    say("S1_004, live: calibrate the meter, run the bench, decide, sign (a laptop-scale replica)")
    step(1, "check", "S1_004", "--run", "--record", "--key", "demo")
    say("S294, live: the same weights with and without a tool-use adapter, nothing else different")
    step(0, "compare", "S294", "--run")
    say("S1_005 names the adapter: its own bench, already run, decides and discharges it")
    step(0, "discharge", "S1_005", "--key", "demo", "--reason", "met on the small bench")
    say("S280 was to hold until S1_004, or a gate that succeeds it, is discharged")
    step(0, "lift", "S280", "--key", "demo", "--reason", "S1_005 succeeds S1_004 and is discharged")
    say("What the one-prompt smoke test of M294 is worth to the two big gates")
    step(3, "check", "V1_004")
    step(3, "check", "V1_005")
    say("The power that M294 had, and the history it belongs to, derived from what was reported")
    step(1, "plan", "M294")
    step(0, "compare", "--table")
    say("The trail, verified from nothing but the files, and the state that follows from it")
    step(0, "audit")
    step(0, "status")
    say("Done. Look around in .demo, for example: .venv/bin/abverify status --root .demo")
    return 0


def fresh_copy() -> None:
    """Makes the scratch repository anew, without the checkout's own records."""
    for folder in (DEMO, KEYS):
        shutil.rmtree(folder, ignore_errors=True)
    for part in ("contracts", "fixtures"):
        shutil.copytree(CHECKOUT / part, DEMO / part, ignore=NO_RECORDS)
    KEYS.mkdir(mode=0o700)


def say(text: str) -> None:
    """A heading of the story."""
    print(f"\n## {text}\n", flush=True)


def step(expected: int, *arguments: str) -> None:
    """Runs one command on the scratch repository and holds its exit code against the story."""
    shown = " ".join(f'"{part}"' if " " in part else part for part in arguments)
    print(f"$ abverify {shown} --root .demo", flush=True)
    command = [sys.executable, "-m", "abverify", *arguments, "--root", str(DEMO)]
    code = subprocess.run(command, check=False).returncode
    if code != expected:
        sys.exit(f"the demo stops: exit {code}, and the story says {expected}")
    print(f"(exit {code})\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
