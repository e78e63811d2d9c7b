from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abverify._canonical import tree_digest
from abverify.errors import FaultsError, InvalidError, UntrustedError
from abverify.workspace.corpora import load_corpus, read_corpus

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = "fixtures/corpora/two"
REPOSITORY = Path(__file__).resolve().parents[3]


def write_fixture(root: Path, name: str) -> Path:
    folder = root / CORPUS / name
    for part, files in {
        "workspace": {"head.py": "start", "test_head.py": "tests"},
        "solution": {"head.py": "right"},
        "broken": {"head.py": "wrong"},
    }.items():
        (folder / part).mkdir(parents=True)
        for file, text in files.items():
            (folder / part / file).write_text(text)
    (folder / "fixture.yaml").write_text(
        "schema: abverify/fixture/v1\n"
        f"id: {name}\n"
        "title: Keep the first lines\n"
        "language: python\n"
        "prompt: Mend head.py.\n"
        "oracle:\n  - {id: tests, kind: tests, run: [python3, -m, unittest]}\n"
        "protected: [test_head.py]\n"
    )
    return folder


@pytest.fixture
def fixture(tmp_path: Path) -> Path:
    return write_fixture(tmp_path, "unix__01-head")


def test_a_corpus_is_its_fixtures_in_order_under_one_digest(tmp_path: Path, fixture: Path) -> None:
    write_fixture(tmp_path, "oo__01-tank")
    files = {
        path.relative_to(fixture.parent).as_posix(): path.read_bytes()
        for path in fixture.parent.rglob("*")
        if path.is_file()
    }

    corpus = load_corpus(tmp_path, CORPUS)

    assert [one.id for one in corpus.fixtures] == ["oo__01-tank", "unix__01-head"]
    assert corpus.sha256 == tree_digest(files)
    assert corpus.fixtures[1].state("broken") == {"head.py": b"wrong", "test_head.py": b"tests"}


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (
            lambda f: (f / "fixture.yaml").unlink(),
            "/fixture.yaml",
            "a fixture lacks its fixture.yaml",
        ),
        (
            lambda f: [path.unlink() for path in (f / "solution").iterdir()],
            "/solution",
            "the fixture has no solution files",
        ),
        (
            lambda f: [path.unlink() for path in (f / "broken").iterdir()],
            "/broken",
            "the fixture has no broken files",
        ),
        (
            lambda f: (f / "workspace" / "test_head.py").unlink(),
            "/fixture.yaml:8:13",
            "a protected file is not in the workspace",
        ),
        (
            lambda f: (f / "solution" / "test_head.py").write_text("other"),
            "/solution/test_head.py",
            "the solution changes a file that no trial could deliver",
        ),
        (
            lambda f: (f / "broken" / "extra.py").write_text("new"),
            "/broken/extra.py",
            "the broken changes a file that no trial could deliver",
        ),
        (
            lambda f: f.rename(f.with_name("unix__02-other")),
            None,
            "the fixture's id is not its folder's name",
        ),
    ],
    ids=[
        "no document",
        "no solution",
        "no known-bad state",
        "no tests",
        "other tests",
        "a file that is not asked for",
        "another folder",
    ],
)
def test_a_fixture_that_is_not_whole_is_refused(
    tmp_path: Path,
    fixture: Path,
    change: Callable[[Path], object],
    place: str | None,
    message: str,
) -> None:
    change(fixture)

    with pytest.raises(InvalidError) as refusal:
        load_corpus(tmp_path, CORPUS)

    assert (refusal.value.rule, refusal.value.message) == ("AV131", message)
    moved = f"{CORPUS}/unix__02-other/fixture.yaml:2:5"
    where = moved if place is None else f"{CORPUS}/unix__01-head{place}"
    assert str(refusal.value.place) == where


@pytest.mark.parametrize(
    ("change", "rule", "place", "expected", "found"),
    [
        (
            lambda f: (f / "notes.txt").write_text("why"),
            "AV150",
            "/notes.txt",
            "fixture.yaml, workspace/, solution/, broken/",
            "notes.txt",
        ),
        (
            lambda f: _declare(f, 'deliverables: ["scr/**"]'),
            "AV151",
            "/fixture.yaml:9:16",
            "a glob of unprotected files in workspace/, solution/ or broken/",
            "scr/**",
        ),
        (
            lambda f: (f / "solution" / "head.py").write_text("start"),
            "AV152",
            "/solution/head.py",
            "other bytes than in workspace/",
            "the same bytes",
        ),
        (
            lambda f: (f / "broken" / "head.py").write_text("start"),
            "AV152",
            "/broken/head.py",
            "other bytes than in workspace/",
            "the same bytes",
        ),
        (
            lambda f: (f / "broken" / "head.py").write_text("right"),
            "AV152",
            "/broken",
            "a plausible state that fails",
            "the files of solution/",
        ),
        (
            lambda f: (f / "solution" / "head.py").write_bytes(b"\xff\xfe"),
            "AV153",
            "/solution/head.py",
            "UTF-8 text",
            "other bytes",
        ),
    ],
    ids=[
        "an unknown file",
        "a mistyped glob",
        "a solution without a change",
        "a known-bad state without a change",
        "a known-bad state that is right",
        "a solution that is no text",
    ],
)
def test_a_fixture_that_could_not_measure_is_refused(
    tmp_path: Path,
    fixture: Path,
    change: Callable[[Path], object],
    rule: str,
    place: str,
    expected: str,
    found: str,
) -> None:
    change(fixture)

    with pytest.raises(InvalidError) as refusal:
        load_corpus(tmp_path, CORPUS)

    error = refusal.value
    assert (error.rule, str(error.place)) == (rule, f"{CORPUS}/unix__01-head{place}")
    assert (error.expected, error.found) == (expected, found)


def _declare(fixture: Path, line: str) -> None:
    with (fixture / "fixture.yaml").open("a") as document:
        document.write(f"{line}\n")


def test_a_file_beside_the_fixtures_is_refused(tmp_path: Path, fixture: Path) -> None:
    (fixture.parent / "README.md").write_text("two fixtures")

    with pytest.raises(InvalidError) as refusal:
        load_corpus(tmp_path, CORPUS)

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV150", f"{CORPUS}/README.md")


def test_all_faults_of_one_fixture_are_told_together(tmp_path: Path, fixture: Path) -> None:
    (fixture / "notes.txt").write_text("why")
    (fixture / "broken" / "head.py").write_text("start")
    _declare(fixture, 'deliverables: ["scr/**", "*.py"]')

    with pytest.raises(FaultsError) as refusal:
        load_corpus(tmp_path, CORPUS)

    assert [fault.rule for fault in refusal.value.errors] == ["AV150", "AV151", "AV152"]


def test_a_corpus_is_read_as_far_as_it_is_whole(tmp_path: Path, fixture: Path) -> None:
    write_fixture(tmp_path, "oo__01-tank")
    (fixture / "notes.txt").write_text("why")

    reading = read_corpus(tmp_path, CORPUS)

    assert [loaded.fixture.id for loaded in reading.fixtures] == ["oo__01-tank"]
    assert (reading.total, [fault.rule for fault in reading.faults]) == (2, ["AV150"])


def test_a_solution_may_not_rewrite_the_tests_even_where_a_glob_would_let_it(
    tmp_path: Path, fixture: Path
) -> None:
    with (fixture / "fixture.yaml").open("a") as document:
        document.write('deliverables: ["*.py"]\n')
    (fixture / "solution" / "test_head.py").write_text("other")

    with pytest.raises(InvalidError) as refusal:
        load_corpus(tmp_path, CORPUS)

    assert refusal.value.message == "the solution changes a file that no trial could deliver"


def test_the_faults_of_all_fixtures_are_told_together(tmp_path: Path, fixture: Path) -> None:
    other = write_fixture(tmp_path, "oo__01-tank")
    text = (other / "fixture.yaml").read_text()
    (other / "fixture.yaml").write_text(text.replace("python\n", "cobol\n") + "colour: red\n")
    (fixture / "fixture.yaml").unlink()

    with pytest.raises(FaultsError) as refusal:
        load_corpus(tmp_path, CORPUS)

    assert [fault.rule for fault in refusal.value.errors] == ["AV102", "AV102", "AV131"]


@pytest.mark.parametrize("make", [False, True])
def test_a_corpus_that_is_missing_or_empty_is_refused(tmp_path: Path, *, make: bool) -> None:
    if make:
        (tmp_path / CORPUS).mkdir(parents=True)

    with pytest.raises(InvalidError) as refusal:
        load_corpus(tmp_path, CORPUS)

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV130", CORPUS)


def test_a_symlink_in_a_corpus_is_untrusted(tmp_path: Path, fixture: Path) -> None:
    (fixture / "workspace" / "link.py").symlink_to("head.py")

    with pytest.raises(UntrustedError):
        load_corpus(tmp_path, CORPUS)


@pytest.mark.parametrize(
    ("path", "language"),
    [("fixtures/corpora/small", "python"), ("fixtures/corpora/under-contract", "rust")],
)
def test_the_corpora_of_this_repository_are_whole(path: str, language: str) -> None:
    corpus = load_corpus(REPOSITORY, path)

    assert {fixture.spec.language for fixture in corpus.fixtures} == {language}
    assert Counter(fixture.id.split("__")[0] for fixture in corpus.fixtures) == {
        "leetcode": 5,
        "oo": 5,
        "transpile": 5,
        "unix": 5,
    }
