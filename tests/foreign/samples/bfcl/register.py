"""Runs `bfcl` with one more model in its registry: SmolLM2 behind an OpenAI-compatible server.

BFCL knows a model only by an entry of its registry, and has none for SmolLM2. The handler is
BFCL's own one for models that write Hermes tool calls.
"""

from bfcl_eval.__main__ import cli
from bfcl_eval.constants.model_config import MODEL_CONFIG_MAPPING, ModelConfig
from bfcl_eval.model_handler.local_inference.qwen_fc import QwenFCHandler

NAME = "smollm2-135m-instruct-FC"

MODEL_CONFIG_MAPPING[NAME] = ModelConfig(
    model_name="HuggingFaceTB/SmolLM2-135M-Instruct",
    display_name="SmolLM2-135M-Instruct (FC)",
    url="https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
    org="HuggingFaceTB",
    license="apache-2.0",
    model_handler=QwenFCHandler,
    is_fc_model=True,
)

if __name__ == "__main__":
    cli()
