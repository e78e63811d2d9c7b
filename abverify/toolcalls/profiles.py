"""The named, versioned sets of rules a run may declare; name and version enter the run lock."""

from __future__ import annotations

from abverify._frozen import frozen


@frozen
class Profile:
    """Which readings of a turn count as calls.

    Attributes:
        name: `strict`, `salvage` or `markdown-edit`.
        version: goes up whenever any text can parse differently under the same name.
        repairs: damaged or untagged calls with exactly one reading are recovered.
        markdown: a Markdown block that names one existing workspace file becomes an edit.
    """

    name: str
    version: int
    repairs: bool
    markdown: bool = False

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


STRICT = Profile("strict", 1, repairs=False)
SALVAGE = Profile("salvage", 1, repairs=True)
MARKDOWN_EDIT = Profile("markdown-edit", 1, repairs=True, markdown=True)

PROFILES = (STRICT, SALVAGE, MARKDOWN_EDIT)


def profile_by_name(name: str, version: int = 1) -> Profile:
    """Look a profile up.

    Raises:
        ValueError: there is no such profile; the message lists those there are.
    """
    for profile in PROFILES:
        if (profile.name, profile.version) == (name, version):
            return profile
    known = ", ".join(str(profile) for profile in PROFILES)
    raise ValueError(f"no tool-call parser profile {name}/{version}; there are {known}")


def resolve(profile: Profile | str) -> Profile:
    """Turn `salvage`, `salvage/1` or a `Profile` into a `Profile`.

    Raises:
        ValueError: the string names no profile.
    """
    if isinstance(profile, Profile):
        return profile
    name, _, version = profile.partition("/")
    return profile_by_name(name, int(version) if version.isdecimal() else 1 if not version else -1)
