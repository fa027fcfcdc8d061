"""Everything in one process, started as an operator starts it: a place opens when two people signed that, and by no edit of a file."""

from __future__ import annotations

import json
import urllib.request
from importlib.resources import files
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


def kept(data: Path, policy: Path) -> str:
    """What a registry says that has published before: it starts, and leaves this file out."""
    port = free_port()
    running, said = start("up", "--data", data, "--port", port, "--policy", policy, line="stop with Ctrl-C")
    try:
        (line,) = [line for line in said.splitlines() if "stays in force" in line]
        assert metric(port, "assent_policy_file_refused") == 1.0
    finally:
        assert stop(running) == 0
    return line


def metric(port: int, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return next(float(line.split()[-1]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)


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
    line = kept(data, edited)
    assert "(AU): it takes the signatures of 2 people, and there is none" in line
    edited.with_name("edited.yaml.approvals.json").write_bytes(policy.with_name("new.yaml.approvals.json").read_bytes())
    assert "the file was changed after it was signed" in kept(data, edited)

    # Back to the shipped policy, which allows less; and then forward again with what was signed before.
    started(data)
    assert embedding(data, "GB") == "closed"
    assert "was used before, and counts once" in kept(data, policy)
    assert embedding(data, "GB") == "closed"


def test_a_policy_file_that_cannot_be_used_keeps_nobody_from_starting_who_has_published_before(tmp_path: Path) -> None:
    data, policy = tmp_path / "data", tmp_path / "policy.yaml"
    policy.write_text("version: [\n")
    assert "line 2, column 1" in refused(data, policy)
    started(data)
    shown = run("policy", "show", "--data", data, "--json").stdout
    assert "line 2, column 1" in kept(data, policy)
    policy.write_text(files("services.registry").joinpath("policies", "shipped.yaml").read_text(encoding="utf-8"))
    approvals = policy.with_name("policy.yaml.approvals.json")
    approvals.write_text("{")
    assert str(approvals) in kept(data, policy)
    approvals.unlink()
    changed = policy.read_text().replace("gps_floor_m: 100", "gps_floor_m: 200")
    assert changed != policy.read_text()
    policy.write_text(changed)
    assert "was published with other contents" in kept(data, policy)
    assert run("policy", "show", "--data", data, "--json").stdout == shown
