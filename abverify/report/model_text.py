"""Models as text: what one is, and what two share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from abverify.report.blocks import field, new_console, reasons_block, styled, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.model.gguf_facts import GgufFacts, LoraFacts
    from abverify.model.identity import ModelSection
    from abverify.model.model_diff import AdapterSide, Comparison
    from abverify.model.model_report import ModelDiffReport, ModelReport

_STYLE: Final = {
    "read": "bold green",
    "same": "bold green",
    "met": "bold green",
    "differs": "bold",
    "cannot-evaluate": "bold yellow",
    "contradicted": "bold red",
    "not-met": "bold red",
}
_RELATION: Final = {"same": "green", "differs": "red", "unknown": "yellow"}
_KEY_WIDTH: Final = 15


def render_model(report: ModelReport, *, width: int, color: bool) -> str:
    """What a model is, a fact a line."""
    console, buffer = new_console(width, color=color)
    side = report.side
    head = styled(report.verdict.upper(), _STYLE[report.verdict])
    console.print(styled(f"{side.label}  ", "bold").append_text(head))
    lines = list(_declared(side.declared)) if side.declared else []
    lines += _file(side.facts) if side.facts else []
    lines += _adapter(side.adapter) if side.adapter else []
    widest = max((len(label) for label, _ in lines), default=0)
    for label, text in lines:
        field(console, label.ljust(widest), text)
    reasons_block(console, report.reasons)
    return trimmed(buffer)


def render_model_diff(report: ModelDiffReport, *, width: int, color: bool) -> str:
    """What two models share, and what it comes to."""
    console, buffer = new_console(width, color=color)
    for label, side in (("a", report.a), ("b", report.b)):
        field(console, label, side.label)
    for line in report.comparisons:
        field(console, line.key.ljust(_KEY_WIDTH), _compared(line), _RELATION[line.relation])
    reasons_block(console, report.reasons)
    if report.confounds:
        field(console, "confounds", ", ".join(report.confounds))
    head = styled(report.verdict.upper(), _STYLE[report.verdict])
    console.print(styled("model diff  ", "bold").append_text(head))
    for text in report.conclusion:
        field(console, "conclusion", text)
    total = len(report.comparisons)
    field(console, "compared", f"{total - len(report.unknown)}/{total}")
    return trimmed(buffer)


def _compared(line: Comparison) -> str:
    detail = f" ({line.detail})" if line.detail else ""
    declared = ", as declared" if line.basis == "declared" else ""
    if line.relation == "same" and line.a == line.b:
        return f"same{declared}: {line.a}{detail}"
    if line.relation == "unknown" and line.a == line.b:
        return f"unknown{detail}"
    return f"{line.relation}{declared}: {line.a} | {line.b}{detail}"


def _declared(model: ModelSection) -> Iterator[tuple[str, str]]:
    pin = f"sha256 {model.weights.sha256}" if model.weights.sha256 else "described, not pinned"
    stated = [text for text in model.describe.to_json().values() if text is not None]
    yield "declared", f"{model.name}: {', '.join(stated)}"
    yield "weights", f"{model.weights.file}, {pin}"
    yield "source", model.source


def _file(facts: GgufFacts) -> Iterator[tuple[str, str]]:
    yield "file", f"{facts.file}, {facts.size:,} bytes"
    yield "sha256", f"{facts.sha256}{' (from cache)' if facts.from_cache else ''}"
    yield "kind", facts.kind
    yield "architecture", facts.architecture or "not stated"
    label = f" (size label {facts.size_label})" if facts.size_label else ""
    yield "parameters", f"{facts.parameters:,}{label}"
    yield from _counts(facts)
    yield "quantization", facts.file_type or f"not stated, {facts.quantization}"
    for one in facts.type_counts:
        counted = "1 tensor" if one.tensors == 1 else f"{one.tensors} tensors"
        yield "tensor type", f"{one.name}: {counted}, {one.size:,} bytes"
    yield "tensor shapes", f"{len(facts.shapes)} tensors, sha256 {facts.shapes_sha256}"
    yield "tensor types", f"sha256 {facts.types_sha256}"
    if facts.tokenizer_sha256:
        yield "tokenizer", f"{facts.tokenizer_model or 'unnamed'}, sha256 {facts.tokenizer_sha256}"
    if facts.template_sha256:
        yield "chat template", f"sha256 {facts.template_sha256}"
    yield from _lora(facts.lora) if facts.lora else ()
    for key, value in facts.general:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield key, shown


def _counts(facts: GgufFacts) -> Iterator[tuple[str, str]]:
    for label, key in (
        ("blocks", "block_count"),
        ("context length", "context_length"),
        ("embedding", "embedding_length"),
    ):
        number = facts.hyperparameter(key)
        if number is not None:
            yield label, f"{number:,}"
    experts, used = (facts.hyperparameter(f"expert_{x}") for x in ("count", "used_count"))
    if experts is not None:
        yield "experts", f"{experts}, {used if used is not None else 'not stated how many'} used"


def _lora(lora: LoraFacts) -> Iterator[tuple[str, str]]:
    yield "adapter", lora.kind or "of an unstated type"
    yield "rank", ", ".join(map(str, lora.ranks))
    yield "alpha", lora.alpha or "not stated"
    yield "targets", ", ".join(f"{module} x{count}" for module, count in lora.targets)


def _adapter(adapter: AdapterSide) -> Iterator[tuple[str, str]]:
    yield "adapter", f"{adapter.name}, scale {adapter.scale}"
    if adapter.facts:
        yield from _file(adapter.facts)
    else:
        yield "sha256", adapter.sha256 or "none yet"
