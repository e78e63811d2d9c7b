"""What differs between two arms: the declared variable, and whatever changed together with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.evidence.lock import LOCK_KEYS
from abverify.model.compare_report import Confound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abverify.evidence.lock import Scalar

ABSENT = "absent"
_WORDS = {
    "model.name": "model",
    "model.weights_sha256": "weights",
    "model.architecture": "family",
    "model.size_label": "size",
    "model.finetune": "finetune",
    "model.file_type": "quantization",
    "model.template_sha256": "chat template",
    "model.tokenizer_sha256": "tokenizer",
    "model.adapter_sha256": "adapter",
    "model.adapter_scale": "adapter scale",
    "prompt.system_sha256": "system prompt",
    "prompt.history": "history rendering",
    "parser.profile": "parser profile",
    "harness.sha256": "harness",
    "corpus.sha256": "corpus",
}
"""Short words for the keys people speak of; the others go by their own description."""


@frozen
class Difference:
    """Two locks compared.

    Attributes:
        varied: the variable's keys that differ, in registry order.
        confounds: every other key that differs.
    """

    varied: tuple[str, ...]
    confounds: tuple[Confound, ...]


def difference(
    control: Mapping[str, Scalar], treatment: Mapping[str, Scalar], keys: Iterable[str]
) -> Difference:
    """Compares two whole locks: a key that only one of them tells differs."""
    return _split(control, treatment, keys, set(control) | set(treatment))


def told_difference(
    control: Mapping[str, Scalar], treatment: Mapping[str, Scalar], keys: Iterable[str]
) -> Difference:
    """Compares what was reported: a key counts only where both arms tell it."""
    return _split(control, treatment, keys, set(control) & set(treatment))


def _split(
    control: Mapping[str, Scalar],
    treatment: Mapping[str, Scalar],
    keys: Iterable[str],
    compared: set[str],
) -> Difference:
    named = set(keys)
    differ = [key for key in LOCK_KEYS if key in compared and _differ(control, treatment, key)]
    return Difference(
        varied=tuple(key for key in differ if key in named),
        confounds=tuple(
            Confound(key, word(key), shown(control, key), shown(treatment, key))
            for key in differ
            if key not in named
        ),
    )


def _differ(one: Mapping[str, Scalar], other: Mapping[str, Scalar], key: str) -> bool:
    if key not in one or key not in other:
        return True
    # `1` and `True` are one value to Python and two to a lock.
    return (type(one[key]), one[key]) != (type(other[key]), other[key])


def word(key: str) -> str:
    """A key in words: `family` for `model.architecture`."""
    return _WORDS.get(key) or LOCK_KEYS[key]


def shown(values: Mapping[str, Scalar], key: str) -> str:
    """A key's value as text; `absent` when nobody told."""
    if key not in values:
        return ABSENT
    value = values[key]
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def together(words: Iterable[str]) -> str:
    """Several words as one clause, each once: `family, size and quantization`."""
    *most, last = list(dict.fromkeys(words)) or [""]
    return f"{', '.join(most)} and {last}" if most else last
