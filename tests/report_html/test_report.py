"""`abverify report`: what the page says is what the other verbs decide, in one file."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from abverify.report.html.visible import visible
from tests.report_html.pages import HOSTILE, Reader
from tests.support.repository import Repository, done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.console import Ran

SUBJECTS = {"T1_001": 1, "T1_002": 0, "T294": 0, "--audit": 0}


def made(repository: Repository, folder: Path, subject: str, code: int) -> str:
    """The page about a subject, which was made with this exit code."""
    file = folder / "report.html"
    done(repository.run("report", subject, "-o", str(file)), code)
    return file.read_text(encoding="utf-8")


def refused(ran: Ran, code: int, rule: str) -> str:
    """What was said to somebody who was refused."""
    assert (ran.code, ran.out) == (code, "")
    assert f"error[{rule}]" in ran.err
    return ran.err


@pytest.fixture(params=SUBJECTS.items(), ids=list(SUBJECTS))
def page(request: pytest.FixtureRequest, laboratory: Repository, tmp_path: Path) -> str:
    """The page about each subject in turn."""
    subject, code = request.param
    return made(laboratory, tmp_path, subject, code)


class TestOneFile:
    def test_every_element_is_closed_and_every_name_is_given_once(self, page: str) -> None:
        names = [found["id"] for _, found in Reader(page).elements if "id" in found]
        assert len(names) > 5
        assert len(set(names)) == len(names)

    def test_every_way_inside_the_page_leads_somewhere(self, page: str) -> None:
        elements = Reader(page).elements
        names = {found["id"] for _, found in elements if "id" in found}
        ways = {found["href"] for name, found in elements if name == "a"}
        assert ways
        assert all(way and way[0] == "#" for way in ways)
        assert {way[1:] for way in ways if way} <= names

    def test_it_names_no_address_elsewhere(self, page: str) -> None:
        assert re.findall(r"(?:src|srcset|action|data)=\"|url\(|@import", page) == []
        addresses = set(re.findall(r"\w+://[^\s\"'<)]*", page))
        assert addresses <= {"http://www.w3.org/2000/svg"}

    def test_the_policy_allows_its_own_script_and_style_and_nothing_else(self, page: str) -> None:
        (policy,) = Reader(page).named("meta", **{"http-equiv": "Content-Security-Policy"})
        rules = dict(rule.strip().split(" ", 1) for rule in str(policy["content"]).split(";"))
        for element in ("script", "style"):
            (source,) = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
            assert rules.pop(f"{element}-src") == f"'sha256-{digest}'"
        assert rules == {
            "default-src": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "img-src": "data:",
        }

    def test_no_element_carries_a_script_or_a_style_of_its_own(self, page: str) -> None:
        names = {name for _, found in Reader(page).elements for name in found}
        assert [name for name in names if name.startswith("on") or name == "style"] == []


class TestGate:
    def test_the_verdict_the_criterion_and_its_limits_are_those_of_check(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        check = done(laboratory.run("check", "T1_001", "--format", "json"), 1).json
        text = Reader(made(laboratory, tmp_path, "T1_001", 1)).text
        assert check["criteria"][0]["interval"] == ["0.0000", "0.1684"]
        assert "0.0000 to 0.1684" in text
        assert "not-met" in text
        assert check["contract"]["sha256"] in text
        assert check["decidedBy"] in text

    def test_the_trail_shows_each_record_and_the_states_after_it(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        page = made(laboratory, tmp_path, "T1_001", 1)
        text = Reader(page).text
        for word in ("introduces the gate", "not-met: oracle_passed 0 of 20", "T280 holds scope"):
            assert word in text
        assert "<title>phase-1: suspended</title>" in page
        assert "<title>laptop/T1_001: proposed</title>" in page

    def test_every_trial_is_there_with_the_signs_of_its_parse(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        page = Reader(made(laboratory, tmp_path, "T1_001", 1))
        trials = page.named("details", **{"class": "trial"})
        assert len(trials) == 20
        assert [found["data-verdicts"] for found in trials][3:5] == ["recovered", "none"]
        repaired = page.named("span", **{"class": "m call repair"})
        assert len(repaired) == 4
        assert "untagged-call" in str(repaired[0]["title"])

    def test_the_metrics_are_numerators_and_denominators(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        page = made(laboratory, tmp_path, "T1_001", 1)
        assert "<dt>recovered_call_rate</dt><dd>4/20</dd>" in page
        assert "<dt>format_survival</dt><dd>4/52</dd>" in page

    def test_the_digests_for_sha256sum_are_true(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        page = made(laboratory, tmp_path, "T1_001", 1)
        block = page.split("&lt;&lt;'END'\n")[1].split("END")[0]
        pairs = [line.split("  ") for line in block.splitlines()]
        assert len(pairs) == 11
        for digest, path in pairs:
            data = (laboratory.root / path).read_bytes()
            assert hashlib.sha256(data).hexdigest() == digest

    def test_a_gate_without_evidence_says_what_is_missing(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        copy = laboratory.copy(tmp_path)
        (copy.root / "gates/laptop/T1_002/evidence/run-1/manifest.json").unlink()
        text = Reader(made(copy, tmp_path, "T1_002", 3)).text
        assert "cannot-evaluate" in text
        assert "not observed" in text
        assert "abverify check T1_002 --run" in text

    def test_what_the_model_wrote_is_seen_and_is_text(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        page = Reader(made(laboratory, tmp_path, "T1_002", 0))
        assert visible(HOSTILE) in page.text
        assert len(page.named("script")) == 1
        assert not page.named("img")
        assert not page.named("iframe")


class TestExperiment:
    def test_arms_effects_and_pairs_are_those_of_compare(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        page = made(laboratory, tmp_path, "T294", 0)
        text = Reader(page).text
        for words in ("confirmed", "56.3% to 94.3%", "+0.471 to +0.800", "3.05e-05"):
            assert words in text
        assert page.count('class="join gain"') == 16
        assert page.count('class="join tie"') == 4

    def test_a_dot_leads_to_its_trial(self, laboratory: Repository, tmp_path: Path) -> None:
        page = Reader(made(laboratory, tmp_path, "T294", 0))
        label = "unix__01-task, adapter: 1/1"
        (dot,) = page.named("a", **{"aria-label": label})
        (trial,) = page.named("details", id=str(dot["href"])[1:])
        assert (trial["data-arm"], trial["data-outcome"]) == ("adapter", "oracle_passed")

    def test_the_lock_diff_names_the_variable_and_nothing_else(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        page = made(laboratory, tmp_path, "T294", 0)
        varied = re.findall(r'<tr class="varied"><th scope="row"><code>([^<]*)', page)
        assert varied == ["model.adapter_sha256", "model.adapter_scale"]
        assert '<tr class="confound">' not in page

    def test_a_confound_is_marked_in_the_lock_and_in_the_comparison(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        copy = laboratory.copy(tmp_path)
        file = copy.root / "contracts/experiments/T294.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('"model.adapter_scale"', '"model.name"'), encoding="utf-8")
        page = made(copy, tmp_path, "T294", 3)
        assert '<tr class="confound"><th scope="row"><code>model.adapter_scale' in page
        assert "Confound" in Reader(page).text


class TestLedger:
    def test_the_audits_page_of_a_tampered_ledger_says_so(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        copy = laboratory.copy(tmp_path)
        record = copy.root / "gates/laptop/T1_001/000001.amendment.dsse.json"
        record.write_bytes(record.read_bytes().replace(b'"sig":"', b'"sig":"AAAA', 1))
        text = Reader(made(copy, tmp_path, "--audit", 4)).text
        assert "faults" in text
        assert "000001.amendment.dsse.json" in text
        done(copy.run("report", "T1_001", "-o", str(tmp_path / "other.html")), 4)
        assert not (tmp_path / "other.html").exists()

    def test_a_malformed_contract_keeps_nobody_from_the_audits_page(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        copy = laboratory.copy(tmp_path)
        (copy.root / "contracts/T1_001.yaml").write_text("id: [", encoding="utf-8")
        text = Reader(made(copy, tmp_path, "--audit", 0)).text
        assert "clean" in text
        assert "contracts/T1_001.yaml" in text

    def test_without_a_name_the_page_is_about_every_gate(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        file = tmp_path / "all.html"
        done(laboratory.run("report", "-o", str(file)))
        text = Reader(file.read_text(encoding="utf-8")).text
        for words in ("laptop/T1_001", "laptop/T1_002", "0 of 2 discharged", "held by T280"):
            assert words in text


class TestVerb:
    def test_the_summary_is_json_for_machines_and_the_file_is_the_one_it_names(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        file = tmp_path / "report.html"
        ran = laboratory.run("report", "T294", "-o", str(file), "--format", "json")
        told = done(ran).json
        assert told["schema"] == "abverify/report/v1"
        assert (told["verdict"], told["kind"], told["subject"]) == (
            "confirmed",
            "experiment",
            "T294",
        )
        assert told["page"] == {
            "path": str(file),
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "bytes": file.stat().st_size,
        }

    def test_making_a_page_changes_nothing_in_the_repository(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        before = laboratory.tree()
        made(laboratory, tmp_path, "T294", 0)
        assert laboratory.tree() == before

    def test_the_same_repository_gives_the_same_bytes(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        file = tmp_path / "report.html"
        pages = []
        for _ in range(2):
            done(laboratory.run("report", "T294", "-o", str(file), ABVERIFY_NOW=_now(laboratory)))
            pages.append(file.read_bytes())
        assert pages[0] == pages[1]

    def test_a_page_is_made_again_over_itself(self, laboratory: Repository, tmp_path: Path) -> None:
        made(laboratory, tmp_path, "T1_001", 1)
        assert "T1_002" in made(laboratory, tmp_path, "T1_002", 0)

    def test_another_file_is_overwritten_only_by_force(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        file = tmp_path / "notes.html"
        file.write_text("<!DOCTYPE html>\n<html>my notes", encoding="utf-8")
        said = refused(laboratory.run("report", "T1_001", "-o", str(file)), 1, "AV800")
        assert "--force" in said
        assert file.read_text(encoding="utf-8").endswith("my notes")
        done(laboratory.run("report", "T1_001", "-o", str(file), "--force"), 1)
        assert "T1_001" in file.read_text(encoding="utf-8")

    def test_an_unknown_name_is_answered_with_gates_and_experiments_like_it(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        file = str(tmp_path / "report.html")
        said = refused(laboratory.run("report", "T1_01", "-o", file), 2, "AV801")
        assert "did you mean T1_001" in said
        said = refused(laboratory.run("report", "T29", "-o", file), 2, "AV801")
        assert "did you mean T294" in said

    def test_it_must_be_said_where_the_page_goes_and_of_what_it_is(
        self, laboratory: Repository, tmp_path: Path
    ) -> None:
        ran = laboratory.run("report", "T1_001")
        assert (ran.code, "-o report.html" in ran.err) == (2, True)
        ran = laboratory.run("report", "T1_001", "--audit", "-o", str(tmp_path / "r.html"))
        assert ran.code == 2


def _now(repository: Repository) -> str:
    """A moment after all that the laboratory holds."""
    status = repository.run("log", "--format", "json").json
    return max(str(line["issuedAt"]) for line in status["records"])
