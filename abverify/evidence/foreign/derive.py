"""An imported bundle held against its own log: nothing in it may say more, or something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.evidence.foreign.assemble import LOGS, READER_VERSION, assemble
from abverify.evidence.foreign.registry import read_foreign
from abverify.evidence.manifest import IMPORTED
from abverify.evidence.soundness import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.evidence.imported import Imported
    from abverify.evidence.manifest import Manifest


def derivation_faults(
    files: Mapping[str, bytes], imported: Imported, manifest: Manifest, *, path: str
) -> Iterator[Fault]:
    """What a bundle has otherwise than its log gives.

    Raises:
        AbverifyError: if the log itself cannot be read here.
    """
    if imported.reader != READER_VERSION:
        yield Fault(
            f"{path}/{IMPORTED}",
            "imported by another version of the reader: import the log again",
            expected=f"reader {READER_VERSION}",
            found=f"reader {imported.reader}",
        )
        return
    kept = {name: data for name, data in files.items() if name.startswith(f"{LOGS}/")}
    scorer = imported.scorer if imported.scorer_named else None
    log = read_foreign(kept, tool=imported.tool, scorer=scorer)
    gates, named = manifest.offered_to, imported.scorer_named
    try:
        again = assemble(log, kept, run=manifest.run, gates=gates, named=named)
    except ValueError as error:
        yield Fault(f"{path}/{LOGS}", "the imported log contradicts itself", found=str(error))
        return
    for name in sorted({*files, *again}):
        if files.get(name) != again.get(name):
            yield Fault(
                f"{path}/{name}",
                "not what the imported log gives",
                expected="the bytes that the import wrote",
                found="other bytes" if name in files else "no such file",
            )
