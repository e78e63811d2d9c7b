"""The amendment policy of the work tree; without one, the law of our own contracts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.model.policy import POLICY_PATH, Policy
from abverify.workspace.documents import load_document
from abverify.workspace.files import read_bytes

if TYPE_CHECKING:
    from pathlib import Path


def no_policy() -> Policy:
    """The policy of a repository that has written none."""
    return Policy.model_validate({"schema": "abverify/policy/v1"})


def load_policy(root: Path) -> Policy:
    """Reads contracts/policy.yaml.

    Raises:
        InvalidError: if it is malformed.
    """
    try:
        return load_document(Policy, read_bytes(root, POLICY_PATH), name=POLICY_PATH)
    except FileNotFoundError:
        return no_policy()
