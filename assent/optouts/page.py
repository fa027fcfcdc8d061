"""Opt-outs in the HTML of a page, which hold for every image it shows; scripts are not run and links not followed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser

from assent.optouts.agent import product_token
from assent.optouts.json_ld import is_json_ld, media_type
from assent.optouts.licence import json_ld_licence
from assent.optouts.robots_tag import robots_tag
from assent.optouts.rsl import RSL_MEDIA_TYPE, link_signal, names_licence, rsl_present
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict
from assent.optouts.tdmrep import RESERVATION, tdm_reservation

# The HTML parser's time grows with the square of the nesting: 20,000 open elements take 0.3 s, 100,000 take 20 s. End tags can
# be hidden in comments and attributes, so it is the start tags that are counted.
MAX_START_TAGS = 25_000
MAX_PAGE_BYTES = 8 * 1024 * 1024
MAX_META_CHARS = 64 * 1024
"""For all statements in the meta elements of one page. What lies beyond is not read, and may be a no."""
_START_TAG = re.compile(rb"<[A-Za-z]")


@dataclass(frozen=True, slots=True)
class PageSignals:
    """What one page says, in the order: meta elements, licence links, JSON-LD."""

    signals: tuple[OptOutSignal, ...] = ()


def page_optouts(html: bytes, *, agent: str, now: datetime | None = None) -> PageSignals:
    """The signals of a page for `agent`. A page too large, too deep or in another encoding than ASCII's kin is unknown."""
    text = parsable_page(html)
    if text is None:
        return PageSignals((OptOutSignal(SignalKind.HTML, SignalVerdict.UNKNOWN, SignalSource.PAGE, "unreadable"),))
    tree = LexborHTMLParser(text)
    return PageSignals((*_metas(tree, agent, now), *_links(tree), *_blocks(tree)))


def parsable_page(html: bytes) -> bytes | None:
    """What may be given to the HTML parser, in ASCII's kin; None where it is too large, too deep or in another encoding."""
    if len(html) > MAX_PAGE_BYTES:
        return None
    if html.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        html = html.decode("utf-16", errors="replace").encode()
    if b"\0" in html or len(_START_TAG.findall(html)) > MAX_START_TAGS:
        return None
    return html


def _metas(tree: LexborHTMLParser, agent: str, now: datetime | None) -> Iterator[OptOutSignal]:
    ours, chars = frozenset({"robots", product_token(agent)}), 0
    for node in tree.css("meta[content]"):
        content = node.attributes.get("content") or ""
        names = {name for key in ("name", "property", "http-equiv") for name in _names(node.attributes.get(key))}
        chars += len(content) if names & (ours | {"x-robots-tag", RESERVATION}) else 0
        if chars > MAX_META_CHARS:
            yield OptOutSignal(SignalKind.HTML, SignalVerdict.UNKNOWN, SignalSource.PAGE, "too_much_meta")
            return
        if names & ours or "x-robots-tag" in names:
            yield from robots_tag(content, agent=agent, now=now, source=SignalSource.PAGE)
        if RESERVATION in names:
            yield from tdm_reservation(content, source=SignalSource.PAGE)


def _names(value: str | None) -> set[str]:
    """The names of one meta element: several may stand in a list, each with a version."""
    return {product_token(name) for name in re.split(r"[\s,;]+", value or "")}


def _links(tree: LexborHTMLParser) -> Iterator[OptOutSignal]:
    for node in tree.css("link[rel], a[rel], area[rel]"):
        if names_licence(node.attributes.get("rel") or ""):
            yield link_signal(node.attributes.get("href"), node.attributes.get("type"), source=SignalSource.PAGE)


def _blocks(tree: LexborHTMLParser) -> Iterator[OptOutSignal]:
    for node in tree.css("script[type]"):
        written = node.attributes.get("type")
        if media_type(written) == RSL_MEDIA_TYPE:
            yield rsl_present("script", source=SignalSource.PAGE)
        elif is_json_ld(written):
            yield from json_ld_licence(node.text())
