"""Makes the reference docket of this checkout again: before 1.0, when a format changes.

It introduces the four gates and suspends `phase-6` (M280), signed by a key that
is made for it and destroyed with this process, as the trust root's note says.
The docket gives a fresh clone a real trail to read; nobody can add to it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
NOTE = (
    "Reference docket of the abverify checkout. Its key was made for it and destroyed; "
    "nothing can be added, and it binds nobody."
)
GATES = ("V1_004", "V1_005", "S1_004", "S1_005")


def main() -> int:
    """Removes the old docket and signs a new one."""
    if any((CHECKOUT / "gates").glob("*/*/evidence")):
        print("gates/ holds evidence; move it away first, so that nothing is lost", file=sys.stderr)
        return 1
    for old in ("gates", "contracts/_versions"):
        shutil.rmtree(CHECKOUT / old, ignore_errors=True)
    (CHECKOUT / "contracts" / "pin.lock").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="abverify-docket-") as keys:
        os.environ["ABVERIFY_KEYS"] = keys
        abverify("keys", "new", "docket", "--unencrypted")
        abverify(
            "trust", "init", "--origin", "abverify/reference-docket", "--principal", "docket",
            "--key", "docket", "--expires-days", "3650", "--note", NOTE,
        )  # fmt: skip
        for gate in GATES:
            reason = f"introduces {gate} in the reference docket"
            abverify("amend", gate, "--introduce", "--key", "docket", "--reason", reason)
        abverify(
            "suspend", "M280", "--scope", "phase-6", "--lift-when", "V1_004", "--key", "docket",
            "--milestone", "M280", "--reason", "no student pass under contract: phase 6 is held",
        )  # fmt: skip
    abverify("audit")
    return 0


def abverify(*arguments: str) -> None:
    """Runs one command on the checkout and stops at the first that fails."""
    command = [sys.executable, "-m", "abverify", *arguments, "--root", str(CHECKOUT)]
    code = subprocess.run(command, check=False).returncode
    if code:
        sys.exit(f"abverify {arguments[0]} exited with {code}")


if __name__ == "__main__":
    sys.exit(main())
