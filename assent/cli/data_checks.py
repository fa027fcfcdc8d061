"""Checks of a data folder: room, model pack, keys, the operator's token; it reads, and prints nothing of a key."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from assent.cli.api import OPERATOR_TOKEN_FILE
from assent.cli.finding import Finding, State
from assent.keys.deployment_keys import ROOT_FILE, DeploymentKeys
from assent.keys.key_files import KeyFileError
from assent.keys.signing_keys import SigningKeys

LEAST_FREE_BYTES = 1_000_000_000


def check_folder(data: Path) -> Finding:
    """A folder, or a place for one, that can be written and has room."""
    if data.exists() and not data.is_dir():
        return Finding("data", State.FAIL, f"{data} is not a folder; name another with --data")
    place = _nearest(data.absolute())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return Finding("data", State.FAIL, f"{place} cannot be written; change its owner or name another with --data")
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        return Finding("data", State.WARN, f"{free // 1_000_000} MB free at {place}; make room")
    return Finding("data", State.OK, f"{data}, {free // 1_000_000_000} GB free")


def check_pack(folder: Path) -> Finding:
    """Files, digests, shapes and the self-test, as a service checks them at its start."""
    if not folder.exists():
        return Finding("model", State.WARN, f"no pack at {folder}; `assent up` makes it, or: assent models prepare --pack {folder}")
    try:
        from assent.faces.pack import load_pack  # Here, because the doctor also runs where these packages are missing.
        from assent.faces.pack_errors import ModelPackError
    except (ImportError, OSError):
        return Finding("model", State.WARN, "not looked at; a package that it needs is missing")
    try:
        # Looking is no use of it: whether its licence is accepted is a setting of the services.
        manifest = load_pack(folder, accept_licence=True).manifest
    except ModelPackError as error:
        return Finding("model", State.FAIL, str(error))
    except OSError as error:
        return Finding("model", State.FAIL, f"{folder} cannot be read ({error.strerror}); change its owner")
    if manifest.research_only:
        return Finding("model", State.WARN, f"{manifest.name} {manifest.version}, self-test passed; for research only ({manifest.licence})")
    return Finding("model", State.OK, f"{manifest.name} {manifest.version}, self-test passed")


def check_keys(folder: Path) -> Finding:
    """The root secret and both halves of every signing pair, none of them open to others."""
    if not folder.exists() or (folder.is_dir() and not any(folder.glob("[!.]*"))):
        return Finding("keys", State.WARN, f"no keys at {folder}; `assent up` makes them, or: assent keys create --folder {folder}")
    try:
        DeploymentKeys.load(folder)
        if any(folder.glob("*_signing.key")):
            SigningKeys.load(folder)
    except KeyFileError as error:
        return Finding("keys", State.FAIL, str(error))
    except OSError as error:
        return Finding("keys", State.FAIL, f"{folder} cannot be read ({error.strerror}); change its owner")
    return Finding("keys", State.OK, f"{folder}; keep a copy of {ROOT_FILE} elsewhere")


def check_token(data: Path) -> Finding:
    """The operator's token of the first start opens everything that an operator may do."""
    path = data / OPERATOR_TOKEN_FILE
    if not path.exists():
        return Finding("token", State.OK, f"no {path}; the first start writes it")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding("token", State.FAIL, f"{path} has mode {mode:04o}, so others can read it; run chmod 600 on it")
    return Finding("token", State.OK, f"{path} is its owner's alone")


def _nearest(path: Path) -> Path:
    """The folder itself, or what is there of the way to it."""
    return path if path.exists() else _nearest(path.parent)
