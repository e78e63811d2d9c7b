"""Where a contract says its weights come from: the spellings of `model.source`."""

from __future__ import annotations

import re
from typing import Final

from abverify._frozen import frozen
from abverify.errors import InvalidError

_PACKAGE: Final = re.compile(r"python-package://(?P<dist>[A-Za-z0-9][A-Za-z0-9._-]*)/(?P<path>.+)")
_HUB: Final = re.compile(r"hf://(?P<repo>[^/@]+/[^/@]+)@(?P<revision>[^/@]+)/(?P<path>.+)")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_SOURCES: Final = "python-package://distribution/path, hf://owner/name@revision/path, or a path"


@frozen
class PackageSource:
    """A file of an installed Python package."""

    distribution: str
    path: str


@frozen
class HubSource:
    """A file of a model hub's repository, at a revision."""

    repository: str
    revision: str
    path: str


@frozen
class FileSource:
    """A local file, absolute or relative to the repository root."""

    path: str


ModelSource = PackageSource | HubSource | FileSource


def parse_source(source: str) -> ModelSource:
    """What a `model.source` names.

    Raises:
        InvalidError: AV516 if it is of no known kind.
    """
    package, hub = _PACKAGE.fullmatch(source), _HUB.fullmatch(source)
    if package:
        return PackageSource(package["dist"], package["path"])
    if hub and ".." not in hub["path"].split("/"):
        return HubSource(hub["repo"], hub["revision"], hub["path"])
    if _SCHEME.match(source):
        raise InvalidError(
            "unknown kind of model source", rule="AV516", expected=_SOURCES, found=source
        )
    return FileSource(source)


def moving_revision(source: str) -> str | None:
    """The revision of a hub source when it is no full commit: a branch or tag can move.

    Null for every other source, and for one that is malformed.
    """
    try:
        parsed = parse_source(source)
    except InvalidError:
        return None
    if not isinstance(parsed, HubSource) or _COMMIT.fullmatch(parsed.revision):
        return None
    return parsed.revision
