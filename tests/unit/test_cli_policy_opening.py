"""`assent policy open`, `sign`, `key` and `vouch` in a terminal: a dry run first, two people, and one clear line for what does not go."""

from __future__ import annotations

import io
import json
import stat
from datetime import date
from pathlib import Path

import pytest

from assent.cli.main import main
from embedded.policy_open import _next_version
from services.registry.policy_approvals import read_approvals, read_signers
from services.registry.policy_file import read_policy
from tests.unit.policy_examples import shipped_text
from tests.unit.test_cli_usage import ended

DATA = Path("assent-data")
SIGNERS = DATA / "keys" / "policy-signers"
DPIA = ("--filing", "dpia=DPIA-7@2026-01-02")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new deployment with two people who may sign, nothing published, and no service named in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSENT_URL", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    main(("keys", "create"))
    SIGNERS.mkdir()
    for name in ("anna", "ben", "carl"):
        assert main(("policy", "key", name, "--to", "people")) == 0
    for name in ("anna", "ben"):
        (SIGNERS / f"{name}.pub").write_bytes(Path(f"people/{name}.pub").read_bytes())
    capsys.readouterr()


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(("policy", *words))
    said = capsys.readouterr()
    assert said.err == ""
    return code, said.out


def opened(capsys: pytest.CaptureFixture[str], name: str = "anna") -> str:
    code, out = told(capsys, "open", "GB", *DPIA, "--to", "new.yaml", "--key", f"people/{name}.key", "--yes")
    assert code == 0
    return out


def test_a_private_key_is_its_owners_alone_and_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    assert stat.S_IMODE(Path("people/anna.key").stat().st_mode) == 0o600
    before = Path("people/anna.key").read_bytes()
    code, line = ended(capsys, "policy", "key", "anna", "--to", "people")
    assert (code, "is not overwritten" in line, Path("people/anna.key").read_bytes()) == (2, True, before)
    assert ended(capsys, "policy", "key", "Anna B", "--to", "people")[0] == 2


def test_opening_is_a_dry_run_until_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "open", "GB", *DPIA)
    assert code == 0
    assert "GB  WIDER" in out
    assert "filing      dpia: filed on 2026-01-02 as DPIA-7 (UK-1); counts" in out
    assert "    collect   with a grant that fits" in out
    assert "form        explicit" in out
    assert out.endswith("Signed so far: nobody.\nNothing was signed or written: this was a dry run. --yes with --key FILE does it.\n")
    assert sorted(path.name for path in Path().iterdir()) == ["assent-data", "people"]


def test_the_next_version_is_beyond_that_of_the_day_with_a_stop_in_it_too() -> None:
    day = date(2026, 11, 26)
    versions = ("2026-11-26.1", "2026-11-26.9-stop.f28083399998", "2026-11-25.4", "own")
    assert [_next_version(version, day) for version in versions] == ["2026-11-26.2", "2026-11-26.10", "2026-11-26.1", "2026-11-26.1"]


def test_two_people_open_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    out = opened(capsys)
    assert "Signed so far: anna. The second person looks at it and signs: assent policy sign new.yaml" in out
    # She sees the same before she signs, and signs nothing by looking.
    looked = told(capsys, "sign", "new.yaml", "--key", "people/ben.key")[1]
    assert "GB  WIDER" in looked
    assert "dry run" in looked
    code, out = told(capsys, "sign", "new.yaml", "--key", "people/ben.key", "--yes")
    assert (code, "Signed so far: anna, ben. Put both in place" in out) == (0, True)
    approvals = read_approvals(Path("new.yaml"))
    assert approvals is not None
    named = {key: name for name, key in read_signers(SIGNERS).named.items()}
    assert [named[signature.public_key] for signature in approvals.signatures] == ["anna", "ben"]
    policy = read_policy(Path("new.yaml"))
    assert (json.loads(policy.document)["jurisdictions"]["GB"]["with_grant"][0], approvals.version) == ("collect", policy.version)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("open", "UNKNOWN", "--law", "x"), 4, "UNKNOWN is never opened"),
        (("open", "CA-BC"), 4, "CA-BC is open for collect, embed, store, search, disclose already"),
        (("open", "GB"), 4, "GB asks for dpia first; give each with: --filing dpia=REFERENCE@DATE"),
        (("open", "CA-QC"), 4, "--filing cai_database=REFERENCE@DATE"),
        (("open", "NZ"), 4, "name the law"),
        (("open", "Quebec"), 2, "did you mean CA-QC?"),
        (("open", "GB", "--filing", "dpia"), 2, "'dpia' is no filing; write NAME=REFERENCE@YYYY-MM-DD"),
        (("open", "GB", "--filing", "dpia=1@2026-02-30"), 2, "'2026-02-30' is no date"),
        (("open", "GB", "--filing", "dpia=1@2990-01-01"), 4, "2990-01-01 is yet to come; file first"),
        (("open", "GB", *DPIA, *DPIA), 2, "a filing is named twice"),
        (("open", "GB", *DPIA, "--yes"), 2, "--yes needs --to FILE"),
        (("open", "GB", *DPIA, "--yes", "--to", "n.yaml", "--key", "people/carl.key"), 2, "is not the key of a signer"),
        (("open", "GB", *DPIA, "--yes", "--to", "n.yaml", "--key", "people/anna.pub"), 2, "mode 0644"),
        (("open", "GB", *DPIA, "--yes", "--to", "people/anna.pub", "--key", "people/anna.key"), 2, "exists already"),
        (("open", "GB", "--operation", "sell"), 2, "invalid choice"),
        (("sign", "gone.yaml"), 2, "gone.yaml cannot be read"),
        (("vouch", "people/carl.pub", "--key", "people/carl.key"), 2, "nobody vouches for herself"),
        (("vouch", "people/gone.pub", "--key", "people/anna.key"), 2, "gone.pub cannot be read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_does_not_go_is_told_in_one_line_and_leaves_nothing(
    words: tuple[str, ...], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, line = ended(capsys, "policy", *words)
    assert (found, told in line) == (code, True), line
    assert sorted(path.name for path in Path().iterdir()) == ["assent-data", "people"]


def test_one_person_signs_once_and_a_changed_file_is_signed_anew(capsys: pytest.CaptureFixture[str]) -> None:
    opened(capsys)
    code, line = ended(capsys, "policy", "sign", "new.yaml", "--key", "people/anna.key", "--yes")
    assert (code, "anna has signed this already; the second signature is another person's" in line) == (2, True)
    text = Path("new.yaml").read_text()
    Path("new.yaml").write_text(text.replace("DPIA-7", "DPIA-8"))
    code, line = ended(capsys, "policy", "sign", "new.yaml", "--key", "people/ben.key", "--yes")
    assert (code, "was signed for other contents" in line) == (2, True)
    signatures = read_approvals(Path("new.yaml"))
    assert signatures is not None
    assert len(signatures.signatures) == 1


def test_a_file_that_is_full_of_signatures_takes_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    opened(capsys)
    assert told(capsys, "vouch", "people/carl.pub", "--key", "people/anna.key", "--yes")[0] == 0
    for file, words in (
        (Path("new.yaml.approvals.json"), ("sign", "new.yaml", "--key", "people/ben.key", "--yes")),
        (Path("people/carl.pub.vouches.json"), ("vouch", "people/carl.pub", "--key", "people/ben.key", "--yes")),
    ):
        held = json.loads(file.read_text())
        (first,) = held["signatures"]
        held["signatures"] = [{**first, "public_key": f"{number:064x}"} for number in range(16)]
        file.write_text(json.dumps(held))
        before = file.read_bytes()
        code, line = ended(capsys, "policy", *words)
        assert (code, f"{file} holds 16 signatures, the most that are read" in line, file.read_bytes()) == (2, True, before)
        held["signatures"].pop()
        file.write_text(json.dumps(held))
        assert told(capsys, *words)[0] == 0


def test_a_signature_is_for_one_deployment(capsys: pytest.CaptureFixture[str]) -> None:
    opened(capsys)
    main(("keys", "create", "--folder", "other/keys"))
    capsys.readouterr()
    code, line = ended(capsys, "policy", "sign", "new.yaml", "--key", "people/ben.key", "--yes", "--data", "other")
    assert (code, "is for the deployment" in line) == (2, True)
    code, line = ended(capsys, "policy", "sign", "new.yaml", "--key", "people/ben.key", "--yes", "--data", "nowhere")
    assert (code, "make them with: assent keys create" in line) == (3, True)


def test_what_allows_less_needs_no_signature_and_gets_none(capsys: pytest.CaptureFixture[str]) -> None:
    text = shipped_text().replace("expires_max_days: 730", "expires_max_days: 30").replace("2026-11-26.1", "less.1")
    Path("less.yaml").write_text(text)
    code, out = told(capsys, "sign", "less.yaml", "--key", "people/anna.key", "--yes")
    assert (code, "no second person is needed" in out) == (0, True)
    assert read_approvals(Path("less.yaml")) is None


def test_papers_are_asked_for_at_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Keyboard("DPIA-9\n2026-01-03\n"))
    assert main(("policy", "open", "GB")) == 0
    said = capsys.readouterr()
    assert "GB asks for dpia (UK-1)." in said.err
    assert "dpia: filed on 2026-01-03 as DPIA-9" in said.out
    monkeypatch.setattr("sys.stdin", Keyboard("\n"))
    assert main(("policy", "open", "GB")) == 4
    assert "dpia has no reference; file it first" in capsys.readouterr().err


def test_two_signers_let_a_third_in(capsys: pytest.CaptureFixture[str]) -> None:
    carl = SIGNERS / "carl.pub"
    carl.write_bytes(Path("people/carl.pub").read_bytes())
    known = frozenset(key for name, key in read_signers(SIGNERS).named.items() if name != "carl")
    deployment = ""
    for name, left in (("anna", "one more signer says the same"), ("ben", "the newcomer counts once both files are")):
        words = ("vouch", str(carl), "--key", f"people/{name}.key")
        assert "dry run" in told(capsys, *words)[1]
        code, out = told(capsys, *words, "--yes")
        assert (code, left in out) == (0, True)
        deployment = out.split("of the deployment ")[1].split(".\n")[0]
        names = set(read_signers(SIGNERS).that_count(known, deployment=deployment))
        assert ("carl" in names) == (name == "ben")
    code, line = ended(capsys, "policy", "vouch", str(carl), "--key", "people/ben.key", "--yes")
    assert (code, "ben has vouched already" in line) == (2, True)
