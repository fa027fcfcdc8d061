"""What a page says: links, the images it shows, and raw evidence of place; scripts are not run and forms not sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from assent.consent.asset import safe_url
from assent.events.evidence import EvidenceKind, PageEvidence
from assent.geofence.page_place import country_of_language
from assent.geofence.schema_org import PLACE, UNREADABLE, place_statements
from assent.geofence.toponyms import words_for_places
from assent.optouts.json_ld import is_json_ld
from assent.optouts.page import parsable_page

MAX_LINKS = 500
MAX_IMAGES = 200
MAX_EVIDENCE = 48
MAX_CAPTION_CHARS = 256 * 1024
"""For all texts of one page that stand for a caption."""
MAX_FIGURE_CAPTIONS = 1_000
"""The text of each takes in those inside it, and they may lie inside each other."""
_MAX_VALUE_CHARS = 512
_CAPTIONS = 'figcaption, meta[name="description"], meta[property="og:description"], meta[property="og:title"], img[alt], img[title]'
_CAPTION_ATTRIBUTES = ("content", "alt", "title")
_LATITUDE, _LONGITUDE = "place:location:latitude", "place:location:longitude"
_META_KINDS = {
    "geo.region": EvidenceKind.GEO_META,
    "geo.position": EvidenceKind.GEO_META,
    "icbm": EvidenceKind.GEO_META,
    "geo.country": EvidenceKind.GEO_META,
    "og:locale": EvidenceKind.LANGUAGE,
}


@dataclass(frozen=True, slots=True)
class Page:
    """Normalised absolute URLs in the order of the page, without repetition."""

    links: tuple[str, ...]
    images: tuple[str, ...]
    evidence: tuple[PageEvidence, ...]


def read_page(body: bytes, *, url: str) -> Page:
    """The parts of an HTML page that a crawl uses. Broken HTML gives what can be read of it, and what no parser should see nothing."""
    text = parsable_page(body)
    if text is None:
        return Page((), (), ())
    tree = LexborHTMLParser(text)
    base_node = tree.css_first("base[href]")
    base = _base(url, base_node)
    links = _urls([node.attributes.get("href") for node in tree.css("a[href]")], base, MAX_LINKS)
    images = _urls(_image_sources(tree), base, MAX_IMAGES)
    return Page(links=links, images=images, evidence=_evidence(tree))


def _base(url: str, node: LexborNode | None) -> str | None:
    """What relative addresses are seen from; None where the page names a base that is no address."""
    try:
        return url if node is None else urljoin(url, node.attributes.get("href") or "")
    except ValueError:
        return None


def _image_sources(tree: LexborHTMLParser) -> list[str | None]:
    sources: list[str | None] = [node.attributes.get("src") for node in tree.css("img[src]")]
    for node in tree.css("img[srcset], picture source[srcset]"):
        candidates = (node.attributes.get("srcset") or "").split(",")
        sources.extend(candidate.strip().split(" ")[0] for candidate in candidates if candidate.strip())
    return sources


def _urls(values: list[str | None], base: str | None, most: int) -> tuple[str, ...]:
    found: dict[str, None] = {}
    # Spellings without end, most of them of the same address, cost no more than these.
    for value in list(dict.fromkeys(values))[: most * 10] if base is not None else ():
        if len(found) >= most:
            break
        url = safe_url(value.strip(), base=base) if value else None
        if url is not None:
            found[url] = None
    return tuple(found)


def _evidence(tree: LexborHTMLParser) -> tuple[PageEvidence, ...]:
    """What is said of places."""
    found: list[PageEvidence] = []
    root = tree.css_first("html")
    if root is not None:
        _add(found, EvidenceKind.LANGUAGE, root.attributes.get("lang"))
    told = _meta(tree)
    for name, kind in _META_KINDS.items():
        for content in told.get(name, ()):
            _add(found, kind, content if kind is EvidenceKind.LANGUAGE else f"{name}={content}")
    for content in told.get("geo.placename", ()):
        _add(found, EvidenceKind.GEO_META, f"geo.placename={content}|{next(iter(told.get('geo.region', ())), '')}")
    if told.get(_LATITUDE) or told.get(_LONGITUDE):
        _add(found, EvidenceKind.SCHEMA_PLACE, _position(told))
    for node in tree.css("script[type]"):
        for statement in place_statements(node.text()) if is_json_ld(node.attributes.get("type")) else ():
            _add(found, EvidenceKind.SCHEMA_PLACE, statement)
    found.extend(in_lines(EvidenceKind.LANGUAGE, _other_languages(tree)))
    found.extend(_captions(tree))
    return bounded(found)


def bounded(found: Iterable[PageEvidence]) -> tuple[PageEvidence, ...]:
    """Each statement once. More than is kept may name any place, so the last one is then one that cannot be read."""
    distinct = tuple(dict.fromkeys(found))
    unread = PageEvidence(kind=EvidenceKind.SCHEMA_PLACE, value=UNREADABLE)
    return distinct if len(distinct) <= MAX_EVIDENCE else (*distinct[: MAX_EVIDENCE - 1], unread)


def _meta(tree: LexborHTMLParser) -> dict[str, list[str]]:
    """The contents of the meta elements by name, in the order of the page; a template left blank has none."""
    told: dict[str, list[str]] = {}
    for node in tree.css("meta[name], meta[property]"):
        content = (node.attributes.get("content") or "").strip()
        if content:
            told.setdefault(_meta_name(node), []).append(content)
    return told


def _position(told: dict[str, list[str]]) -> str:
    """The place of Open Graph as a statement; a half of it, or two of them, is no position."""
    latitudes, longitudes = told.get(_LATITUDE, []), told.get(_LONGITUDE, [])
    if len(latitudes) != 1 or len(longitudes) != 1:
        return UNREADABLE
    return f"{PLACE}@{latitudes[0]},{longitudes[0]}"


def _other_languages(tree: LexborHTMLParser) -> Iterator[str]:
    """The countries for which the page has versions, each once; a site for the whole world has more links than countries."""
    tags = (node.attributes.get("hreflang") or "" for node in tree.css("link[hreflang]"))
    countries = {country for country in map(country_of_language, tags) if country is not None}
    yield from (f"und-{country}" for country in sorted(countries))


def _captions(tree: LexborHTMLParser) -> Iterator[PageEvidence]:
    """The words for places in captions, and nothing else of them: they name people."""
    words: dict[str, None] = {}
    chars = 0
    captions = tree.css(_CAPTIONS)
    if sum(node.tag == "figcaption" for node in captions) > MAX_FIGURE_CAPTIONS:
        yield PageEvidence(kind=EvidenceKind.SCHEMA_PLACE, value=UNREADABLE)
        return
    for node in captions:
        for text in (node.text(), *(node.attributes.get(name) or "" for name in _CAPTION_ATTRIBUTES)):
            chars += len(text)
            if chars > MAX_CAPTION_CHARS:
                yield PageEvidence(kind=EvidenceKind.SCHEMA_PLACE, value=UNREADABLE)
                return
            words.update(dict.fromkeys(words_for_places(text)))
    yield from in_lines(EvidenceKind.CAPTION, words)


def in_lines(kind: EvidenceKind, words: Iterable[str]) -> Iterator[PageEvidence]:
    """As few statements as hold all the words."""
    line = ""
    for word in words:
        if len(line) + len(word) + 2 > _MAX_VALUE_CHARS:
            yield PageEvidence(kind=kind, value=line)
            line = ""
        line = f"{line}, {word}" if line else word
    if line:
        yield PageEvidence(kind=kind, value=line)


def _meta_name(node: LexborNode) -> str:
    return (node.attributes.get("name") or node.attributes.get("property") or "").strip().lower()


def _add(found: list[PageEvidence], kind: EvidenceKind, value: str | None) -> None:
    if value and value.strip():
        text = value.strip()[:_MAX_VALUE_CHARS]
        # JSON may name half of a letter, which is none.
        is_text = text.isascii() or text.encode(errors="ignore").decode() == text
        found.append(PageEvidence(kind=kind, value=text) if is_text else PageEvidence(kind=EvidenceKind.SCHEMA_PLACE, value=UNREADABLE))
