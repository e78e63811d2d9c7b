"""Which symlinks may reach the host's workspace, judged by their text alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from abverify.bench.sandbox.carry import WorkspaceTooBig, carry_in, carry_out, stays_inside

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("target", "depth", "inside"),
    [
        ("file", 0, True),
        ("./a/b", 0, True),
        ("..", 1, True),
        ("../../x", 2, True),
        ("", 0, True),
        ("..", 0, False),
        ("../../x", 1, False),
        ("/etc/passwd", 5, False),
        # `a` may be a symlink itself: what `..` climbs out of is then not where the text says.
        ("a/..", 1, False),
        ("../a/../b", 2, False),
        ("a\udcff", 0, False),
    ],
)
def test_a_symlink_may_climb_only_at_its_start_and_not_above_the_top(
    target: str, depth: int, *, inside: bool
) -> None:
    assert stays_inside(target, depth) is inside


def test_no_chain_of_allowed_symlinks_leads_out(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "a/b").mkdir(parents=True)
    texts = ["a", "a/b", "..", "../..", ".", "../a", "b", "l0", "l1/b", "../l0"]
    for place in ("", "a", "a/b"):
        depth = len(place.split("/")) if place else 0
        for number, text in enumerate(texts):
            if stays_inside(text, depth):
                (top / place / f"l{number}").symlink_to(text)
    links = [path for path in top.rglob("l*") if path.is_symlink()]

    assert len(links) > 15
    for link in links:
        try:
            assert link.resolve(strict=True).is_relative_to(top.resolve())
        except (OSError, RuntimeError):
            continue  # dangling or circular: it leads nowhere


def test_a_round_trip_keeps_the_tree(tmp_path: Path) -> None:
    source, middle, target = (tmp_path / name for name in ("source", "middle", "target"))
    for folder in (source / "deep/er", middle, target):
        folder.mkdir(parents=True)
    (source / "deep/er/file").write_bytes(b"\x00\xff")
    (source / "link").symlink_to("deep")

    descriptor = os.open(middle, os.O_RDONLY)
    carry_in(source, descriptor, owner=None, limit=1000)
    assert carry_out(descriptor, target, limit=1000) == ()
    os.close(descriptor)

    assert (target / "deep/er/file").read_bytes() == b"\x00\xff"
    assert str((target / "link").readlink()) == "deep"


def test_a_tree_too_big_changes_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "big").write_bytes(b"x" * 100)
    (target / "before").touch()

    descriptor = os.open(source, os.O_RDONLY)
    with pytest.raises(WorkspaceTooBig, match="more than 99 bytes"):
        carry_out(descriptor, target, limit=99)
    os.close(descriptor)

    assert [path.name for path in target.iterdir()] == ["before"]
