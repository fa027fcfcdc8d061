"""What no committed file may hold, and which files have grown too long; never changes one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONG_LINES = 500
SOURCES = frozenset({".py", ".js", ".css", ".html", ".sh"})

# Written in parts, so that this file does not hold what it looks for.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("crates", "io"),
        ("npmjs", "org"),
        ("yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("repo", "maven", "apache", "org"),
        ("repo1", "maven", "org"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("gcr", "io"),
        ("quay", "io"),
    )
)
_HOST = re.compile("|".join(rf"(?<![\w-])(?:[\w-]+\.)*{re.escape(host)}(?![\w.-]*\w)" for host in REGISTRY_HOSTS))


def main() -> int:
    faults = 0
    for path in committed_files():
        text = _text(path)
        if text is None:
            continue
        for line in registry_hosts(text):
            print(f"{path.relative_to(ROOT)}:{line}: names a package registry; pip, uv and Maven know theirs", file=sys.stderr)
            faults += 1
        if path.suffix in SOURCES and text.count("\n") > LONG_LINES:
            print(f"warning: {path.relative_to(ROOT)} has {text.count(chr(10))} lines; a concept is missing", file=sys.stderr)
    return 1 if faults else 0


def registry_hosts(text: str) -> Iterator[int]:
    """Numbers of the lines that name a host of a package registry."""
    return (number for number, line in enumerate(text.splitlines(), start=1) if _HOST.search(line))


def committed_files() -> list[Path]:
    """What git holds or would hold: tracked, and new but not ignored. Outside a git repository there is nothing to check."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    return [path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return None


if __name__ == "__main__":
    sys.exit(main())
