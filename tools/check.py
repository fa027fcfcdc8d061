"""Every check that needs no test to run, one after the other, all of them even when one fails; never changes a file."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Check:
    """One command: a module of this environment with its arguments. `tells_result`: what it prints is shown though it passed."""

    name: str
    module: tuple[str, ...]
    remedy: str
    tells_result: bool = False


CHECKS = (
    Check("lint", ("ruff", "check", "--quiet", "."), ".venv/bin/python -m ruff check --fix ."),
    Check("format", ("ruff", "format", "--check", "--quiet", "."), ".venv/bin/python -m ruff format ."),
    Check("types", ("mypy", "--no-error-summary"), "mend the types; a missing stub is declared in pyproject.toml"),
    Check("sources", ("tools.check_sources",), "leave addresses to the tools"),
    Check("events", ("tools.event_schemas", "--check"), ".venv/bin/python -m tools.event_schemas"),
    Check("deploy", ("tools.check_deploy",), "see the lines above"),
    Check(
        "imports",
        ("pytest", "-q", "--no-header", "-p", "no:cacheprovider", "tests/unit/test_import_rules.py"),
        "imports go from services to assent and never back",
    ),
    Check(
        "yield", ("tests.lawful_yield",), "see docs/lawful-yield.md; a lawful case is never bought with an unlawful one", tells_result=True
    ),
)


def main(names: list[str]) -> int:
    chosen = [check for check in CHECKS if not names or check.name in names]
    if len(chosen) < len(names):
        print(f"assent: the checks are {', '.join(check.name for check in CHECKS)}", file=sys.stderr)
        return 2
    failed = [check for check in chosen if not _passes(check)]
    for check in failed:
        print(f"{check.name} failed: {check.remedy}", file=sys.stderr)
    return 1 if failed else 0


def _passes(check: Check) -> bool:
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", *check.module], cwd=ROOT, capture_output=True, text=True, check=False)
    passed = done.returncode == 0
    print(f"  {check.name:8} {'ok' if passed else 'FAILED'}  {time.monotonic() - started:.1f} s", flush=True)
    # Warnings of a check that passed are shown too.
    if not passed or done.stderr or check.tells_result:
        print((done.stdout if not passed or check.tells_result else "") + done.stderr, end="", flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
