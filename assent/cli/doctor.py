"""`assent doctor`: whether this machine and data folder are fit, one line per check with what to do; it changes nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from assent.cli.command import Command, ExitCode, port_number
from assent.cli.data_checks import check_folder, check_keys, check_pack, check_token
from assent.cli.finding import Finding, State
from assent.cli.machine_checks import check_packages, check_port, check_program, check_python

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("assent-data"), help="data folder (default ./assent-data)")
    parser.add_argument("--port", type=port_number, action="append", help="port that shall be free; may be repeated (default 8080)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def _run(arguments: argparse.Namespace) -> int:
    findings = [check() for check in _checks(arguments.data, arguments.port or [8080])]
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.state.value:4}  {finding.check:10} {finding.text}")
    return ExitCode.NO if any(finding.state is State.FAIL for finding in findings) else ExitCode.DONE


def _checks(data: Path, ports: list[int]) -> list[Callable[[], Finding]]:
    return [
        check_python,
        check_packages,
        lambda: check_folder(data),
        lambda: check_pack(data / "model"),
        lambda: check_keys(data / "keys"),
        lambda: check_token(data),
        *(lambda port=port: check_port(port) for port in ports),
        lambda: check_program("java", ("java",), "the tests over Apache Kafka"),
        lambda: check_program("chromium", BROWSERS, "the tests of the pages"),
        lambda: check_program("promtool", ("promtool",), "the tests of the alert rules"),
    ]


DOCTOR = Command(
    name="doctor",
    help="check this machine and the data folder",
    examples=("assent doctor", "assent doctor --data /srv/assent --port 8090 --json"),
    add_arguments=_add_arguments,
    run=_run,
)
