"""Results as machines read them: every verb's JSON has the published shape, no member beside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from pydantic import ValidationError

from abverify.model.results.union import RESULTS, AnyResult
from tests.support.repository import CHECKOUT, Repository, done
from tests.support.story import compared
from tests.unit.workspace.test_git import commit, run_git

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads((CHECKOUT / "docs/schemas/result.v1.schema.json").read_text(encoding="utf-8"))
READING = (
    ("check", "S1_004"),
    ("check", "V1_004"),
    ("run", "S1_004", "--stage", "bench"),
    ("status",),
    ("status", "--at", "3"),
    ("doctor",),
    ("compare", "S294"),
    ("compare", "M294"),
    ("compare", "--table"),
    ("plan", "S294"),
    ("model", "inspect", "S1_005"),
    ("model", "diff", "S1_004", "S1_005"),
    ("model", "diff", "S1_004", "V1_004"),
    ("amend", "check", "base..HEAD"),
    ("amend", "diff", "base:contracts/S1_004.yaml", "contracts/S1_004.yaml"),
    ("amend", "history", "base..HEAD"),
    ("log",),
    ("log", "S1_004"),
    ("show", "S1_004#2"),
    ("audit",),
    ("lint",),
    ("render", "--check"),
    ("trust", "show"),
)
WRITING = (
    ("discharge", "S1_005", "--reason", "met"),
    ("lift", "S280", "--reason", "met"),
    ("retract", "S1_005#2", "--cause", "issued-in-error", "--reason", "not met"),
    ("suspend", "S281", "--scope", "phase-9", "--lift-when", "S1_004", "--reason", "not yet"),
    ("integrate",),
    ("amend", "S1_005", "--set", "evidence.valid_days=60", "--reason", "ages"),
    ("amend", "recover"),
    ("amend", "fix"),
)
"""In this order."""


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The story before its decision, in git, with an amended contract on top."""
    repository = compared(tmp_path_factory).repository.copy(tmp_path_factory.mktemp("shapes"))
    run_git(repository.root, "init", "-q", "-b", "main")
    commit(repository.root, {}, "base")
    run_git(repository.root, "tag", "base")
    repository.sign("amend", "S1_004", "--set", "evidence.valid_days=90")
    commit(repository.root, {}, "amended")
    return repository


def has_the_published_shape(text: str) -> dict[str, Any]:
    """Holds a result to the models and, by other people's code, to the printed schema."""
    result: dict[str, Any] = json.loads(text)
    AnyResult.model_validate_json(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    return result


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_question_is_answered_in_its_shape(lived_in: Repository, words: tuple[str, ...]) -> None:
    has_the_published_shape(lived_in.run(*words, "--format", "json").out)


def test_every_bundle_is_shown_in_its_shape(lived_in: Repository, tmp_path: Path) -> None:
    run = has_the_published_shape(lived_in.run("check", "S1_004", "--format", "json").out)
    path = run["evidence"][0]["path"]
    for words in (("show", path), ("verify", path), ("rescore", path, "--profile", "strict/1")):
        has_the_published_shape(lived_in.run("evidence", *words, "--format", "json").out)
    page = str(tmp_path / "page.html")
    made = lived_in.run("report", "S1_004", "-o", page, "--format", "json")
    has_the_published_shape(made.out)


def test_what_writes_answers_in_its_shape(lived_in: Repository, tmp_path: Path) -> None:
    repository = lived_in.copy(tmp_path)
    for words in WRITING:
        has_the_published_shape(repository.run(*words, "--format", "json").out)


@pytest.mark.parametrize(
    ("words", "code", "verb"),
    [
        (("check", "none"), 2, "check"),
        (("amend", "check", "none..HEAD"), 2, "amend check"),
        (("discharge", "S1_005", "--reason", "met", "--key", "nobody"), 2, "discharge"),
        (("lift", "S280", "--reason", "not met"), 1, "lift"),
        (("evidence", "show", "none"), 2, "evidence show"),
    ],
)
def test_an_error_is_a_result_too(
    lived_in: Repository, words: tuple[str, ...], code: int, verb: str
) -> None:
    said = lived_in.run(*words)
    ran = done(lived_in.run(*words, "--format", "json"), code)
    result = has_the_published_shape(ran.out)
    assert (result["schema"], result["verb"]) == ("abverify/error/v1", verb)
    assert result["checked"] == result["total"] == 0
    assert ran.err == said.err
    for reason in result["reasons"]:
        assert f"error[{reason['rule']}]: {reason['message']}" in said.err
        assert reason["next"]


def test_the_schema_is_printed() -> None:
    assert set(SCHEMA["$defs"]) >= {result.__name__ for result in RESULTS}


def test_a_member_that_nobody_published_is_refused(lived_in: Repository) -> None:
    result = json.loads(lived_in.run("status", "--format", "json").out)
    for broken in ({**result, "mood": "good"}, {**result, "gates": None}):
        with pytest.raises(ValidationError):
            AnyResult.model_validate_json(json.dumps(broken))
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMA).validate(broken)
