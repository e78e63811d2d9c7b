"""The answers of `abverify model`: what a model is, and what two models share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.model.report import Reason

if TYPE_CHECKING:
    from abverify.model.model_diff import AdapterSide, Comparison, ModelSide

_VARIABLES = (
    "weights",
    "adapter",
    "quantization",
    "template",
    "tokenizer",
    "hyperparameters",
    "architecture",
    "size",
    "shapes",
)
"""What an A/B is most likely about, first: of several differences, the others are confounds."""

_ONLY = {
    "weights": "same architecture, shapes, tokenizer and template: only the weights differ "
    "(a finetune)",
    "adapter": "same weights, adapter differs",
    "quantization": "same architecture, shapes, tokenizer and template: the quantization differs",
    "template": "same weights and tokenizer: only the chat template differs",
    "tokenizer": "same weights and template: only the tokenizer differs",
    "hyperparameters": "same weights, tokenizer and template: only hyperparameters differ",
}
_ONLY_OF_ADAPTERS = (
    "same architecture, rank, targets and scaling: only the adapter's weights differ"
)
_INSPECTED = {0: "read", 3: "cannot-evaluate", 4: "contradicted"}


@frozen
class ModelReport:
    """What a file is, or what a gate's model is declared to be and is.

    Attributes:
        side: the model.
        reasons: what keeps its files from being read, what contradicts the contract, what to
            know.
    """

    side: ModelSide
    reasons: tuple[Reason, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 read, 3 when a file is not here, 4 when a file contradicts the contract."""
        codes = {reason.code for reason in self.reasons if reason.severity == "error"}
        return 4 if "contradicted" in codes else 3 if codes else 0

    @property
    def verdict(self) -> str:
        """`read`, `cannot-evaluate` or `contradicted`."""
        return _INSPECTED[self.exit_code]

    def to_json(self) -> dict[str, Any]:
        """The report in the shape of the `abverify/model-inspect/v1` schema."""
        adapter = self.side.adapter
        files = [self.side.facts, *([adapter.facts] if adapter else [])]
        return {
            "schema": "abverify/model-inspect/v1",
            "verdict": self.verdict,
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": sum(facts is not None for facts in files),
            "total": len(files),
            "model": self.side.label,
            "declared": self.side.declared.to_json() if self.side.declared else None,
            "file": self.side.facts.to_json() if self.side.facts else None,
            "adapter": _adapter_json(adapter) if adapter else None,
        }


def _adapter_json(adapter: AdapterSide) -> dict[str, Any]:
    return {
        "name": adapter.name,
        "sha256": adapter.sha256,
        "scale": adapter.scale,
        "file": adapter.facts.to_json() if adapter.facts else None,
    }


@frozen
class ModelDiffReport:
    """What two models share.

    Attributes:
        a: the one.
        b: the other.
        comparisons: everything compared, in the order of `KEYS`.
        expected: the only key that may differ, as the user demanded; null without a demand.
        notes: what else to know.
    """

    a: ModelSide
    b: ModelSide
    comparisons: tuple[Comparison, ...]
    expected: str | None = None
    notes: tuple[Reason, ...] = ()

    @property
    def differs(self) -> tuple[str, ...]:
        """The keys that are known to differ."""
        return tuple(line.key for line in self.comparisons if line.relation == "differs")

    @property
    def unknown(self) -> tuple[str, ...]:
        """The keys that could not be compared."""
        return tuple(line.key for line in self.comparisons if line.relation == "unknown")

    @property
    def variable(self) -> str | None:
        """The one difference an A/B of the two would be about; null when nothing differs."""
        if self.expected is not None:
            return self.expected
        return next((key for key in _VARIABLES if key in self.differs), None)

    @property
    def confounds(self) -> tuple[str, ...]:
        """The keys that differ besides the variable."""
        return tuple(key for key in self.differs if key != self.variable)

    @property
    def verdict(self) -> str:
        """`same`, `differs` or `cannot-evaluate`; under a demand `met` or `not-met` too."""
        if self.expected is not None:
            if self.confounds or self._lacks_the_variable:
                return "not-met"
            return "cannot-evaluate" if self.unknown else "met"
        if self.unknown:
            return "cannot-evaluate"
        return "differs" if self.differs else "same"

    @property
    def _lacks_the_variable(self) -> bool:
        return self.expected not in (*self.differs, *self.unknown)

    @property
    def exit_code(self) -> int:
        """0 compared, 1 when a demand is not met, 3 when something could not be compared."""
        return {"not-met": 1, "cannot-evaluate": 3}.get(self.verdict, 0)

    @property
    def conclusion(self) -> tuple[str, ...]:
        """What it comes to, a sentence a line."""
        declared = any(line.basis == "declared" for line in self.comparisons)
        lines = [f"as declared: {self._known()}" if declared else self._known()]
        if self.unknown:
            lines.append(f"not known, which is not the same: {', '.join(self.unknown)}")
        return tuple(lines)

    def _known(self) -> str:
        same = ", ".join(x.key for x in self.comparisons if x.relation == "same") or "nothing"
        if not self.differs:
            if self.unknown:
                return f"same as far as known: {same}"
            return _identical(self)
        if (self.differs, self.unknown) == (("weights",), ()) and self._are_adapters:
            return _ONLY_OF_ADAPTERS
        if len(self.differs) == 1 and (not self.unknown or self._are_requantized):
            return _ONLY.get(self.differs[0], f"only {self.differs[0]} differs")
        if self.confounds:
            changed = ", ".join(self.differs)
            return f"{len(self.differs)} things differ together, which confounds an A/B: {changed}"
        return f"differs in {self.differs[0]}, same in {same}"

    @property
    def _are_requantized(self) -> bool:
        return self.differs == ("quantization",) and self.unknown == ("weights",)

    @property
    def _are_adapters(self) -> bool:
        return bool(self.a.facts and self.a.facts.lora and self.b.facts and self.b.facts.lora)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What keeps the two from being compared, or from meeting the demand; then the notes."""
        found: list[Reason] = []
        if self.expected is not None and self.confounds:
            found.append(_confounded(self))
        elif self.expected is not None and self._lacks_the_variable:
            found.append(_no_variable(self))
        if self.unknown:
            found.append(_not_compared(self))
        return (*found, *self.notes)

    def to_json(self) -> dict[str, Any]:
        """The report in the shape of the `abverify/model-diff/v1` schema."""
        return {
            "schema": "abverify/model-diff/v1",
            "verdict": self.verdict,
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": len(self.comparisons) - len(self.unknown),
            "total": len(self.comparisons),
            "a": self.a.label,
            "b": self.b.label,
            "conclusion": list(self.conclusion),
            "variable": self.variable,
            "confounds": list(self.confounds),
            "differs": list(self.differs),
            "unknown": list(self.unknown),
            "comparisons": [line.to_json() for line in self.comparisons],
        }


def _identical(report: ModelDiffReport) -> str:
    if report.a.sha256 == report.b.sha256:
        return "the same model, byte for byte"
    return "the same model: only names and notes in the files' metadata differ"


def _confounded(report: ModelDiffReport) -> Reason:
    return Reason(
        "confounded",
        "AV552",
        "error",
        f"not only {report.expected} differs: {', '.join(report.confounds)}",
        expected=f"only {report.expected} differs",
        found=", ".join(report.differs),
        next="compare models that differ in one thing, or declare the other things too",
    )


def _no_variable(report: ModelDiffReport) -> Reason:
    return Reason(
        "no-difference",
        "AV552",
        "error",
        f"no difference in {report.expected}: there is nothing to compare",
        expected=f"{report.expected} differs",
        found="the same on both sides",
        next="name two models that differ in it",
    )


def _not_compared(report: ModelDiffReport) -> Reason:
    why = {line.detail for line in report.comparisons if line.relation == "unknown" and line.detail}
    return Reason(
        "not-compared",
        "AV551",
        "error" if report.verdict == "cannot-evaluate" else "warning",
        f"not everything could be compared: {', '.join(report.unknown)}",
        expected="both models' files",
        found="; ".join(sorted(why)),
        next="put the files where the contracts say, or name them: abverify model diff A.gguf "
        "B.gguf",
    )
