"""A journal passing by, once: hashed, parsed, folded into trials, and held against itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify.evidence.rows import AgentRow, CalibrationRow, ParserCalibrationRow, read_rows
from abverify.evidence.soundness import Fault, trial_faults
from abverify.evidence.trials import TrialFold, WholeTrial, counted, whole_trials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abverify.evidence.lock import RunLock
    from abverify.evidence.rows import Agent, Row
    from abverify.evidence.trials import TrialResult

Look: TypeAlias = Callable[[WholeTrial], None]
"""What is shown every attempt of a journal with all of its texts."""

_MOST_FAULTS = 1_000
"""So many faults of a journal are told; whoever reads them knows enough."""


@frozen
class Digested:
    """A file by its size in bytes and its SHA-256."""

    size: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> Digested:
        """The digest of bytes in memory."""
        return cls(len(data), sha256_hex(data))


@frozen
class AgentReading:
    """One reading of the whole loop: a scripted agent's trial, and whether it must pass.

    Attributes:
        agent: which agent.
        expected: whether its trial must pass.
        trial: what its trial came to.
    """

    agent: Agent
    expected: bool
    trial: TrialResult

    @property
    def fixture(self) -> str:
        """The fixture that the agent worked on."""
        return self.trial.trial.fixture

    @property
    def passed(self) -> bool:
        """Whether the trial passed."""
        return self.trial.passed


class Passage:
    """Reads one journal, and keeps what is needed of it.

    Attributes:
        trials: the attempt that counts, by fixture and declared seed; none of a journal that
            contradicts itself.
        readings: the meter's readings.
        agents: the scripted agents' trials.
        parsers: the parser's readings.
        faults: every contradiction between the rows and what follows from them.
    """

    def __init__(self, lock: RunLock, place: str, look: Look | None = None) -> None:
        """Takes what the journal is held against.

        Args:
            lock: the run's lock.
            place: the journal, for messages.
            look: shown every attempt as it passes by.
        """
        self.trials: dict[tuple[str, int], TrialResult] = {}
        self.readings: list[CalibrationRow] = []
        self.agents: list[AgentReading] = []
        self.parsers: list[ParserCalibrationRow] = []
        self.faults: list[Fault] = []
        self._lock, self._place, self._look = lock, place, look
        self._attempts: list[TrialResult] = []
        self._fold = TrialFold()

    def read(self, pieces: Iterable[bytes]) -> Digested:
        """Reads the journal to its end; what was hashed is what was parsed.

        Raises:
            UntrustedError: AV401 naming the line that is not a canonical row.
        """
        digest, size = hashlib.sha256(), 0

        def hashed() -> Iterator[bytes]:
            nonlocal size
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                yield piece

        rows = read_rows(hashed(), name=self._place)
        try:
            for row in rows:
                self._take(row)
            self._finish()
        except ValueError as error:
            self._contradicted(str(error))
            for _ in rows:  # a line that is no row is told whatever the others say
                pass
        return Digested(size, digest.hexdigest())

    def _take(self, row: Row) -> None:
        if isinstance(row, CalibrationRow):
            self.readings.append(row)
        elif isinstance(row, ParserCalibrationRow):
            self.parsers.append(row)
        elif isinstance(row, AgentRow):
            for trial in whole_trials(row.trial_rows()):
                self._hold(trial)
                self.agents.append(AgentReading(row.agent, row.expected, trial.result()))
        elif (attempt := self._fold.add(row)) is not None:
            self._keep(attempt)

    def _keep(self, attempt: WholeTrial) -> None:
        if self._look is not None:
            self._look(attempt)
        self._attempts.append(attempt.result())
        self._hold(attempt)

    def _hold(self, attempt: WholeTrial) -> None:
        """Holds an attempt against its own texts."""
        for fault in trial_faults(attempt, self._lock, self._place):
            if len(self.faults) < _MOST_FAULTS:
                self.faults.append(fault)

    def _finish(self) -> None:
        if (cut := self._fold.cut_off()) is not None:
            self._keep(cut)
        self.trials = counted(self._attempts)

    def _contradicted(self, why: str) -> None:
        """Of a journal that contradicts itself nothing follows, not even what else is wrong."""
        self.faults = [Fault(self._place, "the journal contradicts itself", found=why)]
