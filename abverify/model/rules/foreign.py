"""Rules about logs of other harnesses, imported as evidence."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV840",
        "an imported log is of one known harness",
        "The format decides what a field means. A log that no reader knows, or that two would"
        " take for theirs, is not guessed at.",
        "abverify evidence import notes.txt",
        "abverify evidence import run.eval --from inspect",
    ),
    Rule(
        "AV841",
        "an imported log is read whole or not at all",
        "A file that was cut off, edited by hand or written by another version may mean something"
        " else than it seems to. The place that is not as the harness writes it is named.",
        "an .eval file of which the download broke off",
        "the file as the harness wrote it",
    ),
    Rule(
        "AV842",
        "one scorer's grades decide",
        "Where samples have grades of several scorers, which of them counts is a choice that"
        " changes the result, so somebody must make it.",
        "abverify evidence import of a log with the scorers includes and model_graded_qa",
        "the same with --scorer includes",
    ),
    Rule(
        "AV843",
        "a log without samples is no evidence",
        "A summary alone cannot be computed again: who wants to count must have what is counted.",
        "an lm-eval results file without its samples",
        "both, as written with --log_samples",
    ),
    Rule(
        "AV844",
        "only a whole, unedited run may decide",
        "A run that was limited to some samples, that broke, whose grades were changed, or whose"
        " summary is not what its own samples give can show anything. It is kept, and says why it"
        " does not count.",
        "inspect eval --limit 10",
        "inspect eval of the whole task",
    ),
    Rule(
        "AV845",
        "imported evidence is what its log says",
        "The log's bytes stand in the bundle. Rows, lock and scores are derived from them again"
        " whenever the bundle is verified; what was changed by hand afterwards is found.",
        "rows.jsonl of an import edited so that a sample passes",
        "rows.jsonl as the import wrote it",
    ),
    Rule(
        "AV846",
        "a log is unpacked by a library",
        "Inspect packs its .eval logs with zstd, which Python itself unpacks only since 3.14.",
        "an .eval log, and no backports.zstd",
        "pip install 'abverify[import]'",
    ),
    Rule(
        "AV847",
        "an import never replaces evidence",
        "The same log gives the same bundle. A folder of its name that holds something else is"
        " left alone.",
        "a second import into an edited bundle",
        "a second import of the same log: nothing happens",
    ),
)
