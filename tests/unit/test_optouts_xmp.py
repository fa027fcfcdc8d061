"""XMP: PLUS and IPTC fields, TDM reservation and licences, in every form that editors write; hostile XML is unknown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.optouts.combination import combine
from assent.optouts.image import xmp_optouts
from assent.optouts.signal import SignalKind, SignalScope
from assent.optouts.xmp import MAX_DEPTH, MAX_ELEMENTS, MAX_VALUE_CHARS, MAX_XMP_BYTES, XmpProperty, xmp_properties

PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
VOCABULARY = "http://ns.useplus.org/ldf/vocab/"
NAMESPACES = (
    f'xmlns:plus="{PLUS}" xmlns:q="{PLUS}" xmlns:tdm="http://www.w3.org/ns/tdmrep/" xmlns:cc="http://creativecommons.org/ns#" '
    'xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:rsl="https://rslstandard.org/rsl" xmlns:dc="http://purl.org/dc/'
    'elements/1.1/"'
)
FORMS = {
    "attribute": ' plus:{name}="{value}"/>',
    "other prefix": ' q:{name}="{value}"/>',
    "element": "><plus:{name}>{value}</plus:{name}></rdf:Description>",
    "resource": '><plus:{name} rdf:resource="{value}"/></rdf:Description>',
    "bag": "><plus:{name}><rdf:Bag><rdf:li>\n {value} </rdf:li></rdf:Bag></plus:{name}></rdf:Description>",
    "bag of resources": '><plus:{name}><rdf:Bag><rdf:li rdf:resource="{value}"/></rdf:Bag></plus:{name}></rdf:Description>',
    "value node": '><plus:{name}><rdf:Description rdf:value="{value}"/></plus:{name}></rdf:Description>',
    "text with a comment": "><plus:{name}><!-- x -->{value}<!-- y --></plus:{name}></rdf:Description>",
}


def packet(description: str) -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {NAMESPACES}{description}</rdf:RDF></x:xmpmeta>\n  <?xpacket end="w"?>'
    ).encode()


def verdict(xmp: bytes) -> str:
    found = combine(xmp_optouts(xmp))
    return "deny" if found.denies else "unknown" if found.unknown else "none"


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("DataMining", "DMI-PROHIBITED", "deny"),
        ("DataMining", "DMI-PROHIBITED-AIMLTRAINING", "deny"),
        ("DataMining", "DMI-PROHIBITED-GENAIMLTRAINING", "deny"),
        ("DataMining", "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING", "deny"),
        ("DataMining", "DMI-PROHIBITED-SEECONSTRAINT", "deny"),
        ("DataMining", "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR", "deny"),
        ("DataMining", "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR", "deny"),
        ("DataMining", "DMI-SOMETHING-NEW", "deny"),
        ("DataMining", "DMI-ALLOWED-WITHLIMITS", "deny"),
        ("DataMining", "DMI-ALLOWED", "none"),
        ("DataMining", "DMI-UNSPECIFIED", "none"),
        ("ModelReleaseStatus", "MR-NON", "deny"),
        ("ModelReleaseStatus", "MR-UMR", "none"),
        ("ModelReleaseStatus", "MR-NAP", "none"),
        ("ModelReleaseStatus", "MR-LMR", "none"),
        ("ModelReleaseStatus", "MR-XXX", "unknown"),
        ("MinorModelAgeDisclosure", "AG-A17", "deny"),
        ("MinorModelAgeDisclosure", "AG-A15", "deny"),
        ("MinorModelAgeDisclosure", "AG-U14", "deny"),
        ("MinorModelAgeDisclosure", "AG-A18", "none"),
        ("MinorModelAgeDisclosure", "AG-A25", "none"),
        ("MinorModelAgeDisclosure", "AG-UNK", "unknown"),
    ],
)
def test_plus_in_every_form(form: str, name: str, code: str, expected: str) -> None:
    for value in (VOCABULARY + code, code, code.lower()):
        assert verdict(packet(form.format(name=name, value=value))) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Prohibited for AI/ML training", "deny"),
        ("Prohibited", "deny"),
        ("Allowed", "none"),
        ("Unspecified - no prohibition defined", "none"),
        ("Not allowed", "deny"),
        ("Unspecified", "none"),
        ("Allowed except AI", "deny"),
        ("Allowed, for a fee", "deny"),
        ("Unspecified - no prohibition defined, ask me", "deny"),
        ("No AI training / allowed", "deny"),
        (f"not {VOCABULARY}DMI-ALLOWED", "deny"),
        ("http://example.com/vocab/DMI-ALLOWED", "deny"),
        (" unspecified  -  No Prohibition Defined ", "none"),
        (VOCABULARY.replace("http:", "https:") + "DMI-ALLOWED", "none"),
        ("", "unknown"),
    ],
)
def test_the_label_in_place_of_the_code(value: str, expected: str) -> None:
    assert verdict(packet(FORMS["element"].format(name="DataMining", value=value))) == expected


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (' tdm:reservation="1"/>', "deny"),
        ("><tdm:reservation>1</tdm:reservation></rdf:Description>", "deny"),
        (' tdm:reservation="0"/>', "none"),
        (' tdm:reservation="maybe"/>', "unknown"),
        (' xmpRights:WebStatement="https://site.example/terms"/>', "deny"),
        (' xmpRights:WebStatement="https://creativecommons.org/licenses/by/4.0/"/>', "none"),
        (' xmpRights:WebStatement=""/>', "none"),
        (' xmpRights:WebStatement="ask me"/>', "deny"),
        ('><cc:license rdf:resource="https://creativecommons.org/licenses/by-nc/4.0/"/></rdf:Description>', "deny"),
        ('><cc:license rdf:resource="https://creativecommons.org/publicdomain/zero/1.0/"/></rdf:Description>', "none"),
        (
            '><plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorURL>https://site.example/buy</plus:LicensorURL>'
            "</rdf:li></rdf:Seq></plus:Licensor></rdf:Description>",
            "deny",
        ),
        ("><rsl:content/></rdf:Description>", "deny"),
        (' dc:title="license reservation DataMining"/>', "none"),
        ("/>", "none"),
    ],
)
def test_other_fields(description: str, expected: str) -> None:
    assert verdict(packet(description)) == expected


def test_the_strictest_of_several_statements_wins() -> None:
    both = f'plus:DataMining="{VOCABULARY}DMI-ALLOWED"><plus:DataMining>{VOCABULARY}DMI-PROHIBITED</plus:DataMining></rdf:Description>'
    assert verdict(packet(f" {both}")) == "deny"
    bag = "><plus:DataMining><rdf:Bag><rdf:li>DMI-ALLOWED</rdf:li><rdf:li>DMI-PROHIBITED</rdf:li></rdf:Bag></plus:DataMining>"
    assert verdict(packet(f"{bag}</rdf:Description>")) == "deny"


def test_a_minor_is_not_a_matter_of_content_rights() -> None:
    (signal,) = xmp_optouts(packet(FORMS["attribute"].format(name="MinorModelAgeDisclosure", value="AG-U14")))
    assert signal.kind is SignalKind.PLUS_MINOR_MODEL
    assert (combine([signal]).is_denied, signal.scope) == (True, SignalScope.PERSON)


def test_a_text_cut_by_a_comment_is_one_text() -> None:
    assert verdict(packet(FORMS["element"].format(name="DataMining", value="DMI-AL<!-- x -->LOWED"))) == "none"
    assert verdict(packet(FORMS["element"].format(name="DataMining", value="DMI-&#65;LLOWED"))) == "none"


def test_padding_and_utf_16_are_read() -> None:
    written = packet(FORMS["attribute"].format(name="DataMining", value="DMI-PROHIBITED"))
    assert verdict(b"\0\n " + written + b"\0" * 100) == "deny"
    assert verdict(written.decode().encode("utf-16")) == "deny"


@pytest.mark.parametrize(
    "xmp",
    [
        b"",
        b"not xml",
        b"-<a/>",
        packet("/>")[:-60],
        packet(' unbound:DataMining="DMI-ALLOWED"/>'),
        b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"<a>\xff</a>",
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
        b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>",
        b"<a>" + b" " * MAX_XMP_BYTES + b"</a>",
    ],
    ids=["empty", "text", "text before it", "cut", "unbound", "entities", "file", "dtd", "encoding", "latin-1", "deep", "many", "large"],
)
def test_hostile_or_broken_xml_is_unknown(xmp: bytes) -> None:
    assert verdict(xmp) == "unknown"


def test_hostile_xml_takes_little_time() -> None:
    started = time.monotonic()
    verdict(b"<a>" * 2_000_000)
    verdict(b"<a>" + b"x&lt;" * 1_000_000 + b"</a>")
    assert time.monotonic() - started < 10


@given(st.binary(max_size=100))
def test_no_packet_breaks_the_reader(xmp: bytes) -> None:
    xmp_optouts(xmp)


def test_a_property_is_told_by_its_namespace_and_its_name() -> None:
    description = f' plus:DataMining=" DMI-ALLOWED "><q:ModelReleaseStatus> \n MR-NON \n</q:ModelReleaseStatus><rsl:{"x" * 9}/>'
    assert xmp_properties(packet(f"{description}</rdf:Description>")) == (
        XmpProperty(PLUS, "DataMining", "DMI-ALLOWED"),
        XmpProperty(PLUS, "ModelReleaseStatus", "MR-NON"),
        XmpProperty("https://rslstandard.org/rsl", "x" * 9, ""),
    )


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("><plus:DataMining rdf:value='DMI-PROHIBITED'/></rdf:Description>", "deny"),
        ("><plus:DataMining rdf:about='DMI-PROHIBITED'/></rdf:Description>", "unknown"),
        (
            "><q:DataMining>\n <rdf:Alt>\n  <rdf:li xml:lang='en'>DMI-ALLOWED</rdf:li>\n </rdf:Alt>\n</q:DataMining></rdf:Description>",
            "none",
        ),
        # Each text is a statement of its own, as is what stands inside.
        ("><tdm:reservation>1<rdf:li>0</rdf:li></tdm:reservation></rdf:Description>", "deny"),
        ("><tdm:reservation><rdf:li>0</rdf:li>1</tdm:reservation></rdf:Description>", "deny"),
        ("><tdm:reservation>1<tdm:reservation>0</tdm:reservation></tdm:reservation></rdf:Description>", "deny"),
        ("><tdm:reservation><tdm:reservation>0</tdm:reservation>1</tdm:reservation></rdf:Description>", "deny"),
        ("><tdm:reservation>0</tdm:reservation>1<dc:title>1</dc:title></rdf:Description>", "none"),
        ("><dc:title>1</dc:title><tdm:reservation>0</tdm:reservation></rdf:Description>", "none"),
        (' dc:title="1" rdf:value="1" tdm:reservation="0"/>', "none"),
        # The same words in other vocabularies mean something else.
        (' dc:reservation="1"/>', "none"),
        (' tdm:license="1"/>', "none"),
    ],
)
def test_a_statement_is_what_stands_in_its_own_field(description: str, expected: str) -> None:
    assert verdict(packet(description)) == expected


def test_a_packet_is_read_up_to_its_bounds() -> None:
    assert (MAX_XMP_BYTES, MAX_DEPTH, MAX_ELEMENTS, MAX_VALUE_CHARS) == (8_388_608, 64, 50_000, 512)
    assert xmp_properties(b"<a>" + b" " * (8_388_608 - 7) + b"</a>") == ()
    assert xmp_properties(b"<a>" * 64 + b"</a>" * 64) == ()
    assert xmp_properties(b"<a>" + b"<b/>" * 49_999 + b"</a>") == ()
    (found,) = xmp_properties(packet(FORMS["element"].format(name="DataMining", value="x" * 600)))
    assert found.value == "x" * 512


@pytest.mark.parametrize("packed", ["utf-16-le", "utf-16-be"])
def test_either_order_of_letters_is_read(packed: str) -> None:
    written = "\ufeff" + packet(FORMS["attribute"].format(name="DataMining", value="DMI-PROHIBITED")).decode()
    assert verdict(written.encode(packed)) == "deny"
    assert verdict(f"{written}\n".encode(packed)) == "deny"
