"""Brings what optional tests need, where this machine can have it; never starts a service, never fails for what is optional."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from assent.testing.kafka_broker import BrokerStartError, keep_classes
from tools.outside_programs import (
    KAFKA_JARS,
    KCAT_FOLDER,
    PROGRAMS,
    PROMTOOL_FOLDER,
    ROOT,
    UnknownProgramError,
    find_kcat,
    required,
    why_missing,
)

KAFKA_POM = ROOT / "tools" / "kafka" / "pom.xml"
KAFKA_STAMP = KAFKA_JARS / "pom.sha256"
STEP_TIMEOUT_S = 600


class CannotBringError(Exception):
    """Raised when this machine cannot have the program; the text is the reason."""


def main(names: list[str]) -> int:
    try:
        must_have = required()
    except UnknownProgramError as error:
        print(f"assent: {error}", file=sys.stderr)
        return 2
    chosen = {name: bring for name, bring in BRINGERS.items() if not names or name in names}
    lacking = [name for name, bring in chosen.items() if not _prepared(name, bring) and name in must_have]
    for name in lacking:
        print(f"assent: {name} is required by ASSENT_REQUIRE and is missing", file=sys.stderr)
    return 1 if lacking else 0


def _prepared(name: str, bring: Callable[[], None]) -> bool:
    try:
        bring()
        reason = why_missing(name)
    except CannotBringError as error:
        reason = str(error)
    print(f"  {name:9} {PROGRAMS[name].find() if reason is None else 'skipped: ' + reason}", flush=True)
    return reason is None


def _bring_browser() -> None:
    if PROGRAMS["browser"].find() is None:
        _apt_install("chromium")
    browser = PROGRAMS["browser"].find()
    # Ubuntu's package is a pointer to a snap, which does not run everywhere.
    if browser is None or subprocess.run([browser, "--version"], capture_output=True, check=False).returncode:
        raise CannotBringError("the installed Chromium does not start; install one from another package")


def _bring_promtool() -> None:
    """Unpacks Debian's package into .cache: no root, and no Prometheus server is started."""
    if PROGRAMS["promtool"].find() is not None:
        return
    if not _can_unpack():
        raise CannotBringError(PROGRAMS["promtool"].how)
    _unpack(["prometheus"], PROMTOOL_FOLDER)


def _bring_kafka() -> None:
    """Apache Kafka, and kcat as a foreign client where that can be had."""
    try:
        _bring_kcat()
    except CannotBringError as error:
        print(f"  kcat      skipped: {error}", flush=True)
    _bring_broker()


def _bring_kcat() -> None:
    """Unpacks Debian's package and the libraries beside it into .cache; a small script tells it where they are."""
    if find_kcat() is not None:
        return
    if not _can_unpack():
        raise CannotBringError("install kcat (Debian: apt-get install kcat)")
    _unpack(["kcat", "librdkafka1", "libyajl2", "libsasl2-2", "liblz4-1", "libzstd1"], KCAT_FOLDER)
    (libraries,) = {path.parent for path in (KCAT_FOLDER / "usr" / "lib").glob("*/librdkafka.so.1")}
    script = KCAT_FOLDER / "bin" / "kcat"
    script.parent.mkdir(exist_ok=True)
    found_in = libraries.relative_to(KCAT_FOLDER)
    script.write_text(f'#!/bin/sh\nroot=$(dirname "$0")/..\nLD_LIBRARY_PATH="$root/{found_in}" exec "$root/usr/bin/kcat" "$@"\n')
    script.chmod(0o755)
    try:
        _run([str(script), "-V"])
    except CannotBringError:
        script.unlink()
        raise


def _can_unpack() -> bool:
    return shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None


def _unpack(packages: Sequence[str], folder: Path) -> None:
    """The files of Debian packages, without installing them."""
    with tempfile.TemporaryDirectory() as downloads:
        _apt(["apt-get", "download", "--quiet", *packages], cwd=Path(downloads))
        folder.mkdir(parents=True, exist_ok=True)
        for package in Path(downloads).glob("*.deb"):
            _run(["dpkg-deb", "--extract", str(package), str(folder)])


def _bring_broker() -> None:
    """Copies Apache Kafka and what it needs from Maven, once per version of the pom."""
    if not KAFKA_POM.is_file():
        raise CannotBringError(f"{KAFKA_POM.relative_to(ROOT)} is missing")
    if shutil.which("java") is None:
        _apt_install("default-jre-headless")
    wanted = hashlib.sha256(KAFKA_POM.read_bytes()).hexdigest()
    if KAFKA_STAMP.is_file() and KAFKA_STAMP.read_text() == wanted:
        return
    if shutil.which("mvn") is None:
        _apt_install("maven")
    shutil.rmtree(KAFKA_JARS, ignore_errors=True)
    _run(
        [
            "mvn",
            "--batch-mode",
            "--quiet",
            "--file",
            str(KAFKA_POM),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={KAFKA_JARS}",
        ]
    )
    with contextlib.suppress(OSError, subprocess.SubprocessError, BrokerStartError):
        # Tests start a broker some sixty times; without this each start takes twice as long.
        keep_classes(KAFKA_JARS)
    KAFKA_STAMP.write_text(wanted)


BRINGERS: dict[str, Callable[[], None]] = {
    "browser": _bring_browser,
    "promtool": _bring_promtool,
    "kafka": _bring_kafka,
}


def _apt_install(package: str) -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise CannotBringError(f"only root can install it here: apt-get install {package}")
    _apt(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package])


def _apt(command: Sequence[str], cwd: Path = ROOT) -> None:
    """Runs it, and once more after an update: the package lists of a fresh machine are empty or old."""
    try:
        _run(command, cwd)
    except CannotBringError:
        if os.geteuid() != 0:
            raise
        _run(["apt-get", "update", "--quiet"])
        _run(command, cwd)


def _run(command: Sequence[str], cwd: Path = ROOT) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=STEP_TIMEOUT_S)
    except FileNotFoundError as error:
        raise CannotBringError(f"{command[0]} is not on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise CannotBringError(f"{command[0]} took longer than {STEP_TIMEOUT_S} s") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise CannotBringError(f"{command[0]} failed: {last[0] if last else done.returncode}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
