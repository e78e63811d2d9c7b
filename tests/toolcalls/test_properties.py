"""Properties over generated arguments and generated damage.

The fast suite takes a few examples of each law; the slow suite takes 20,000 of those the
reference promises and 4,000 of those they rest on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from abverify.toolcalls import DEFAULT_TOOLS, PROFILES, parse
from abverify.toolcalls.json_reader import read_json, same_json
from abverify.toolcalls.render import NATIVE_RENDERERS
from abverify.toolcalls.values import Malformed

from .strategies import ARGUMENTS, HOSTILE, VALUES, carriable, permissive

RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))
DIALECTS = st.sampled_from(sorted(NATIVE_RENDERERS))
Property = Callable[..., None]
STRATEGIES: dict[Property, tuple[st.SearchStrategy[Any], ...]] = {}


def law(*strategies: st.SearchStrategy[Any]) -> Callable[[Property], Property]:
    """Notes what a law is tried on; it can then be tried with several numbers of examples."""

    def noted(function: Property) -> Property:
        STRATEGIES[function] = strategies
        return function

    return noted


def tried(function: Property, examples: int) -> None:
    settings(RELAXED, max_examples=examples)(given(*STRATEGIES[function])(function))()


def rendered(dialect: str, arguments: dict[str, Any]) -> str:
    assume(dialect != "qwen-xml" or carriable(arguments))
    return NATIVE_RENDERERS[dialect]("f", arguments)


@law(ARGUMENTS, DIALECTS, st.sampled_from(["strict/1", "salvage/1"]))
def any_arguments_round_trip(arguments: dict[str, Any], dialect: str, profile: str) -> None:
    text = rendered(dialect, arguments)
    turn = parse(
        text, finish_reason="stop", tools=[permissive(arguments, dialect)], profile=profile
    )
    assert turn.verdict == "native", (text, turn)
    assert len(turn.calls) == 1
    assert turn.calls[0].name == "f"
    assert same_json(turn.calls[0].arguments, arguments), (text, turn.calls)


@law(ARGUMENTS, DIALECTS, st.data())
def no_prefix_of_a_call_is_accepted(
    arguments: dict[str, Any], dialect: str, data: st.DataObject
) -> None:
    text = rendered(dialect, arguments)
    whole = len(text)
    cut = data.draw(st.integers(0, whole - 1))
    tools = [permissive(arguments, dialect)]
    cut_off = parse(text[:cut], finish_reason="length", tools=tools, profile="salvage/1")
    assert cut_off.calls == (), (text[:cut], cut_off)
    # Without a closing mark of its own, the object of these two dialects ends the call.
    if dialect not in ("mistral-named", "llama"):
        stopped = parse(text[:cut], finish_reason="stop", tools=tools, profile="strict/1")
        assert stopped.calls == (), (text[:cut], stopped)


@law(HOSTILE, st.sampled_from(PROFILES), st.sampled_from(["stop", "length", "", "\x00"]))
def parsing_is_total_and_never_changes_its_mind(text: str, profile: Any, finish: str) -> None:
    first = parse(text, finish_reason=finish, tools=DEFAULT_TOOLS, profile=profile)
    again = parse(text, finish_reason=finish, tools=DEFAULT_TOOLS, profile=profile)
    assert first == again
    assert (first.verdict in ("native", "recovered")) == bool(first.calls)
    assert all(0 <= call.span.start <= call.span.end <= len(text) for call in first.calls)
    assert all(json.dumps(call.as_json()) for call in first.calls)


@law(ARGUMENTS, DIALECTS, HOSTILE, st.sampled_from(["\nHuman: ", "<|im_end|>", "\nUser: "]))
def nothing_behind_a_role_marker_counts(
    arguments: dict[str, Any], dialect: str, rest: str, marker: str
) -> None:
    text = rendered(dialect, arguments)
    tools = [permissive(arguments, dialect)]
    turn = parse(text + marker + rest, finish_reason="stop", tools=tools, profile="strict/1")
    assume("</think" not in rest)
    assert [call.arguments for call in turn.calls] == [json.loads(json.dumps(arguments))]


@law(HOSTILE, st.sampled_from(["stop", "length"]))
def strict_accepts_nothing_that_salvage_refuses(text: str, finish: str) -> None:
    strict = parse(text, finish_reason=finish, tools=DEFAULT_TOOLS, profile="strict/1")
    salvage = parse(text, finish_reason=finish, tools=DEFAULT_TOOLS, profile="salvage/1")
    assert [c.as_json() for c in strict.calls] == [
        c.as_json() for c in salvage.calls[: len(strict.calls)]
    ]


@law(VALUES)
def strict_json_reads_as_the_standard_library_reads_it(value: Any) -> None:
    text = json.dumps(value)
    read = read_json(text, 0, len(text))
    assert (read.end, read.notes) == (len(text), ())
    assert same_json(read.value, value)


@law(HOSTILE)
def whatever_reads_without_a_note_is_json(text: str) -> None:
    try:
        read = read_json(text, 0, len(text))
    except Malformed:
        return
    if not read.notes:
        assert same_json(read.value, json.loads(text[: read.end]))


PROMISED = [
    any_arguments_round_trip,
    no_prefix_of_a_call_is_accepted,
    parsing_is_total_and_never_changes_its_mind,
]
SUPPORTING = [
    nothing_behind_a_role_marker_counts,
    strict_accepts_nothing_that_salvage_refuses,
    strict_json_reads_as_the_standard_library_reads_it,
    whatever_reads_without_a_note_is_json,
]


@pytest.mark.parametrize("law", PROMISED + SUPPORTING, ids=lambda law: law.__name__)
def test_a_law_holds_for_some_examples(law: Property) -> None:
    tried(law, 60)


@pytest.mark.slow
@pytest.mark.parametrize("law", PROMISED, ids=lambda law: law.__name__)
def test_a_promised_law_holds_for_twenty_thousand_examples(law: Property) -> None:
    tried(law, 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("law", SUPPORTING, ids=lambda law: law.__name__)
def test_a_supporting_law_holds_for_four_thousand_examples(law: Property) -> None:
    tried(law, 4_000)
