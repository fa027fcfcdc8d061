"""The command against everything running: a grant asked for, given, used, narrowed and ended, and the proof checked, by hand alone."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.keys.signing_keys import public_pem
from assent.testing.face_pack import encoded, one_face, six_faces
from assent.testing.kafka_broker import free_port
from tests.conftest import ROOT
from tests.flow.assent_command import Done, one_line, run, run_at_terminal, start, stop
from tests.flow.policy_signing import signed_by_two
from tests.flow.query_house import stranger

pytestmark = pytest.mark.timeout(300)
NOWHERE = "01900000-0000-7000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class House:
    """A running Assent, a folder for files, and the operator's token."""

    url: str
    folder: Path

    def run(self, *words: object, **environment: str) -> Done:
        return run(*words, "--url", self.url, cwd=self.folder, **environment)

    def operator(self, *words: object) -> Done:
        return self.run(*words, "--data", self.folder / "data")

    def requested(self, *more: object) -> dict[str, str]:
        """Ask for a grant over uploads."""
        template = run("grant", "template", "--url-prefix", "https://example.org/me/", "--only-me")
        (self.folder / "request.json").write_text(template.stdout)
        done = self.operator("grant", "request", self.folder / "request.json", "--birth-year", 1980, "--json", *more)
        assert done.returncode == 0, done.stderr
        asked: dict[str, str] = json.loads(done.stdout)
        return asked

    def answered(self, asked: dict[str, str], typed: str, *more: object) -> Done:
        words = ("grant", "confirm", asked["grant_id"], "--url", self.url, *more)
        return run_at_terminal(*words, typed=typed, ASSENT_ONE_TIME_SECRET=asked["one_time_secret"])

    def given(self, name: str) -> tuple[str, Path]:
        """A grant and the file with its secret."""
        asked, secret = self.requested(), self.folder / f"{name}.secret"
        done = self.answered(asked, "yes\n", "--save", secret)
        assert done.returncode == 0, done.stderr
        return asked["grant_id"], secret

    def photo(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, port = tmp_path_factory.mktemp("cli"), free_port()
    policy = folder / "policy.yaml"
    policy.write_text(_open_to_callers("CA-BC"))
    signed_by_two(policy, folder / "data")
    running, _ = start("up", "--data", folder / "data", "--port", port, "--policy", policy, line="stop with Ctrl-C")
    try:
        yield House(f"http://127.0.0.1:{port}", folder)
    finally:
        assert stop(running) == 0


@pytest.fixture(scope="module")
def hers(house: House) -> tuple[str, Path]:
    """A grant that was given, with one photo embedded under it."""
    grant, secret = house.given("hers")
    photo = house.photo("me.jpg", encoded(one_face()))
    done = house.run("add", photo, "--grant", grant, "--secret-file", secret, "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["taken", "embedded"]
    return grant, secret


def test_the_notice_is_shown_and_the_secret_goes_into_a_file_of_her_own(house: House) -> None:
    asked, secret = house.requested(), house.folder / "notice.secret"
    done = house.answered(asked, "yes\n", "--save", secret)
    assert done.returncode == 0
    assert "Who asks: Your organisation" in done.stdout
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text().strip() not in done.stdout + done.stderr
    assert asked["one_time_secret"] not in done.stdout + done.stderr
    again = house.answered(asked, "yes\n")
    assert again.returncode == 4
    assert "given" in one_line(again)


def test_anything_but_yes_gives_nothing(house: House) -> None:
    asked = house.requested()
    for typed in ("no\n", "\n", "y\n"):
        assert house.answered(asked, typed).returncode == 1
    # End of input is no answer either.
    assert house.answered(asked, "\x04").returncode == 130
    done = house.run("grant", "refuse", asked["grant_id"], ASSENT_ONE_TIME_SECRET=asked["one_time_secret"])
    assert (done.returncode, "deleted" in done.stdout) == (0, True)


def test_only_a_person_at_a_terminal_says_yes(house: House) -> None:
    asked = house.requested()
    done = house.run("grant", "confirm", asked["grant_id"], ASSENT_ONE_TIME_SECRET=asked["one_time_secret"])
    assert done.returncode == 2
    assert f"/confirm/{asked['grant_id']}" in one_line(done)


def test_a_file_that_is_there_is_noticed_before_she_answers(house: House) -> None:
    asked, there = house.requested(), house.photo("there.secret", b"mine")
    done = house.answered(asked, "yes\n", "--save", there)
    assert (done.returncode, there.read_bytes()) == (2, b"mine")
    assert house.answered(asked, "yes\n", "--save", house.folder / "new.secret").returncode == 0


def test_a_further_yes_takes_the_secret_of_an_earlier_grant(house: House) -> None:
    first, earlier, request = house.requested(), house.folder / "earlier.secret", house.folder / "further.json"
    assert house.answered(first, "yes\n", "--save", earlier).returncode == 0
    wanted = json.loads((house.folder / "request.json").read_text()) | {"subject_id": first["subject_id"]}
    request.write_text(json.dumps(wanted))
    done = house.operator("grant", "request", request, "--birth-year", 1980, "--json")
    further: dict[str, str] = json.loads(done.stdout)
    assert further["subject_id"] == first["subject_id"]
    alone = house.answered(further, "yes\n")
    assert (alone.returncode, "--earlier-secret-file" in one_line(alone)) == (4, True)
    wrong = house.answered(further, "yes\n", "--earlier-secret-file", house.photo("wrong.secret", b"x" * 43))
    assert (wrong.returncode, "the secret of none of them" in one_line(wrong)) == (4, True)
    missing = house.answered(further, "yes\n", "--earlier-secret-file", house.folder / "nowhere")
    assert (missing.returncode, "nowhere" in one_line(missing)) == (2, True)
    saved = house.folder / "further.secret"
    assert house.answered(further, "yes\n", "--earlier-secret-file", earlier, "--save", saved).returncode == 0
    assert saved.exists()


def test_a_new_subject_and_a_request_that_is_refused(house: House) -> None:
    house.requested()
    request = ("grant", "request", house.folder / "request.json", "--birth-year", 1980)
    done = house.operator(*request, "--residence", "CA-BC", "--residence", "FR")
    assert done.returncode == 4
    assert "No legal basis is given for the residence FR" in one_line(done)
    shown = house.operator(*request)
    assert (shown.returncode, "one-time secret:" in shown.stdout, "/confirm/" in shown.stdout) == (0, True, True)


def test_she_finds_herself_and_nobody_else_is_found(house: House, hers: tuple[str, Path]) -> None:
    grant, secret = hers
    other = house.photo("stranger.jpg", stranger())
    as_her = ("--grant", grant, "--secret-file", secret)
    found = house.run("search", house.folder / "me.jpg", *as_her)
    assert (found.returncode, grant in found.stdout) == (0, True)
    answer = json.loads(house.run("search", house.folder / "me.jpg", *as_her, "--json").stdout)
    assert [item["grant_id"] for item in answer["candidates"]] == [grant]
    assert house.run("search", other, *as_her).returncode == 1
    assert house.run("verify", house.folder / "me.jpg", *as_her).returncode == 0
    assert house.run("verify", other, *as_her).returncode == 1


def test_an_operator_cannot_search(house: House) -> None:
    photo = house.photo("me.jpg", encoded(one_face()))
    done = house.operator("search", photo)
    assert done.returncode == 4
    assert "The role operator may not do this" in one_line(done)
    assert house.operator("search", "--basis", "gallery", "--face", NOWHERE).returncode == 4


def test_a_searcher_in_a_closed_place_is_turned_away(house: House) -> None:
    whom = ("--name", "anna", "--org", "agency", "--role", "searcher", "--purpose", "gallery_search", "--jurisdiction", "CA-AB")
    token = house.photo("searcher.token", house.operator("token", *whom).stdout.encode())
    done = house.run("search", "--basis", "gallery", "--face", NOWHERE, "--token-file", token)
    assert done.returncode == 4
    assert "not offered where you are" in one_line(done)


def test_decisions_are_explained_in_words(house: House, hers: tuple[str, Path]) -> None:
    grant, secret = hers
    words = ("explain", house.folder / "me.jpg", "--grant", grant, "--secret-file", secret, "--lang")
    done, french = house.run(*words, "en"), house.run(*words, "fr")
    assert (done.returncode, french.returncode) == (0, 0)
    assert re.search(r"^\d+ [A-Z][a-z]+ 20\d\d, \d\d:\d\d UTC\. The gate of faces: let through \(embedded\)\.$", done.stdout, re.M)
    assert re.search(r"^\w+ [a-zéû]+ 20\d\d à \d+ h \d\d UTC\. La porte des visages : admise \(encodée\)\.$", french.stdout, re.M)
    assert "    at that time: the grant was live\n" in done.stdout
    assert "    à ce moment : l'autorisation était en vigueur\n" in french.stdout
    assert "    where it may be: British Columbia\n" in done.stdout
    assert "    où cela peut se situer : Colombie-Britannique\n" in french.stdout
    assert "    pour la personne montrée : Une image du seul visage" in french.stdout
    assert house.run("explain", house.folder / "me.jpg", "--lang", "de").returncode == 2
    told = json.loads(house.operator("explain", house.folder / "me.jpg", "--json").stdout)
    assert told["decisions"][0]["grant_id"] == grant
    never = house.photo("never.png", encoded(one_face()[::2, ::2], kind="PNG"))
    assert house.operator("explain", never).returncode == 1
    unknown = house.operator("explain", "https://never.example/ada/1.jpg", "--lang", "en")
    assert (unknown.returncode, unknown.stdout) == (1, "nothing was decided about this, or nothing that you may see\n")
    assert "no address of a picture" in one_line(house.operator("explain", "https://"))


def test_several_faces_are_numbered_and_one_can_be_chosen(house: House, hers: tuple[str, Path]) -> None:
    grant, secret = hers
    party = house.photo("party.jpg", encoded(six_faces()))
    words = ("add", party, "--grant", grant, "--secret-file", secret)
    done = house.run(*words)
    assert done.returncode == 4
    assert len(re.findall(r"face \d: middle \d+ % from the left, \d+ % from the top", done.stdout)) == 6
    assert "--face N" in done.stdout
    assert house.run(*words, "--face", 7).returncode == 2
    chosen = house.run(*words, "--face", 2, "--wait")
    assert chosen.returncode == 0, chosen.stdout + chosen.stderr
    assert f"embedded {party}" in chosen.stdout
    # The same photo once more: nothing new is decided about it, and what was decided is told.
    again = house.run(*words, "--face", 2, "--wait")
    assert (again.returncode, f"embedded {party}" in again.stdout) == (0, True)


def test_a_folder_with_good_and_bad_files(house: House, hers: tuple[str, Path]) -> None:
    grant, secret = hers
    folder = house.photo("mixed/a.png", encoded(one_face(), kind="PNG")).parent
    house.photo("mixed/b.jpg", b"\xff\xd8\xff no picture")
    house.photo("mixed/c.webp", b"")
    house.photo("mixed/notes.txt", b"left alone")
    done = house.run("add", folder, "--grant", grant, "--secret-file", secret)
    assert done.returncode == 4
    assert [line.split()[0] for line in done.stdout.splitlines()[:3]] == ["taken", "refused", "skipped"]
    assert "1 of 3 photos" in done.stdout
    assert "/me" in done.stdout
    assert "notes" not in done.stdout


def test_a_wrong_secret_ends_the_whole_folder_in_one_line(house: House, hers: tuple[str, Path]) -> None:
    wrong = house.photo("wrong.secret", b"0" * 43)
    done = house.run("add", house.folder / "me.jpg", house.folder / "me.jpg", "--grant", hers[0], "--secret-file", wrong)
    assert (done.returncode, done.stdout) == (4, "")
    assert "does not open this grant" in one_line(done)


def test_what_is_recorded_is_shown_to_her_and_less_of_it_to_staff(house: House, hers: tuple[str, Path]) -> None:
    grant, secret = hers
    to_her = json.loads(house.run("grant", "show", grant, "--secret-file", secret).stdout)
    assert (to_her["state"], to_her["record"]["face_binding"]["mode"]) == ("given", "single_face")
    to_staff = json.loads(house.operator("grant", "show", grant).stdout)
    assert (to_staff["state"], to_staff["record"]) == ("given", None)


def test_withdrawing_ends_in_receipts_that_anybody_can_check(house: House) -> None:
    grant, secret = house.given("ended")
    photo = house.photo("ended.jpg", encoded(one_face(), quality=80))
    assert house.run("add", photo, "--grant", grant, "--secret-file", secret, "--wait").returncode == 0
    narrowed = house.run("grant", "narrow", grant, "--secret-file", secret, "--source", "https://example.org/me/")
    assert (narrowed.returncode, "revision 3" in narrowed.stdout) == (0, True)
    opening = house.folder / "opening.json"
    done = house.run("grant", "withdraw", grant, "--secret-file", secret, "--save", opening)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(opening.stat().st_mode) == 0o600
    erasure = re.findall(r"/v1/erasures/(\S+)", done.stdout)[0]
    proofs = house.folder / "proofs"
    physical = f"physical-{erasure}"
    for name in (f"logical-{erasure}", physical):
        _fetched(house, name, proofs)
    assert _fetched(house, erasure, proofs).stdout.count(".json\n") == 2
    good = run("receipt", "verify", proofs / f"{physical}.json", "--key", proofs / "receipts.pem", "--opening", opening)
    assert (good.returncode, "VALID: deletion_physical" in good.stdout, grant in good.stdout) == (0, True, True)
    altered = json.loads((proofs / f"{physical}.json").read_text())
    altered["leaf"]["stores"][0]["count_after"] = 7
    bad = house.photo("altered.json", json.dumps(altered).encode())
    refused = run("receipt", "verify", bad, "--key", proofs / "receipts.pem", "--json")
    assert (refused.returncode, json.loads(refused.stdout)["valid"]) == (1, False)
    ended = house.run("add", photo, "--grant", grant, "--secret-file", secret)
    assert (ended.returncode, "Saying yes again is a new grant" in one_line(ended)) == (4, True)


def test_a_round_of_the_crawler_prints_its_counts(house: House) -> None:
    done = house.operator("crawl")
    assert (done.returncode, "images taken" in done.stdout) == (0, True)
    assert set(json.loads(house.operator("crawl", "--json").stdout)) == {"pages", "scraped", "unchanged", "never_fetched", "refused"}


def test_an_operator_hands_out_tokens_codes_and_takes_producers(house: House) -> None:
    key = house.photo("feed.pub", public_pem(Ed25519PrivateKey.generate().public_key()))
    assert house.operator("producer", "register", "feed", "--public-key-file", key).returncode == 0
    whom = ("--name", "anna", "--org", "agency")
    minted = house.operator("token", *whom, "--role", "auditor")
    token = house.photo("auditor.token", minted.stdout.encode())
    denied = house.run("crawl", "--token-file", token)
    assert (denied.returncode, "The role auditor may not do this" in one_line(denied)) == (4, True)
    assert minted.stdout.strip() not in denied.stderr
    code = house.operator("login-code", *whom, "--role", "operator")
    assert code.stdout.startswith(f"{house.url}/login?code=")
    unmintable = house.operator("token", *whom, "--role", "producer")
    assert (unmintable.returncode, "producer" in one_line(unmintable)) == (4, True)


def test_place_and_policy_are_told_by_what_this_deployment_published(house: House) -> None:
    for home in (("--url", house.url), ("--data", house.folder / "data")):
        shown = run("policy", "show", "CA-BC", *home)
        assert (shown.returncode, "offer     open: the service is offered" in shown.stdout) == (0, True)
        assert f"policy  test.1: published {'at' if home[0] == '--url' else 'in'} {home[1]}" in shown.stdout
        told = run("geo", "where", 49.2888, -123.1111, *home)
        assert (told.returncode, "offer     open" in told.stdout, "policy  test.1" in told.stdout) == (0, True, True)
        same = run("policy", "diff", "published", house.folder / "policy.yaml", *home)
        assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "the same")
        differs = run("policy", "diff", "published", "shipped", *home)
        assert (differs.returncode, "CA-BC  narrower" in differs.stdout) == (1, True)


def test_one_signs_from_afar_and_the_other_beside_the_folder(house: House) -> None:
    """Both see the same policy and name the same deployment, else the second signature would not fit."""
    own, file = house.folder / "people", house.folder / "gb.yaml"
    asked = ("policy", "open", "GB", "--filing", "dpia=DPIA-7@2026-01-02", "--to", file, "--key", own / "anna.key", "--yes")
    first = run(*asked, "--url", house.url, cwd=house.folder)
    assert first.returncode == 0, first.stderr
    second = run("policy", "sign", file, "--key", own / "ben.key", "--yes", "--data", house.folder / "data")
    assert (second.returncode, "Signed so far: anna, ben." in second.stdout) == (0, True), second.stderr


def test_what_is_not_there_is_refused_in_one_line(house: House) -> None:
    for words in (("receipt", "fetch", NOWHERE), ("receipt", "fetch", f"logical-{NOWHERE}")):
        done = house.run(*words)
        assert (done.returncode, "Check the id" in one_line(done)) == (4, True)


def _fetched(house: House, name: str, proofs: Path) -> Done:
    """The receipt, once it was issued."""
    for _ in range(60):
        done = house.run("receipt", "fetch", name, "--to", proofs)
        if done.returncode == 0:
            return done
    raise AssertionError(done.stderr)


def _open_to_callers(place: str) -> str:
    """The shipped policy, which lets nobody verify, with one place opened."""
    written = yaml.safe_load((ROOT / "services" / "registry" / "policies" / "shipped.yaml").read_text())
    written["version"] = "test.1"
    written["jurisdictions"][place]["with_grant"].append("serve_clients")
    return yaml.safe_dump(written)


def test_a_proof_of_control_says_what_to_serve_and_ends_by_hand(house: House) -> None:
    place = "https://control.invalid/photos/"
    asked = house.operator("source", "prove", place, "--controller", "museum")
    line = one_line(asked)
    assert (asked.returncode, "https://control.invalid/.well-known/assent-control.txt" in line) == (4, True)
    assert re.search(r"assent-control=[0-9a-f]{64} and run this again", line)
    listed = house.operator("source", "list")
    proof = listed.stdout.split()[0]
    assert re.fullmatch(
        rf"{proof}  museum  control\.invalid/photos/  not shown yet; the look of \d{{4}}-\d\d-\d\d did not show it: no_answer\n",
        listed.stdout,
    )
    assert house.operator("source", "revoke", proof).returncode == 0
    assert "revoked" in house.operator("source", "list").stdout
    for wrong, said in (("http://control.invalid/", "https only"), ("https://*.invalid/", "wildcard"), ("https://10.0.0.1/", "an address")):
        refused = house.operator("source", "prove", wrong, "--controller", "museum")
        assert (refused.returncode, said in one_line(refused)) == (4, True)


def test_she_answers_for_pictures_of_her_folder_by_hand(house: House) -> None:
    grant, secret = house.given("folder")
    hers = ("--secret-file", secret)
    assert house.run("grant", "waiting", grant, *hers).stdout == "nothing waits\n"
    done = house.run("grant", "approve", grant, "https://example.org/me/1.jpg", *hers)
    assert (done.returncode, "revision 3" in done.stdout) == (0, True)
    shown = json.loads(house.run("grant", "show", grant, *hers).stdout)["record"]["sources"]
    assert {"kind": "image_url", "value": "https://example.org/me/1.jpg", "only_me": True} in shown
    for picture in ("https://example.org/you/1.jpg", "https://example.org/me/../you/1.jpg", "https://example.org/me%2f1.jpg"):
        refused = house.run("grant", "approve", grant, picture, *hers)
        assert (refused.returncode, bool(one_line(refused))) == (4, True)
    assert "no such picture waits" in one_line(house.run("grant", "decline", grant, "https://example.org/me/2.jpg", *hers))
