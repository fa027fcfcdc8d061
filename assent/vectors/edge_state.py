"""What one folder of vectors is bound to, in a small file beside them; never holds an id or a number of a vector."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from assent.vectors.store import ModelMismatchError, VectorStoreError, VectorStoreLockedError

_STATE_FILE = "store.json"
_LOCK_FILE = "store.lock"


@dataclass(frozen=True, slots=True)
class EdgeState:
    """The model, the generation of the shard in use, and whether bytes of deleted vectors may still be in it."""

    model_digest: str
    dimensions: int
    generation: int = 0
    has_unpurged: bool = False

    def shard(self, folder: Path) -> Path:
        """The folder of the shard in use; any other shard beside it is a leftover."""
        return folder / f"shard-{self.generation}"


def read_state(folder: Path, *, dimensions: int, model_digest: str) -> EdgeState:
    """The state of a folder, a fresh one for a new folder. Raises ModelMismatchError and VectorStoreError."""
    path = folder / _STATE_FILE
    if not path.exists():
        return EdgeState(model_digest=model_digest, dimensions=dimensions)
    try:
        state = EdgeState(**json.loads(path.read_bytes()))
    except (TypeError, ValueError) as error:
        raise VectorStoreError(f"{path} cannot be read. Restore it, or move the folder away and index again from the log.") from error
    if (state.model_digest, state.dimensions) != (model_digest, dimensions):
        raise ModelMismatchError(f"{folder} holds vectors of another model. Use that model, or a new folder and index again from the log.")
    return state


def write_state(folder: Path, state: EdgeState) -> None:
    """Replace the file in one step; on return it survives a crash."""
    draft = folder / f"{_STATE_FILE}.new"
    with draft.open("w") as file:
        json.dump(asdict(state), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _STATE_FILE)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock(folder: Path) -> int:
    """Take the folder for this process and return the handle to close. Raises VectorStoreLockedError."""
    handle = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise VectorStoreLockedError(f"{folder} is open already. Stop the other process, or use a folder of its own.") from error
    return handle
