"""Makes .venv hold exactly what a pinned requirement file says, once; never resolves, never installs without a hash.

Runs on whatever Python the machine has, so it uses the standard library only and syntax that older ones can read: they shall be
able to say what is missing.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
WANTED = (3, 11)
# An environment that holds `dev` holds `demo` too.
INCLUDED_IN = {"demo": ("demo", "dev"), "dev": ("dev",), "lock": ("lock",)}


def main(arguments: "list[str]") -> int:
    if len(arguments) != 1 or arguments[0] not in INCLUDED_IN:
        return _failed("usage: python tools/environment.py demo|dev|lock")
    if sys.version_info < WANTED:
        return _failed(
            f"Python 3.11 or newer is needed, and {sys.executable} is {sys.version.split()[0]}; "
            "install one and say: make PYTHON=python3.11 ..."
        )
    kind = arguments[0]
    if _works() and any(_stamp(name) == _digest(name) for name in INCLUDED_IN[kind]):
        return 0
    if not _works() and not _made():
        return 1
    return _installed(kind)


def _works() -> bool:
    """Whether .venv has a Python that runs and is new enough; a moved or half-made one does not count."""
    try:
        version = subprocess.run(
            [PYTHON, "-c", f"import sys, pip; print(sys.version_info >= {WANTED!r}, sys.prefix)"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return False
    return version.stdout.decode().strip() == "True " + VENV


def _made() -> bool:
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        _failed("Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv")
        return False
    print(f"Making .venv with Python {sys.version.split()[0]}", file=sys.stderr, flush=True)
    try:
        shutil.rmtree(VENV, ignore_errors=True)
        # Its own pip is used, so a Python that its system manages (PEP 668) is left alone.
        venv.create(VENV, with_pip=True, symlinks=True)
    except (OSError, subprocess.CalledProcessError) as error:
        _failed(f"cannot make .venv: {error}; on Debian and Ubuntu: apt-get install python3-venv")
        return False
    return True


def _installed(kind: str) -> int:
    print(f"Installing requirements/{kind}.txt into .venv (the first time takes a minute or two)", file=sys.stderr, flush=True)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet", "--no-deps"]
    steps = [[*pip, "--require-hashes", "-r", _requirement(kind)]]
    if kind != "lock":
        steps.insert(0, [*pip, "--require-hashes", "-r", _requirement("build")])
        steps.append([*pip, "--no-build-isolation", "--editable", "."])
    for step in steps:
        if subprocess.run(step, cwd=ROOT, env=dict(os.environ, PIP_REQUIRE_VIRTUALENV="1"), check=False).returncode:
            return _failed(
                f"pip could not install requirements/{kind}.txt (its message is above); run the same make again, or `make clean` first"
            )
    with open(os.path.join(VENV, f"assent-{kind}.stamp"), "w") as stamp:
        stamp.write(_digest(kind))
    return 0


def _requirement(kind: str) -> str:
    return os.path.join(ROOT, "requirements", kind + ".txt")


def _stamp(kind: str) -> str:
    try:
        with open(os.path.join(VENV, f"assent-{kind}.stamp")) as stamp:
            return stamp.read()
    except OSError:
        return ""


def _digest(kind: str) -> str:
    """Changes with what is to be installed and with where: entry points hold the folder's path."""
    digest = hashlib.sha256(VENV.encode())
    for path in (_requirement(kind), _requirement("build"), os.path.join(ROOT, "pyproject.toml")):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def _failed(text: str) -> int:
    sys.stderr.write(f"assent: {text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
