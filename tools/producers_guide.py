"""Puts the programs of docs/producers and the table of outcomes into docs/producers.md, so that what is read is what is tested."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from assent.deciding.outcome_remedies import OUTCOMES, remedy_of

DOCS = Path(__file__).resolve().parent.parent / "docs"
GUIDE = DOCS / "producers.md"
LANGUAGES = {".py": "python", ".sh": "sh", ".java": "java"}
_PART = re.compile(r"<!-- (?:file: (?P<file>\S+)|outcomes) -->\n.*?<!-- end -->", re.DOTALL)


def main(arguments: list[str]) -> int:
    text = GUIDE.read_text()
    wanted = generated(text)
    if wanted == text:
        return 0
    if "--check" in arguments:
        print("docs/producers.md is not what docs/producers holds; run: .venv/bin/python -m tools.producers_guide", file=sys.stderr)
        return 1
    GUIDE.write_text(wanted)
    print("docs/producers.md written")
    return 0


def generated(text: str) -> str:
    """The guide with every part filled in anew."""
    return _PART.sub(_filled, text)


def programs() -> list[Path]:
    """The files that the guide shows, in its order."""
    return [DOCS / found["file"] for found in _PART.finditer(GUIDE.read_text()) if found["file"]]


def _filled(found: re.Match[str]) -> str:
    head = found[0].partition("\n")[0]
    return f"{head}\n{_outcomes() if found['file'] is None else _program(DOCS / found['file'])}\n<!-- end -->"


def _program(path: Path) -> str:
    return f"\n```{LANGUAGES[path.suffix]}\n{path.read_text()}```\n"


def _outcomes() -> str:
    rows = "\n".join(f"| `{outcome}` | {remedy_of(outcome) or 'Nothing to be done.'} |" for outcome in OUTCOMES)
    return f"\n| outcome | what to do |\n| --- | --- |\n{rows}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
