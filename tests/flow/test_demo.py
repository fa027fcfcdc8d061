"""`assent demo --exit --json` as anybody runs it: one document on stdout, nothing else there, and the numbers of the story in it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from assent.testing.kafka_broker import free_port
from tests.flow.expected_story import OUTCOMES, RULES

pytestmark = pytest.mark.timeout(300)
DEMO = [sys.executable, "-m", "assent.cli.main", "demo"]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("demo")
    command = [*DEMO, "--exit", "--json", "--data", str(folder / "data")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    assert [path.name for path in folder.iterdir()] == ["data"]
    return json.loads(done.stdout), done.stderr


def test_the_document_tells_the_story(story: tuple[dict[str, Any], str]) -> None:
    document, _ = story
    assert document["outcomes"] == OUTCOMES
    assert set(document["refused_by_rule"]) >= RULES
    assert document["images_seen"] == sum(OUTCOMES.values())
    assert document["faces_embedded"] == OUTCOMES["embedded"]
    assert document["fixture_grants"] == 2
    assert document["bystanders_never_embedded"] > 10
    assert "agreed to nothing" in document["notice"]


def test_searches_tell_her_own_photos_and_nobody_elses(story: tuple[dict[str, Any], str]) -> None:
    searches = story[0]["searches"]
    assert [(item["status"], item["matches"]) for item in searches] == [(200, 9), (401, 0), (200, 0), (200, 0), (200, 0)]
    assert searches[0]["top_score"] > 0.5
    assert all(item["top_score"] is None for item in searches[1:])


def test_a_withdrawal_is_complete_and_nothing_comes_back(story: tuple[dict[str, Any], str]) -> None:
    document, _ = story
    withdrawal = document["withdrawal"]
    assert (withdrawal["vectors_before"], withdrawal["vectors_after"]) == (9, 0)
    assert (withdrawal["images_before"], withdrawal["images_after"]) == (9, 0)
    assert withdrawal["ack_to_undisclosable_ms"] < 5_000
    assert document["resurrected"] == 0
    assert document["vectors_without_live_grant"] == 0
    assert document["receipts_verified"] == 4


def test_it_keeps_to_time_and_memory(story: tuple[dict[str, Any], str]) -> None:
    document, _ = story
    assert document["seconds"]["first_match"] < 30
    assert document["peak_rss_mb"] < 1_500


def test_the_terminal_has_one_line_per_image_with_its_rule(story: tuple[dict[str, Any], str]) -> None:
    lines = [line for line in story[1].splitlines() if ".jpg" in line or "outside producer's picture" in line]
    assert len(lines) >= sum(OUTCOMES.values())
    assert any("QC-3" in line and "montreal.jpg" in line for line in lines)


async def test_killed_in_the_middle_it_starts_again_and_ends_right(tmp_path: Path) -> None:
    """SIGKILL when the first picture was embedded; the second start on the same folder tells the whole story."""
    command = [*DEMO, "--data", str(tmp_path / "data"), "--port", str(free_port()), "--no-open"]
    first = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert first.stdout is not None
    while b"embedded" not in (line := await first.stdout.readline()):
        assert line, "the demonstration ended by itself"
    first.kill()
    await first.wait()
    again = [*DEMO, "--exit", "--json", "--data", str(tmp_path / "data")]
    second = await asyncio.create_subprocess_exec(*again, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = await second.communicate()
    assert second.returncode == 0, err.decode()[-3_000:]
    document = json.loads(out)
    assert document["outcomes"] == OUTCOMES
    assert (document["resurrected"], document["vectors_without_live_grant"]) == (0, 0)


async def test_a_second_start_on_the_same_data_or_port_ends_in_one_line(tmp_path: Path) -> None:
    port = free_port()
    up = [sys.executable, "-m", "assent.cli.main", "up", "--data", str(tmp_path / "data"), "--port"]
    running = await asyncio.create_subprocess_exec(*up, str(port), stderr=subprocess.PIPE)
    try:
        await ready(port)
        for other, word in ((str(free_port()), "locked"), (str(port), str(port))):
            done = await asyncio.to_thread(subprocess.run, [*up, other], capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 3
            said = [line for line in done.stderr.splitlines() if line.startswith("assent up:")]
            assert len(said) == 1
            assert "Traceback" not in done.stderr
            assert word in said[0] or "data" in said[0]
    finally:
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 30) == 0


def test_data_that_cannot_be_written_ends_in_one_line(tmp_path: Path) -> None:
    """A file where the folder should be: root may write into a read-only folder, so that alone would prove nothing here."""
    (tmp_path / "data").write_text("a file")
    done = subprocess.run(
        [sys.executable, "-m", "assent.cli.main", "up", "--data", str(tmp_path / "data"), "--port", str(free_port())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 3
    assert done.stderr.count("\n") <= 3
    assert "Traceback" not in done.stderr


async def ready(port: int) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
