"""Wrong use of the command ends in one line and exit code 2; every help shows examples and what the exit codes mean."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.cli.command import EXIT_CODES, CommandError, ExitCode
from assent.cli.commands import BUILT_IN
from assent.cli.main import main
from assent.testing.kafka_broker import free_port

ID = "01900000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without data, and no secret in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("ASSENT_URL", "ASSENT_TOKEN", "ASSENT_GRANT_SECRET", "ASSENT_ONE_TIME_SECRET"):
        monkeypatch.delenv(name, raising=False)


def ended(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code, and the one line on stderr."""
    try:
        code = main(words)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert said.out == ""
    return code, lines[0]


def parsers() -> Iterator[tuple[str, ...]]:
    """Every subcommand, and every action of those that have some."""
    for command in BUILT_IN:
        yield (command.name,)
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from ((command.name, name) for name in action.choices)


@pytest.mark.parametrize("words", [*parsers()], ids=" ".join)
def test_help_shows_examples_that_can_be_run_and_the_exit_codes(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main((*words, "--help"))
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert EXIT_CODES in said
    examples = [line.strip() for line in said.split("examples:\n")[1].splitlines() if line.startswith("  assent ")]
    assert 2 <= len(examples) <= 4
    parser = argparse.ArgumentParser(exit_on_error=False)
    next(command for command in BUILT_IN if command.name == words[0]).add_arguments(parser)
    for example in examples:
        assert example.startswith(f"assent {' '.join(words)} ") or example == f"assent {' '.join(words)}"
        parser.parse_args(example.split(" > ")[0].split()[2:])


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fly",),
        ("grant",),
        ("grant", "show"),
        ("grant", "show", "../tokens"),
        ("grant", "narrow", ID, "--purpose", "sale"),
        ("add", "photo.jpg"),
        ("crawl", "--url", "localhost:8080"),
        ("crawl", "--url", "http://[::1"),
        ("crawl", "--unknown\nsecond line"),
        ("token", "--name", "a", "--org", "b", "--role", "subject"),
        ("token", "--name", "a", "--org", "b", "--role", "operator", "--hours", "nan"),
        ("producer", "register", "a/b", "--public-key-file", "x"),
        ("receipt", "fetch", "a/../b"),
        ("receipt", "verify", "r.json"),
        ("vectors", "serve", "--port", "70000"),
        ("doctor", "--port", "-1"),
        ("doctor", "--port", "http"),
        ("models", "fly"),
        ("search", "me.jpg", "--basis", "everybody"),
    ],
    ids=lambda words: " ".join(words).replace("\n", " ") or "nothing",
)
def test_wrong_words(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, line = ended(capsys, *words)
    assert code == ExitCode.USAGE
    assert line.startswith("assent")
    assert line.endswith("--help")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("crawl",), "name the file that holds it"),
        (("explain", "none.jpg"), "none.jpg cannot be read"),
        (("search",), "takes a photo"),
        (("search", "--basis", "gallery"), "--face"),
        (("verify", "none.jpg", "--grant", ID), "none.jpg cannot be read"),
        (("add", "none", "--grant", ID), "no file or folder"),
        (("add", ".", "--grant", ID), "no JPEG, PNG, WebP or HEIC"),
        (("grant", "request", "none.json"), "none.json cannot be read"),
        (("grant", "withdraw", ID), "--secret-file"),
        (("grant", "withdraw", ID, "--secret-file", "none"), "name the file that holds it"),
        (("grant", "refuse", ID), "--one-time-secret-file"),
        (("grant", "confirm", ID), "only a person at a terminal"),
        (("grant", "narrow", ID), "--purpose"),
        (("producer", "register", "feed", "--public-key-file", "none.pem"), "none.pem cannot be read"),
        (("receipt", "verify", "none.json", "--key", "none.pem"), "none.json cannot be read"),
        (("vectors", "serve", "--host", "0.0.0.0"), "--api-key-file"),
        (("vectors", "serve", "--host", "example.org"), "not loopback"),
        (("keys", "create", "--folder", "/proc/none/keys"), "name another folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_missing_is_named_with_what_to_do(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = ended(capsys, *words)
    assert code == ExitCode.USAGE
    assert said in line


@pytest.mark.parametrize(
    "words",
    [
        ("crawl",),
        ("explain", "photo.jpg"),
        ("explain", "https://site.example/ada/1.jpg"),
        ("search", "photo.jpg"),
        ("search", "photo.jpg", "--grant", ID),
        ("verify", "photo.jpg", "--grant", ID),
        ("add", "photo.jpg", "--grant", ID),
        ("add", "photo.jpg", "--grant", ID, "--wait"),
        ("grant", "request", "request.json"),
        ("grant", "show", ID),
        ("grant", "refuse", ID),
        ("grant", "withdraw", ID),
        ("grant", "narrow", ID, "--purpose", "verify"),
        ("receipt", "fetch", ID),
        ("token", "--name", "a", "--org", "b", "--role", "operator"),
        ("login-code", "--name", "a", "--org", "b", "--role", "operator"),
    ],
    ids=" ".join,
)
def test_nothing_listens(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"a photo")
    (tmp_path / "request.json").write_text('{"subject_id": "s-1"}')
    for name in ("ASSENT_TOKEN", "ASSENT_GRANT_SECRET", "ASSENT_ONE_TIME_SECRET"):
        monkeypatch.setenv(name, "never-printed-never-printed")
    monkeypatch.setenv("ASSENT_URL", f"http://127.0.0.1:{free_port()}")
    code, line = ended(capsys, *words)
    assert code == ExitCode.UNAVAILABLE
    assert "assent up" in line
    assert "never-printed" not in line


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 100_000, '"text"', '{"legal": 3}', '{"legal": [1, {}]}'], ids=lambda text: text[:12] or "empty"
)
def test_a_request_that_is_no_request(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "request.json").write_text(content)
    monkeypatch.setenv("ASSENT_TOKEN", "token")
    code, line = ended(capsys, "grant", "request", "request.json")
    assert (code, "assent grant template" in line) == (ExitCode.USAGE, True)


def test_a_producers_key_must_be_a_public_ed25519_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    other = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for content in (b"", b"\xff\x00", other):
        (tmp_path / "key.pem").write_bytes(content)
        code, line = ended(capsys, "producer", "register", "feed", "--public-key-file", "key.pem")
        assert (code, "openssl" in line) == (ExitCode.USAGE, True)


def test_a_token_that_cannot_be_a_token_is_not_sent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for secret in ("two\nlines", "naïve"):
        monkeypatch.setenv("ASSENT_TOKEN", secret)
        code, line = ended(capsys, "crawl")
        assert (code, secret[:3] in line) == (ExitCode.USAGE, False)


def test_a_named_token_file_is_taken_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSENT_TOKEN", "token")
    code, line = ended(capsys, "crawl", "--token-file", str(tmp_path / "none"))
    assert (code, "none" in line) == (ExitCode.USAGE, True)


def test_secrets_have_no_place_on_the_command_line() -> None:
    for words in parsers():
        assert not {"--secret", "--token", "--grant-secret", "--one-time-secret", "--api-key"} & _options(words)


def test_the_message_of_an_error_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert str(CommandError("x")) == "x"
    code, line = ended(capsys, "explain", "a\nb.jpg")
    assert (code, "a b.jpg" in line) == (ExitCode.USAGE, True)


def test_whoever_reads_may_stop_reading(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "assent.cli.main", "grant", "template"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    assert running.wait(60) == 0
    assert running.stderr.read() == b""
    running.stderr.close()


def test_one_subcommand_does_not_load_what_the_others_need() -> None:
    """`doctor` says which package is missing, so it cannot need any of them; and nobody likes to wait for a help text."""
    code = (
        "import sys; from assent.cli.main import main\n"
        "try: main(['doctor', '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('onnxruntime', 'insightface', 'cv2', 'qdrant_client', 'qdrant_edge', 'aiokafka') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_command_that_cannot_be_loaded_does_not_take_the_others_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = tmp_path / "another-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[assent.commands]\nfly = no_such_package.here:FLY\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    said = capsys.readouterr()
    assert said.out.startswith("assent ")
    assert "`assent fly` cannot be loaded" in said.err


def _options(words: tuple[str, ...]) -> set[str]:
    command = next(command for command in BUILT_IN if command.name == words[0])
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    found = {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= {option for sub in action.choices.values() for item in sub._actions for option in item.option_strings}
    return found
