"""The spellings of a model source, and which of them can lead elsewhere tomorrow."""

from __future__ import annotations

import pytest

from abverify.errors import InvalidError
from abverify.model.sources import (
    FileSource,
    HubSource,
    ModelSource,
    PackageSource,
    moving_revision,
    parse_source,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("python-package://dist/a/m.gguf", PackageSource("dist", "a/m.gguf")),
        ("hf://owner/name@main/a/m.gguf", HubSource("owner/name", "main", "a/m.gguf")),
        ("models/m.gguf", FileSource("models/m.gguf")),
        ("/srv/m.gguf", FileSource("/srv/m.gguf")),
    ],
)
def test_a_source_is_one_of_three_kinds(text: str, source: ModelSource) -> None:
    assert parse_source(text) == source


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/m.gguf",
        "hf://name@main/m.gguf",
        "hf://a/b@main/../../m.gguf",
        "python-package://m",
    ],
)
def test_any_other_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_source(text)
    assert (caught.value.rule, caught.value.found) == ("AV516", text)


@pytest.mark.parametrize(
    ("text", "revision"),
    [
        ("hf://owner/name@main/m.gguf", "main"),
        ("hf://owner/name@v1.0/m.gguf", "v1.0"),
        (f"hf://owner/name@{COMMIT[:12]}/m.gguf", COMMIT[:12]),
        (f"hf://owner/name@{COMMIT.upper()}/m.gguf", COMMIT.upper()),
        (f"hf://owner/name@{COMMIT}/m.gguf", None),
        ("models/m.gguf", None),
        ("python-package://dist/m.gguf", None),
        ("s3://bucket/m.gguf", None),
    ],
)
def test_only_a_full_commit_stays_where_it_is(text: str, revision: str | None) -> None:
    assert moving_revision(text) == revision
