"""Who reads which guide in which repository, and what happens there besides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.support.documents import commands_in, sections
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_MET, CANNOT, NOTHING = 1, 3, 5

ELSEWHERE = {
    "abverify run S1_004 --stage bench --runner ray": "tests/cluster",
    "RAY_ADDRESS=": "tests/cluster",
    "npm install": "tests/records/test_sigstore_js.py",
    "node tools/verify_sigstore.mjs": "tests/records/test_sigstore_js.py",
    "git clone": "tests/records/test_external_vectors.py",
    "ABVERIFY_VECTORS=": "tests/records/test_external_vectors.py",
}
"""Commands that need other machines, a network or more processors, and the tests of each."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who types what stands on a page, from its first command to its last.

    Commands in the three tables are named by how they begin.

    Attributes:
        page: the page's file name.
        repository: ``short``, where nothing is recorded; or ``compared``, the story before
            its decision.
        only: the sections whose commands are typed; every one when empty.
        first: what happened in the repository before.
        before: what others do just before a command.
        codes: the exit codes that are not 0.
        words: what is typed for a word of the page that stands for another.
    """

    page: str
    repository: Literal["short", "compared"]
    only: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The test's name."""
        return f"{self.page}, {', '.join(self.only)}" if self.only else self.page

    def typed(self, line: str) -> str:
        """What is typed for a line of the page."""
        for word, other in self.words.items():
            line = line.replace(word, other)
        return line

    def lines(self) -> list[str]:
        """The command lines to type, in order."""
        parts = sections(CHECKOUT / "docs/guide" / self.page)
        chosen = [parts[name] for name in self.only] if self.only else parts.values()
        return [
            line
            for part in chosen
            for line in commands_in(part)
            if not line.startswith(tuple(ELSEWHERE))
        ]


_COMMIT = "git add -A && git commit -q -m"
_GIT = ("git init -q -b main", f"{_COMMIT} base", "git update-ref refs/remotes/origin/main HEAD")
_ROTATE = "abverify trust rotate --key operator --add-key ben=$ABVERIFY_KEYS/ben.pub.pem"
_BY_HAND = (
    "sed -i 's/^version: .*/version: 3.0.0/; s/valid_days: 90/valid_days: 60/'"
    " contracts/S1_004.yaml"
)
_LOGS = "$PYTHONPATH/tests/foreign/samples"
_REASON = '--reason "ages faster"'

VISITS = (
    Visit(
        "operator.md",
        "short",
        codes={
            "abverify check V1_004": CANNOT,
            "abverify check S1_004 --record": NOT_MET,
        },
    ),
    Visit("experiment.md", "compared"),
    Visit(
        "contract-author.md",
        "compared",
        first=("abverify keys new ben", f"{_ROTATE} --grant amender=ben", *_GIT),
        before={
            "abverify amend publish": (_BY_HAND,),
            "abverify amend check origin/main..HEAD --format": (),
            "abverify amend check origin/main..HEAD": (f"{_COMMIT} amended",),
        },
        codes={"abverify render --check": NOTHING},
    ),
    Visit(
        "keys.md",
        "short",
        only=("Make a key", "Start a trust root", "Add somebody"),
        before={
            "abverify trust rotate": ("abverify keys new ben", "cp $ABVERIFY_KEYS/ben.pub.pem ."),
        },
    ),
    Visit(
        "keys.md",
        "compared",
        only=(
            "Records that two people sign",
            "A key was lost, or somebody has it",
            "Show a record to other tools",
        ),
        first=(
            "cp $ABVERIFY_KEYS/operator.pem $ABVERIFY_KEYS/ana.pem",
            "cp $ABVERIFY_KEYS/operator.pub.pem $ABVERIFY_KEYS/ana.pub.pem",
            "abverify keys new ben",
            f"{_ROTATE} --grant root=ben --grant discharger=ben --threshold discharger=2",
        ),
        before={"abverify trust revoke": ("abverify keys new new",)},
        words={
            "KEYID": "$(abverify keys list | awk '$1 == \"ana\" {print $3}')",
            "ana=new": "operator=new",
        },
    ),
    Visit("auditor.md", "compared", before={"cp gates/_log/checkpoint": ("mkdir ~/kept",)}),
    Visit(
        "ci.md",
        "compared",
        first=(
            *_GIT,
            f"abverify amend S1_005 --set evidence.valid_days=90 {_REASON}",
            f"{_COMMIT} amended",
        ),
        codes={"abverify check S1_004 S1_005": CANNOT, "pytest --abverify": NOT_MET},
    ),
    Visit("report.md", "compared", codes={"abverify report S1_004": NOT_MET}),
    Visit("editor.md", "short"),
    Visit(
        "import.md",
        "short",
        first=(
            f"cp {_LOGS}/inspect/full.eval run.eval",
            f"cp {_LOGS}/lm_eval/choice/out_*.json out_2026-11-23.json",
            f"cp {_LOGS}/lm_eval/choice/samples_*.jsonl samples_abv_choice_2026-11-23.jsonl",
            f"cp {_LOGS}/promptfoo/full.json output.json",
            f"find {_LOGS}/bfcl/full -name '*.json' -exec cp {{}} . ';'",
        ),
    ),
)
