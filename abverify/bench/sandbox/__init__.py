"""Running untrusted code: the sandbox, its limits, and the toolchains it shows."""

from abverify.bench.sandbox import toolchains
from abverify.bench.sandbox.bubblewrap import BubblewrapSandbox
from abverify.bench.sandbox.faults import SandboxFailed, SandboxMissing, ToolchainMissing
from abverify.bench.sandbox.interface import Completed, Limits, Sandbox, Toolchain
from abverify.bench.sandbox.probe import find_sandbox, probe
from abverify.bench.sandbox.unsafe_host import UnsafeHost

__all__ = [
    "BubblewrapSandbox",
    "Completed",
    "Limits",
    "Sandbox",
    "SandboxFailed",
    "SandboxMissing",
    "Toolchain",
    "ToolchainMissing",
    "UnsafeHost",
    "find_sandbox",
    "probe",
    "toolchains",
]
