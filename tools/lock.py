"""Compiles requirements/*.in to pinned files with hashes, for every platform at once; never writes a registry's address."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("requirements")
# The largest first: the others are cut from its versions, so that what was tested is what is deployed.
KINDS = ("dev", "demo", "runtime", "build", "lock")
CUT_FROM_DEV = frozenset({"demo", "runtime"})


def main(extra: list[str]) -> int:
    for kind in KINDS:
        command = [
            str(Path(sys.executable).parent / "uv"),
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--python-version=3.11",
            "--generate-hashes",
            "--no-emit-index-url",
            "--no-emit-find-links",
            f"--override={FOLDER / 'overrides.txt'}",
            "--no-emit-package=opencv-python",
            "--no-annotate",
            *([f"--constraint={FOLDER / 'dev.txt'}"] if kind in CUT_FROM_DEV else []),
            *extra,
            str(FOLDER / f"{kind}.in"),
            f"--output-file={FOLDER / f'{kind}.txt'}",
        ]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}, check=False)
        if done.returncode:
            return done.returncode
        print(f"requirements/{kind}.txt is locked")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
