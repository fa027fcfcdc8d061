"""Work that goes grant by grant: what goes wrong at one of them keeps no other from its turn."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import structlog

from assent.ids import GrantId
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import GRANT_FAULTS

_LOG = structlog.get_logger()


class OneByOne:
    """A fault that nobody foresaw at one grant is told by its type and counted; the next round tries that grant again.

    `everybodys` is what is no grant's own, a store that does not answer among it: it is raised on.
    """

    def __init__(self, metrics: Metrics, *, everybodys: tuple[type[Exception], ...]) -> None:
        self._metrics = metrics
        self._everybodys = everybodys

    @contextlib.contextmanager
    def alone(self, stage: str, grant_id: GrantId) -> Iterator[None]:
        """What is raised inside for this grant alone ends here."""
        try:
            yield
        except self._everybodys:
            raise
        except Exception as error:  # noqa: BLE001  whatever is wrong with this grant, those of others go on
            _LOG.error("grant_fault", stage=stage, grant_id=grant_id, error=type(error).__name__)
            self._metrics.increase(GRANT_FAULTS, stage=stage)
