"""What the URLs of a picture and of its page say of where it is published: domains, words for places; no name is resolved."""

from __future__ import annotations

import functools
import ipaddress
from urllib.parse import unquote, urlsplit

from publicsuffixlist import PublicSuffixList

from assent.events.evidence import EvidenceKind
from assent.geofence.country_names import country_code
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.place_names import SUBDIVISIONS
from assent.geofence.toponyms import places_in_words
from assent.ids import Jurisdiction

MAX_HOST_CHARS = 253
MAX_PATH_CHARS = 2_048
_OWN_DOMAINS = (
    "alberta.ca CA-AB; ontario.ca CA-ON; quebec.ca CA-QC; quebec CA-QC; novascotia.ca CA-NS; gnb.ca CA-NB; saskatchewan.ca CA-SK; "
    "yukon.ca CA-YT; gc.ca CA; canada.ca CA; gov.au AU; melbourne AU-VIC; sydney AU-NSW; nyc US-NY; miami US-FL; boston US-MA; "
    "vegas US-NV; gov.uk GB; london GB; wales GB; cymru GB; scot GB; paris FR; alsace FR; bzh FR; corsica FR; berlin DE; hamburg DE; "
    "koeln DE; cologne DE; bayern DE; nrw DE; ruhr DE; saarland DE; wien AT; tirol AT; amsterdam NL; frl NL; brussels BE; gent BE; "
    "vlaanderen BE; barcelona ES; madrid ES; cat ES; gal ES; eus ES"
)
# Country domains sold as words, and what is left of countries that are no more: they say nothing of a country.
_NO_COUNTRY = frozenset("ac ad ai as bz cc cd co cx dj fm gg gl io la ly me ms mu nu pw sc sh so sr st su tk to tv vc vg ws".split())
_COUNTRY_OF = {"gov": "US", "mil": "US", "xn--e1a4c": "EU", "xn--qxa6a": "EU", "xn--qxam": "GR", "xn--90ae": "BG", "xn--p1ai": "RU"}
_AUSTRALIA = ("act", "nsw", "nt", "qld", "sa", "tas", "vic", "wa")


def publication_evidence(final_url: str | None, *, page_url: str | None) -> tuple[Evidence, ...]:
    """Evidence of where a picture lies and of the page that shows it, as on a content network both differ. What both say counts once."""
    told = (item for url in (final_url, page_url) if url is not None for item in host_evidence(url))
    return tuple(dict.fromkeys(told))


def host_evidence(url: str) -> tuple[Evidence, ...]:
    """Evidence of one URL: nothing for an address, a generic domain and a domain sold as a word."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        path = unquote(parts.path[:MAX_PATH_CHARS])
    except ValueError:
        return (unreadable(EvidenceKind.COUNTRY_DOMAIN),)
    if len(host) > MAX_HOST_CHARS:
        return (unreadable(EvidenceKind.COUNTRY_DOMAIN),)
    if _is_address(host):
        return tuple(_words(path))
    return (*_domain(host), *_words(f"{_readable(_own_labels(host))} {path}"))


def _domain(host: str) -> list[Evidence]:
    provinces = _places_of_ending(host) | _state_domain(host)
    if provinces:
        # The province's own domain says more than the country's, of which it is a part.
        return [stated(EvidenceKind.PROVINCE_DOMAIN, frozenset(provinces))]
    top = host.rpartition(".")[2]
    code = country_code(_COUNTRY_OF.get(top, top)) if len(top) == 2 or top in _COUNTRY_OF else None
    if code is None or top in _NO_COUNTRY:
        return []
    return [stated(EvidenceKind.COUNTRY_DOMAIN, frozenset({code}))]


def _places_of_ending(host: str) -> set[Jurisdiction]:
    """The place of the longest ending that belongs to one: nsw.gov.au before gov.au."""
    labels = host.split(".")
    for start in range(len(labels)):
        place = PROVINCE_DOMAINS.get(".".join(labels[start:]))
        if place is not None:
            return {place}
    return set()


def _state_domain(host: str) -> set[Jurisdiction]:
    """Under .us a state's own suffix, such as il.us and k12.il.us, is a public suffix."""
    suffix = (_suffixes().publicsuffix(host) or "").split(".")
    place = SUBDIVISIONS["US"].get(suffix[-2]) if len(suffix) > 1 and suffix[-1] == "us" else None
    return {place} if place is not None else set()


def _words(text: str) -> list[Evidence]:
    named = places_in_words(text)
    return [stated(EvidenceKind.URL_WORDS, named)] if named else []


def _own_labels(host: str) -> str:
    """The part of a host that its owner chose: without the public suffix."""
    suffix = _suffixes().publicsuffix(host) or host.rpartition(".")[2]
    return host.removesuffix(suffix)


def _readable(labels: str) -> str:
    """Labels in letters where they are written in punycode, as they stand where that fails. Words are read of them, and no host."""
    return ".".join(_letters(label) for label in labels.split("."))


def _letters(label: str) -> str:
    try:
        return label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _province_domains() -> dict[str, Jurisdiction]:
    found = {entry.split()[0]: Jurisdiction(entry.split()[1]) for entry in _OWN_DOMAINS.split("; ")}
    found |= {f"{code}.ca": SUBDIVISIONS["CA"][code] for code in "ab bc mb nb nf nl ns nt nu on pe qc sk yk".split()}
    for code in _AUSTRALIA:
        found |= {f"{code}{ending}": SUBDIVISIONS["AU"][code] for ending in (".au", ".gov.au", ".edu.au")}
    # States hold both their postal code and their name under .gov.
    found |= {f"{name.replace(' ', '')}.gov": place for name, place in SUBDIVISIONS["US"].items()}
    return found


PROVINCE_DOMAINS = _province_domains()


@functools.cache
def _suffixes() -> PublicSuffixList:
    """The list that the library carries; private suffixes are no borders of countries."""
    return PublicSuffixList(accept_unknown=False, only_icann=True)
