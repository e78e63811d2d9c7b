"""Pages as values, small and whole, to be changed in one thing; and what is hostile in a text."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from abverify.model.log_report import RecordLine
from abverify.model.page import (
    Artifact,
    CriterionBar,
    Page,
    Provenance,
    SurvivalLine,
    SurvivalStep,
)
from abverify.model.page_trail import Lane, TrailPage
from abverify.model.page_transcript import CallPage, Mark, OraclePage, TrialPage, TurnPage
from abverify.model.report import CriterionLine, EvidenceLine, Reason

HOSTILE = (
    "</code></pre></details><script>window.pwned = 1</script>"
    '<img src=x onerror="window.pwned = 2">'
    "<iframe srcdoc='<script>parent.pwned = 3</script>'></iframe>"
    "\x1b[2J\x1b]0;gone\x07 \u202egnp.exe\u202c \u200b\ufeff\u2066 {{ page }} {% raw %}"
    " &amp; \" ' `"
)
"""Text as a model might write it: markup, terminal escapes, direction controls, template code."""

VOID = frozenset(["meta", "link", "input", "br"])


def turn(raw: str = "I would edit the file.", **changes: Any) -> TurnPage:
    """A turn without a call."""
    plain = TurnPage(
        number=1,
        seed=7,
        verdict="none",
        raw=raw,
        marks=(),
        codes=(),
        agrees=True,
        calls=(),
        oracle=(),
        finish="stop",
        prompt_tokens=228,
        completion_tokens=58,
        prompt_sha256="f" * 64,
        millis=1023,
    )
    return replace(plain, **changes)


def trial(*turns: TurnPage, **changes: Any) -> TrialPage:
    """A trial that fails."""
    plain = TrialPage(
        anchor="t-1",
        arm="run-1",
        fixture="unix__01-head",
        seed=1,
        outcome="text_loop",
        passed=False,
        reason="3 turns in a row without a call",
        turns=turns or (turn(),),
        oracle=(),
        changed=(),
        millis=3446,
    )
    return replace(plain, **changes)


def page(**changes: Any) -> Page:
    """A gate's page with one criterion, one record and one trial."""
    line = CriterionLine(
        id="oracle",
        metric="oracle_passed",
        expected=">= 1",
        observed="0",
        numerator=0,
        denominator=20,
        interval=("0.0000", "0.1684"),
        holds=False,
    )
    record = record_line(1)
    plain = Page(
        kind="gate",
        subject="laptop/T1_001",
        title="The small bench passes at least one oracle",
        verdict="not-met",
        tone="bad",
        exit_code=1,
        checked=1,
        total=1,
        what="criteria decided",
        made_at="2026-03-01T12:00:00Z",
        version="0.1.0",
        facts=(("state", "proposed"),),
        reasons=(Reason("criterion-not-met", "AV311", "error", "oracle_passed >= 1: observed 0"),),
        trail=TrailPage(
            lines=(record,),
            lanes=(Lane("gate", "laptop/T1_001", ("proposed", "proposed")),),
            first=0,
            links=(),
        ),
        provenance=Provenance(
            facts=(("ledger", "example/lab"),),
            artifacts=(Artifact("amendment record", record.path, record.sha256),),
            commands=(("abverify audit", "every record"),),
        ),
        criteria=(CriterionBar(line, 0.0, (0.0, 0.1684), 0.05, None, "fixtures that passed"),),
        metrics=(("oracle_passed", 0, 20),),
        survival=(SurvivalLine("run-1", 2, (SurvivalStep(1, 2, 1, 0.5, 0.1, 1.0),), (3,), 3),),
        transcripts=(trial(),),
    )
    return replace(plain, **changes)


def record_line(seq: int, **changes: Any) -> RecordLine:
    """A record of the trail."""
    plain = RecordLine(
        path=f"gates/laptop/T1_001/{seq:06d}.amendment.dsse.json",
        gate="laptop/T1_001",
        seq=seq,
        kind="amendment",
        issued_at="2026-02-01T12:00:00Z",
        actor="operator",
        version="1.0.0",
        sha256="e" * 64,
        standing="stands",
        summary="introduces the gate",
        reason="for the test",
        milestone=None,
    )
    return replace(plain, **changes)


def filled_with(words: str) -> Page:
    """A page in which everything that comes from models, people and files is one text."""
    reason = Reason("code", "AV311", "error", words, words, words, words, words)
    call = CallPage(words, words, ok=False, output=words)
    run = OraclePage(
        1, words, "tests", passed=False, ended=words, output=words, tampered=(words,), millis=5
    )
    mark = Mark(0, len(words), "refusal", words, words)
    line = CriterionLine(words, words, words, words, 0, 20, None, None)
    record = record_line(1, gate=words, actor=words, summary=words, reason=words, milestone=words)
    return page(
        subject=words,
        title=words,
        verdict=words,
        facts=((words, words),),
        reasons=(reason,),
        criteria=(CriterionBar(line, 0.0, None, 0.5, None, words),),
        metrics=((words, 0, 1),),
        evidence=(
            EvidenceLine(
                words, words, words, words, words, words, eligible=False, reasons=(reason,)
            ),
        ),
        trail=TrailPage((record,), (Lane("scope", words, ("open", "open")),), 0, ()),
        provenance=Provenance(((words, words),), (Artifact(words, words, words),), ((words,) * 2,)),
        survival=(SurvivalLine(words, 2, (), (1, 3), 3),),
        transcripts=(
            trial(
                turn(words, verdict=words, marks=(mark,), calls=(call,), oracle=(run,)),
                turn(words, codes=(words,), finish=words, agrees=False),
                arm=words,
                fixture=words,
                outcome=words,
                reason=words,
                oracle=(run,),
                changed=(words,),
            ),
        ),
    )


class Reader(HTMLParser):
    """What a browser makes of a page: its elements, their attributes, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Every element with the names of its attributes, in order."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]

    def named(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """The attributes of the elements of a name that have these values."""
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and wanted.items() <= attributes.items()
        ]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All that the page says, its style and script apart."""
        return "".join(self.texts)
