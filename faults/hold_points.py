"""Places where a process waits until it is let go, told by files, so that it can be stopped or killed exactly there."""

from __future__ import annotations

import asyncio
from pathlib import Path

LOOK_EVERY_S = 0.02


class HoldPoints:
    """`lay` and `lift` are for whoever directs, `pass_by` for the process; a point that was not laid holds nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder

    def lay(self, name: str) -> None:
        """From now on whoever comes to this point waits there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._hold(name).touch()

    def lift(self, name: str) -> None:
        """Let go whoever waits there."""
        self._hold(name).unlink()

    def was_reached(self, name: str) -> bool:
        """Somebody came to this point, held or not."""
        return self._reached(name).exists()

    async def pass_by(self, name: str) -> None:
        """Leave a mark, and wait as long as the point holds."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._reached(name).touch()
        while self._hold(name).exists():  # noqa: ASYNC110  the other side is another process
            await asyncio.sleep(LOOK_EVERY_S)

    def _hold(self, name: str) -> Path:
        return self._folder / f"{name}.hold"

    def _reached(self, name: str) -> Path:
        return self._folder / f"{name}.reached"
