"""Where the server is, and its key, come from the environment; secrets stay there."""

from __future__ import annotations

import pytest

from abverify.bench.engines.endpoint_place import api_key, base_url
from abverify.errors import IndeterminateError, UsageError

LOCAL = "http://127.0.0.1:8080"
KEY = "sk-0123456789"


@pytest.mark.parametrize(
    "text", [LOCAL, f"{LOCAL}/", f"{LOCAL}/v1", f"{LOCAL}/v1/", f" {LOCAL}/v1 "]
)
def test_the_version_and_a_slash_may_be_written_or_left_out(text: str) -> None:
    assert base_url({"ABVERIFY_ENDPOINT": text}) == LOCAL


def test_a_path_before_the_version_is_kept() -> None:
    assert base_url({"ABVERIFY_ENDPOINT": "https://x.example/llm/v1"}) == "https://x.example/llm"


@pytest.mark.parametrize("environment", [{}, {"ABVERIFY_ENDPOINT": " "}])
def test_no_endpoint_is_said_with_the_way_on(environment: dict[str, str]) -> None:
    with pytest.raises(IndeterminateError) as caught:
        base_url(environment)
    assert (caught.value.rule, caught.value.exit_code) == ("AV540", 3)
    assert caught.value.next_step == "export ABVERIFY_ENDPOINT=http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("127.0.0.1:8080", "another scheme, or none"),
        ("file:///etc/passwd", "another scheme, or none"),
        ("http://", "no host"),
        ("http://me:hunter2secret@host", "a name or password in it"),
        ("http://host/?key=hunter2secret", "a query or a fragment"),
        ("http://host/#hunter2secret", "a query or a fragment"),
        ("http://host:port", "no URL"),
        ("http://[::1", "no URL"),
        ("http://ho st", "odd characters"),
        ("http://høst", "odd characters"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_and_not_repeated(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        base_url({"ABVERIFY_ENDPOINT": text})
    assert (caught.value.rule, caught.value.found) == ("AV540", problem)
    assert "hunter2secret" not in caught.value.diagnostics()


def test_no_key_is_no_key() -> None:
    assert api_key({}, LOCAL) is None
    assert api_key({"ABVERIFY_API_KEY": ""}, LOCAL) is None


@pytest.mark.parametrize(
    "base", [LOCAL, "http://localhost:1", "http://[::1]:1", "https://far.example"]
)
def test_a_key_goes_to_this_machine_or_through_tls(base: str) -> None:
    assert api_key({"ABVERIFY_API_KEY": f"{KEY}\n"}, base) == KEY


@pytest.mark.parametrize("base", ["http://far.example", "http://10.0.0.7:8080"])
def test_a_key_never_travels_in_clear(base: str) -> None:
    with pytest.raises(UsageError) as caught:
        api_key({"ABVERIFY_API_KEY": KEY}, base)
    assert caught.value.rule == "AV545"
    assert KEY not in caught.value.diagnostics()


@pytest.mark.parametrize("key", ["short", "two words in it", "line\nbreak-0123", "schlüssel-0123"])
def test_what_is_no_bearer_token_is_refused_unshown(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        api_key({"ABVERIFY_API_KEY": key}, LOCAL)
    assert caught.value.rule == "AV545"
    assert key not in caught.value.diagnostics()
