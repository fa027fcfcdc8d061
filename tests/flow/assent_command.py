"""The command as anybody runs it: a process of its own, without a terminal unless it is given one; bounded in time."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

ASSENT = [sys.executable, "-m", "assent.cli.main"]
SETTINGS = ("ASSENT_URL", "ASSENT_TOKEN", "ASSENT_GRANT_SECRET", "ASSENT_ONE_TIME_SECRET")
TIMEOUT_S = 90
Done = subprocess.CompletedProcess[str]


def run(*words: object, cwd: Path | None = None, **environment: str) -> Done:
    """Run `assent` to its end."""
    return subprocess.run(
        [*ASSENT, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=cwd,
        env=_environment(environment),
    )


def run_at_terminal(*words: object, typed: str, **environment: str) -> Done:
    """The same with a terminal as its keyboard, on which this is typed."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed.encode())
        return subprocess.run(
            [*ASSENT, *map(str, words)],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            # Without a terminal of its own session, so that a password would be asked for on the one given here.
            start_new_session=True,
            env=_environment(environment),
        )
    finally:
        os.close(ours)
        os.close(theirs)


def start(*words: object, line: str) -> tuple[subprocess.Popen[str], str]:
    """Start `assent`; the process, and what it said on stderr until this was there. Raises AssertionError when it ends before."""
    running = subprocess.Popen(
        [*ASSENT, *map(str, words)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=_environment({})
    )
    assert running.stderr is not None
    said, until = "", time.monotonic() + TIMEOUT_S
    while line not in said and time.monotonic() < until:
        read = running.stderr.readline()
        assert read, f"it ended by itself: {said}"
        said += read
    return running, said


def stop(running: subprocess.Popen[str]) -> int:
    """Ask it to end; its exit code."""
    running.terminate()
    try:
        running.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        running.kill()
        raise
    return running.returncode


def one_line(done: Done) -> str:
    """What it said on stderr, which is one line and no traceback."""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def _environment(changes: dict[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if name not in SETTINGS}, **changes}
