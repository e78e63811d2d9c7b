"""A git repository with a layout that is not ours: contract, pin file, mirror, README, badges.

The layout is that of the history abverify comes from: a YAML contract with a version and a
version history, a flat pin file with digest and commit, a mirror repository that must hold
the same bytes, and a README whose badges repeat what the contract says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from tests.support.console import Ran, in_process
from tests.unit.workspace.test_git import commit, run_git

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = "contracts/parity.yaml"
PIN = "contracts/parity.pin"
MIRRORED = "contracts/parity-v1.yaml"
POLICY = """\
schema: abverify/policy/v1
protected: main
corpora: [fixtures/canonical]
foreign:
  - path: contracts/parity.yaml
    version: version
    history: {entries: status_history, version: to, date: date}
pins:
  - {file: contracts/parity.pin, format: key-value, contract: contracts/parity.yaml, sha256: contract_sha256, commit: mirror_commit}
mirrors:
  - {kind: git, location: ../mirror, branch: main, contract: contracts/parity.yaml, file: contracts/parity-v1.yaml}
rollups:
  - id: version-badge
    file: README.md
    pattern: "contract-v(?P<version>[0-9.]+)-blue"
    equals: {version: 'contracts."contracts/parity.yaml".version'}
  - id: gates-badge
    file: README.md
    pattern: "gates-(?P<numerator>[0-9]+)%2F(?P<denominator>[0-9]+)-green"
    equals:
      numerator: 'length(contracts."contracts/parity.yaml".gates[?status==''ACTIVE''])'
      denominator: 'length(contracts."contracts/parity.yaml".gates)'
  - id: fixture-count
    file: README.md
    pattern: "(?P<count>[0-9]+) canonical fixtures"
    equals: {count: 'corpora."fixtures/canonical".fixtures'}
"""  # noqa: E501


@dataclass(slots=True)
class Foreign:
    """The repository, its mirror, and what its files say now.

    Attributes:
        folder: holds `repository` and `mirror`.
        version: the contract's version.
        history: the entries of its version history, oldest first.
        gates: the status of each gate.
        fixtures: how many fixtures there are.
    """

    folder: Path
    version: str = "1.0.0"
    history: list[tuple[str, str]] = field(default_factory=lambda: [("2026-04-01", "1.0.0")])
    gates: list[str] = field(default_factory=lambda: ["ACTIVE", "ACTIVE", "OPEN"])
    fixtures: int = 2
    note: str = "first"
    mirror_commit: str = ""

    @property
    def root(self) -> Path:
        """The repository."""
        return self.folder / "repository"

    @property
    def mirror(self) -> Path:
        """The mirror."""
        return self.folder / "mirror"

    def start(self) -> Foreign:
        """Makes both repositories with a first, compliant commit."""
        for root in (self.root, self.mirror):
            root.mkdir(parents=True)
            run_git(root, "init", "-q")
        self.publish("first version")
        return self

    def contract(self) -> bytes:
        """The contract's bytes."""
        entries = "".join(f"  - {{date: {d}, to: {v}}}\n" for d, v in self.history)
        gates = "".join(f"  - {{id: G{n}, status: {s}}}\n" for n, s in enumerate(self.gates, 1))
        text = f"version: {self.version}\nnote: {self.note}\nstatus_history:\n{entries}"
        return f"{text}gates:\n{gates}".encode()

    def readme(self) -> bytes:
        """The README with every roll-up right."""
        active = self.gates.count("ACTIVE")
        return (
            f"![v](contract-v{self.version}-blue) ![g](gates-{active}%2F{len(self.gates)}-green)\n"
            f"\nThere are {self.fixtures} canonical fixtures.\n"
        ).encode()

    def files(self) -> dict[str, bytes]:
        """Every file of the repository, all in step."""
        pin = f"contract_sha256: {sha256_hex(self.contract())}\nmirror_commit: {self.mirror_commit}"
        fixtures = {f"fixtures/canonical/f{n}/task.md": b"task\n" for n in range(self.fixtures)}
        return {
            CONTRACT: self.contract(),
            PIN: f"{pin}\nnote: |\n  contract_sha256: not this one\n".encode(),
            "contracts/policy.yaml": POLICY.encode(),
            "README.md": self.readme(),
            **fixtures,
        }

    def mirror_now(self, data: bytes | None = None) -> str:
        """Copies the contract's bytes to the mirror and commits them there."""
        return commit(self.mirror, {MIRRORED: self.contract() if data is None else data})

    def publish(self, message: str = "in step") -> str:
        """The whole ritual, as it should be; returns the commit."""
        self.mirror_commit = self.mirror_now()
        return commit(self.root, self.files(), message)

    def step(self, version: str, date: str) -> None:
        """The next version, with an entry in the history."""
        self.version, self.note = version, f"for {version}"
        self.history.append((date, version))

    def write(self, files: dict[str, bytes]) -> str:
        """Commits just these files."""
        return commit(self.root, files)

    def run(self, *arguments: str) -> Ran:
        """Runs a command line on the repository."""
        return in_process(*arguments, "--root", str(self.root), environment={})
