"""What two models share and what tells them apart, from what is read or declared of each.

A thing nobody could look at is `unknown`, which is never `same`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from abverify._frozen import frozen, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abverify.model.gguf_facts import GgufFacts
    from abverify.model.identity import ModelSection

Relation = Literal["same", "differs", "unknown"]
Basis = Literal["read", "declared", "none"]

KEYS = (
    "architecture",
    "size",
    "hyperparameters",
    "shapes",
    "tokenizer",
    "template",
    "quantization",
    "weights",
    "adapter",
)
"""What is compared, in this order."""

_NAMED = 3
_NOT_READ = "not known"


@frozen
class AdapterSide:
    """An adapter over a model.

    Attributes:
        name: its file, or the name its contract gives it.
        sha256: its digest, read or pinned; null when it does not exist yet.
        facts: what was read of it; null where its file is not here.
        scale: what it is multiplied with, as a decimal text.
    """

    name: str
    sha256: str | None
    facts: GgufFacts | None
    scale: str = "1"


@frozen
class ModelSide:
    """One of the two models.

    Attributes:
        label: what the user typed.
        facts: what was read of the weights; null where the file is not here.
        declared: what a contract says of the model; null for a file.
        adapter: the adapter over it, or null.
    """

    label: str
    facts: GgufFacts | None
    declared: ModelSection | None = None
    adapter: AdapterSide | None = None

    @property
    def sha256(self) -> str | None:
        """Digest of the weights, read or pinned."""
        if self.facts:
            return self.facts.sha256
        return self.declared.weights.sha256 if self.declared else None

    def stated(self, field: str) -> str | None:
        """A fact of the description (`architecture`, `size_label`, …): read, or else declared."""
        source = self.facts or (self.declared.describe if self.declared else None)
        value = getattr(source, field, None)
        return value if isinstance(value, str) else None


@frozen
class TensorDifference:
    """Two files' tensors, compared byte by byte.

    Attributes:
        compared: pairs of one name, shape and type.
        differing: names of the compared pairs whose bytes differ, in the file's order.
        incomparable: pairs of one name whose shape or type differs.
    """

    compared: int
    differing: tuple[str, ...]
    incomparable: int


@frozen
class Comparison:
    """One thing compared.

    Attributes:
        key: what, one of `KEYS`.
        relation: `same`, `differs` or `unknown`.
        basis: whether the bytes were read, or a contract's description was taken as it stands.
        a: what it is on the one side.
        b: what it is on the other.
        detail: where exactly the two differ, or why that is not known.
    """

    key: str
    relation: Relation
    basis: Basis
    a: str
    b: str
    detail: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return named(self)


def compare_models(
    a: ModelSide, b: ModelSide, tensors: TensorDifference | None
) -> tuple[Comparison, ...]:
    """Compares everything that `KEYS` lists.

    Args:
        a: the one model.
        b: the other.
        tensors: what comparing the bytes found; null where they were not compared, because
            one is not here, the two files are one, or their shapes differ.
    """
    return (
        _described("architecture", a, b, "architecture"),
        _size(a, b),
        _hyperparameters(a, b),
        _shapes(a, b),
        _tokenizer(a, b),
        _template(a, b),
        _quantization(a, b),
        _weights(a, b, tensors),
        _adapter(a, b),
    )


def _compared(
    key: str, basis: Basis, texts: tuple[str, str], *, same: bool, detail: str | None = None
) -> Comparison:
    relation: Relation = "same" if same else "differs"
    return Comparison(key, relation, basis, texts[0], texts[1], None if same else detail)


def _described(key: str, a: ModelSide, b: ModelSide, field: str) -> Comparison:
    """A fact that a description may state as well as the file itself."""
    ours, theirs = a.stated(field), b.stated(field)
    if ours is None or theirs is None:
        why = "not stated on both sides"
        return Comparison(key, "unknown", "none", ours or _NOT_READ, theirs or _NOT_READ, why)
    basis: Basis = "read" if a.facts and b.facts else "declared"
    return _compared(key, basis, (ours, theirs), same=ours == theirs)


def _unread(key: str, a: ModelSide, b: ModelSide) -> Comparison:
    missing = " and ".join(side.label for side in (a, b) if side.facts is None)
    ours, theirs = (_NOT_READ if side.facts is None else "read" for side in (a, b))
    return Comparison(key, "unknown", "none", ours, theirs, f"no file to read for {missing}")


def _size(a: ModelSide, b: ModelSide) -> Comparison:
    if not a.facts or not b.facts:
        return _described("size", a, b, "size_label")
    ours, theirs = a.facts.parameters, b.facts.parameters
    texts = f"{ours:,} parameters", f"{theirs:,} parameters"
    return _compared("size", "read", texts, same=ours == theirs)


def _hyperparameters(a: ModelSide, b: ModelSide) -> Comparison:
    if not a.facts or not b.facts:
        return _unread("hyperparameters", a, b)
    ours, theirs = dict(a.facts.hyperparameters), dict(b.facts.hyperparameters)
    keys = _unequal(ours, theirs)
    texts = (_some(ours, keys), _some(theirs, keys)) if keys else (f"{len(ours)} keys",) * 2
    return _compared("hyperparameters", "read", texts, same=not keys, detail=_named(keys))


def _some(values: Mapping[str, str], keys: Sequence[str]) -> str:
    return ", ".join(f"{key}={values.get(key, 'none')}" for key in keys[:_NAMED])


def _shapes(a: ModelSide, b: ModelSide) -> Comparison:
    if not a.facts or not b.facts:
        return _unread("shapes", a, b)
    names = _unequal(dict(a.facts.shapes), dict(b.facts.shapes))
    texts = _shapes_text(a.facts), _shapes_text(b.facts)
    return _compared("shapes", "read", texts, same=not names, detail=_named(names))


def _shapes_text(facts: GgufFacts) -> str:
    return f"{len(facts.shapes)} tensors, sha256 {facts.shapes_sha256[:16]}"


def _tokenizer(a: ModelSide, b: ModelSide) -> Comparison:
    if not a.facts or not b.facts:
        return _unread("tokenizer", a, b)
    keys = _unequal(dict(a.facts.tokenizer), dict(b.facts.tokenizer))
    texts = _tokenizer_text(a.facts), _tokenizer_text(b.facts)
    return _compared("tokenizer", "read", texts, same=not keys, detail=_named(keys))


def _tokenizer_text(facts: GgufFacts) -> str:
    return _digest_text(facts.tokenizer_sha256, facts.tokenizer_model)


def _template(a: ModelSide, b: ModelSide) -> Comparison:
    if not a.facts or not b.facts:
        return _unread("template", a, b)
    ours, theirs = a.facts.template_sha256, b.facts.template_sha256
    texts = _digest_text(ours), _digest_text(theirs)
    return _compared("template", "read", texts, same=ours == theirs)


def _unequal(ours: Mapping[str, object], theirs: Mapping[str, object]) -> list[str]:
    return [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]


def _digest_text(sha256: str | None, what: str | None = None) -> str:
    if sha256 is None:
        return "none"
    return f"{what}, sha256 {sha256[:16]}" if what else f"sha256 {sha256[:16]}"


def _quantization(a: ModelSide, b: ModelSide) -> Comparison:
    """By tensor where both have the same ones; between families by the declared type."""
    if not a.facts or not b.facts:
        return _described("quantization", a, b, "file_type")
    texts = (a.facts.quantization, b.facts.quantization)
    if _unequal(dict(a.facts.shapes), dict(b.facts.shapes)):
        return _compared("quantization", "read", texts, same=texts[0] == texts[1])
    names = _unequal(dict(a.facts.types), dict(b.facts.types))
    return _compared("quantization", "read", texts, same=not names, detail=_named(names))


def _weights(a: ModelSide, b: ModelSide, tensors: TensorDifference | None) -> Comparison:
    if a.sha256 is None or b.sha256 is None:
        return _described_weights(a, b)
    basis: Basis = "read" if a.facts and b.facts else "declared"
    texts = f"sha256 {a.sha256[:16]}", f"sha256 {b.sha256[:16]}"
    if a.sha256 == b.sha256:
        return Comparison("weights", "same", basis, *texts)
    if tensors is None:
        detail = "other tensors" if basis == "read" else "another file is pinned"
        return Comparison("weights", "differs", basis, *texts, detail)
    if tensors.differing:
        counted = f"{len(tensors.differing)} of {tensors.compared} compared tensors differ"
        return Comparison("weights", "differs", basis, *texts, counted)
    if tensors.incomparable:
        other = f"{tensors.incomparable} tensors are of other types: their values are not compared"
        return Comparison("weights", "unknown", basis, *texts, other)
    detail = f"other files, but all {tensors.compared} tensors are the same bytes"
    return Comparison("weights", "same", basis, *texts, detail)


def _described_weights(a: ModelSide, b: ModelSide) -> Comparison:
    """Other finetunes are other weights; the same name proves nothing."""
    ours, theirs = a.stated("finetune"), b.stated("finetune")
    if ours is not None and theirs is not None and ours != theirs:
        return Comparison("weights", "differs", "declared", ours, theirs, "another finetune")
    a_text, b_text = (f"sha256 {x.sha256[:16]}" if x.sha256 else "no digest" for x in (a, b))
    return Comparison("weights", "unknown", "none", a_text, b_text, "not pinned on both sides")


def _adapter(a: ModelSide, b: ModelSide) -> Comparison:
    ours, theirs = a.adapter, b.adapter
    texts = _adapter_text(ours), _adapter_text(theirs)
    if ours is None and theirs is None:
        return Comparison("adapter", "same", "read" if a.facts and b.facts else "declared", *texts)
    basis: Basis = "declared"
    if all(adapter is None or adapter.facts for adapter in (ours, theirs)):
        basis = "read"
    if ours is None or theirs is None:
        return Comparison("adapter", "differs", basis, *texts)
    if ours.scale != theirs.scale:
        return Comparison("adapter", "differs", basis, *texts, "another scale")
    if ours.sha256 is None or theirs.sha256 is None:
        return Comparison("adapter", "unknown", "none", *texts, "an adapter has no digest yet")
    return _compared("adapter", basis, texts, same=ours.sha256 == theirs.sha256)


def _adapter_text(adapter: AdapterSide | None) -> str:
    if adapter is None:
        return "none"
    digest = f"sha256 {adapter.sha256[:16]}" if adapter.sha256 else "no digest yet"
    scale = "" if adapter.scale == "1" else f", scale {adapter.scale}"
    lora = adapter.facts.lora if adapter.facts else None
    ranks = ",".join(map(str, lora.ranks)) if lora else ""
    rank = f", rank {ranks}, alpha {lora.alpha}" if lora else ""
    return f"{digest}{rank}{scale}"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
