"""One spelling per URL, so that a source rule cannot be fooled by another; never resolves or fetches anything."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes, urlsplit

from assent.consent.ascii_host import AsciiHostError, ascii_host

MAX_URL_CHARS = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PATH_SAFE = "/:@!$&'()*+,;=~-._"
# Half a surrogate pair is a byte of a header that was no UTF-8.
_CONTROL = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")
_CONTROL_BYTE = re.compile(rb"[\x00-\x1f]")
# A sign of UTF-8 written in more bytes than it needs, behind which some servers see a dot or a slash.
_OVERLONG = re.compile(rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}")
# What most URLs are already: a lower-case host that ends in letters, with no label in punycode, no port, no query, no percent-encoding, no
# empty segment and none that begins with a dot. Such a URL is its own only spelling.
_PLAIN = re.compile(r"https?://(?:(?!xn--)[a-z0-9_][a-z0-9_-]{0,62}\.)+[a-z]{2,63}(?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)+/?")


class SourceUrlError(ValueError):
    """Raised when a URL has no single safe spelling. The message says what is wrong with it."""


def normalise_url(url: str) -> str:
    """The one spelling of an http(s) URL: lower-case ASCII host, no default port, no dot segments, no fragment.

    Percent-encodings are decoded and encoded once. Refused with SourceUrlError: user info, a control character, a wildcard for a host, and
    in the path an encoded slash or backslash, a sign in more bytes than it needs, and what somebody might take for a dot segment. The
    query is kept as it is.
    """
    if len(url) > MAX_URL_CHARS:
        raise SourceUrlError(f"the URL has {len(url)} characters, at most {MAX_URL_CHARS} are allowed")
    return url if _PLAIN.fullmatch(url) else _normalised(url)


def _normalised(url: str) -> str:
    if _CONTROL.search(url):
        raise SourceUrlError("the URL holds a space, a backslash, a control character or what is no text")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SourceUrlError(f"the URL cannot be read: {error}") from error
    if parts.scheme.lower() not in _DEFAULT_PORTS:
        raise SourceUrlError("only http and https URLs name a source")
    if parts.username is not None:
        raise SourceUrlError("the URL holds user information before its host; leave it out")
    host = _host(parts.hostname or "")
    scheme = parts.scheme.lower()
    shown_port = "" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{scheme}://{host}{shown_port}{_path(parts.path)}{query}"


def normalise_prefix(prefix: str) -> str:
    """The one spelling of a URL prefix: host and at least one path segment, ending in `/`, no query.

    Raises SourceUrlError for a bare domain, a wildcard or a query, because those are not real targets.
    """
    if has_wildcard(prefix) or "?" in prefix or "#" in prefix:
        raise SourceUrlError("a prefix holds no wildcard, query or fragment; name the folder, for example https://host/photos/ada/")
    url = normalise_url(prefix)
    path = urlsplit(url).path
    if path == "/":
        raise SourceUrlError("a prefix names a folder on the host; a whole site is not a target")
    return url if url.endswith("/") else f"{url}/"


def normalise_image(url: str) -> str:
    """The one spelling of the URL of one image. Raises SourceUrlError for a wildcard and for a bare host, which names no image."""
    if has_wildcard(url):
        raise SourceUrlError("the URL of an image holds no wildcard; name the image itself")
    spelled = normalise_url(url)
    parts = urlsplit(spelled)
    if parts.path == "/" and not parts.query:
        raise SourceUrlError("a whole site is not an image; name the image on it")
    return spelled


def has_wildcard(url: str) -> bool:
    """It holds a star, as it is or encoded, wherever. A server may have such a name; no target of a grant has."""
    return "*" in url or "%2a" in url.lower()


def without_scheme(url: str) -> str:
    """A normalised URL without its scheme, because http and https name the same place."""
    return url.split("://", 1)[1]


def folders(url: str) -> Iterator[str]:
    """Every folder below the host, longest first, without scheme: `h/a/b/`, `h/a/` for `https://h/a/b/c.jpg`."""
    where = without_scheme(url).partition("?")[0]
    host_ends, end = where.find("/"), where.rfind("/")
    while end > host_ends:
        yield where[: end + 1]
        end = where.rfind("/", 0, end)


def is_folder_of(folder: str, where: str) -> bool:
    """Whether the one is among the `folders` of the other; both without scheme."""
    # Below the host: `h/` is a whole site, and no folder.
    if not where.startswith(folder) or not folder.endswith("/") or folder.find("/") == len(folder) - 1:
        return False
    query = where.find("?")
    return query == -1 or len(folder) <= query


# The images of one site have one host.
@lru_cache(maxsize=4096)
def _host(name: str) -> str:
    host = name.rstrip(".")
    if not host or "*" in host or "%" in host:
        raise SourceUrlError("the URL names no single host")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return f"[{address.compressed}]" if address.version == 6 else address.compressed
    try:
        written = ascii_host(host)
    except AsciiHostError as error:
        raise SourceUrlError(f"the host name cannot be written in ASCII: {error}") from error
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", written):
        raise SourceUrlError("the host name is not a domain name")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", written.rpartition(".")[2]):
        raise SourceUrlError("the host is a number that is not a plain address")
    return written


def _path(path: str) -> str:
    lowered = path.lower()
    if "%2f" in lowered or "%5c" in lowered or "%00" in lowered:
        raise SourceUrlError("the path holds an encoded slash, backslash or zero")
    decoded = unquote_to_bytes(path or "/")
    if b"%" in decoded or _CONTROL_BYTE.search(decoded):
        raise SourceUrlError("the path is encoded twice or holds a control character")
    if _OVERLONG.search(decoded):
        raise SourceUrlError("the path holds a sign in more bytes than it needs, which some servers read as another")
    if any(_is_nearly_a_dot_segment(segment) for segment in decoded.split(b"/")):
        raise SourceUrlError("the path holds a dot segment with blanks, which some servers follow upwards")
    if any(segment.startswith((b".;", b"..;")) for segment in decoded.split(b"/")):
        raise SourceUrlError("the path holds a dot segment with a parameter, which some servers follow upwards")
    if any(segment in (b".", b"..") for segment in decoded.split(b"/")) or b"//" in decoded:
        ended = decoded.endswith((b"/", b"/.", b"/.."))
        cleaned = posixpath.normpath(re.sub(rb"/+", b"/", decoded))
        decoded = cleaned + (b"/" if ended and cleaned != b"/" else b"")
    return quote(decoded, safe=_PATH_SAFE)


def _is_nearly_a_dot_segment(segment: bytes) -> bool:
    """A dot segment once blanks and signs that nobody sees are taken off, and none as it stands."""
    if segment in (b".", b".."):
        return False
    seen = "".join(sign for sign in segment.decode(errors="replace") if sign.isprintable() and not sign.isspace())
    return seen in (".", "..")
