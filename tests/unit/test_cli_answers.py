"""What the command makes of answers, from Assent or from something else at its address; secrets go nowhere else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from assent.cli.command import ExitCode
from assent.cli.main import main

ID = "01900000-0000-7000-8000-000000000000"
SECRET = "a-secret-of-twenty-characters"
PROBLEM = {"code": "some_rule", "message": "It is so.", "remedy": "Do that.", "request_id": "1"}
Say = Callable[..., web.Response]


class Elsewhere:
    """An address where `say` answers every request; what was asked is kept."""

    def __init__(self) -> None:
        self.say: Say = web.json_response
        self.asked: list[tuple[str, str, bytes]] = []
        application = web.Application(client_max_size=2**20)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self.server = TestServer(application, host="127.0.0.1")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def run(self, *words: str) -> int:
        return await asyncio.to_thread(main, [*words, "--url", f"{self.url}/"])

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path, await request.read()))
        return self.say()


@pytest.fixture
async def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Elsewhere]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSENT_TOKEN", SECRET)
    monkeypatch.setenv("ASSENT_GRANT_SECRET", SECRET)
    found = Elsewhere()
    await found.server.start_server()
    try:
        yield found
    finally:
        await found.server.close()


@pytest.mark.parametrize(
    ("status", "code"), [(401, 4), (403, 4), (404, 4), (409, 4), (422, 4), (451, 4), (500, 3), (503, 3)], ids=lambda value: str(value)
)
async def test_the_services_own_words(elsewhere: Elsewhere, status: int, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere.say = lambda: web.json_response(PROBLEM, status=status)
    assert await elsewhere.run("crawl") == code
    assert capsys.readouterr().err == f"assent crawl: It is so. Do that. (status {status})\n"


@pytest.mark.parametrize("words", [("crawl",), ("grant", "show", ID), ("grant", "withdraw", ID), ("receipt", "fetch", ID)], ids=" ".join)
@pytest.mark.parametrize(
    "text", ["", "<html>", "[]", "3", "{}", '{"refused": {}}', "[" * 100_000, "\udcff"], ids=lambda text: repr(text[:8])
)
async def test_something_else_listens(elsewhere: Elsewhere, words: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere.say = lambda: web.Response(body=text.encode(errors="surrogateescape"))
    code = await elsewhere.run(*words)
    said = capsys.readouterr()
    if words[:2] == ("grant", "show") and text.startswith("{"):
        # It is shown as it came; there is nothing in it to rely on.
        assert (code, json.loads(said.out)) == (ExitCode.DONE, json.loads(text))
    else:
        assert code == ExitCode.UNAVAILABLE
        assert "is --url the right service?" in said.err
        assert said.err.count("\n") == 1


async def test_a_redirection_is_not_followed_with_the_secret(elsewhere: Elsewhere, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere.say = lambda: web.Response(status=307, headers={"Location": f"{elsewhere.url}/elsewhere"})
    assert await elsewhere.run("grant", "withdraw", ID) == ExitCode.UNAVAILABLE
    assert [path for _, path, _ in elsewhere.asked] == [f"/v1/grants/{ID}/withdraw"]
    assert SECRET not in capsys.readouterr().err


async def test_whoever_answers_does_not_choose_where_receipts_are_written(elsewhere: Elsewhere, tmp_path: Path) -> None:
    for name in ("../escaped", "/tmp/escaped", "a/b", "", ".hidden"):
        elsewhere.say = lambda name=name: web.json_response({"receipts": [name], "status": "effective", "public_key_pem": "x"})
        assert await elsewhere.run("receipt", "fetch", ID, "--to", "proofs") == ExitCode.UNAVAILABLE
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_an_erasure_without_a_receipt_yet(elsewhere: Elsewhere, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere.say = lambda: web.json_response({"receipts": [], "status": "effective"})
    assert await elsewhere.run("receipt", "fetch", ID) == ExitCode.UNAVAILABLE
    assert "is effective and has no receipt yet" in capsys.readouterr().err


async def test_an_empty_answer_is_an_answer(elsewhere: Elsewhere, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "me.jpg").write_bytes(b"a photo")
    answer = {"candidates": [], "threshold": 0.36, "gallery_faces": 7, "note": "-", "token": "session"}
    elsewhere.say = lambda: web.json_response(answer)
    assert await elsewhere.run("search", "me.jpg", "--grant", ID) == ExitCode.NO
    assert "0 candidates" in capsys.readouterr().out
    assert [path for _, path, _ in elsewhere.asked] == [f"/v1/grants/{ID}/session", "/v1/search"]
    # The ground stands before the picture: the service refuses by it before it takes the picture.
    sent = elsewhere.asked[1][2]
    assert 0 < sent.index(b"self") < sent.index(b"a photo")


async def test_a_photo_that_all_the_gates_refuse_is_told_with_the_words(
    elsewhere: Elsewhere, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "me.jpg").write_bytes(b"a photo")
    decision = {
        "number": 1,
        "grant_id": ID,
        "stage": "consent",
        "outcome": "expired",
        "rules": ["X-9"],
        "words": ["It ended."],
        "remedies": ["Ask."],
    }
    foreign = {**decision, "number": 2, "grant_id": "another", "words": ["Not hers."]}
    answers = iter([{"token": "session"}, {"decisions": []}, {"sighting_id": "s", "revision": 1}, {"decisions": []}])
    last = {"decisions": [decision, foreign]}
    elsewhere.say = lambda: web.json_response(next(answers, last))
    assert await elsewhere.run("add", "me.jpg", "--grant", ID, "--wait") == ExitCode.REFUSED
    said = capsys.readouterr().out
    assert "refused  me.jpg: It ended. (consent: X-9)" in said
    assert "what can be done: Ask." in said
    assert "Not hers" not in said


async def test_trouble_of_the_service_ends_a_folder_where_it_is(
    elsewhere: Elsewhere, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(b"a photo")
    answers = iter([web.json_response({}), web.json_response(PROBLEM, status=503)])
    elsewhere.say = lambda: next(answers)
    assert await elsewhere.run("add", ".", "--grant", ID) == ExitCode.UNAVAILABLE
    assert len(elsewhere.asked) == 2
    assert capsys.readouterr().out == "taken    a.jpg\n"
