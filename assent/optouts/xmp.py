"""The properties of XMP packets that speak of use, read as a stream; no entity, no tree, no unbounded depth."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import XMLParser

MAX_XMP_BYTES = 8 * 1024 * 1024
MAX_ELEMENTS = 50_000
MAX_DEPTH = 64
MAX_NAME_CHARS = 512
"""With its namespace, which the parser writes out for every element that has it."""
MAX_VALUE_CHARS = 512
WANTED = frozenset({"DataMining", "ModelReleaseStatus", "MinorModelAgeDisclosure", "reservation", "WebStatement", "LicensorURL", "license"})
RSL_NAMESPACE = "rslstandard.org"


class XmpUnreadableError(ValueError):
    """Raised when a packet is no XML, declares entities or goes beyond a limit."""


@dataclass(frozen=True, slots=True)
class XmpProperty:
    """A property by namespace and local name, whatever its prefix and form; `value` is stripped and may be empty."""

    namespace: str
    name: str
    value: str


def xmp_properties(packet: bytes) -> tuple[XmpProperty, ...]:
    """The wanted properties of one packet: attributes, texts and `rdf:resource` alike. Raises XmpUnreadableError."""
    if len(packet) > MAX_XMP_BYTES:
        raise XmpUnreadableError(f"the packet has {len(packet)} bytes, at most {MAX_XMP_BYTES} are read")
    reader = _Reader()
    parser = XMLParser(target=reader, forbid_dtd=True)
    try:
        # Writers pad a packet with zeros; in UTF-16 a zero is half of a letter.
        parser.feed(packet if packet.startswith((b"\xff\xfe", b"\xfe\xff")) else packet.strip(b"\0 \t\r\n"))
        parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise XmpUnreadableError("the packet is no XML without entities") from error
    return tuple(reader.found)


class _Reader:
    """Target of the XML parser: keeps what is wanted, forgets the rest at once."""

    def __init__(self) -> None:
        self.found: list[XmpProperty] = []
        self._elements = 0
        self._depth = 0
        self._open: tuple[str, str, int] | None = None
        self._values: list[str] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        self._end_of_text()
        if self._elements > MAX_ELEMENTS or self._depth > MAX_DEPTH:
            raise XmpUnreadableError("the packet has too many elements, or too many inside each other")
        if any(len(name) > MAX_NAME_CHARS for name in (tag, *attributes)):
            raise XmpUnreadableError("a name is longer than any that is known")
        for key, value in attributes.items():
            namespace, name = _split(key)
            if _is_wanted(namespace, name):
                self._keep(namespace, name, value)
            elif self._open is not None and name in ("resource", "value"):
                self._values.append(value)
        namespace, name = _split(tag)
        if self._open is None and _is_wanted(namespace, name):
            self._open = namespace, name, self._depth
            # Attributes of the element itself: rdf:resource holds the value.
            self._values = [value for key, value in attributes.items() if _split(key)[1] in ("resource", "value")]

    def data(self, text: str) -> None:
        if self._open is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        self._end_of_text()
        if self._open is not None and self._open[2] == self._depth:
            namespace, name, _ = self._open
            # Each item of a bag is a statement of its own; a text without one is kept as the empty statement.
            values = [value for value in self._values if value.strip()] or [""]
            for value in values:
                self._keep(namespace, name, value)
            self._open = None
        self._depth -= 1

    def close(self) -> None:
        return None

    def _end_of_text(self) -> None:
        # The parser may hand over one text in several pieces, for example round a comment.
        if self._text:
            self._values.append("".join(self._text))
            self._text.clear()

    def _keep(self, namespace: str, name: str, value: str) -> None:
        self.found.append(XmpProperty(namespace, name, value.strip()[:MAX_VALUE_CHARS]))


def _split(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition("}")
    return namespace.removeprefix("{"), name


def _is_wanted(namespace: str, name: str) -> bool:
    return name in WANTED or RSL_NAMESPACE in namespace
