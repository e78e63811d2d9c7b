"""What `render` wrote, or found out of step with the facts."""

from __future__ import annotations

from abverify._frozen import frozen
from abverify.model.report import FindingsReport
from abverify.model.ritual_report import ritual_exit_code

_VERDICTS = {0: "clean", 1: "drift", 3: "cannot-evaluate", 5: "nothing-to-check"}


@frozen
class RenderReport(FindingsReport):
    """Every declared roll-up and region: shown as it is, drifted, or not to be told."""

    @property
    def verdict(self) -> str:
        """`clean`, `drift`, `cannot-evaluate` or `nothing-to-check`."""
        return _VERDICTS[self.exit_code]

    @property
    def exit_code(self) -> int:
        """0 in step, 1 drift, 3 when a fact cannot be found out, 5 when nothing is declared."""
        return ritual_exit_code(self.reasons, self.total)
