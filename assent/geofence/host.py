"""What a URL says of where it is published: a province's domain, a country's domain, words for places; no name is resolved."""

from __future__ import annotations

import functools
import ipaddress
import re
from urllib.parse import unquote, urlsplit

from publicsuffixlist import PublicSuffixList

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated
from assent.ids import Jurisdiction

_PROVINCES = "ab bc mb nb nf nl ns nt nu on pe qc sk yk".split()
_OLD_CODES = {"nf": "NL", "yk": "YT"}
PROVINCE_DOMAINS: dict[str, Jurisdiction] = {
    **{f"{code}.ca": Jurisdiction(f"CA-{_OLD_CODES.get(code, code.upper())}") for code in _PROVINCES},
    "alberta.ca": Jurisdiction("CA-AB"),
    "ontario.ca": Jurisdiction("CA-ON"),
    "novascotia.ca": Jurisdiction("CA-NS"),
    "saskatchewan.ca": Jurisdiction("CA-SK"),
    "quebec": Jurisdiction("CA-QC"),
    "gc.ca": Jurisdiction("CA"),
    "gov.au": Jurisdiction("AU"),
    "gov.uk": Jurisdiction("GB"),
}
_NO_COUNTRY = frozenset({"ac", "ai", "cc", "co", "fm", "gg", "io", "la", "me", "nu", "sh", "so", "st", "tk", "to", "tv", "vc", "ws"})
"""Country domains sold as words: they say nothing of a country."""
_COUNTRY_OF = {"uk": "GB", "eu": "EU"}
_WORDS: dict[str, str] = {
    "alberta": "CA-AB", "calgary": "CA-AB", "edmonton": "CA-AB",
    "bc": "CA-BC", "britishcolumbia": "CA-BC", "vancouver": "CA-BC US-WA", "victoria": "CA-BC AU-VIC",
    "ontario": "CA-ON US-CA", "toronto": "CA-ON", "ottawa": "CA-ON", "london": "GB CA-ON",
    "qc": "CA-QC", "quebec": "CA-QC", "montreal": "CA-QC", "gatineau": "CA-QC", "laval": "CA-QC FR",
    "illinois": "US-IL", "chicago": "US-IL", "texas": "US-TX", "houston": "US-TX", "dallas": "US-TX",
    "sydney": "AU-NSW CA-NS", "melbourne": "AU-VIC US-FL", "brisbane": "AU-QLD", "australia": "AU", "canada": "CA",
    "paris": "FR", "berlin": "DE", "madrid": "ES", "rome": "IT", "dublin": "IE", "amsterdam": "NL", "brussels": "BE",
}  # fmt: skip
_TOKEN = re.compile(r"[a-z]+")


def host_evidence(url: str) -> tuple[Evidence, ...]:
    """Evidence of one normalised URL: nothing for an address, a generic domain and a domain sold as a word."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    found = [*_domain(host), *_words(f"{host}/{unquote(parts.path)}")]
    return tuple(found)


def _domain(host: str) -> list[Evidence]:
    if not host or _is_address(host):
        return []
    labels = host.split(".")
    endings = {".".join(labels[place:]) for place in range(len(labels))}
    provinces = {PROVINCE_DOMAINS[ending] for ending in endings if ending in PROVINCE_DOMAINS}
    if host.endswith(".us"):
        provinces |= _state_domain(host)
    if provinces:
        return [stated(EvidenceKind.PROVINCE_DOMAIN, frozenset(provinces))]
    country = labels[-1]
    if len(country) != 2 or not country.isalpha() or country in _NO_COUNTRY or not _is_public(country):
        return []
    code = Jurisdiction(_COUNTRY_OF.get(country, country.upper()))
    return [stated(EvidenceKind.COUNTRY_DOMAIN, frozenset({code}))]


def _state_domain(host: str) -> set[Jurisdiction]:
    """Under .us a state's own suffix, such as il.us, is a public suffix."""
    suffix = _suffixes().publicsuffix(host) or ""
    state = suffix.split(".")[-2] if suffix.count(".") >= 1 else ""
    return {Jurisdiction(f"US-{state.upper()}")} if len(state) == 2 and state.isalpha() else set()


def _words(text: str) -> list[Evidence]:
    named = {Jurisdiction(code) for token in _TOKEN.findall(text.lower()) for code in _WORDS.get(token, "").split()}
    return [stated(EvidenceKind.URL_WORDS, frozenset(named))] if named else []


def _is_public(suffix: str) -> bool:
    return _suffixes().publicsuffix(suffix) is not None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@functools.cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)
