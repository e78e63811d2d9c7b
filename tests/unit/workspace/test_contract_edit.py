"""One value of a contract changes, and not a byte beside it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify._yaml import read_yaml
from abverify.errors import UsageError
from abverify.workspace.contract_edit import Setting, edited
from tests.support.repository import CHECKOUT

CONTRACTS = {
    name: (CHECKOUT / f"contracts/{name}.yaml").read_bytes()
    for name in ("S1_004", "S1_005", "V1_004", "V1_005")
}


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The place of every value that is no mapping and no list."""
    if isinstance(value, dict):
        return [leaf for key in value for leaf in leaves(value[key], (*path, key))]
    if isinstance(value, list):
        return [leaf for at, item in enumerate(value) for leaf in leaves(item, (*path, at))]
    return [path]


LEAVES = [
    (name, leaf)
    for name, data in CONTRACTS.items()
    for leaf in leaves(read_yaml(data, name=name).value)
]
SCALARS = st.one_of(
    st.integers(-(10**12), 10**12),
    st.booleans(),
    st.none(),
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn", "Cf")), max_size=30
    ),
)


def written(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in path)


def with_value(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    target = changed
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    return changed


@given(place=st.sampled_from(LEAVES), value=SCALARS)
def test_any_value_replaces_any_value_and_nothing_else(
    place: tuple[str, tuple[str | int, ...]], value: Any
) -> None:
    name, path = place
    data = CONTRACTS[name]
    setting = Setting.read(f"{written(path)}={json.dumps(value, ensure_ascii=False)}")
    after = edited(data, name, [setting])
    assert read_yaml(after, name=name).value == with_value(
        read_yaml(data, name=name).value, path, value
    )
    kept = len(data) - _replaced(data, after)
    assert kept >= len(data) - _line_of(data, path, name)


def _replaced(before: bytes, after: bytes) -> int:
    """Bytes of the old text between the longest common beginning and the longest common end."""
    shorter = min(len(before), len(after))
    head = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if before[-1 - n] != after[-1 - n]), rest)
    return len(before) - head - tail


def _line_of(data: bytes, path: tuple[str | int, ...], name: str) -> int:
    """The length of the line that holds a value: no change reaches beyond it."""
    line = read_yaml(data, name=name).place(path).line
    assert line is not None
    return len(data.split(b"\n")[line - 1])


@pytest.mark.parametrize(
    ("name", "given", "old", "new"),
    [
        ("S1_004", "sampling.x=1", None, None),
        ("S1_004", "evidence.valid_days=90", "valid_days: 180", "valid_days: 90"),
        ("S1_004", "criteria.oracle.at_least=2", "at_least: 1", "at_least: 2"),
    ],
)
def test_a_path_is_keys_and_ids_joined_by_dots(
    name: str, given: str, old: str | None, new: str | None
) -> None:
    data = CONTRACTS[name]
    if old is None or new is None:
        with pytest.raises(UsageError) as refusal:
            edited(data, name, [Setting.read(given)])
        assert refusal.value.rule == "AV745"
        return
    text = data.decode()
    assert text.count(old) == 1
    assert edited(data, name, [Setting.read(given)]).decode() == text.replace(old, new)


@pytest.mark.parametrize("given", ["", "=", "a", "a=", "a=b\nc: d", "a=[1", "a=b: c", "a b=c"])
def test_what_is_no_setting_is_refused(given: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Setting.read(given)
    assert refusal.value.rule == "AV744"


def test_a_path_twice_is_refused() -> None:
    twice = [Setting.read("evidence.valid_days=90"), Setting.read("evidence.valid_days=91")]
    with pytest.raises(UsageError) as refusal:
        edited(CONTRACTS["S1_004"], "S1_004", twice)
    assert refusal.value.rule == "AV744"
