"""The producer's guide shows the programs that are tested, every cause and every outcome, and the limits that the code has."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from assent.deciding.outcome_remedies import OUTCOMES, DeadOutcome, remedy_of
from assent.deciding.refusals import Outcome
from assent.events.envelope import MAX_ATTRIBUTE_CHARS, MAX_HEADER_BYTES, MAX_OUTSIDE_BYTES
from assent.events.strict_json import MAX_DEPTH
from assent.stream.bounded_codecs import MAX_PLAIN_BYTES
from assent.stream.kafka_batches import MAX_BATCH_RECORDS
from services.registry.staff_handlers import MAX_OUTCOMES
from tools.outside_programs import ROOT
from tools.producers_guide import GUIDE, generated, programs

TEXT = GUIDE.read_text()
READERS = (
    "assent/events/envelope.py",
    "assent/events/structured.py",
    "assent/events/content_mode.py",
    "assent/stream/kafka_batches.py",
    "assent/stream/bounded_codecs.py",
    "services/geofence/processor.py",
    "services/geofence/senders.py",
)
_CAUSES = (
    r"""(?:Error|_damaged)\(\s*b?"([a-z_]+)\"""",
    r'"([a-z_]+)" if name == "type" else "([a-z_]+)"',
    r'(?:DAMAGED, b|SUSPENDED = )"([a-z_]+)"',
)
_CAUSE = re.compile("|".join(_CAUSES))


def causes_in_code() -> set[str]:
    found = [match for path in READERS for match in _CAUSE.findall((ROOT / path).read_text())]
    return {cause for match in found for cause in match if cause}


def causes_in_guide() -> set[str]:
    _, _, section = TEXT.partition("## Causes of dead letters")
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {cause for row in rows for cause in re.findall(r"`([a-z_]+)`", row)}


def test_the_programs_are_those_beside_it() -> None:
    assert generated(TEXT) == TEXT, "run .venv/bin/python -m tools.producers_guide"
    beside = {path for path in (GUIDE.parent / "producers").iterdir() if path.is_file()}
    assert set(programs()) == beside


def test_every_cause_is_explained_and_no_other() -> None:
    assert {"no_value", "damaged_record", "inflates_too_far", "bad_signature", "no_type", "wrong_mode"} <= causes_in_code()
    assert causes_in_guide() == causes_in_code()


def test_every_outcome_is_told_with_what_can_be_done() -> None:
    assert set(OUTCOMES) == {"embedded", *Outcome, *DeadOutcome}
    assert all(remedy_of(outcome) for outcome in (*Outcome, *DeadOutcome))
    assert remedy_of("of a newer release") == ""


def test_the_limits_are_those_of_the_code() -> None:
    told = {
        f"{MAX_OUTSIDE_BYTES // 1024} KiB": MAX_OUTSIDE_BYTES,
        f"headers {MAX_HEADER_BYTES // 1024} KiB": MAX_HEADER_BYTES,
        f"at most {MAX_DEPTH} deep": MAX_DEPTH,
        f"{MAX_PLAIN_BYTES // 1024**2} MiB": MAX_PLAIN_BYTES,
        f"{MAX_BATCH_RECORDS // 1000} 000 records": MAX_BATCH_RECORDS,
        f"{MAX_ATTRIBUTE_CHARS} characters": MAX_ATTRIBUTE_CHARS,
        f"{MAX_OUTCOMES} rows": MAX_OUTCOMES,
    }
    assert [words for words in told if words not in TEXT] == []


@pytest.mark.parametrize("path", [path for path in programs() if path.suffix == ".sh"], ids=lambda path: path.name)
def test_the_scripts_are_plain_shell(path: Path) -> None:
    assert subprocess.run(["sh", "-n", str(path)], check=False, capture_output=True).returncode == 0
