"""Imports go one way: services to assent; services never to each other; pure packages to no I/O."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTER = ("services", "embedded", "demo", "bench", "faults", "tools", "tests")
PURE = ("events", "consent", "geofence", "heif", "optouts", "policies")
# Packages that a pure one may read beside itself: values and other pure decisions.
IO_MODULES = frozenset(
    "aiofiles aiohttp aiokafka asyncio concurrent ctypes cv2 fcntl glob grpc http httpx importlib io logging mmap "
    "multiprocessing obstore onnxruntime os pathlib prometheus_client qdrant_client qdrant_edge queue random requests "
    "secrets select selectors shutil signal socket socketserver sqlite3 ssl structlog subprocess tempfile threading time "
    "urllib3 uuid_utils".split()
)
# The one module that reads the boundaries of the world from disk, once, at start; decisions get its result as a value.
DATA_LOADERS = frozenset({"assent/geofence/areas.py", "assent/geofence/dataset.py"})
PURE_CALLERS = frozenset({"assent.ids", *(f"assent.{name}" for name in PURE)})


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module name that the file imports, with relative imports made absolute."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, level=level, names=names):
                start = ".".join(package[: len(package) - level + 1]) if level else ""
                whole = ".".join(part for part in (start, module) if part)
                yield whole
                yield from (f"{whole}.{alias.name}" for alias in names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def imports_of(paths: list[Path]) -> list[tuple[str, str]]:
    return [(str(path.relative_to(ROOT)), name) for path in paths for name in imported(path)]


def test_assent_imports_nothing_that_stands_on_it() -> None:
    assert [found for found in imports_of(modules("assent")) if found[1].split(".")[0] in OUTER] == []


def test_no_service_imports_another() -> None:
    wrong = []
    for where, name in imports_of(modules("services")):
        own = ".".join(Path(where).parts[:2])
        if within(name, "services") and name != "services" and not within(name, own.removesuffix(".py")):
            wrong.append((where, name))
        if name.split(".")[0] in {"embedded", "demo", "bench", "tools", "tests"}:
            wrong.append((where, name))
    assert wrong == []


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_imports_no_io_and_no_shell(package: str) -> None:
    wrong = []
    for where, name in imports_of(modules(f"assent/{package}")):
        if name.split(".")[0] in IO_MODULES and where not in DATA_LOADERS:
            wrong.append((where, name))
        if within(name, "assent") and name != "assent" and not any(within(name, pure) for pure in PURE_CALLERS):
            wrong.append((where, name))
    assert wrong == []


def test_at_most_one_data_loader() -> None:
    assert len([path for path in DATA_LOADERS if (ROOT / path).is_file()]) <= 1


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("import os.path as p", {"os.path"}),
        ("from services.query import app", {"services.query", "services.query.app"}),
        ("def f():\n    import socket", {"socket"}),
        ("from . import topics", {"assent.events", "assent.events.topics"}),
        ("from .topics import Topic", {"assent.events.topics", "assent.events.topics.Topic"}),
    ],
)
def test_the_reader_sees_every_form_of_import(line: str, names: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "assent" / "events" / "sample.py"
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert set(imported(path)) == names
