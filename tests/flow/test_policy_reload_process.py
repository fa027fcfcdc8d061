"""Processes as an operator starts them: a policy file put in place is decided by without a start, and a refused one changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assent.testing.face_pack import lend_pack
from assent.testing.kafka_broker import free_port
from tests.flow.assent_command import one_line, run, start, stop
from tests.flow.policy_signing import sign, signers
from tests.unit.policy_examples import shipped_text

pytestmark = pytest.mark.timeout(300)
WITHIN_S = 60.0


def put(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def narrower(version: str) -> str:
    """The shipped policy under a version of its own, with shorter grants where they were the longest."""
    text = shipped_text()
    changed = text.replace("expires_max_days: 730", "expires_max_days: 100")
    assert changed != text
    return changed.replace('version: "', f'version: "{version}-')


def until(is_so: Callable[[], bool]) -> float:
    """Ask until it is so; the seconds that it took. Raises AssertionError after a while."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < WITHIN_S
        time.sleep(0.05)
    return time.monotonic() - began


def asked(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def decides_by(port: int) -> str:
    found: dict[str, Any] = json.loads(asked(port, "/readyz"))
    return str(found.get("policy"))


def metric(port: int, name: str) -> float:
    return next(float(line.split()[-1]) for line in asked(port, "/metrics").splitlines() if line.split("{")[0].split(" ")[0] == name)


def test_everything_in_one_process_decides_by_a_file_that_was_put_in_place(tmp_path: Path) -> None:
    data, policy, port = tmp_path / "data", tmp_path / "policy.yaml", free_port()
    own = signers(data)
    policy.write_text(shipped_text(), encoding="utf-8")
    url = ("--url", f"http://127.0.0.1:{port}")
    told = (*url, "--data", data)
    running, _ = start("up", "--data", data, "--port", port, "--policy", policy, line="stop with Ctrl-C")
    try:
        before = decides_by(port)
        unchanged = run("policy", "reload", *told)
        assert (unchanged.returncode, f"policy {before} is in force: published 2" in unchanged.stdout) == (0, True), unchanged.stderr
        nobody_else_has_it_read(port, tmp_path)
        put(policy, narrower("a"))
        took_s = until(lambda: decides_by(port) == f"a-{before}")
        assert took_s < WITHIN_S
        assert metric(port, "assent_policy_file_refused") == 0.0
        assert abs(metric(port, "assent_policy_file_taken_timestamp_seconds") - time.time()) < WITHIN_S

        put(policy, "version: [\n")
        until(lambda: metric(port, "assent_policy_file_refused") == 1.0)
        refused = run("policy", "reload", *told)
        assert (refused.returncode, "line 2, column 1" in one_line(refused)) == (4, True)
        assert f"policy a-{before}, published before, stays in force" in refused.stderr

        # A place is opened by two people while everything runs.
        opening = tmp_path / "opening.yaml"
        paper = ("--filing", "dpia=DPIA-7@2026-01-02")
        asked_for = run("policy", "open", "GB", *paper, *told, "--to", opening, "--version", "open.1", "--key", own / "anna.key", "--yes")
        assert asked_for.returncode == 0, asked_for.stderr
        put(policy, opening.read_text(encoding="utf-8"))
        alone = run("policy", "reload", *told)
        assert (alone.returncode, "it takes the signatures of 2 people, and there is none" in one_line(alone)) == (4, True), alone.stderr
        assert sign(opening, data, own / "ben.key", *url).returncode == 0
        put(policy.with_name("policy.yaml.approvals.json"), opening.with_name("opening.yaml.approvals.json").read_text(encoding="utf-8"))
        both = run("policy", "reload", *told, "--json")
        assert both.returncode == 0, both.stderr
        in_force = json.loads(both.stdout)["version"]
        until(lambda: decides_by(port) == in_force)
        assert metric(port, "assent_policy_file_refused") == 0.0
        document = json.loads(json.loads(asked(port, "/v1/policy"))["document"])
        assert "embed" in document["jurisdictions"]["GB"]["with_grant"]

        assert run("policy", "stop", "GB", "--because", "Order P26-01", "--yes", *told).returncode == 0
        put(policy, opening.read_text(encoding="utf-8") + "# touched\n")
        kept = run("policy", "reload", *told)
        assert kept.returncode == 0
        assert kept.stdout.startswith("policy open.1-stop.")
        assert kept.stdout.endswith("; what was stopped stays closed, whatever the file says\n")
    finally:
        assert stop(running) == 0


def nobody_else_has_it_read(port: int, folder: Path) -> None:
    """Without a token, or with one that is none, it is not read."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/policy/reload", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    with refused.value:
        assert refused.value.code == 401
    token = folder / "token"
    token.write_text("none")
    wrong = run("policy", "reload", "--url", f"http://127.0.0.1:{port}", "--token-file", token)
    assert (wrong.returncode, "(status 401)" in one_line(wrong)) == (4, True)


def test_a_registry_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("none")
    gone = run("policy", "reload", "--url", f"http://127.0.0.1:{free_port()}", "--token-file", token)
    assert (gone.returncode, "nothing answers at" in one_line(gone)) == (3, True)


@contextmanager
def registry_alone(folder: Path, policy: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The registry as a process of its own, that looks by itself once an hour."""
    keys, health = folder / "keys", free_port()
    assert run("keys", "create", "--folder", keys).returncode == 0
    lend_pack(folder / "pack")
    settings: dict[str, object] = {
        "LOG_URL": f"sqlite:{folder / 'log.sqlite3'}",
        "KEYS_FOLDER": keys,
        "KEYS_URL": "memory:",
        "BLOBS_URL": "memory:",
        "DATA_FOLDER": folder / "data",
        "PACK_FOLDER": folder / "pack",
        "HTTP_PORT": free_port(),
        "HEALTH_PORT": health,
        "POLICY_FILE": policy,
        "POLICY_LOOK_S": 3_600,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "services.registry"],
        env={**os.environ, **{f"ASSENT_REGISTRY_{name}": str(value) for name, value in settings.items()}},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, health
        process.terminate()
        _, rest = process.communicate(timeout=60)
        assert (process.returncode, "Traceback" in rest) == (0, False), rest
    finally:
        if process.returncode is None:
            process.kill()
            process.communicate()


def answers(health: int) -> bool:
    try:
        return decides_by(health) != "None"
    except (OSError, ValueError):
        return False


def test_a_hangup_has_the_registry_look_at_once_and_ends_nothing(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(shipped_text(), encoding="utf-8")
    with registry_alone(tmp_path, policy) as (process, health):
        assert process.stderr is not None
        until(lambda: answers(health))
        before = decides_by(health)
        policy.unlink()
        process.send_signal(signal.SIGHUP)
        told = said(process, "stays in force")
        assert f"cannot be read (FileNotFoundError); name a readable YAML file; policy {before}, published before" in told
        assert metric(health, "assent_policy_file_refused") == 1.0
        put(policy, narrower("b"))
        process.send_signal(signal.SIGHUP)
        assert f"registry: the policy file is in force: policy b-{before}\n" == said(process, "is in force")
        until(lambda: decides_by(health) == f"b-{before}")
        assert metric(health, "assent_policy_file_refused") == 0.0


def said(process: subprocess.Popen[str], words: str) -> str:
    """The next line on stderr with these words; a process that ends says nothing more. The test's own time-out bounds it."""
    assert process.stderr is not None
    while words not in (line := process.stderr.readline()):
        assert line, "it ended by itself"
    return line
