"""The operator's file of authorities under which a signed position is believed, read once at start; a file that is not usable ends it."""

from __future__ import annotations

from pathlib import Path

from assent.deployment.start_errors import StartError
from assent.geofence.signers import Signers, SignersError


class SignersFileError(StartError):
    """Raised when the file is not there or holds no certificates."""


def read_signers(path: Path | None) -> Signers:
    """The anchors of the file, or none. Raises SignersFileError."""
    if path is None:
        return Signers()
    try:
        return Signers.from_pem(path.read_bytes())
    except OSError as error:
        raise SignersFileError(f"signers_file: {path} cannot be read ({error.strerror}); name a PEM file, or unset it") from error
    except SignersError as error:
        raise SignersFileError(f"signers_file: {path}: {error}") from error
