"""Rules about contracts, fixtures and pins."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV101",
        "YAML with exactly one reading",
        "Readers of YAML disagree about anchors, merge keys, tags, duplicate keys, 017, 1_000, no,"
        " .nan and dates. A contract must mean the same to every reader, so these are refused, and"
        " decimals are quoted.",
        "temperature: 0.3",
        'temperature: "0.3"',
    ),
    Rule(
        "AV102",
        "documents keep to their schema",
        "Unknown fields, missing fields and values of another type are errors: a misspelt knob must"
        " not silently be no knob. `abverify schema contract` prints the schema.",
        "config: {enginee: …}",
        "config: {engine: …}",
    ),
    Rule(
        "AV110",
        "a gate must be known",
        "A gate is named by its qualified id, namespace/NAME, or by NAME while that is unique.",
        "abverify check V1_04",
        "abverify check V1_004",
    ),
    Rule(
        "AV111",
        "a gate's name must be unambiguous",
        "Several contracts may each have a V1_004. A short name that fits more than one is refused,"
        " with the candidates listed, instead of guessed.",
        "abverify check V1_004        (two namespaces have one)",
        "abverify check qwen3-moe-serve-dispatch/V1_004",
    ),
    Rule(
        "AV112",
        "one contract for each gate",
        "Two working contracts for one gate would give two answers.",
        "contracts/a.yaml and contracts/b.yaml, both with id: ns/V1_004",
        "one contracts/V1_004.yaml with id: ns/V1_004",
    ),
    Rule(
        "AV113",
        "named inputs exist",
        "A prompt or corpus that a contract names is part of its meaning.",
        "system: fixtures/prompts/missing.md",
        "system: fixtures/prompts/code-agent.md",
    ),
    Rule(
        "AV114",
        "inputs are the pinned ones",
        "The record that published a contract version holds the digest of every prompt and corpus"
        " it rests on (contracts/pin.lock repeats them). Other bytes under the same name would be"
        " another measurement.",
        "a prompt edited after the contract was published",
        "the prompt restored, or the change published with abverify amend",
    ),
    Rule(
        "AV115",
        "one version, one content",
        "A published version's bytes never change. Editing a contract without raising its version"
        " would give one version two meanings.",
        "version: 1.0.0, edited after 1.0.0 was published",
        "version: 2.0.0, then abverify amend",
    ),
    Rule(
        "AV116",
        "contracts are called *.yaml",
        "A file beside the contracts that says it is one, and is called .yml, would be passed over:"
        " its gate would be unknown, and nobody would be told why.",
        "contracts/V1_004.yml",
        "contracts/V1_004.yaml",
    ),
    Rule(
        "AV120",
        "budgets do not contradict each other",
        "A limit that can never be reached, because a wider one ends first, says something the run"
        " will not do: request time <= turn time <= wall time, and the turns should fit the wall.",
        "budgets: {turn_seconds: 900, http_timeout_seconds: 1500, …}",
        "budgets: {turn_seconds: 900, http_timeout_seconds: 600, …}",
    ),
    Rule(
        "AV121",
        "weights should be pinned",
        "A name and a quantization describe many files. Only a SHA-256 says which bytes the gate is"
        " about; until then every verdict says that the weights are described, not pinned.",
        "weights: {file: model.gguf, sha256: null}",
        "weights: {file: model.gguf, sha256: b179c952…}",
    ),
    Rule(
        "AV122",
        "an adapter must exist",
        "A gate over base and adapter cannot be run, and stays proposed, until the adapter's bytes"
        " are there and pinned.",
        "adapter: {name: tool-use, file: fixtures/models/tool-use.gguf, sha256: null}",
        "adapter: {name: tool-use, file: fixtures/models/tool-use.gguf, sha256: 3b1c…}",
    ),
    Rule(
        "AV123",
        "sampler knobs are written out",
        "Engines disagree about defaults (min_p is 0.05 in one and off in another). A knob that the"
        " contract leaves out takes the neutral default here; a reader should not have to know.",
        'sampling: {temperature: "0.3", max_tokens: 400, seeds: [1]}',
        'sampling: {temperature: "0.3", top_k: 50, top_p: "0.95", min_p: "0", …}',
    ),
    Rule(
        "AV124",
        "references point somewhere",
        '"This PR" and "TBD" mean nothing to a reader a year later.',
        "reference: shipped in this PR",
        "reference: CCPA#262",
    ),
    Rule(
        "AV126",
        "a turn fits the context",
        "A context of n_ctx tokens must hold the prompt and max_tokens more.",
        "n_ctx: 400 with max_tokens: 400",
        "n_ctx: 4096 with max_tokens: 400",
    ),
    Rule(
        "AV127",
        "the corpus is large enough",
        "min_completed above the number of fixtures could never be met.",
        "min_completed: 20 with a corpus of 6",
        "min_completed: 6 with a corpus of 6",
    ),
    Rule(
        "AV128",
        "the smoke fixture exists",
        "The smoke test runs one fixture of the bench's own corpus.",
        "smoke: {fixture: leetcode__99-nothing}",
        "smoke: {fixture: leetcode__01-two-sum}",
    ),
    Rule(
        "AV129",
        "a successor names a gate that exists",
        "A gate that supersedes another can lift what that one lifts, so the name must resolve.",
        "supersedes: ns/V0_000        (no such contract)",
        "supersedes: ns/V1_004",
    ),
    Rule(
        "AV130",
        "a corpus exists and is not empty",
        "A bench over nothing would pass everything.",
        "corpus: fixtures/corpora/none",
        "corpus: fixtures/corpora/small",
    ),
    Rule(
        "AV131",
        "fixtures are whole",
        "A fixture has a document, a start workspace, a reference solution and a known-bad state;"
        " its oracle files are protected, and solution and known-bad state change only what a trial"
        " could deliver.",
        "a fixture without a broken/ folder",
        "fixture.yaml, workspace/, solution/ and broken/",
    ),
    Rule(
        "AV140",
        "a parser profile must be known",
        "Profiles are named and versioned, because what counts as a call is part of a measurement.",
        "abverify toolcalls parse --profile lenient",
        "abverify toolcalls parse --profile salvage/1",
    ),
    Rule(
        "AV141",
        "turns and tools are given as JSON",
        "Tools are declared by JSON Schema; turns are lines with raw text and a finish reason.",
        "a line without raw",
        '{"id": 1, "raw": "…", "finish_reason": "stop"}',
    ),
    Rule(
        "AV142",
        "a bundle must be known",
        "A bundle is named by its run id while that is unique, or by its folder.",
        "abverify evidence show nothing",
        "abverify evidence show m294-smoke",
    ),
    Rule(
        "AV150",
        "a corpus holds fixtures and nothing else",
        "Every file of a corpus is under its digest. One that no fixture reads would change the"
        " corpus, and with it the contract, without changing any task.",
        "fixtures/corpora/small/unix__02-head/notes.txt",
        "fixture.yaml, workspace/, solution/ and broken/ alone",
    ),
    Rule(
        "AV151",
        "declared deliverables exist",
        "A glob that finds no file in any state of the fixture is mistyped: what it should have"
        " taken from a trial would be left behind.",
        "deliverables: [scr/**] beside workspace/src/lib.rs",
        "deliverables: [src/**]",
    ),
    Rule(
        "AV152",
        "the three states differ",
        "The start state must fail, the reference must pass, the known-bad state must fail. States"
        " with the same files cannot calibrate anything.",
        "broken/head.py with the bytes of solution/head.py",
        "broken/head.py with a plausible mistake",
    ),
    Rule(
        "AV153",
        "a solution is text",
        "The scripted good agent, like any model, writes files through tools that take text.",
        "solution/table.bin",
        "solution/table.py",
    ),
    Rule(
        "AV154",
        "a prompt says where to work",
        "A prompt that names no file measures whether a model finds the file, too.",
        "prompt: Mend the function.",
        "prompt: In head.py, mend the function head.",
    ),
    Rule(
        "AV155",
        "tests say that they ran",
        "Code under test can leave with exit code 0 before any test has run. `expect` names what"
        " the runner says only at the end.",
        "{id: tests, kind: tests, run: [python3, -m, unittest]}",
        '{id: tests, kind: tests, run: [python3, -m, unittest], expect: "Ran 4 tests"}',
    ),
    Rule(
        "AV156",
        "an oracle fits into a trial",
        "A command that may take longer than the trial's wall clock is cut short by it, and a"
        " reading that was cut short says nothing.",
        "limits: {seconds: 3600} with wall_seconds: 2400",
        "limits: {seconds: 20} with wall_seconds: 2400",
    ),
    Rule(
        "AV157",
        "fixtures are numbered, categories equal",
        "A fixture is called `<category>__<NN>-<slug>`. Numbers run 01, 02, … in each category, so"
        " that a missing fixture is seen, and a pass rate weighs the categories by their counts.",
        "unix__01-wc and unix__03-uniq",
        "unix__01-wc and unix__02-uniq",
    ),
    Rule(
        "AV158",
        "pin.lock repeats the signed pins",
        "What counts for a published contract are the digests its record signs. pin.lock is their"
        " copy for people and pull requests; one that says otherwise misleads them.",
        "contracts/pin.lock edited after S1_004 was published",
        "contracts/pin.lock as abverify amend wrote it",
    ),
)
