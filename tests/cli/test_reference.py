"""What the tool says of itself: every rule explained, every schema true of our own documents."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from abverify.model.rules import all_rules
from tests.support.console import in_process
from tests.support.repository import CHECKOUT, done

if TYPE_CHECKING:
    from pathlib import Path

POLICY = CHECKOUT / "contracts/policy.yaml"
CONTRACTS = sorted(set(CHECKOUT.glob("contracts/*.yaml")) - {POLICY})
PUBLISHED = sorted(CHECKOUT.glob("contracts/_versions/*/*/*.yaml"))
EXPERIMENTS = sorted(CHECKOUT.glob("contracts/experiments/*.yaml"))
FIXTURES = sorted(CHECKOUT.glob("fixtures/corpora/*/*/fixture.yaml"))
MANIFESTS = sorted(CHECKOUT.glob("fixtures/recorded/*/manifest.json"))
SCHEMAS = (
    "contract",
    "experiment",
    "experiment-history",
    "fixture",
    "manifest",
    "pin-lock",
    "policy",
    "record",
    "result",
    "trust-root",
)


class TestRules:
    def test_the_list_names_every_rule_once_in_order(self) -> None:
        lines = done(in_process("explain", environment={})).out.splitlines()
        assert [line.split()[0] for line in lines] == sorted(all_rules())
        assert all(re.fullmatch(r"AV\d{3}  \S.*", line) for line in lines)

    @pytest.mark.parametrize("rule", sorted(all_rules()))
    def test_each_is_explained_with_both_examples(self, rule: str) -> None:
        text = done(in_process("explain", rule, environment={})).out
        assert text.startswith(f"{rule}: {all_rules()[rule].title}\n")
        assert re.search(r"^breaks it:  \S", text, re.MULTILINE)
        assert re.search(r"^keeps it:   \S", text, re.MULTILINE)

    def test_case_does_not_matter(self) -> None:
        assert (
            in_process("explain", "av301", environment={}).out
            == in_process("explain", "AV301", environment={}).out
        )

    def test_every_rule_that_the_code_raises_is_explained(self) -> None:
        source = "".join(
            file.read_text(encoding="utf-8")
            for file in (CHECKOUT / "abverify").rglob("*.py")
            if "rules" not in file.parts
        )
        assert set(re.findall(r'"(AV\d{3})"', source)) <= set(all_rules())


class TestSchemas:
    def test_the_list_names_them(self) -> None:
        lines = done(in_process("schema", environment={})).out.splitlines()
        assert tuple(line.split()[0] for line in lines) == SCHEMAS

    @pytest.mark.parametrize("name", SCHEMAS)
    def test_each_is_a_valid_json_schema_with_an_address(self, name: str) -> None:
        document = schema(name)
        Draft202012Validator.check_schema(document)
        assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert document["$id"].endswith(f"/{name}.v1.schema.json")
        kinds = [one["$ref"].rpartition("/")[2] for one in document.get("oneOf", [])]
        for kind, whole in {kind: document["$defs"][kind] for kind in kinds}.items() or [
            (name, document)
        ]:
            assert whole["additionalProperties"] is (kind == "WritingResult")

    @pytest.mark.parametrize("file", [*CONTRACTS, *PUBLISHED], ids=lambda file: file.stem)
    def test_the_contracts_keep_theirs(self, file: Path) -> None:
        assert errors("contract", plain(file)) == []

    def test_the_policy_keeps_its_own(self) -> None:
        assert errors("policy", plain(CHECKOUT / "contracts/policy.yaml")) == []

    @pytest.mark.parametrize("file", EXPERIMENTS, ids=lambda file: file.stem)
    def test_the_experiments_keep_theirs(self, file: Path) -> None:
        name = "experiment-history" if file.stem == "history" else "experiment"
        assert errors(name, plain(file)) == []

    def test_the_fixtures_keep_theirs(self) -> None:
        assert len(FIXTURES) >= 26
        assert [(f.parent.name, e) for f in FIXTURES for e in errors("fixture", plain(f))] == []

    def test_the_policy_keeps_its(self) -> None:
        assert errors("policy", plain(POLICY)) == []

    def test_the_pins_and_the_recorded_bundles_keep_theirs(self) -> None:
        assert errors("pin-lock", plain(CHECKOUT / "contracts/pin.lock")) == []
        assert MANIFESTS
        for file in MANIFESTS:
            assert errors("manifest", json.loads(file.read_bytes())) == []

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("status",), "discharged"),
            (("version",), 1),
            (("schema",), "abverify/contract/v2"),
            (("config", "sampling", "temperature"), 0.3),
            (("config", "engine", "n_ctx"), -1),
            (("criteria",), []),
            (("model",), None),
        ],
        ids=lambda part: ".".join(part) if isinstance(part, tuple) else None,
    )
    def test_a_broken_contract_breaks_its_schema(self, path: tuple[str, ...], value: Any) -> None:
        document = plain(CHECKOUT / "contracts/S1_004.yaml")
        target = document
        for name in path[:-1]:
            target = target[name]
        target[path[-1]] = value
        assert errors("contract", document) != []


def schema(name: str) -> dict[str, Any]:
    ran = done(in_process("schema", name, environment={}))
    return ran.json


def plain(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    return document


def errors(name: str, document: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(schema(name)).iter_errors(document)]
