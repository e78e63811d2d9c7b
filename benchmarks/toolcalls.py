"""Our tool-call parser beside every other one that installs, on our corpus, in one run.

Usage: python benchmarks/toolcalls.py [--megabytes 1,2,4,8] [--no-scaling]

For every parser: how many cases it gets exactly right (no call where none is due, and all calls
otherwise), how many calls it would execute that must be refused ("unsafe"), how many it executes
otherwise wrongly ("wrong"), how often it raises, and the time for the whole corpus. The corpus
is ours and covers more dialects than most of these libraries claim, and none of the others is
given the tools' schemas, so the table says what a bench would have seen with each, not which
library is good.

Then, for our parser, the time on hostile text of 1 to 8 MB, and the exponent of its growth.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from abverify.toolcalls import DEFAULT_TOOLS, CalibrationCase, calibration_cases, parse

Call = dict[str, Any]
Reader = Callable[[str, str], list[Call]]


@dataclass(frozen=True, slots=True)
class Contender:
    """One parser: its distribution on PyPI (None for ours) and how to read a turn with it."""

    label: str
    distribution: str | None
    build: Callable[[], Reader]


def _ours(profile: str) -> Reader:
    def read(text: str, finish_reason: str) -> list[Call]:
        turn = parse(text, finish_reason=finish_reason, tools=DEFAULT_TOOLS, profile=profile)
        return [call.as_json() for call in turn.calls]

    return read


def _as_calls(value: Any) -> list[Call]:
    """Every `{"name", "arguments"}` a JSON reader returned, as a client of it would take them."""
    items = value if isinstance(value, list) else [value]
    return [
        {"name": item["name"], "arguments": item["arguments"]}
        for item in items
        if isinstance(item, dict) and isinstance(item.get("name"), str) and "arguments" in item
    ]


def _whole_turn(loads: Callable[[str], Any]) -> Reader:
    """A JSON reader applied to the whole turn."""
    return lambda text, _finish: _as_calls(loads(text))


_TAG = re.compile(r"<tool_call>(.*?)</tool_call>|<tool_call>(.*)", re.DOTALL)


def _inside_tags(loads: Callable[[str], Any]) -> Reader:
    """A JSON reader applied to the content of each pair of tags, as chat servers do."""
    return lambda text, _finish: [
        call for whole, rest in _TAG.findall(text) for call in _as_calls(loads(whole or rest))
    ]


def _attribute(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _agent_tool_parser() -> Reader:
    read_calls = _attribute("agent_tool_parser", "try_parse_tool_calls")
    return lambda text, _finish: [
        {"name": call.name, "arguments": call.args} for call in read_calls(text) or []
    ]


def _loads_of(module: str, name: str = "loads") -> Callable[[], Reader]:
    return lambda: _whole_turn(_attribute(module, name))


def _repaired(module: str, name: str) -> Callable[[], Reader]:
    """A library that returns repaired JSON text."""
    return lambda: _whole_turn(lambda text: json.loads(_attribute(module, name)(text)))


CONTENDERS = (
    Contender("abverify salvage/1", None, lambda: _ours("salvage/1")),
    Contender("abverify strict/1", None, lambda: _ours("strict/1")),
    Contender("tags + json.loads", None, lambda: _inside_tags(json.loads)),
    Contender("agent-tool-parser", "agent-tool-parser", _agent_tool_parser),
    Contender("json-repair, whole turn", "json-repair", _loads_of("json_repair")),
    Contender(
        "json-repair, in tags",
        "json-repair",
        lambda: _inside_tags(_attribute("json_repair", "loads")),
    ),
    Contender("fast-json-repair", "fast-json-repair", _loads_of("fast_json_repair")),
    Contender("fix-busted-json", "fix-busted-json", _repaired("fix_busted_json", "largest_json")),
    Contender("partial-json-parser", "partial-json-parser", _loads_of("partial_json_parser")),
    Contender("dirtyjson", "dirtyjson", _loads_of("dirtyjson")),
    Contender("json5", "json5", _loads_of("json5")),
)


def _installed(distribution: str | None) -> str | None:
    if distribution is None:
        return ""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _plain(value: Any) -> Any:
    """The value as plain JSON, whatever classes a library returns."""
    return json.loads(json.dumps(value, default=str))


def _row(contender: Contender, cases: list[CalibrationCase]) -> str:
    read = contender.build()
    exact = unsafe = wrong = raised = 0
    started = time.perf_counter()
    for case in cases:
        try:
            calls = _plain(read(case.raw, case.finish_reason))
        except Exception:  # noqa: BLE001  # whatever a library raises, it executes nothing
            raised += 1
            calls = []
        if calls == list(case.calls):
            exact += 1
        elif calls and not case.calls:
            unsafe += 1
        elif calls:
            wrong += 1
    spent = (time.perf_counter() - started) * 1000
    name = f"{contender.label} {_installed(contender.distribution)}".strip()
    return f"{name:34}{exact:7}{unsafe:9}{wrong:8}{raised:9}{spent:11.1f}"


def side_by_side() -> None:
    """Print the table over the corpus, and what is not installed."""
    cases = [
        case for case in calibration_cases() if case.profile == "salvage/1" and case.tools is None
    ]
    refusals = sum(not case.calls for case in cases)
    print(f"{len(cases)} cases with the default tools; in {refusals} of them nothing may run\n")
    print(f"{'parser':34}{'exact':>7}{'unsafe':>9}{'wrong':>8}{'raised':>9}{'ms':>11}")
    missing = set()
    for contender in CONTENDERS:
        if _installed(contender.distribution) is None:
            missing.add(contender.distribution)
        else:
            print(_row(contender, cases))
    if missing:
        names = " ".join(sorted(str(name) for name in missing))
        print(f"\nnot installed: {names}\nto compare them too: pip install {names}")


def hostile(size: int) -> Iterator[tuple[str, str]]:
    """Text of `size` characters that makes careless parsers quadratic, deep or wrong."""

    def fill(unit: str, head: str = "") -> str:
        return (head + unit * (size // len(unit) + 1))[:size]

    yield "braces", fill("{")
    yield "brace lines", fill("\n{")
    yield "tags", fill("<tool_call>")
    yield "tags in prose", fill("a <tool_call> b ")
    yield "nested objects", fill('{"a":')
    yield "nested object lines", fill('\n{"a":')
    yield "nested arrays", fill("[", "<tool_call>")
    yield "open string", fill("x", '<tool_call>{"name": "')
    yield "open string, escapes", fill("\\n", '<tool_call>{"name": "')
    yield "open string, line breaks", fill("\n", '<tool_call>{"name": "')
    yield "open strings", fill('\n{"a": "')
    yield "object lines", fill('\n{"a": 1}')
    yield "empty functions", fill("<function=shell>\n")
    yield "closing tags in a value", fill("</tool_call>", "<function=shell><parameter=command>x")
    yield "doubled closing tags", fill("</parameter>", "<function=shell><parameter=command>x")
    yield "fences", fill("```\n")
    yield "reasoning tags", fill("<think></think>")
    yield "backticks", fill("` ")
    yield (
        "calls",
        fill('<tool_call>{"name": "file_read", "arguments": {"path": "a"}}</tool_call>\n'),
    )


def scaling(megabytes: list[float]) -> None:
    """Print seconds per size and the exponent k of time ~ size^k, from first to last size."""
    sizes = [int(size * 1_000_000) for size in megabytes]
    print(
        f"\n{'hostile text, salvage/1':28}"
        + "".join(f"{m:>8g} MB" for m in megabytes)
        + "  exponent"
    )
    for shapes in zip(*(hostile(size) for size in sizes), strict=True):
        times = []
        for _, text in shapes:
            started = time.perf_counter()
            parse(text, finish_reason="stop", tools=DEFAULT_TOOLS, profile="salvage/1")
            times.append(time.perf_counter() - started)
        growth = math.log(times[-1] / times[0]) / math.log(sizes[-1] / sizes[0])
        print(f"{shapes[0][0]:28}" + "".join(f"{t:>11.3f}" for t in times) + f"{growth:>10.2f}")


def main() -> None:
    """Run both parts."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--megabytes", default="1,2,4,8", help="sizes, smallest first")
    options.add_argument("--no-scaling", action="store_true")
    chosen = options.parse_args()
    side_by_side()
    if not chosen.no_scaling:
        scaling([float(size) for size in chosen.megabytes.split(",")])


if __name__ == "__main__":
    main()
