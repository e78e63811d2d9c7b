"""`@frozen` keeps what `dataclasses.dataclass(frozen=True, slots=True)` promises."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, field, fields, is_dataclass, replace
from typing import Any

import pytest

from abverify._frozen import frozen, named


@frozen
class Point:
    """A point."""

    x: int
    y: int = 0
    tags: tuple[str, ...] = field(default=(), compare=False)
    seen: list[int] = field(default_factory=list, repr=False, compare=False)


@frozen
class Doubled:
    """A value with one part that follows from another."""

    half: int
    whole: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "whole", 2 * self.half)


@frozen
class Nothing:
    """A value without a part."""


@frozen
class Named(Point):
    """A point with a name."""

    name: str = "here"


@frozen
class Loud:
    """A value that says itself what makes it equal."""

    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loud) and self.text.lower() == other.text.lower()

    def __hash__(self) -> int:
        return hash(self.text.lower())


def test_values_are_equal_by_their_fields_and_hash_alike() -> None:
    assert Point(1, 2) == Point(1, y=2, tags=("other",))
    assert hash(Point(1, 2)) == hash(Point(1, 2))
    assert Point(1, 2) != Point(2, 1)
    assert Point(1) != Named(1)
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert Loud("a") == Loud("A")
    assert len({Loud("a"), Loud("A")}) == 1


def test_no_part_can_be_set_or_deleted_or_added() -> None:
    point: Any = Point(1)

    with pytest.raises(FrozenInstanceError, match="x"):
        point.x = 2
    with pytest.raises(FrozenInstanceError, match="x"):
        del point.x
    with pytest.raises(FrozenInstanceError, match="z"):
        point.z = 2
    assert not hasattr(point, "__dict__")


def test_defaults_factories_and_what_follows_are_as_declared() -> None:
    first, second = Point(1), Point(1)

    assert (first.y, first.tags, first.seen) == (0, (), [])
    assert first.seen is not second.seen
    assert Doubled(3).whole == 6
    assert Named(1, name="there") == Named(1, 0, (), [], "there")


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [((), {}), ((1, 2, (), [], 5), {}), ((1,), {"z": 2}), ((1,), {"x": 2})],
)
def test_other_arguments_are_refused(arguments: tuple[int, ...], keywords: dict[str, int]) -> None:
    make: Any = Point

    with pytest.raises(TypeError, match=r"Point\.__init__\(\)"):
        make(*arguments, **keywords)


def test_it_is_a_dataclass_to_everybody_else() -> None:
    point = Point(1, 2, ("a",), [3])

    assert is_dataclass(point)
    assert [item.name for item in fields(point)] == ["x", "y", "tags", "seen"]
    assert asdict(point) == named(point) == {"x": 1, "y": 2, "tags": ("a",), "seen": [3]}
    assert replace(point, x=5) == Point(5, 2)
    assert repr(point) == "Point(x=1, y=2, tags=('a',))"
    assert Point.__match_args__ == ("x", "y", "tags", "seen")


@pytest.mark.parametrize("value", [Point(1, 2, ("a",), [3]), Named(1, name="n"), Nothing()])
def test_it_can_be_copied_and_sent_to_another_process(value: Any) -> None:
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 (made here)
    assert named(copy.deepcopy(value)) == named(copy.copy(value)) == named(value)


def test_a_class_that_is_never_used_compiles_nothing() -> None:
    script = (
        "import builtins, sys; from abverify._frozen import frozen\n"
        "made = []; sys.addaudithook(lambda event, _: event == 'compile' and made.append(event))\n"
        "@frozen\nclass Value:\n    x: int\n"
        "before = len(made); Value(1); used = len(made); Value(2); print(before, used, len(made))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    before, used, again = map(int, run.stdout.split())
    assert before == 0
    assert used == again == 1
