"""ai.txt, written like robots.txt and read when an image is fetched; a file nobody can read refuses, it does not vanish."""

from __future__ import annotations

import re
from dataclasses import replace

from assent.optouts.fetched_file import FetchedFile, FileState, text_of
from assent.optouts.robots_lines import parse_robots
from assent.optouts.robots_match import is_allowed
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict

MAX_AI_TXT_BYTES = 512 * 1024


def ai_txt(file: FetchedFile, path: str, *, agent: str) -> tuple[OptOutSignal, ...]:
    """What `/ai.txt` says of one path. `*.jpg` is meant for `.JPG` too, and `*.JPG` for `.jpg`."""
    text = text_of(file, max_bytes=MAX_AI_TXT_BYTES)
    if text is FileState.ABSENT:
        return ()
    if isinstance(text, FileState):
        return (_signal(SignalVerdict.UNKNOWN, "unreadable"),)
    robots = parse_robots(text)
    if not robots.groups and _says_anything(text):
        # Prose or some other syntax: it speaks about this very use, and we cannot tell what it says.
        return (_signal(SignalVerdict.UNKNOWN, "no_rules"),)
    lines = robots.addressed_to(agent)
    small = [replace(line, value=_with_small_endings(line.value)) for line in lines]
    if is_allowed(lines, path) and is_allowed(small, _with_small_endings(path)):
        return ()
    return (_signal(SignalVerdict.DENY, "disallow"),)


def _with_small_endings(text: str) -> str:
    return re.sub(r"\.\w+", lambda ending: ending[0].lower(), text)


def _says_anything(text: str) -> bool:
    return any(line.partition("#")[0].strip() for line in text.splitlines())


def _signal(verdict: SignalVerdict, token: str) -> OptOutSignal:
    return OptOutSignal(SignalKind.AI_TXT, verdict, SignalSource.AI_TXT, token)
