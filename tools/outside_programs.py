"""The programs that some tests need and pip cannot bring: where they are found, and which must not be missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
KAFKA_JARS = CACHE / "kafka"
PROMTOOL_FOLDER = CACHE / "promtool"
KCAT_FOLDER = CACHE / "kcat"


class UnknownProgramError(ValueError):
    """Raised when ASSENT_REQUIRE names something that no test needs."""


@dataclass(frozen=True, slots=True)
class OutsideProgram:
    """One optional program. `find` gives its path, or None; `how` says what a person would do to have it."""

    name: str
    find: Callable[[], Path | None]
    how: str


def find_browser() -> Path | None:
    """Chromium or Chrome on PATH."""
    return _on_path("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_promtool() -> Path | None:
    """promtool on PATH, or the one that was unpacked into .cache."""
    unpacked = PROMTOOL_FOLDER / "usr" / "bin" / "promtool"
    return _on_path("promtool") or (unpacked if unpacked.is_file() else None)


def find_kafka() -> Path | None:
    """The folder of Apache Kafka's jars, where there is a Java to run them."""
    has_jars = any(KAFKA_JARS.glob("kafka_*.jar"))
    return KAFKA_JARS if has_jars and _on_path("java") else None


def find_kcat() -> Path | None:
    """kcat on PATH, or the one that was unpacked into .cache; it belongs to `kafka`, and only tests of foreign clients need it."""
    unpacked = KCAT_FOLDER / "bin" / "kcat"
    return _on_path("kcat") or (unpacked if unpacked.is_file() else None)


PROGRAMS: dict[str, OutsideProgram] = {
    program.name: program
    for program in (
        OutsideProgram("browser", find_browser, "install Chromium (Debian: apt-get install chromium)"),
        OutsideProgram("promtool", find_promtool, "install promtool (Debian: apt-get install prometheus)"),
        OutsideProgram("kafka", find_kafka, "install Java 17 and Maven, then run `make test` once with a network"),
    )
}


def required() -> frozenset[str]:
    """Names in ASSENT_REQUIRE, a comma list: what is named there must not be skipped."""
    names = frozenset(name.strip() for name in os.environ.get("ASSENT_REQUIRE", "").split(",") if name.strip())
    unknown = names - PROGRAMS.keys()
    if unknown:
        raise UnknownProgramError(f"ASSENT_REQUIRE names {sorted(unknown)[0]!r}; it may name {', '.join(sorted(PROGRAMS))}")
    return names


def why_missing(name: str) -> str | None:
    """One sentence for a skip, or None when the program is there."""
    program = PROGRAMS[name]
    return None if program.find() is not None else f"{name} is not on this machine: {program.how}"


def _on_path(*names: str) -> Path | None:
    return next((Path(found) for name in names if (found := shutil.which(name))), None)
