"""What a page says: links, the images it shows, and raw evidence of place; scripts are not run and forms not sent."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from assent.consent.asset import safe_url
from assent.events.evidence import EvidenceKind, PageEvidence
from assent.geofence.schema_org import place_statements

MAX_LINKS = 500
MAX_IMAGES = 200
MAX_EVIDENCE = 48
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
    """The parts of an HTML page that a crawl uses. Broken HTML gives what can be read of it."""
    tree = LexborHTMLParser(body)
    base_node = tree.css_first("base[href]")
    base = urljoin(url, base_node.attributes.get("href") or "") if base_node is not None else url
    links = _urls([node.attributes.get("href") for node in tree.css("a[href]")], base, MAX_LINKS)
    images = _urls(_image_sources(tree), base, MAX_IMAGES)
    return Page(links=links, images=images, evidence=tuple(_evidence(tree))[:MAX_EVIDENCE])


def _image_sources(tree: LexborHTMLParser) -> list[str | None]:
    sources: list[str | None] = [node.attributes.get("src") for node in tree.css("img[src]")]
    for node in tree.css("img[srcset], picture source[srcset]"):
        candidates = (node.attributes.get("srcset") or "").split(",")
        sources.extend(candidate.strip().split(" ")[0] for candidate in candidates if candidate.strip())
    return sources


def _urls(values: list[str | None], base: str, most: int) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in values:
        if not value or len(found) >= most:
            continue
        try:
            absolute = urljoin(base, value.strip())
        except ValueError:
            continue
        url = safe_url(absolute)
        if url is not None:
            found[url] = None
    return tuple(found)


def _evidence(tree: LexborHTMLParser) -> list[PageEvidence]:
    found: list[PageEvidence] = []
    root = tree.css_first("html")
    if root is not None:
        _add(found, EvidenceKind.LANGUAGE, root.attributes.get("lang"))
    for node in tree.css("meta[name], meta[property]"):
        name = _meta_name(node)
        if name in _META_KINDS:
            content = node.attributes.get("content")
            is_language = _META_KINDS[name] is EvidenceKind.LANGUAGE
            _add(found, _META_KINDS[name], content if is_language or content is None else f"{name}={content}")
    for node in tree.css('script[type="application/ld+json"]'):
        for statement in place_statements(node.text()):
            _add(found, EvidenceKind.SCHEMA_PLACE, statement)
    return found


def _meta_name(node: LexborNode) -> str:
    return (node.attributes.get("name") or node.attributes.get("property") or "").strip().lower()


def _add(found: list[PageEvidence], kind: EvidenceKind, value: str | None) -> None:
    if value and value.strip():
        found.append(PageEvidence(kind=kind, value=value.strip()[:512]))
