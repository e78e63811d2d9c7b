"""What a contract says of its model: a name, the bytes, and what the bytes describe."""

from typing import Literal

from abverify.model.value import DecimalText, RelativePath, Sha256, Text, Value

IdentityLevel = Literal["attested", "asserted", "absent"]
"""How we know what ran: we hashed its bytes, somebody said so, or nobody did."""


class Weights(Value):
    """The weight file: its name, and its SHA-256 or null where it is only described."""

    file: Text
    sha256: Sha256 | None


class ModelDescription(Value):
    """What a GGUF's own metadata says of the model (`general.*`); null means not stated."""

    architecture: str | None = None
    size_label: str | None = None
    finetune: str | None = None
    file_type: str | None = None


class Adapter(Value):
    """A LoRA adapter over the weights; `sha256: null` means that it does not exist yet."""

    name: Text
    file: RelativePath
    sha256: Sha256 | None
    scale: DecimalText = "1"


class ModelSection(Value):
    """The model a gate names. Evidence from any other model does not count for it."""

    name: Text
    weights: Weights
    describe: ModelDescription
    adapter: Adapter | None
    source: Text
    """`hf://repo@revision/file`, `python-package://distribution/path`, or a local path."""
