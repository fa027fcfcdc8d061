"""Really Simple Licensing, noticed by its presence: terms that were offered and not accepted refuse, whatever they permit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from assent.optouts.licence import licence_link
from assent.optouts.signal import OptOutSignal, SignalKind, SignalSource, SignalVerdict

RSL_MEDIA_TYPE = "application/rsl+xml"
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s;,"]*)"""
_LINK = re.compile(rf'<([^<>]*)>((?:\s*;\s*[^\s;,="]+(?:\s*=\s*{_VALUE})?)*)')
_PARAMETER = re.compile(rf';\s*([^\s;,="]+)\s*=\s*({_VALUE})')
_EXTENDED = re.compile(r"[\w-]+'[\w-]*'(.*)", re.S)


def rsl_present(where: str, *, source: SignalSource) -> OptOutSignal:
    """The signal of terms that are there, with the word for where they stood; who holds a licence under them names it in the grant."""
    return OptOutSignal(SignalKind.RSL, SignalVerdict.DENY, source, where)


def rsl_line(value: str) -> OptOutSignal:
    """The signal of a `License:` line in robots.txt, which holds for the whole site and every agent."""
    if value:
        return rsl_present("license", source=SignalSource.ROBOTS_TXT)
    return OptOutSignal(SignalKind.RSL, SignalVerdict.UNKNOWN, SignalSource.ROBOTS_TXT, "empty_license")


def rsl_media_type(content_type: str) -> tuple[OptOutSignal, ...]:
    """The signal of an answer that is itself a document of terms."""
    is_rsl = content_type.partition(";")[0].strip().lower() == RSL_MEDIA_TYPE
    return (rsl_present("content_type", source=SignalSource.HEADER),) if is_rsl else ()


def link_header(value: str) -> tuple[OptOutSignal, ...]:
    """The licence links of one Link header (RFC 8288), and an unknown for one that speaks of a licence and cannot be read."""
    found = tuple(_licence_links(value))
    rest = _LINK.sub("", value)
    # Beside a link that was read, only what would be one: a word alone may be part of anything.
    if re.search(r"\blicen[cs]e\b", rest, re.I) and (not found or re.search(r"[<>\"']|\brel\b", rest, re.I)):
        return (*found, OptOutSignal(SignalKind.RSL, SignalVerdict.UNKNOWN, SignalSource.HEADER, "malformed_link"))
    return found


def _licence_links(value: str) -> Iterator[OptOutSignal]:
    for target, parameters in _LINK.findall(value):
        given: dict[str, str] = {}
        for name, text in _PARAMETER.findall(parameters):
            given.setdefault(name.lower(), _parameter_value(text))
        if names_licence(f"{given.get('rel', '')} {given.get('rel*', '')}"):
            yield link_signal(target, given.get("type"), source=SignalSource.HEADER)


def _parameter_value(text: str) -> str:
    """Without its quotes, of whichever kind; `rel*=UTF-8''license` is written for values beyond ASCII (RFC 8187)."""
    extended = _EXTENDED.fullmatch(text)
    return unquote(extended.group(1)) if extended is not None else text.strip("\"'")


def names_licence(rel: str) -> bool:
    """Whether one of the relations is that of a licence, under whatever prefix (`cc:license`) and spelling."""
    return any(re.split(r"[/#:]", one)[-1] in ("license", "licence") for one in re.split(r"[\s,]+", rel.lower()))


def link_signal(target: str | None, media_type: str | None, *, source: SignalSource) -> OptOutSignal:
    """The signal of one `rel=license` link: terms of RSL, else a licence by its address."""
    if (media_type or "").strip().lower() == RSL_MEDIA_TYPE:
        return rsl_present("link_license", source=source)
    return licence_link(target or "", "link_license", source=source)
