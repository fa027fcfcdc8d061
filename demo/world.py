"""Where the story takes place: one process, or seven and a broker; the story itself cannot tell which."""

from __future__ import annotations

from typing import Protocol

from assent.blobs.derivatives import Derivatives
from assent.keys.identifiers import ImageIds
from assent.stream.event_log import EventLog
from assent.vectors.store import VectorStore
from demo.api import DemoApi


class World(Protocol):
    """What the story may use: the HTTP interface to act, the log and the stores to look."""

    @property
    def api(self) -> DemoApi:
        """The interface."""
        ...

    @property
    def log(self) -> EventLog:
        """The log, open."""
        ...

    @property
    def store(self) -> VectorStore:
        """The vector store, open."""
        ...

    @property
    def derivatives(self) -> Derivatives:
        """The pictures that are kept."""
        ...

    @property
    def identifiers(self) -> ImageIds:
        """How images are named on the log."""
        ...

    @property
    def operator_token(self) -> str:
        """The token of the first start."""
        ...

    async def restart(self) -> None:
        """Stop everything and start it again on the same data."""
        ...

    def bystanders_never_embedded(self) -> int | None:
        """Faces that the embedder saw and left alone, or None where that cannot be asked."""
        ...
