"""What every test stands on: no network but loopback, and outside programs that are skipped with a reason or required."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web_app
from hypothesis import settings

from tools.outside_programs import PROGRAMS, UnknownProgramError, required, why_missing

ROOT = Path(__file__).resolve().parent.parent
SPREAD_OVER = {"integration": 0.7, "flow": 0.85, "browser": 0.85, "contract": 0.85}
"""Which part of a run that is shared out over processes the files of a folder are spread over."""
LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", ""})

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex
_sendto = socket.socket.sendto
_getaddrinfo = socket.getaddrinfo


# A busy machine is no property that fails.
settings.register_profile("assent", parent=settings(), deadline=None)
settings.load_profile("assent")


class OutsideNetworkError(RuntimeError):
    """Raised when a test reaches for an address that is not loopback. Not an OSError: code under test must not swallow it."""


def pytest_configure(config: pytest.Config) -> None:
    try:
        required()
    except UnknownProgramError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a program that is missing, unless ASSENT_REQUIRE names it: then the test runs into its failure below.

    Raises:
        pytest.UsageError: A name or the order of tests would depend on the order in which a set is told, and processes that
            share the tests would not find the same ones.
    """
    for item in items:
        _refuse_a_set_in_its_name(item)
    if hasattr(config, "workerinput"):
        _spread(items)
    reasons = {name: why_missing(name) for name in PROGRAMS}
    for item in items:
        for name, reason in reasons.items():
            if reason is not None and item.get_closest_marker(name) is not None and name not in required():
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in required():
        reason = why_missing(name) if item.get_closest_marker(name) is not None else None
        if reason is not None:
            pytest.fail(f"ASSENT_REQUIRE names {name}: {reason}", pytrace=False)


def pytest_runtest_logfinish() -> None:
    """aiohttp remembers a thousand request handlers for good, and each of ours holds a whole deployment with its models."""
    cache = getattr(web_app, "_cached_build_middleware", None)
    if cache is not None:
        cache.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """Refuse every connection and datagram that would leave this machine, and every name that would be asked of a resolver."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded_connect)
        patch.setattr(socket.socket, "connect_ex", _guarded_connect_ex)
        patch.setattr(socket.socket, "sendto", _guarded_sendto)
        patch.setattr(socket, "getaddrinfo", _guarded_getaddrinfo)
        yield


@pytest.fixture(scope="session")
def faces_folder() -> Path:
    """A folder of photographs of faces: ASSENT_TEST_FACES, or ../shared/data/faces beside this repository."""
    folder = Path(os.environ.get("ASSENT_TEST_FACES", ROOT.parent / "shared" / "data" / "faces"))
    if not folder.is_dir():
        pytest.skip("no photographs of faces: set ASSENT_TEST_FACES to a folder that has some")
    return folder


def _spread(items: list[pytest.Item]) -> None:
    """What starts brokers and services is spread among the rest, so that few of them do so at a time and none is left for the end."""
    files: dict[str, dict[Path, float]] = {}
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        files.setdefault(folder, {})[item.path] = 0.0
    for folder, own in files.items():
        for number, path in enumerate(own):
            own[path] = (number + 0.5) / len(own) * SPREAD_OVER.get(folder, 1.0)
    places = {path: place for own in files.values() for path, place in own.items()}
    items.sort(key=lambda item: (places[item.path], item.path))


def _refuse_a_set_in_its_name(item: pytest.Item) -> None:
    """Sets are told in an order that PYTHONHASHSEED decides, otherwise in each process."""
    parameters = getattr(item, "callspec", None)
    told = [str(each) for value in parameters.params.values() for each in _sets_within(value)] if parameters is not None else []
    if any(text in item.name for text in told):
        raise pytest.UsageError(f"{item.nodeid}: a set stands in this name, in no order of its own; give a list, or ids that you write")
    marks = item.iter_markers("parametrize")
    values = [mark.args[1] if len(mark.args) > 1 else mark.kwargs.get("argvalues") for mark in marks]
    if any(isinstance(each, (set, frozenset)) for each in values):
        raise pytest.UsageError(f"{item.nodeid}: the parameters are a set, in no order of its own; sort them")


def _sets_within(value: Any) -> Iterator[set[Any] | frozenset[Any]]:
    if isinstance(value, (set, frozenset)):
        if len(value) > 1:
            yield value
        return
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    for part in parts:
        yield from _sets_within(part)


def _guarded_connect(self: socket.socket, address: Any) -> None:
    _refuse_outside(self, address)
    _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    _refuse_outside(self, address)
    return _connect_ex(self, address)


def _guarded_sendto(self: socket.socket, *arguments: Any) -> int:
    _refuse_outside(self, arguments[-1])
    return _sendto(self, *arguments)


def _guarded_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and name.lower() not in LOCAL_NAMES and not _is_address(name):
        raise socket.gaierror(socket.EAI_NONAME, "tests resolve no names but localhost")
    return _getaddrinfo(host, *arguments, **options)


def _refuse_outside(self: socket.socket, address: Any) -> None:
    if self.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0])
    if host.lower() in LOCAL_NAMES or (_is_address(host) and _is_loopback(host)):
        return
    raise OutsideNetworkError("a test reached for an address that is not loopback; serve what it needs on 127.0.0.1")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    address = ipaddress.ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
