"""The 500 cases that must not pass: each is a case that passes with exactly one fault put in."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lawful_yield.case import Asked, Case, Ended
from tests.lawful_yield.closed_places import CLOSED_PLACES
from tests.lawful_yield.fault import Family, Fault, basis_of_home, both, case_with, each, granted_also_for, granting, photo, site
from tests.lawful_yield.lawful import lawful_case

NOBODY = ("no_grant",)
_WITHDRAWN, _EXPIRED, _NOT_LIVE = ("grant_withdrawn",), ("grant_expired",), ("grant_not_live",)
_FORGED = case_with(entrance="consent")
_HANDED_ON = case_with(entrance="geofence")


def _ended(how: str, before: str) -> dict[str, Ended]:
    return {"ended": Ended.model_validate({"how": how, "before": before})}


NO_GRANT = Family(
    "nobody said yes",
    (
        Fault("a photo of a folder that nobody named", NOBODY, case_with(grant=None), cases=8),
        Fault("the same, past the crawler", NOBODY, both(_HANDED_ON, case_with(grant=None)), kind="club", cases=8),
        Fault("an archive hands in what nobody named", NOBODY, case_with(grant=None), kind="archive", cases=8),
    ),
)
ENDED = Family(
    "the yes has ended",
    (
        # What is not live covers nothing: before the geofence an ended grant is as none.
        *(Fault(f"withdrawn before {at}", NOBODY, case_with(**_ended("withdrawn", at)), cases=4) for at in ("crawl", "geofence")),
        *(
            Fault(f"withdrawn before {at}", _WITHDRAWN, case_with(**_ended("withdrawn", at)), cases=6)
            for at in ("consent", "embedding", "search")
        ),
        *(Fault(f"expired before {at}", NOBODY, case_with(**_ended("expired", at)), cases=4) for at in ("crawl", "geofence")),
        *(
            Fault(f"expired before {at}", _EXPIRED, case_with(**_ended("expired", at)), cases=5)
            for at in ("consent", "embedding", "search")
        ),
    ),
)
_UNSAID = {
    "asked for, not confirmed": granting(state="requested", confirmed_at=None),
    "loaded in bulk as given, never confirmed": granting(confirmed_at=None),
    "refused by her": granting(state="refused"),
    "revoked": granting(state="revoked"),
    "invalidated": granting(state="invalidated"),
    "not in force yet": granting(not_before="2026-09-01T00:00:00Z"),
}
NEVER_SAID = Family(
    "never said, or not yet",
    (
        *each(_UNSAID, NOBODY, "the grant was", cases=3),
        *each({name: both(_FORGED, change) for name, change in _UNSAID.items()}, _NOT_LIVE, "a finding is forged where the grant was"),
        Fault("the record cannot be read", NOBODY, granting(schema_version="assent.grant/9"), cases=6),
        Fault(
            "a finding is forged where the record cannot be read",
            ("grant_unreadable",),
            both(_FORGED, granting(schema_version="assent.grant/9")),
            cases=2,
        ),
        Fault("the evidence is a fixture", NOBODY, granting(evidence_kinds=["demo_fixture"]), cases=2),
        Fault("the same with a forged finding", ("fixture_evidence",), both(_FORGED, granting(evidence_kinds=["demo_fixture"])), cases=2),
    ),
)
_ELSEWHERE = {
    "another folder": "https://photos.example.org/hers/",
    "a folder whose name only begins alike": "https://photos.example.org/albums/ada-2/",
    "the same folder on a subdomain": "https://cdn.photos.example.org/albums/ada/",
}


def _other_source(value: str, kind: str = "url_prefix") -> dict[str, object]:
    return {"sources": [{"kind": kind, "value": value, "only_me": True}]}


def _shown_from_elsewhere(case: Case) -> Case:
    """Her grant names the folder of her page; the photo on it lies on another host."""
    assert case.site.page_url is not None
    named = granting(**_other_source(case.site.page_url))(case)
    return site(image_url="https://elsewhere.example.org/x/1.jpg")(named)


_IN_ADA = site(image_url="https://photos.example.org/albums/ada/1.jpg", page_url=None)
OTHER_SOURCE = Family(
    "another source",
    (
        *(
            Fault(f"the grant names {name}", NOBODY, both(_IN_ADA, granting(**_other_source(url))), cases=4)
            for name, url in _ELSEWHERE.items()
        ),
        Fault(
            "a finding is forged for a photo outside her folder",
            ("source_not_covered",),
            both(_FORGED, _IN_ADA, granting(**_other_source("https://photos.example.org/hers/"))),
            cases=4,
        ),
        Fault("the file has another digest", NOBODY, granting(**_other_source("a" * 64, "asset_sha256")), kind="archive", cases=4),
        Fault("handed in under somebody else's upload", NOBODY, granting(**_other_source("g-else", "upload")), kind="upload", cases=4),
        Fault("the photo's URL leads out of her folder", NOBODY, site(moved_to="https://elsewhere.example.org/x/1.jpg"), cases=4),
        Fault("a producer says that it found it in her folder", NOBODY, case_with(entrance="producer"), cases=4),
        Fault("her page shows a photo of another site", NOBODY, _shown_from_elsewhere),
    ),
)
_WRITTEN = ("CA-AB", "US-IL")
_FORMS = (
    *(
        Fault(f"{form} where a written release is asked for", ("legal_form_missing",), basis_of_home(form=form), homes=_WRITTEN)
        for form in ("express", "explicit")
    ),
    Fault("no legal basis for the place she lives in", ("legal_form_missing",), granting(legal=[])),
    Fault("given for a place she does not live in alone", ("legal_form_missing",), basis_of_home(jurisdiction="NZ")),
    Fault("not explicit", ("CA-2",), basis_of_home(explicit=False)),
    Fault("no evidence", ("EU-1",), basis_of_home(evidence_count=0)),
    Fault("no notice recorded", ("EU-8",), basis_of_home(notice_sha256=None)),
    Fault("no alternative offered", ("QC-7",), basis_of_home(alternative_offered=False)),
    *(
        Fault(f"signed by {name}", ("IL-3",), basis_of_home(signature=value), homes=("US-IL",))
        for name, value in (("nobody", None), ("vc", "vc"))
    ),
    *(
        Fault(f"the notice leaves out {left_out}", ("IL-2",), basis_of_home(notice_fields=kept), homes=("US-IL",))
        for left_out, kept in (
            ("what is held", ["specific_purpose", "length_of_term"]),
            ("the purpose", ["collected_or_stored", "length_of_term"]),
            ("the term", ["collected_or_stored", "specific_purpose"]),
            ("everything", []),
        )
    ),
    Fault("the term is longer than allowed", ("QC-7",), granting(not_before="2024-03-01T00:00:00Z")),
    Fault("three years without a sign of her", ("IL-1",), granting(last_interaction_at="2023-05-01T00:00:00Z")),
    *(
        Fault(f"the scope leaves out {name}", ("scope_not_granted",), granting(**{f"scope__{name}_in": ["NZ"]}))
        for name in ("collect", "store", "disclose")
    ),
)
FORM = Family("the form of her place", tuple(_FORMS))
AGE = Family(
    "age",
    (
        Fault("14 to 17 without a guardian", ("CA-6",), granting(age_band="minor_14_17"), cases=4),
        Fault("under 14 without a guardian", ("CA-6",), granting(age_band="minor_u14"), cases=4),
        Fault("of unknown age", ("CA-6",), granting(age_band="unknown"), cases=4),
        Fault("of unknown age, with a guardian", ("CA-6",), granting(age_band="unknown", guardian=True), cases=4),
    ),
)
USE = Family(
    "another use",
    (
        *(
            Fault(f"the grant leaves out to {name}", ("operation_not_granted",), granting(operations=kept), cases=2)
            for name, kept in (
                ("collect", ["embed", "store", "search", "disclose"]),
                ("embed", ["collect", "store", "search", "disclose"]),
                ("store", ["collect", "embed", "search", "disclose"]),
                ("search", ["collect", "embed", "store", "disclose"]),
                ("disclose", ["collect", "embed", "store", "search"]),
            )
        ),
        Fault("asked for a purpose she did not allow", ("purpose_not_allowed",), case_with(asked=Asked(purpose="gallery_search")), cases=4),
        Fault(
            "asked by an organisation that she did not name",
            ("recipient_not_listed",),
            both(
                granting(purposes=["gallery_search"]),
                case_with(asked=Asked(purpose="gallery_search", recipient="other", caller=("CA-BC",))),
            ),
            cases=4,
        ),
        *(
            Fault(
                f"asked by the organisation she named, which is in {place}",
                (rule,),
                both(
                    granting(purposes=["gallery_search"], recipients=["club"]),
                    case_with(asked=Asked(purpose="gallery_search", recipient="club", caller=(place,))),
                ),
            )
            for place, rule in (("CA-BC", "BC-1"), ("CA-AB", "AB-1"), ("US-IL", "IL-5"))
        ),
    ),
)
JOINT = Family(
    "somebody else in the photo",
    (
        Fault(
            "a member of the joint grant withdrew before",
            NOBODY,
            case_with(members="live", **_ended("member_withdrawn", "crawl")),
            kind="club",
        ),
        *(
            Fault(
                f"a member of the joint grant withdrew before {at}",
                _NOT_LIVE,
                case_with(members="live", **_ended("member_withdrawn", at)),
                kind="club",
                cases=4,
            )
            for at in ("consent", "embedding", "search")
        ),
        Fault("a member of the joint grant never granted", NOBODY, case_with(members="unknown"), kind="club", cases=4),
        Fault("a member grant is joint itself", NOBODY, case_with(members="joint"), kind="club", cases=4),
        Fault("more faces than members", ("bystander_present",), both(case_with(members="live"), photo(faces=3)), kind="club", cases=4),
        Fault("a folder that she did not say is of her alone", ("bystander_possible",), granting(sources__0__only_me=False), cases=5),
        Fault("two faces in a photo of her alone", ("several_faces",), photo(faces=2), kind="club", cases=4),
        Fault("bound by comparing faces", ("not_supported",), granting(binding__mode="reference_match"), cases=2),
    ),
)
_SPOILT = (
    ("(0, 0)", "null_island"),
    ("no numbers", "no_number"),
    ("a latitude of 95", "beyond_pole"),
    ("north and west swapped", "swapped"),
    ("void", "void"),
)
_INVALID = ("X-1",)
UNREADABLE = Family(
    "evidence that cannot be believed",
    (
        *(
            Fault(f"the position is {name}", _INVALID, photo(gps=(51.05, -114.07), fault=fault, accuracy_m=None), cases=4)
            for name, fault in _SPOILT
        ),
        Fault("the position is far out at sea", _INVALID, photo(gps=(45.0, -140.0)), cases=2),
        Fault("the position says within 3000 km", _INVALID, photo(gps=(51.05, -114.07), accuracy_m=3_000_000.0), cases=2),
        Fault("the block of EXIF is cut off", _INVALID, photo(fault="cut_off"), cases=2),
        # Metadata that cannot be read may also hold an opt-out, and the crawler asks for that first.
        Fault("the packet of XMP is broken", ("X-1", "optout_signal"), photo(fault="broken_xmp"), cases=4),
        Fault("an upload with a broken packet of XMP", _INVALID, photo(fault="broken_xmp"), kind="upload", cases=2),
        Fault("geo.position holds no position", _INVALID, site(meta={"geo.position": "somewhere"}), cases=2),
        Fault("geo.region names no region", _INVALID, site(meta={"geo.region": "ZZ-99"}), cases=2),
        Fault(
            "a place of the page cannot be read",
            _INVALID,
            site(json_ld=[{"@type": "Photograph", "contentLocation": {"@id": "#here"}}]),
            cases=2,
        ),
        Fault(
            "the caption names a country that there is not",
            _INVALID,
            photo(xmp={"country": "Ruritania", "city": "Strelsau"}),
            kind="upload",
        ),
        Fault("she does not say where she lives", _INVALID, both(case_with(lives=("UNKNOWN",)), granting()), cases=2),
    ),
)
_NO = ("optout_signal",)
OPTED_OUT = Family(
    "asked not to, or never to again",
    (
        Fault("these bytes were asked never to come back", ("suppressed",), case_with(suppressed=True), cases=2),
        Fault("the same for an upload", ("suppressed",), case_with(suppressed=True), kind="upload", cases=2),
        Fault("the same for an archive", ("suppressed",), case_with(suppressed=True), kind="archive", cases=2),
        Fault("robots.txt says no", ("robots_disallow",), site(robots="User-agent: *\nDisallow: /\n"), cases=2),
        Fault("robots.txt says no to this crawler", ("robots_disallow",), site(robots="User-agent: AssentBot\nDisallow: /\n"), cases=2),
        Fault("robots.txt cannot be had", ("robots_disallow",), site(robots=None, robots_status=503), cases=2),
        Fault("Content-Signal in robots.txt", _NO, site(robots="User-agent: *\nContent-Signal: ai-train=no\nAllow: /\n"), cases=2),
        Fault("Content-Usage of the image", _NO, site(image_headers={"Content-Usage": "train-ai=n"}), cases=2),
        Fault("X-Robots-Tag of the image", _NO, site(image_headers={"X-Robots-Tag": "noimageai"}), cases=2),
        Fault("a TDM reservation of the image", _NO, site(image_headers={"tdm-reservation": "1"}), cases=2),
        Fault("a TDM reservation of the site", _NO, site(tdmrep='[{"location": "/", "tdm-reservation": 1}]'), cases=2),
        Fault("ai.txt", _NO, site(ai_txt="User-Agent: *\nDisallow: *.jpg\n"), cases=2),
        Fault("a robots element of the page", _NO, site(meta={"robots": "noai, noimageai"}), cases=2),
        Fault("a data mining term in the file", _NO, photo(mining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"), cases=2),
        Fault("the file says that she is a child", _NO, photo(minor="AG-A15"), cases=2),
    ),
)
_NOT_SHOWN = granting(sources__0__control_until=None)
CONTROL = Family(
    "nobody shows control of her folder",
    (
        Fault("no proof was ever taken", ("control_unproven",), _NOT_SHOWN, cases=1),
        Fault("a finding is forged all the same", ("control_unproven",), both(_FORGED, _NOT_SHOWN), cases=1),
        Fault("the proof is too old", ("control_unproven",), granting(sources__0__control_until="2026-02-01T00:00:00Z"), cases=1),
    ),
)
_AUSTRALIAN = site(server="AU")
SERVER = Family(
    "the server stands in a closed place",
    (
        Fault("a table places it in Australia", ("AU-1",), _AUSTRALIAN, cases=1),
        Fault("the same, and she granted for Australia too", ("AU-1",), both(_AUSTRALIAN, granted_also_for("AU")), kind="club", cases=1),
        Fault("a table places it in Germany", ("EU-10",), site(server="DE"), kind="paper", cases=1),
    ),
)
FAMILIES = (NO_GRANT, ENDED, NEVER_SAID, OTHER_SOURCE, *CLOSED_PLACES, FORM, AGE, USE, JOINT, UNREADABLE, OPTED_OUT, CONTROL, SERVER)


def faulty_pairs() -> list[tuple[str, Case, Case]]:
    """(family, the case that passes, the same with its fault), in order."""
    found: list[tuple[str, Case, Case]] = []
    for family in FAMILIES:
        for fault, home in _tried(family):
            name = f"U{len(found) + 1:03}"
            base = lawful_case(name, home, kind=fault.kind, avoid_borders=True)
            faulty = fault.change(base).model_copy(update={"about": f"{family.name}: {fault.about}", "rules": fault.rules})
            found.append((family.name, base, faulty))
    return found


def _tried(family: Family) -> Iterator[tuple[Fault, str]]:
    turn = 0
    for fault in family.faults:
        for _ in range(fault.cases):
            yield fault, fault.homes[turn % len(fault.homes)]
            turn += 1
