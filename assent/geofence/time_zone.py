"""The offset from UTC that a camera wrote down, as evidence: every place whose clocks have shown it; it excludes and never proves."""

from __future__ import annotations

import re

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated
from assent.ids import Jurisdiction

# From the IANA time zone database (public domain): what clocks showed from 2016, when EXIF got the field, to 2025. Countries with rules
# for their parts are listed by part, in brackets; a part counts wherever some corner of it keeps that time.
_OFFSETS = (
    "-11:00 AS NU UM; -10:00 US(AK HI) CK PF; -09:30 PF; -09:00 US(AK) PF; -08:00 CA(BC YT) US(AK CA ID NV OR WA) MX PN; -07:00 CA(AB "
    "BC NT NU SK YT) US(AZ CA CO ID KS MT ND NE NM NV OR SD TX UT WA WY) MX; -06:00 CA(AB BC MB NT NU ON SK) US(AL AR AZ CO FL IA ID IL "
    "IN KS KY LA MI MN MO MS MT ND NE NM NV OK OR SD TN TX UT WI WY) BZ CL CR EC GT HN MX NI SV; -05:00 CA(MB NU ON QC) US(AL AR CT DC "
    "DE FL GA IA IL IN KS KY LA MA MD ME MI MN MO MS NC ND NE NH NJ NY OH OK PA RI SC SD TN TX VA VT WI WV) BR BS CL CO CU EC HT JM KY "
    "MX PA PE TC; -04:30 VE; -04:00 CA(NB NL NS NU ON PE QC) US(CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC TN VA VT WV) "
    "AG AI AW BB BL BM BO BQ BR BS CL CU CW DM DO GD GL GP GY HT KN LC MF MQ MS PR PY SX TC TT VC VE VG VI; -03:30 CA(NL); -03:00 CA(NB "
    "NL NS PE QC) AR BM BR CL FK GF GL PM PY SR UY; -02:30 CA(NL); -02:00 BR GL GS PM; -01:00 CV GL PT; +00:00 BF CI EH ES FO GB GG GH "
    "GL GM GN GW IE IM IS JE LR MA ML MR PT SH SL SN ST TG; +01:00 AD AL AO AT BA BE BJ CD CF CG CH CM CZ DE DK DZ EH ES FO FR GA GB GG "
    "GI GQ HR HU IE IM IT JE LI LU MA MC ME MK MT NA NE NG NL NO PL PT RS SE SI SJ SK SM ST TD TN VA; +02:00 AD AL AT AX BA BE BG BI BW "
    "CD CH CY CZ DE DK EE EG ES FI FR GI GR HR HU IL IT JO LB LI LS LT LU LV LY MC MD ME MK MT MW MZ NA NL NO PL PS RO RS RU RW SD SE "
    "SI SJ SK SM SS SY SZ TR UA VA ZA ZM ZW; +03:00 AX BG BH BY CY DJ EE EG ER ET FI GR IL IQ JO KE KM KW LB LT LV MD MG PS QA RO RU SA "
    "SD SO SS SY TR TZ UA UG YE YT; +03:30 IR; +04:00 AE AM AZ GE MU OM RE RU SC; +04:30 AF IR; +05:00 KZ MV PK RU TF TJ TM UZ; +05:30 "
    "IN LK; +05:45 NP; +06:00 BD BT CN IO KG KZ RU; +06:30 CC MM; +07:00 CX ID KH LA MN RU TH VN; +08:00 AU(WA) BN CN HK ID MN MO MY PH "
    "RU SG TW; +08:30 KP; +08:45 AU(WA); +09:00 ID JP KP KR MN PW RU TL; +09:30 AU(NSW NT SA); +10:00 AU(ACT NSW QLD TAS VIC) FM GU MP "
    "PG RU; +10:30 AU(NSW SA); +11:00 AU(ACT NSW TAS VIC) FM NC NF PG RU SB VU; +12:00 FJ KI MH NF NR NZ RU TV UM WF; +12:45 NZ; +13:00 "
    "FJ KI NZ TK TO WS; +13:45 NZ; +14:00 KI TO WS"
)
_PLACE = re.compile(r"([A-Z]{2})(?:\(([^)]*)\))?")


def time_zone_evidence(text: str) -> tuple[Evidence, ...]:
    """Evidence of one offset as EXIF writes it (CIPA DC-008, OffsetTime): blanks stand for an unknown one, which says nothing."""
    offset = text.strip()
    if not offset.strip(" :"):
        return ()
    # What no clock has shown, or what is no offset, has no row and names no place: it is unreadable.
    return (stated(EvidenceKind.TIME_ZONE, _PLACES.get("+00:00" if offset == "-00:00" else offset, frozenset())),)


def _places() -> dict[str, frozenset[Jurisdiction]]:
    table: dict[str, frozenset[Jurisdiction]] = {}
    for entry in _OFFSETS.split("; "):
        offset, _, places = entry.partition(" ")
        named = _PLACE.findall(places)
        table[offset] = frozenset(
            Jurisdiction(f"{country}-{part}" if part else country) for country, parts in named for part in (parts.split() or [""])
        )
    return table


_PLACES = _places()
