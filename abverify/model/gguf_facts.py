"""What a GGUF file says of itself, as values that can be shown and compared."""

from __future__ import annotations

from typing import Any

from abverify._frozen import frozen

FactValue = str | int | bool | list[str | int | bool]
"""A metadata value; a float is its shortest text, because no float is compared here."""


@frozen
class TensorType:
    """How many tensors have a type, and the bytes they take."""

    name: str
    tensors: int
    size: int


@frozen
class LoraFacts:
    """What a LoRA adapter is.

    Attributes:
        kind: `adapter.type`, such as `lora`.
        alpha: `adapter.lora.alpha`, as text.
        ranks: the ranks of its pairs, ascending; one, unless pairs differ.
        targets: the modules it changes, such as `attn_q`, each with the number of tensors.
        shapes: of each changed tensor, the shape its weight must have.
    """

    kind: str | None
    alpha: str | None
    ranks: tuple[int, ...]
    targets: tuple[tuple[str, int], ...]
    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    def to_json(self) -> dict[str, Any]:
        """The facts as plain JSON data."""
        return {
            "type": self.kind,
            "alpha": self.alpha,
            "ranks": list(self.ranks),
            "targets": dict(self.targets),
        }


@frozen
class GgufFacts:
    """What was read of one GGUF file.

    Attributes:
        file: what the file was called.
        sha256: digest of the whole file.
        from_cache: whether that digest was remembered from an earlier reading.
        size: of the file, in bytes.
        kind: `model` or `adapter`.
        architecture: such as `llama`.
        size_label: such as `30B-A3B`.
        finetune: such as `Coder-Instruct`.
        general_name: `general.name`.
        file_type: the quantization the file declares, such as `Q4_K_M`.
        parameters: elements of all tensors together.
        hyperparameters: every other key (the architecture's own without its name in front,
            the adapter's), each as a text that tells values apart; arrays by digest.
        tokenizer: digest of each of the tokenizer's keys.
        tokenizer_model: `tokenizer.ggml.model`.
        tokenizer_sha256: digest over the whole tokenizer.
        template_sha256: digest of the chat template.
        shapes: the shape of every tensor, by name.
        types: the type of every tensor, by name.
        shapes_sha256: digest over names and shapes.
        types_sha256: digest over names and types.
        type_counts: the types, the one with the most bytes first.
        general: `general.*`, in the file's order.
        lora: what the adapter is; null for a model.

    A fact the file does not state is null.
    """

    file: str
    sha256: str
    from_cache: bool
    size: int
    kind: str
    architecture: str | None
    size_label: str | None
    finetune: str | None
    general_name: str | None
    file_type: str | None
    parameters: int
    hyperparameters: tuple[tuple[str, str], ...]
    tokenizer: tuple[tuple[str, str], ...]
    tokenizer_model: str | None
    tokenizer_sha256: str | None
    template_sha256: str | None
    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    types: tuple[tuple[str, str], ...]
    shapes_sha256: str
    types_sha256: str
    type_counts: tuple[TensorType, ...]
    general: tuple[tuple[str, FactValue], ...]
    lora: LoraFacts | None

    def hyperparameter(self, key: str) -> int | None:
        """A whole-numbered hyperparameter, such as `block_count`; null when it is none."""
        text = dict(self.hyperparameters).get(key, "")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def quantization(self) -> str:
        """The declared quantization, or the type that holds the most bytes."""
        if self.file_type is not None:
            return self.file_type
        return f"mostly {self.type_counts[0].name}" if self.type_counts else "no tensors"

    def to_json(self) -> dict[str, Any]:
        """The facts as plain JSON data."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "hashFromCache": self.from_cache,
            "bytes": self.size,
            "kind": self.kind,
            "architecture": self.architecture,
            "sizeLabel": self.size_label,
            "finetune": self.finetune,
            "name": self.general_name,
            "parameters": self.parameters,
            "blocks": self.hyperparameter("block_count"),
            "experts": self.hyperparameter("expert_count"),
            "expertsUsed": self.hyperparameter("expert_used_count"),
            "contextLength": self.hyperparameter("context_length"),
            "embeddingLength": self.hyperparameter("embedding_length"),
            "quantization": self.file_type,
            "tensors": {
                "count": len(self.shapes),
                "shapesSha256": self.shapes_sha256,
                "typesSha256": self.types_sha256,
                "types": {
                    one.name: {"count": one.tensors, "bytes": one.size} for one in self.type_counts
                },
            },
            "tokenizer": {"model": self.tokenizer_model, "sha256": self.tokenizer_sha256},
            "chatTemplateSha256": self.template_sha256,
            "hyperparameters": dict(self.hyperparameters),
            "general": dict(self.general),
            "adapter": self.lora.to_json() if self.lora else None,
        }
