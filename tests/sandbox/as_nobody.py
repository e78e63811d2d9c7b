"""The sandbox as an unprivileged user gets it: `probe` proves it, `run` runs a JSON request."""

from __future__ import annotations

import base64
import dataclasses
import json
import shutil
import sys
from pathlib import Path

from abverify.bench.sandbox import BubblewrapSandbox, Limits, find_sandbox, toolchains


def run() -> None:
    asked = json.load(sys.stdin)
    program = Path(shutil.which("bwrap") or "")
    done = BubblewrapSandbox(program, "proved by `probe` before").run(
        asked["argv"],
        workspace=Path(asked["workspace"]),
        limits=Limits(**asked["limits"]),
        toolchains=[toolchains.find(name) for name in asked["toolchains"]],
        stdin=base64.b64decode(asked["stdin"]),
        env=asked["env"],
    )
    fields = {field.name: getattr(done, field.name) for field in dataclasses.fields(done)}
    json.dump({**fields, "output": base64.b64encode(done.output).decode()}, sys.stdout)


if __name__ == "__main__":
    run() if sys.argv[1] == "run" else find_sandbox()
