"""Forms that cannot be read: a fault of whoever sent them, told as such, on a page as a page; never one of ours."""

from __future__ import annotations

import pytest

from tests.flow.attack_house import NOBODYS_GRANT, Field, raw

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"


def part(headers: bytes, value: bytes = b"a") -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + headers + b"\r\n\r\n" + value + b"\r\n"


MULTIPARTS: dict[str, tuple[str, bytes]] = {
    "no boundary": ("multipart/form-data", b"x=1"),
    "a body without its boundary": (MULTIPART, b"x"),
    "a part without a name": (MULTIPART, part(b"x=y") + b"--b--\r\n"),
    "a part within a part": (MULTIPART, b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n"),
    "a default charset that is too long": (MULTIPART, part(b'name="_charset_"', b"z" * 40) + part(b'name="grant_id"') + b"--b--\r\n"),
}
FORMS: dict[str, tuple[str, bytes]] = MULTIPARTS | {
    "a charset that nobody knows": (f"{URLENCODED}; charset=nonsense", b"a=b"),
    "half a letter of UTF-16": (f"{URLENCODED}; charset=utf-16", b"a"),
    "no UTF-8": (URLENCODED, b"a=\xff"),
    "no UTF-8 in a part": (MULTIPART, part(b'name="grant_id"', b"\xff") + b"--b--\r\n"),
    "a default charset that nobody knows": (MULTIPART, part(b'name="_charset_"', b"zz") + part(b'name="grant_id"') + b"--b--\r\n"),
    "more fields than anybody asks for": (URLENCODED, b"&".join(b"a=1" for _ in range(5_000))),
}
PAGES = ("/login", "/confirm/x", "/confirm/x/yes", "/confirm/x/no")


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_that_cannot_be_read_gets_a_page_that_says_so(field_of: Field, name: str) -> None:
    content_type, body = FORMS[name]
    for path in PAGES:
        headers = {"Origin": field_of.url, "Content-Type": content_type, "Accept-Language": "fr"}
        status, page = await field_of.ask("POST", path, headers=headers, data=body)
        assert status in (400, 413), (path, page)
        assert ("Le formulaire ne peut être lu" in page) == (status == 400), path
        assert str(page).lstrip().startswith("<!DOCTYPE html"), path


@pytest.mark.parametrize("name", MULTIPARTS)
async def test_a_photo_in_a_form_that_cannot_be_read_is_refused_as_malformed(field_of: Field, name: str) -> None:
    victim, (content_type, body) = await field_of.victim(kind="upload"), MULTIPARTS[name]
    headers, token = {"Origin": field_of.url, "Content-Type": content_type}, await victim.person.token()
    for path in (f"/v1/grants/{victim.grant_id}/images", "/v1/search", "/v1/suppressions/images"):
        by = field_of.house.token if path == "/v1/suppressions/images" else token
        status, answer = await field_of.ask("POST", path, token=by, headers=headers, data=body)
        assert (status, answer["code"]) in ((400, "malformed"), (422, "malformed")), path


async def test_her_own_pages_say_so_too(field_of: Field) -> None:
    victim = await field_of.victim(kind="upload")
    token = await victim.person.token()
    for action in ("approve", "decline", "reference", "overrides", "face", "images"):
        for name, (content_type, body) in FORMS.items():
            headers = {"Cookie": f"assent_session={token}", "Origin": field_of.url, "Content-Type": content_type}
            status, page = await field_of.ask("POST", f"/me/grants/{victim.grant_id}/{action}", headers=headers, data=body)
            assert 400 <= status < 500, (action, name, page)
            assert str(page).lstrip().startswith("<!DOCTYPE html"), (action, name)


@pytest.mark.parametrize("path", ["/login", f"/v1/grants/{NOBODYS_GRANT}/confirm"], ids=["a page", "the interface"])
async def test_a_body_that_is_not_packed_as_it_says_is_malformed(field_of: Field, path: str) -> None:
    kind = URLENCODED if path == "/login" else "application/json"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n"
    )
    status, _ = await raw(field_of, f"{head}\r\nCANARYZZ".encode())
    assert status == 400


@pytest.mark.parametrize("host", ["x", "[x"], ids=["a host", "no host"])
@pytest.mark.parametrize("origin", ["http://[x", "http://[", "null", "//"])
async def test_an_origin_that_cannot_be_read_is_a_foreign_page(field_of: Field, host: str, origin: str) -> None:
    head = f"POST /login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nOrigin: {origin}\r\nContent-Length: 0\r\n\r\n"
    assert (await raw(field_of, head.encode()))[0] in (400, 403)
