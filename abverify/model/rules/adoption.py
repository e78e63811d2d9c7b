"""Rules about starting with abverify: the machine, a new repository, and tests that ask gates."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV810",
        "a machine must have what its contracts need",
        "A toolchain, an engine or weights that a contract names and the machine lacks keep its"
        " gate from being measured. Doctor tells beforehand, with the command that mends it, and"
        " exits with 3: the gate is not failed, it cannot be evaluated here.",
        "abverify doctor S1_004        (on a machine without bubblewrap)",
        "sudo apt-get install -y bubblewrap, then abverify doctor S1_004",
    ),
    Rule(
        "AV811",
        "a new repository overwrites nothing",
        "Init makes a repository whole or not at all. A file that is there may be somebody's work:"
        " the law's own folders must not be there yet, and a file for git, pre-commit or CI that"
        " is there is left as it is.",
        "abverify init        (in a folder that has contracts/)",
        "abverify init models        (models is not there, or empty)",
    ),
    Rule(
        "AV812",
        "a contract starts from a model",
        "The weights of a contract are a whole model. A LoRA adapter is none: it is declared beside"
        " the base that it was made for.",
        "abverify init --weights adapter.lora.gguf",
        "abverify init --weights model.gguf",
    ),
)
