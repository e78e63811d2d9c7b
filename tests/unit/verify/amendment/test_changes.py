"""Pairs of contracts over every class of change, decoys among them: each classed by meaning."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from abverify._canonical import sha256_hex
from abverify.model.change import CLASSES, Change, fingerprint, headline
from abverify.model.contract import Contract
from abverify.verify.amendment.changes import Side, changes_between, leaves
from abverify.verify.amendment.classes import classify
from tests.builders import CORPUS, PROMPT, REMOVED, changed, contract_document

OTHER = "b" * 64
ADAPTER = {"name": "tool-use", "file": "models/a.gguf", "sha256": "c" * 64, "scale": "1"}


def metric(name: str, *, id: str = "oracle", **bounds: Any) -> dict[str, Any]:  # noqa: A002
    return {"id": id, "metric": name, **bounds}


def side(document: dict[str, Any], **more: Any) -> Side:
    """The contract, and it written as YAML with one line for each section."""
    lines = [
        f"{key}: {value if key == 'version' else json.dumps(value)}"
        for key, value in document.items()
    ]
    contract = Contract.model_validate_json(json.dumps(document))
    return Side(contract, "\n".join(lines).encode(), **more)


@dataclass(frozen=True)
class Pair:
    """Two versions and the classes of what lies between them, by path."""

    name: str
    classes: dict[str, str]
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def changes(self) -> tuple[Change, ...]:
        old = contract_document(**self.before)
        return changes_between(side(old), side(changed(old, **self.after)))


def criteria(*items: Any) -> dict[str, Any]:
    return {"criteria": list(items)}


PASSED = metric("oracle_passed", at_least=1)
RATE = metric("native_call_rate", id="calls", at_least="0.5")
MEAN = metric("turns_to_first_call", id="turns", at_most="3")

PAIRS = [
    # Nothing, or no more than bytes.
    Pair("the same document", {}),
    Pair("only the version", {}, after={"version": "1.0.1"}),
    Pair("an explicit sampler default", {"(bytes)": "C0"},
         before={"config__sampling__min_p": REMOVED}, after={"config__sampling__min_p": "0"}),
    Pair("an explicit loop default", {"(bytes)": "C0"},
         after={"config__loop": {"calls": "all", "oracle_every_turns": 1}}),
    Pair("a default left out", {"(bytes)": "C0"}, after={"config__sampling__min_p": REMOVED}),
    Pair("a decimal spelt otherwise", {"(bytes)": "C0"},
         after={"config__sampling__temperature": "0.30"}),
    Pair("the estimand's default", {"(bytes)": "C0"}, after={"estimand": "this_bench"}),
    Pair("the identity's default", {"(bytes)": "C0"}, after={"identity": "attested"}),
    Pair("frozen fields in another order", {"(bytes)": "C0"},
         after={"amendment__frozen": ["lifts", "id"]}),
    # Words.
    Pair("title", {"title": "C1"}, after={"title": "Another title"}),
    Pair("origin", {"origin.reference": "C1"}, after={"origin__reference": "CCPA#264"}),
    Pair("origin's gate", {"origin.gate": "C1"}, after={"origin__gate": None}),
    Pair("the file's name while its bytes are pinned", {"model.weights.file": "C1"},
         after={"model__weights__file": "renamed.gguf"}),
    Pair("the source while the bytes are pinned", {"model.source": "C1"},
         after={"model__source": "elsewhere/tiny.gguf"}),
    Pair("a criterion's id", {"criteria": "C1"},
         after=criteria(metric("oracle_passed", id="passes", at_least=1))),
    Pair("criteria in another order", {"criteria": "C1"},
         before=criteria(PASSED, RATE), after=criteria(RATE, PASSED)),
    Pair("a list is an all_of", {"criteria": "C1"},
         before=criteria(PASSED, RATE), after=criteria({"all_of": [PASSED, RATE]})),
    Pair("two bounds in one or in two", {"criteria": "C1"},
         before=criteria(metric("oracle_passed", at_least=1, at_most=9)),
         after=criteria(PASSED, metric("oracle_passed", id="top", at_most=9))),
    Pair("a criterion that another implies", {"criteria": "C1"},
         before=criteria(metric("oracle_passed", at_least=2)),
         after=criteria(metric("oracle_passed", at_least=2),
                        metric("oracle_passed", id="weaker", at_least=1))),
    Pair("an any_of of one", {"criteria": "C1"},
         before=criteria(PASSED), after=criteria({"any_of": [PASSED]})),
    Pair("a useless branch", {"criteria": "C1"},
         before=criteria(PASSED),
         after=criteria({"any_of": [PASSED, metric("oracle_passed", id="more", at_least=5)]})),
    Pair("a rate's decimal spelt otherwise", {"criteria": "C1"},
         before=criteria(RATE),
         after=criteria(metric("native_call_rate", id="calls", at_least="0.50"))),
    Pair("distribution of all_of over any_of", {"criteria": "C1"},
         before=criteria(PASSED, {"any_of": [RATE, MEAN]}),
         after=criteria({"any_of": [{"all_of": [PASSED, RATE]},
                                    {"all_of": [metric("oracle_passed", id="again", at_least=1),
                                                MEAN]}]})),
    # Less is accepted.
    Pair("a threshold up by a unit", {"criteria": "C2"},
         after=criteria(metric("oracle_passed", at_least=2))),
    Pair("an upper bound down by a unit", {"criteria": "C2"},
         before=criteria(metric("infrastructure_failures", at_most=1)),
         after=criteria(metric("infrastructure_failures", at_most=0))),
    Pair("a rate's threshold up", {"criteria": "C2"},
         before=criteria(RATE),
         after=criteria(metric("native_call_rate", id="calls", at_least="0.51"))),
    Pair("one more criterion", {"criteria": "C2"}, after=criteria(PASSED, RATE)),
    Pair("a second bound", {"criteria": "C2"},
         after=criteria(metric("oracle_passed", at_least=1, at_most=19))),
    Pair("any_of becomes all_of", {"criteria": "C2"},
         before=criteria({"any_of": [PASSED, RATE]}), after=criteria({"all_of": [PASSED, RATE]})),
    Pair("any_of narrowed", {"criteria": "C2"},
         before=criteria({"any_of": [PASSED, RATE]}), after=criteria(PASSED)),
    Pair("at least nothing of a mean still wants a call", {"criteria": "C2"},
         before=criteria(metric("oracle_passed", at_least=0)),
         after=criteria(metric("turns_to_first_call", id="t", at_least="0"))),
    Pair("weights pinned for the first time", {"model.weights.sha256": "C2"},
         before={"model__weights__sha256": None}, after={"model__weights__sha256": OTHER}),
    Pair("a description stated for the first time", {"model.describe.size_label": "C2"},
         after={"model__describe__size_label": "135M"}),
    Pair("an adapter pinned for the first time", {"model.adapter.sha256": "C2"},
         before={"model__adapter": {**ADAPTER, "sha256": None}}, after={"model__adapter": ADAPTER}),
    Pair("more fixtures to be measured", {"evidence.bench.min_completed": "C2"},
         after={"evidence__bench__min_completed": 3}),
    Pair("a younger calibration", {"evidence.calibration.max_age_days": "C2"},
         after={"evidence__calibration__max_age_days": 7}),
    Pair("evidence counts for a shorter time", {"evidence.valid_days": "C2"},
         after={"evidence__valid_days": 90}),
    Pair("a stronger proof of identity", {"identity": "C2"},
         before={"identity": "asserted"}, after={"identity": "attested"}),
    # More is accepted.
    Pair("a threshold down by a unit", {"criteria": "C3"},
         before=criteria(metric("oracle_passed", at_least=2)), after=criteria(PASSED)),
    Pair("at least one becomes at least none", {"criteria": "C3"},
         after=criteria(metric("oracle_passed", at_least=0))),
    Pair("a criterion dropped", {"criteria": "C3"},
         before=criteria(PASSED, RATE), after=criteria(PASSED)),
    Pair("any_of widened", {"criteria": "C3"},
         before=criteria({"any_of": [PASSED, RATE]}),
         after=criteria({"any_of": [PASSED, RATE, MEAN]})),
    Pair("all_of becomes any_of", {"criteria": "C3"},
         before=criteria(PASSED, RATE), after=criteria({"any_of": [PASSED, RATE]})),
    Pair("an upper bound removed", {"criteria": "C3"},
         before=criteria(metric("oracle_passed", at_least=1, at_most=9)), after=criteria(PASSED)),
    Pair("weights bound no more", {"model.weights.sha256": "C3"},
         after={"model__weights__sha256": None}),
    Pair("a description withdrawn", {"model.describe.file_type": "C3"},
         after={"model__describe__file_type": None}),
    Pair("fewer fixtures to be measured", {"evidence.bench.min_completed": "C3"},
         after={"evidence__bench__min_completed": 1}),
    Pair("an older calibration", {"evidence.calibration.max_age_days": "C3"},
         after={"evidence__calibration__max_age_days": 31}),
    Pair("evidence counts longer", {"evidence.valid_days": "C3"},
         after={"evidence__valid_days": 181}),
    Pair("a weaker proof of identity", {"identity": "C3"}, after={"identity": "asserted"}),
    # Another measurement.
    Pair("another metric", {"criteria": "C4"}, after=criteria(RATE)),
    Pair("a bound turned round", {"criteria": "C4"},
         after=criteria(metric("oracle_passed", at_most=1))),
    Pair("one bound up, another dropped", {"criteria": "C4"},
         before=criteria(PASSED, RATE), after=criteria(metric("oracle_passed", at_least=2))),
    Pair("criteria that nothing meets", {"criteria": "C4"},
         after=criteria(PASSED, metric("oracle_passed", id="none", at_most=0))),
    Pair("the parser's profile", {"config.parser.profile": "C4"},
         after={"config__parser__profile": "strict"}),
    Pair("the parser's version", {"config.parser.version": "C4"},
         after={"config__parser__version": 2}),
    Pair("the estimand", {"estimand": "C4"}, after={"estimand": "fixture_population"}),
    # Another model.
    Pair("the model's name", {"model.name": "C5"}, after={"model__name": "Tiny-Coder"}),
    Pair("other weights", {"model.weights.sha256": "C5"}, after={"model__weights__sha256": OTHER}),
    Pair("the file's name of weights that are not pinned", {"model.weights.file": "C5"},
         before={"model__weights__sha256": None}, after={"model__weights__file": "other.gguf"}),
    Pair("the source of weights that are not pinned", {"model.source": "C5"},
         before={"model__weights__sha256": None}, after={"model__source": "other.gguf"}),
    Pair("another quantization", {"model.describe.file_type": "C5"},
         after={"model__describe__file_type": "Q8_0"}),
    Pair("an adapter added", dict.fromkeys(
        ("model.adapter.name", "model.adapter.file", "model.adapter.sha256",
         "model.adapter.scale"), "C5"), after={"model__adapter": ADAPTER}),
    Pair("an adapter removed", dict.fromkeys(
        ("model.adapter.name", "model.adapter.file", "model.adapter.sha256",
         "model.adapter.scale"), "C5"), before={"model__adapter": ADAPTER},
         after={"model__adapter": None}),
    Pair("the adapter's scale", {"model.adapter.scale": "C5"},
         before={"model__adapter": ADAPTER}, after={"model__adapter": {**ADAPTER, "scale": "0.5"}}),
    Pair("the adapter's name while its bytes are pinned", {"model.adapter.name": "C1"},
         before={"model__adapter": ADAPTER}, after={"model__adapter": {**ADAPTER, "name": "x"}}),
    Pair("other bytes of the adapter", {"model.adapter.sha256": "C5"},
         before={"model__adapter": ADAPTER},
         after={"model__adapter": {**ADAPTER, "sha256": OTHER}}),
    # Another configuration.
    Pair("the temperature", {"config.sampling.temperature": "C6"},
         after={"config__sampling__temperature": "0.31"}),
    Pair("a seed list shortened", {"config.sampling.seeds": "C6"},
         before={"config__sampling__seeds": [1, 2]}, after={"config__sampling__seeds": [1]}),
    Pair("seeds in another order", {"config.sampling.seeds": "C6"},
         before={"config__sampling__seeds": [1, 2]}, after={"config__sampling__seeds": [2, 1]}),
    Pair("turns", {"config.budgets.max_turns": "C6"}, after={"config__budgets__max_turns": 5}),
    Pair("the context", {"config.engine.n_ctx": "C6"}, after={"config__engine__n_ctx": 4096}),
    Pair("the reply to silence", {"config.prompt.no_call": "C6"},
         after={"config__prompt__no_call": "Try again."}),
    Pair("another prompt file", {"config.prompt.system": "C6"},
         after={"config__prompt__system": "fixtures/prompts/other.md"}),
    Pair("the oracle's cadence", {"config.loop.oracle_every_turns": "C6"},
         after={"config__loop": {"oracle_every_turns": 0}}),
    Pair("the smoke fixture", {"evidence.smoke.fixture": "C6"},
         after={"evidence__smoke__fixture": "oo__09-other"}),
    # Another corpus.
    Pair("another corpus path", {"evidence.bench.corpus": "C7"},
         after={"evidence__bench__corpus": "fixtures/corpora/other"}),
    # What is never allowed.
    Pair("the id", {"id": "C8"}, after={"id": "laptop/T1_009"}),
    Pair("a frozen field", {"lifts": "C8"}, after={"lifts": ["T281"]}),
    Pair("a frozen section", {"model.name": "C8"},
         before={"amendment__frozen": ["id", "model"]}, after={"model__name": "Tiny-Coder"}),
    Pair("frozen criteria", {"criteria": "C8"},
         before={"amendment__frozen": ["criteria"]},
         after=criteria(metric("oracle_passed", at_least=2))),
    Pair("another predecessor", {"supersedes": "C8"}, after={"supersedes": "laptop/T1_000"}),
    # Who may change what.
    Pair("approvals", {"amendment.approvals": "C9"}, after={"amendment__approvals": 2}),
    Pair("a field frozen", {"amendment.frozen": "C9"},
         after={"amendment__frozen": ["id", "lifts", "model"]}),
    Pair("a field thawed", {"amendment.frozen": "C9"}, after={"amendment__frozen": ["id"]}),
    Pair("what it lifts", {"lifts": "C9"},
         before={"amendment__frozen": ["id"]}, after={"lifts": []}),
    # Several at once.
    Pair("a looser gate for another model", {"model.name": "C5", "criteria": "C3"},
         after={"model__name": "Tiny-Coder", **criteria(metric("oracle_passed", at_least=0))}),
    Pair("words that hide a threshold", {"title": "C1", "criteria": "C3"},
         after={"title": "A better title", **criteria(metric("oracle_passed", at_least=0))}),
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_it_is_classed_by_its_meaning(pair: Pair) -> None:
    assert {change.path: change.change_class for change in pair.changes()} == pair.classes


def test_the_table_covers_every_class_with_at_least_sixty_pairs() -> None:
    named = {change_class for pair in PAIRS for change_class in pair.classes.values()}
    assert named == set(CLASSES)
    assert len(PAIRS) >= 60


def test_every_field_of_a_contract_has_a_rule() -> None:
    whole = side(contract_document(model__adapter=ADAPTER, supersedes="laptop/T1_000"))
    for path in leaves(whole.contract):
        _, why = classify(path, {path: "before"}, {path: "after"})
        assert why != "no rule proves this field harmless", path


def test_a_field_without_a_rule_is_never_harmless() -> None:
    assert classify("novelty", {"novelty": 1}, {"novelty": 2})[0] == "C4"


class TestInputs:
    """Bytes behind a path of the contract that changed while the path stayed."""

    def inputs(self, **digests: str) -> dict[str, str]:
        return {PROMPT: digests.get("prompt", "1" * 64), CORPUS: digests.get("corpus", "2" * 64)}

    def between(self, old: Side, new: Side) -> dict[str, tuple[str, str]]:
        return {c.path: (c.change_class, c.bump) for c in changes_between(old, new)}

    def test_another_prompt_under_the_same_name(self) -> None:
        old = side(contract_document(), inputs=self.inputs())
        new = side(contract_document(), inputs=self.inputs(prompt="3" * 64))
        assert self.between(old, new) == {PROMPT: ("C6", "major")}

    @pytest.mark.parametrize(
        ("after", "bump", "why"),
        [
            ({"a": "1", "b": "2", "c": "3"}, "minor", "1 added, 0 removed, 0 modified"),
            ({"a": "1"}, "major", "0 added, 1 removed, 0 modified (b)"),
            ({"a": "1", "b": "9"}, "major", "0 added, 0 removed, 1 modified (b)"),
            ({"a": "1", "c": "3"}, "major", "1 added, 1 removed, 0 modified (b)"),
        ],
        ids=["added", "removed", "modified", "exchanged"],
    )
    def test_another_corpus_under_the_same_name(
        self, after: dict[str, str], bump: str, why: str
    ) -> None:
        old = side(contract_document(), inputs=self.inputs(), fixtures={"a": "1", "b": "2"})
        new = side(contract_document(), inputs=self.inputs(corpus="4" * 64), fixtures=after)
        (change,) = changes_between(old, new)
        assert (change.change_class, change.bump) == ("C7", bump)
        assert why in change.why

    @pytest.mark.parametrize(
        ("frozen", "path"),
        [
            ("evidence.bench.corpus", CORPUS),
            ("evidence", CORPUS),
            ("config.prompt.system", PROMPT),
            ("config", PROMPT),
        ],
    )
    def test_what_freezes_a_path_freezes_the_bytes_behind_it(self, frozen: str, path: str) -> None:
        document = contract_document(amendment__frozen=[frozen])
        old = side(document, inputs=self.inputs(), fixtures={"a": "1"})
        new = side(document, inputs=self.inputs() | {path: "5" * 64}, fixtures={"a": "1", "b": "2"})
        assert self.between(old, new)[path][0] == "C8"

    def test_a_corpus_that_is_not_at_hand_counts_as_replaced(self) -> None:
        old = side(contract_document(), inputs=self.inputs())
        new = side(contract_document(), inputs=self.inputs(corpus="4" * 64))
        assert self.between(old, new) == {CORPUS: ("C7", "major")}

    def test_a_moved_corpus_with_the_same_bytes_is_only_renamed(self) -> None:
        moved = "fixtures/corpora/moved"
        old = side(contract_document(), inputs=self.inputs())
        new = side(
            contract_document(evidence__bench__corpus=moved),
            inputs={PROMPT: "1" * 64, moved: "2" * 64},
        )
        assert self.between(old, new) == {"evidence.bench.corpus": ("C1", "patch")}


class TestWhatFollows:
    def one(self, **after: Any) -> Change:
        old = contract_document(amendment__approvals=2)
        (change,) = changes_between(side(old), side(changed(old, **after)))
        return change

    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            ({"title": "x"}, ("C1", "patch", 1, "reuse")),
            ({"evidence__valid_days": 1}, ("C2", "minor", 2, "rescore")),
            ({"evidence__valid_days": 999}, ("C3", "major", 2, "rerun")),
            ({"config__parser__version": 2}, ("C4", "major", 2, "rerun")),
            ({"model__name": "y"}, ("C5", "major", 2, "rerun")),
            ({"config__sampling__top_k": 1}, ("C6", "major", 2, "rerun")),
            ({"lifts": []}, ("C8", "major", 2, "refused")),
            ({"amendment__approvals": 1}, ("C9", "major", 2, "reuse")),
            ({"amendment__approvals": 3}, ("C9", "major", 3, "reuse")),
        ],
        ids=lambda value: value if isinstance(value, str) else None,
    )
    def test_each_class_has_its_bump_approvals_and_consequence(
        self, after: dict[str, Any], expected: tuple[str, str, int, str]
    ) -> None:
        change = self.one(**after)
        assert (change.change_class, change.bump, change.approvals, change.consequence) == expected

    def test_a_change_of_criteria_shows_what_it_changes(self) -> None:
        change = self.one(criteria=[metric("oracle_passed", at_least=3)])
        assert change.witness == ("passed before, fails now: oracle_passed 1",)
        change = self.one(criteria=[RATE])
        assert change.witness == (
            "passed before, fails now: native_call_rate 0, oracle_passed 1",
            "failed before, passes now: native_call_rate 1/2, oracle_passed 0",
        )

    def test_the_gravest_class_is_the_headline(self) -> None:
        assert headline(["C3", "C1", "C5"]) == "C5"
        assert headline(["C9", "C5"]) == "C9"
        assert headline(["C9", "C8"]) == "C8"
        assert headline([]) == "C0"

    def test_a_fingerprint_is_of_the_changes_and_nothing_else(self) -> None:
        first, second = self.one(title="x"), self.one(model__name="y")
        assert fingerprint([first, second]) == fingerprint([second, first])
        assert fingerprint([first]) != fingerprint([self.one(title="z")])
        assert first.fingerprint == self.one(title="x").fingerprint
        assert len(sha256_hex(first.fingerprint.encode())) == 64
