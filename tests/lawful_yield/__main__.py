"""Prints both numbers; `--write` draws the cases anew from the tables and writes the numbers into the document."""

from __future__ import annotations

import asyncio
import sys

from tests.lawful_yield.document import DOCUMENT, written
from tests.lawful_yield.lawful import lawful_cases
from tests.lawful_yield.report import FOLDER, Yield, lines, measured
from tests.lawful_yield.unlawful import faulty_pairs

WRITE = "--write"


def main(arguments: list[str]) -> int:
    if arguments not in ([], [WRITE]):
        print(f"lawful yield: no argument, or {WRITE}", file=sys.stderr)
        return 2
    if arguments:
        (FOLDER / "lawful.jsonl").write_text(lines(lawful_cases()))
        (FOLDER / "unlawful.jsonl").write_text(lines(case for _, _, case in faulty_pairs()))
    found = asyncio.run(measured())
    text = DOCUMENT.read_text()
    if arguments:
        DOCUMENT.write_text(written(text, found))
    print(found.line)
    faults = [*found.faults(), *_stale(DOCUMENT.read_text(), found)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _stale(text: str, found: Yield) -> list[str]:
    if text == written(text, found):
        return []
    return [f"docs/{DOCUMENT.name} tells other numbers; read what changed, then run .venv/bin/python -m tests.lawful_yield {WRITE}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
