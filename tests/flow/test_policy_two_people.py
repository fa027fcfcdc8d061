"""Everything in one process, started as an operator starts it: a place opens when two people signed that, and by no edit of a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assent.testing.kafka_broker import free_port
from tests.flow.assent_command import Done, one_line, run, start, stop
from tests.flow.policy_signing import sign, signers

pytestmark = pytest.mark.timeout(300)


def refused(data: Path, policy: Path) -> str:
    """The one line with which a start over this file ends."""
    done: Done = run("up", "--data", data, "--port", free_port(), "--policy", policy)
    assert done.returncode == 3, done.stderr
    return done.stderr.splitlines()[-1]


def started(data: Path, *more: object) -> None:
    running, _ = start("up", "--data", data, "--port", free_port(), *more, line="stop with Ctrl-C")
    assert stop(running) == 0


def embedding(data: Path, place: str) -> str:
    """Whether a face may be embedded there, by what this folder has published."""
    shown = json.loads(run("policy", "show", place, "--data", data, "--json").stdout)
    return next(str(state["openness"]) for state in shown["operations"] if state["operation"] == "embed")


def test_a_place_is_opened_by_two_people_and_by_nobody_alone(tmp_path: Path) -> None:
    data, policy = tmp_path / "data", tmp_path / "new.yaml"
    own = signers(data)
    paper = ("--filing", "dpia=DPIA-7@2026-01-02")
    asked = run("policy", "open", "GB", *paper, "--data", data, "--to", policy, "--key", own / "anna.key", "--yes")
    assert asked.returncode == 0, asked.stderr
    assert "allows what the newest published one does not (GB): it takes the signatures of 2 people, and those of anna count" in refused(
        data, policy
    )
    again = sign(policy, data, own / "anna.key")
    assert (again.returncode, "has signed this already" in one_line(again)) == (2, True)
    assert embedding(data, "GB") == "closed"

    assert sign(policy, data, own / "ben.key").returncode == 0
    started(data, "--policy", policy)
    assert embedding(data, "GB") == "with_grant"
    # The same file starts again without anybody.
    started(data, "--policy", policy)

    edited = tmp_path / "edited.yaml"
    edited.write_text(policy.read_text().replace("  AU:\n", "  AU:\n    with_grant: [collect]\n").replace("version: ", "version: edited-"))
    line = refused(data, edited)
    assert "(AU): it takes the signatures of 2 people, and there is none" in line
    edited.with_name("edited.yaml.approvals.json").write_bytes(policy.with_name("new.yaml.approvals.json").read_bytes())
    assert "the file was changed after it was signed" in refused(data, edited)

    # Back to the shipped policy, which allows less; and then forward again with what was signed before.
    started(data)
    assert embedding(data, "GB") == "closed"
    assert "was used before, and counts once" in refused(data, policy)
    assert embedding(data, "GB") == "closed"
