"""Rules about measuring on a cluster."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV590",
        "a cluster that is named can be joined",
        "A run asked for on a cluster is not measured elsewhere instead.",
        "abverify run S1_004 --stage bench --runner ray://10.0.0.9:10001 (nothing listens there)",
        "abverify run S1_004 --stage bench --runner ray (a cluster of this machine)",
    ),
    Rule(
        "AV591",
        "all workers measure the same",
        "Each worker proves weights, engine build, sandbox and toolchains on its own node. Trials"
        " of workers under different locks would be one bundle of two experiments.",
        "one node with another build of llama.cpp",
        "the same packages and weights on every node",
    ),
    Rule(
        "AV592",
        "a cluster has a worker left",
        "When every worker is lost and none can be placed, the run stops; trials that ended are"
        " kept, and the same command goes on with the others.",
        "--worker-cpus 64 on nodes of 32 CPUs",
        "--worker-cpus 8 on nodes of 32 CPUs",
    ),
)
