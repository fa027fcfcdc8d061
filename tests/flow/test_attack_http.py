"""The pages and the interface over HTTP: roles, sessions, foreign pages, hostile headers, and bodies without an end."""

from __future__ import annotations

import asyncio
import contextlib
import gzip

import pytest

from demo.producer import NAME
from tests.flow.attack_house import NOBODYS_GRANT, Field, minted, raw

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def test_a_secret_that_is_no_text_is_a_wrong_secret_whether_the_grant_exists_or_not(field_of: Field) -> None:
    """Bytes that are no UTF-8 must not fail in one case and be compared in the other."""
    victim = await field_of.victim(kind="upload")
    for header in ("Assent-Grant-Secret", "Assent-Face-Box"):
        for method, path in (("GET", "/v1/grants/{}"), ("POST", "/v1/grants/{}/images")):
            told = []
            for grant_id in (victim.grant_id, NOBODYS_GRANT):
                head = f"{method} {path.format(grant_id)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n{header}: "
                told.append((await raw(field_of, head.encode() + b"\xff" * 20 + b"\r\n\r\n"))[0])
            assert told[0] == told[1] < 500, (header, method, told)


async def test_a_login_code_that_was_used_looks_like_one_that_never_was(field_of: Field) -> None:
    body = {"name": "ann", "roles": ["auditor"], "org": "house"}
    code = (await field_of.house.api.need("POST", f"{field_of.url}/v1/login-codes", token=field_of.house.token, json=body))["code"]
    assert (await field_of.ask("GET", f"/login?code={code}"))[0] == 200
    answers = await asyncio.gather(*(field_of.ask("POST", "/login", data={"code": code}) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [303, 403, 403, 403]
    assert (await field_of.ask("POST", "/login", data={"code": code})) == (await field_of.ask("POST", "/login", data={"code": "x" * 43}))
    used, never = await field_of.ask("GET", f"/login?code={code}"), await field_of.ask("GET", "/login?code=" + "x" * 43)
    assert used == never
    assert (await field_of.ask("GET", "/login?code=%FF%ED%A0%80"))[0] == 403


async def test_a_link_signs_nobody_in_before_she_says_so_on_our_own_page(field_of: Field) -> None:
    """Whoever sends her a link of his own must not make her browser his: it says whose it is, and a foreign page cannot press."""
    mallory = await field_of.house.person()
    request = field_of.house.request(mallory, [{"kind": "upload"}])
    asked = await field_of.house.api.need("POST", f"{field_of.url}/v1/grants", token=field_of.house.token, json=request)
    body = {"name": "mallory", "roles": ["auditor"], "org": "house"}
    code = (await field_of.house.api.need("POST", f"{field_of.url}/v1/login-codes", token=field_of.house.token, json=body))["code"]
    for _ in range(2):
        async with field_of.http.get(f"{field_of.url}/login?code={code}", allow_redirects=False) as page:
            assert (page.status, "Set-Cookie" in page.headers) == (200, False)
            assert "<strong>mallory</strong>" in await page.text()
    for origin in ("http://evil.example", "null", f"{field_of.url}.evil.example"):
        status, _ = await field_of.ask("POST", "/login", headers={"Origin": origin}, data={"code": code})
        assert status == 403, origin
        for answer in ("yes", "no"):
            his = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
            path = f"/confirm/{asked['grant_id']}/{answer}"
            assert (await field_of.ask("POST", path, headers={"Origin": origin}, data=his))[0] == 403, (origin, answer)
    yes = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
    assert (await field_of.ask("POST", f"/confirm/{asked['grant_id']}/yes", headers={"Origin": field_of.url}, data=yes))[0] == 200
    async with field_of.http.post(
        f"{field_of.url}/login", headers={"Origin": field_of.url}, data={"code": code}, allow_redirects=False
    ) as entered:
        assert (entered.status, entered.headers["Location"]) == (303, "/")
        assert "HttpOnly" in entered.headers["Set-Cookie"]


STAFF_ONLY = {
    ("POST", "/v1/subjects"): {"operator", "producer"},
    ("POST", "/v1/grants"): {"operator", "producer"},
    ("POST", "/v1/grants/bulk"): {"operator", "producer"},
    ("POST", "/v1/grants/x/revoke"): {"privacy_officer"},
    ("GET", "/v1/grants/x"): {"operator", "privacy_officer"},
    ("POST", "/v1/tokens"): {"operator"},
    ("POST", "/v1/login-codes"): {"operator"},
    ("POST", "/v1/producers"): {"operator"},
    ("GET", "/v1/producers"): {"operator", "privacy_officer"},
    ("POST", "/v1/producers/x/suspend"): {"operator"},
    ("POST", "/v1/producers/x/resume"): {"operator"},
    ("GET", "/v1/dead-letters"): {"operator", "privacy_officer"},
    ("GET", "/v1/dead-letters/grants"): {"operator", "privacy_officer"},
    ("POST", "/v1/dead-letters/images.scraped/replay"): {"operator"},
    ("PUT", f"/v1/intake/{'0' * 64}"): {"producer"},
    ("POST", "/v1/events"): {"producer"},
    ("GET", "/v1/outcomes"): {"producer"},
    ("POST", "/v1/control-proofs"): {"operator", "producer"},
    ("GET", "/v1/control-proofs"): {"operator", "producer", "privacy_officer"},
    ("POST", "/v1/control-proofs/x/check"): {"operator", "producer"},
    ("POST", "/v1/control-proofs/x/revoke"): {"operator", "producer"},
    ("POST", "/v1/crawls"): {"operator"},
    ("POST", "/v1/search"): {"subject", "searcher"},
    ("POST", "/v1/verify"): {"subject", "searcher"},
    ("GET", "/v1/flow"): {"operator", "privacy_officer", "auditor", "subject"},
    ("GET", "/v1/flow/stream"): {"operator", "privacy_officer", "auditor", "subject"},
    ("POST", "/v1/explain"): {"operator", "privacy_officer", "subject"},
    ("GET", "/me"): {"subject"},
    ("GET", "/search"): {"subject", "searcher"},
    ("POST", "/search"): {"subject", "searcher"},
}


async def test_each_route_is_closed_to_every_other_role_and_to_nobody(field_of: Field) -> None:
    place = {"jurisdictions": ["CA-BC"], "purposes": ["gallery_search"], "producer_id": NAME}
    tokens = {
        role: await minted(field_of, roles=[role], org="x", **place)
        for role in ("operator", "privacy_officer", "auditor", "searcher", "producer")
    }
    tokens["subject"] = await (await field_of.victim()).person.token()
    for (method, path), allowed in STAFF_ONLY.items():
        for role in tokens.keys() - allowed:
            status, _ = await field_of.ask(method, path, token=tokens[role])
            assert status == 403, (method, path, role)
        for token in (None, "x", f"{tokens['operator']}x", unsigned(tokens["subject"])):
            status, _ = await field_of.ask(method, path, token=token)
            assert status in (401, 303), (method, path, token)


def unsigned(token: str) -> str:
    """The same claims under the algorithm `none`."""
    return f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{token.split('.')[1]}."


async def test_a_foreign_page_changes_nothing_with_her_session(field_of: Field) -> None:
    victim = await field_of.victim(kind="upload")
    session = f"assent_session={await victim.person.token()}"
    own, port = field_of.url, field_of.url.rpartition(":")[2]
    foreign = [
        None,
        "null",
        "http://evil.example",
        f"http://evil.example:{port}",
        f"{own}.evil.example",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "",
    ]
    for origin in foreign:
        headers = {"Cookie": session} | ({} if origin is None else {"Origin": origin})
        for path in (
            f"/me/grants/{victim.grant_id}/withdraw",
            f"/me/grants/{victim.grant_id}/images",
            f"/me/grants/{victim.grant_id}/approve",
            f"/me/grants/{victim.grant_id}/decline",
            "/search",
            "/v1/search",
            "/v1/explain",
        ):
            assert (await field_of.ask("POST", path, headers=headers, data=b"x"))[0] == 403, (origin, path)
        if origin is not None:
            form = {"grant_id": victim.grant_id, "grant_secret": victim.secret}
            assert (await field_of.ask("POST", "/login", headers={"Origin": origin}, data=form))[0] == 403, origin
    shown = await field_of.house.ask("GET", f"/v1/grants/{victim.grant_id}", headers={"Assent-Grant-Secret": victim.secret})
    assert shown.body["state"] == "given"


async def test_a_session_cookie_is_kept_from_scripts_and_other_sites(field_of: Field) -> None:
    victim = await field_of.victim()
    form = {"grant_id": victim.grant_id, "grant_secret": victim.secret}
    async with field_of.http.post(f"{field_of.url}/login", data=form, headers={"Origin": field_of.url}, allow_redirects=False) as answer:
        (cookie,) = answer.headers.getall("Set-Cookie")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=3600"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@pytest.mark.parametrize("folder", ["portal", "console"])
async def test_no_path_leads_out_of_the_static_files(field_of: Field, folder: str) -> None:
    names = [
        "../portal.py",
        "..%2fportal.py",
        "%2e%2e/portal.py",
        "..%5cportal.py",
        "portal.css%00.py",
        "portal.css/../../portal.py",
        "/etc/passwd",
    ]
    names += ["%2fetc%2fpasswd", "....//portal.py", "portal.css%20", "", "."]
    for name in names:
        status, body = await raw(field_of, f"GET /{folder}/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert status in (400, 404), name
        assert b"import" not in body
        assert b"root:" not in body


async def test_nothing_that_is_sent_becomes_a_header_or_a_tag(field_of: Field) -> None:
    tried = "%0d%0aSet-Cookie:%20assent_session=forged%0d%0a%0d%0a%3Cscript%3Ealert(1)%3C/script%3E"
    for path in (
        f"/login?code={tried}",
        f"/login?lang={tried}",
        f"/confirm/{tried}",
        f"/confirm/x?secret={tried}",
        f"/?lang={tried}",
        f"/me?x={tried}",
    ):
        status, answer = await raw(field_of, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"forged" not in head, path
        assert b"<script>alert" not in body, path
        assert status < 500, path
    hostile = b'GET /login HTTP/1.1\r\nHost: x"><script>alert(1)</script>\r\nConnection: close\r\n\r\n'
    assert b"<script>alert" not in (await raw(field_of, hostile))[1]


async def test_a_form_without_end_is_cut_off_before_anybody_is_known(field_of: Field) -> None:
    """Neither parts nor their headers nor fields add up in memory; nobody had to say who she is."""
    for path, head in (
        (f"/v1/grants/{NOBODYS_GRANT}/images", ""),
        ("/v1/search", f"Authorization: Bearer {await (await field_of.victim()).person.token()}\r\n"),
    ):
        sent = await drip(field_of, path, head, b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\nx\r\n', most_bytes=40_000_000)
        assert sent < 10_000_000, path


async def drip(field_of: Field, path: str, head: str, part: bytes, *, most_bytes: int) -> int:
    """Send numbered parts until the other side answers; how many bytes it took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(field_of.url.rpartition(":")[2]))
    length = f"Content-Length: {most_bytes * 10}\r\n"
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}Content-Type: multipart/form-data; boundary=b\r\n{length}\r\n".encode())
    answered, sent = asyncio.create_task(reader.readline()), 0
    try:
        while sent < most_bytes and not answered.done():
            block = b"".join(part % (sent + number) for number in range(1_000))
            writer.write(block)
            sent += len(block)
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(writer.drain(), 5)
            await asyncio.sleep(0)
        status = (await asyncio.wait_for(answered, 5)).split(b" ")[1]
        assert status in (b"400", b"401", b"403", b"413", b"422"), status
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return sent


async def test_a_body_that_drips_is_ended_wherever_it_is_read(field_of: Field) -> None:
    """A byte a second, by people who may send: a raw photo, a form, JSON, a sign-in, a search, a producer's bytes."""
    victim = await field_of.victim(kind="upload")
    token = await victim.person.token()
    producer = await minted(field_of, roles=["producer"], org="x", producer_id=NAME)
    form = "multipart/form-data; boundary=b"
    part = '--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    question = '--b\r\nContent-Disposition: form-data; name="basis"\r\n\r\nself\r\n'
    sent = [
        ("POST", f"/v1/grants/{victim.grant_id}/images", f"Authorization: Bearer {token}", "image/jpeg", ""),
        ("POST", f"/v1/grants/{victim.grant_id}/images", f"Assent-Grant-Secret: {victim.secret}", form, part),
        ("POST", f"/v1/grants/{victim.grant_id}/confirm", "X: x", "application/json", "{"),
        ("POST", "/login", "X: x", "application/x-www-form-urlencoded", "grant_id="),
        ("POST", "/v1/search", f"Authorization: Bearer {token}", form, question + part),
        ("PUT", f"/v1/intake/{'0' * 64}", f"Authorization: Bearer {producer}", "image/jpeg", ""),
    ]
    answers = await asyncio.gather(*(dripped(field_of, *each) for each in sent))
    assert dict(zip([path for _, path, *_ in sent], answers, strict=True)) == dict.fromkeys([path for _, path, *_ in sent], 408)


async def dripped(field_of: Field, method: str, path: str, header: str, kind: str, begun: str) -> int:
    """The status that ends a request of which a byte comes every second."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(field_of.url.rpartition(":")[2]))
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{header}\r\nContent-Type: {kind}\r\nContent-Length: 900000\r\n\r\n{begun}"
    writer.write(head.encode())
    answered = asyncio.create_task(reader.readline())
    try:
        async with asyncio.timeout(60):
            while not answered.done():
                writer.write(b"x")
                await asyncio.wait([answered], timeout=1.0)
        return int(answered.result().split(b" ")[1])
    finally:
        writer.close()


async def test_who_sends_a_photo_is_known_before_the_photo_is_read(field_of: Field) -> None:
    """Only the head and the first bytes are sent: the answer does not wait for the rest."""
    victim, thief = await field_of.victim(kind="upload"), await field_of.victim(kind="upload")
    form, part = "multipart/form-data; boundary=b", '--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    field = f'--b\r\nContent-Disposition: form-data; name="grant_secret"\r\n\r\n{thief.secret}\r\n'
    tries = [
        ("image/jpeg", f"Assent-Grant-Secret: {thief.secret}", "xx", b"403"),
        ("image/jpeg", f"Authorization: Bearer {await thief.person.token()}", "xx", b"403"),
        ("image/jpeg", "X: x", "xx", b"401"),
        (form, f"Assent-Grant-Secret: {thief.secret}", part + "x" * 2_000, b"403"),
        (form, "X: x", field + part + "x" * 2_000, b"403"),
        (form, "X: x", part + "x" * 2_000, b"401"),
    ]
    for kind, header, begun, status in tries:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(field_of.url.rpartition(":")[2]))
        head = f"POST /v1/grants/{victim.grant_id}/images HTTP/1.1\r\nHost: x\r\n{header}\r\nContent-Type: {kind}\r\n"
        writer.write(f"{head}Content-Length: 19000000\r\n\r\n{begun}".encode())
        try:
            assert (await asyncio.wait_for(reader.readline(), 10)).split(b" ")[1] == status, (kind, header, begun[:20])
        finally:
            writer.close()


async def test_bodies_that_never_end_keep_nobody_else_waiting(field_of: Field) -> None:
    head = b"POST /v1/grants/x/images HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\nslow"
    slow = [await asyncio.open_connection("127.0.0.1", int(field_of.url.rpartition(":")[2])) for _ in range(40)]
    for _, writer in slow:
        writer.write(head)
    victim = await field_of.victim()
    await asyncio.wait_for(victim.person.withdraw(victim.person.held()[0]), 5)
    for _, writer in slow:
        writer.close()
    huge = b"POST /v1/grants/x/confirm HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(field_of.url.rpartition(":")[2]))
    writer.write(huge)
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    bomb = gzip.compress(bytes(50_000_000))
    status, _ = await field_of.ask("POST", "/v1/grants/x/confirm", data=bomb, headers={"Content-Encoding": "gzip"})
    assert status == 413
