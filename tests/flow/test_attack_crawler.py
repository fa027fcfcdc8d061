"""Pages, redirects, hosts and bombs that would lead the crawler out of the folder of a grant."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import resource
from collections.abc import Callable

import pytest
from aiohttp import web

from tests.flow.attack_house import STRANGER, Field, Victim

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def crawled(field_of: Field, html: str, *, folder: str = "") -> Victim:
    """A person whose folder has this page on it, after a round of the crawler; `FOLDER` stands for its path."""
    victim = await field_of.victim()
    field_of.site.requests.clear()
    field_of.site.page(victim.folder, html.replace("FOLDER", victim.folder))
    await field_of.house.crawl()
    return victim


async def test_a_page_of_hers_does_not_lead_out_of_her_folder(field_of: Field) -> None:
    """Whatever a page may write: an image outside every grant is not even asked for."""
    site, port = field_of.site, field_of.site.port
    outside = ["/secret/1.jpg", "/secret/2.jpg", "/secret/3.jpg", "/secret/4.jpg", "/secret/5.jpg", "/secret/6.jpg", "/secret/7.jpg"]
    for path in outside:
        site.picture(path, STRANGER)
    victim = await crawled(
        field_of,
        f"""<base href="//127.0.0.1:{port}/secret/"><img src="1.jpg"><img src="http://127.0.0.1:{port}/secret/2.jpg">
        <img srcset="FOLDER../secret/3.jpg 1x, /secret/4.jpg 2x,/secret/5.jpg"><picture><source srcset="  /secret/6.jpg 100w ,"></picture>
        <img src="FOLDER%2e%2e/secret/7.jpg"><img src="FOLDER..%2fsecret/1.jpg"><img src="FOLDER..;/secret/1.jpg">
        <img src="file:///etc/passwd"><img src="data:image/png;base64,AAAA"><img src="//localhost:{port}/secret/1.jpg">
        <img src="http://127.0.0.1:{port}@evil.example/1.jpg"><img src="javascript:1"><img src="\\\\127.0.0.1\\secret\\1.jpg">
        <a href="/secret/">x</a><a href="FOLDER../secret/">x</a>""",
    )
    assert not [path for path in site.requests if "secret" in path or "passwd" in path]
    assert await field_of.held(victim.grant_id) == []
    site.page(victim.folder, "<base href='file:///etc/'><base href='/x/'><img src='passwd'>")
    await field_of.house.crawl()
    assert not [path for path in site.requests if "passwd" in path]


async def test_no_redirect_leads_out_of_her_folder(field_of: Field) -> None:
    """Another folder, another port of this machine, another scheme, another host, round in circles: each hop is judged anew."""
    knocks: list[str] = []
    other = await asyncio.start_server(lambda reader, writer: knocks.append("x") or writer.close(), "127.0.0.1", 0)  # type: ignore[func-returns-value]
    closed = f"127.0.0.1:{other.sockets[0].getsockname()[1]}"
    site, port = field_of.site, field_of.site.port
    site.picture("/away/1.jpg", STRANGER)
    to = [
        "/away/1.jpg",
        f"//{closed}/1.jpg",
        f"http://{closed}/1.jpg",
        "file:///etc/passwd",
        f"ftp://127.0.0.1:{port}/",
        "../away/1.jpg",
        "%2e%2e/away/1.jpg",
    ]
    to += [
        f"http://localhost:{port}/away/1.jpg",
        "gopher://x/",
        "http://[::1]/",
        "http://0x7f000001/",
        "http://169.254.169.254/latest",
        "",
        "\\\\x",
    ]
    victim = await field_of.victim()
    site.requests.clear()
    for number, target in enumerate(to):
        site.moved(f"{victim.folder}{number}.jpg", target)
    site.moved(f"{victim.folder}round.jpg", f"{victim.folder}round.jpg")
    images = "".join(f'<img src="{number}.jpg">' for number in (*range(len(to)), "round"))
    site.page(victim.folder, images)
    await field_of.house.crawl()
    other.close()
    assert knocks == []
    assert not [path for path in site.requests if "away" in path]
    assert sum(count for path, count in site.requests.items() if "round" in path) <= 5
    assert await field_of.held(victim.grant_id) == []


async def test_a_granted_folder_on_a_closed_address_is_not_connected_to(field_of: Field) -> None:
    """A grant names a place of this machine; the crawler judges the address that it would connect to."""
    knocks: list[str] = []
    other = await asyncio.start_server(lambda reader, writer: knocks.append("x") or writer.close(), "127.0.0.1", 0)  # type: ignore[func-returns-value]
    port = other.sockets[0].getsockname()[1]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"127.1:{port}", f"[::ffff:127.0.0.1]:{port}"):
        person = await field_of.house.person()
        source = {"kind": "url_prefix", "value": f"http://{host}/ada/", "only_me": True}
        with contextlib.suppress(Exception):
            await person.grant("it", field_of.house.request(person, [source]), field_of.house.token)
    await field_of.house.crawl()
    other.close()
    assert knocks == []


@pytest.mark.parametrize(
    "target", ["//127.0.0.1:PORT/robots.txt", "http://127.0.0.1:PORT/free.txt", "file:///robots.txt", "ftp://localhost:PORT/r"]
)
async def test_another_hosts_robots_txt_is_not_this_hosts_word(field_of: Field, target: str) -> None:
    """A robots.txt that points elsewhere leaves the host closed; `localhost` is another host than 127.0.0.1."""
    site = field_of.site
    site.moved("localhost/robots.txt", target.replace("PORT", str(site.port)))
    site.answers["127.0.0.1/free.txt"] = lambda request: web.Response(text="User-agent: *\nAllow: /\n")
    site.picture("/robots/1.jpg")
    victim = await field_of.victim(kind="image_url", value=f"http://localhost:{site.port}/robots/1.jpg")
    site.requests.clear()
    await field_of.house.crawl()
    assert not [path for path in site.requests if "/robots/1.jpg" in path]
    assert await field_of.rules(victim.grant_id) == {"robots_disallow"}


async def test_an_address_that_is_none_ends_no_round(field_of: Field) -> None:
    """Of a base, a link, an image, a redirect, a redirect of robots.txt: the next folder is still read."""
    site, broken = field_of.site, "http://[x"
    first, second, third = [await field_of.victim() for _ in range(3)]
    site.page(first.folder, f'<base href="{broken}"><img src="1.jpg"><a href="{broken}">')
    odd = ["http://[::1", "http://[::g]/", "http://a:b:c/", "http://1.2.3.4.5.6/", "//\N{CARE OF}.example/1.jpg"]
    for number, target in enumerate(odd):
        site.answers[f"{second.folder}{number}.jpg"] = moved_to(target)
    site.page(second.folder, f'<img src="{broken}">' + "".join(f'<img src="{number}.jpg">' for number in range(len(odd))))
    site.answers["localhost/robots.txt"] = moved_to(broken)
    elsewhere = await field_of.victim(kind="image_url", value=f"http://localhost:{site.port}/1.jpg")
    site.page(third.folder, f'<img src="{third.folder}1.jpg">')
    site.picture(f"{third.folder}1.jpg")
    await field_of.house.crawl()
    assert len(await field_of.held(third.grant_id)) == 1
    assert await field_of.rules(second.grant_id) == {"fetch_failed"}
    assert await field_of.rules(elsewhere.grant_id) == {"robots_disallow"}


async def test_a_deep_page_is_not_parsed(field_of: Field) -> None:
    """The parser's time grows with the square of the nesting: this page would hold the process for minutes."""
    deep, flat = await field_of.victim(), await field_of.victim()
    field_of.site.page(deep.folder, "<div>" * 300_000 + '<img src="1.jpg">')
    field_of.site.page(flat.folder, f'<img src="{flat.folder}1.jpg">')
    for victim in (deep, flat):
        field_of.site.picture(f"{victim.folder}1.jpg")
    async with asyncio.timeout(30):
        await field_of.house.crawl()
    assert [len(await field_of.held(victim.grant_id)) for victim in (deep, flat)] == [0, 1]


def moved_to(target: str) -> Callable[[web.Request], web.Response]:
    """A redirect with these very bytes."""
    return lambda request: web.Response(status=302, headers={"Location": target})


async def test_a_bomb_is_not_unpacked(field_of: Field) -> None:
    """200 MB of zeros in 200 KB, as a page and as a picture."""
    bomb = gzip.compress(bytes(200_000_000), compresslevel=6)
    victim = await field_of.victim()
    packed = web.Response
    field_of.site.answers[victim.folder] = lambda request: packed(body=bomb, content_type="text/html", headers={"Content-Encoding": "gzip"})
    picture = await field_of.victim(kind="image_url", value=f"{field_of.site.origin}/bomb.jpg")
    field_of.site.answers["/bomb.jpg"] = lambda request: packed(body=bomb, content_type="image/jpeg", headers={"Content-Encoding": "gzip"})
    before = peak_kb()
    await field_of.house.crawl()
    assert peak_kb() - before < 100_000
    assert await field_of.rules(picture.grant_id) == {"image_too_large"}


def peak_kb() -> int:
    """The most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
