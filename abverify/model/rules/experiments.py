"""Rules about experiments: their documents, their designs, and what may be concluded."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV601",
        "an experiment is named by its id",
        "Experiments are the files of contracts/experiments/, each with an id of its own.",
        "abverify compare S295        (no such experiment)",
        "abverify compare S294",
    ),
    Rule(
        "AV602",
        "a variable is made of run-lock keys",
        "What may differ between arms is said in the keys of the run lock, because that is where"
        " it is looked for.",
        "variable: {name: finetune, keys: [model.flavour]}",
        "variable: {name: finetune, keys: [model.adapter_sha256, model.adapter_scale]}",
    ),
    Rule(
        "AV603",
        "an arm is a lawful contract",
        "An arm's settings replace fields of its gate's configuration, and what comes of it must be"
        " a contract as strict as any other.",
        'set: {config.sampling.temprature: "0.7"}',
        'set: {config.sampling.temperature: "0.7"}',
    ),
    Rule(
        "AV604",
        "arms differ in the variable and nothing else",
        "Whatever else differs between two run locks may have made the difference that was seen."
        " The conclusion is then confounded, whatever the numbers say.",
        "variable: finetune, and sampling.temperature is 0.3 in one arm and 0.7 in the other",
        "locks that differ in model.adapter_sha256 and model.adapter_scale only",
    ),
    Rule(
        "AV605",
        "arms differ in the variable at all",
        "Two runs of the same lock are one arm measured twice; any difference is chance.",
        "arms: [{id: base, gate: …/S1_004}, {id: same, gate: …/S1_004}]",
        "arms: [{id: base, gate: …/S1_004}, {id: adapter, gate: …/S1_005}]",
    ),
    Rule(
        "AV606",
        "a confirmatory design can find what it looks for",
        "A design that would miss a difference of delta_min more often than one time in five wastes"
        " the run and invites over-reading. plan refuses it unless it says exploratory: true.",
        '20 fixtures × 1 seed, delta_min: "0.10" (power 0.011)',
        '20 fixtures × 1 seed, delta_min: "0.50" (power 0.979)',
    ),
    Rule(
        "AV607",
        "below bench level there are only observations",
        "One prompt, one seed, or part of the bench may suggest a bench; the words confirmed and"
        " refuted need the whole of it.",
        "confirmed at the smoke level",
        "observed at the smoke level: 0/1 against 1/1",
    ),
    Rule(
        "AV608",
        "what was only reported is not confirmed",
        "Where nobody hashed the bytes that ran, what differed between the arms is known only as"
        " far as somebody told.",
        "a row of contracts/experiments/history.yaml",
        "two attested bench bundles",
    ),
    Rule(
        "AV609",
        "two arms at zero refute nothing",
        "Where neither arm ever succeeds, another factor may hold both down and mask this one; the"
        " same where both always do. What was seen is kept with its exact upper bound.",
        "refuted: 0/20 against 0/20",
        "inconclusive: no effect seen at the floor, each rate at most 16.8 %",
    ),
    Rule(
        "AV610",
        "not significant is not refuted",
        "When the test does not reject and a difference that matters is still possible, nothing is"
        " decided.",
        "refuted: 1/20 against 3/20, p = 0.5",
        "inconclusive: a difference of 0.10 is still possible",
    ),
    Rule(
        "AV611",
        "confirmed means tested",
        "The exact test rejects at the declared level in the declared direction, the interval"
        " excludes zero, the arms differ in the variable alone, and the whole bench was run.",
        "confirmed: by elimination, the finetune is what remains",
        "confirmed (bench): 0/20 against 19/20, p = 3.8e-06",
    ),
    Rule(
        "AV612",
        "refuted means excluded",
        "The limit of the 90 % paired interval lies within delta_min: whatever difference there is"
        " does not matter.",
        "refuted: p > 0.05",
        "refuted: 9/60 against 9/60, limit +0.08 with delta_min 0.10",
    ),
    Rule(
        "AV613",
        "every arm has evidence that counts",
        "An arm speaks through bench evidence of its own lock that is sound, complete, attested,"
        " calibrated and fresh.",
        "abverify compare M294        (nobody has run either arm)",
        "abverify compare S294 --run",
    ),
    Rule(
        "AV614",
        "necessary is not sufficient",
        "Without the variable not even the step before the goal happens; with it, that step happens"
        " and the goal still does not.",
        "confirmed: tool calls 0/20 against 19/20, so the oracle will follow",
        "necessary-not-sufficient: calls 0/20 against 19/20, oracle 0/20 in both arms",
    ),
    Rule(
        "AV615",
        "arms stand on one ground",
        "Every arm's gate exists and runs the experiment's corpus.",
        "an arm whose gate benches another corpus",
        "corpus: the one that every arm's gate names",
    ),
    Rule(
        "AV616",
        "the stronger result is shown",
        "A later result at a stronger level supersedes a weaker one, and every page that shows the"
        " weaker one says so.",
        "M294 confirmed (smoke), on a page that does not mention the bench",
        "M294, contradicted by M296 at bench level",
    ),
    Rule(
        "AV617",
        "an experiment's id is its own",
        "Two experiments of one id would share evidence and conclusions.",
        "two files with id: S294",
        "one file for each id",
    ),
)
